// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"aadlogin/internal/azure"
	"aadlogin/internal/foreign"
	"aadlogin/internal/guid"
)

// A Reader sends GET requests to Azure Resource Manager.
type Reader interface {
	Get(ctx context.Context, path string, query url.Values) (azure.Reply, error)
	Follow(ctx context.Context, nextLink string) (azure.Reply, error) // on the same host only
}

// maxPages bounds a list, because a server could send one that never ends.
const maxPages = 100

// list requests a list and follows it through its pages. An answer without a list is an error:
// taken for an empty list, it would remove every deny assignment.
func list[T any](
	ctx context.Context, arm Reader, path string, query url.Values,
) (all []T, correlationID string, err error) {
	reply, err := arm.Get(ctx, path, query)
	for pages := 1; ; pages++ {
		if err != nil {
			return nil, "", err
		}
		var page struct {
			Value    *[]T   `json:"value"`
			NextLink string `json:"nextLink"`
		}
		if err := foreign.Decode(reply.Body, &page); err != nil {
			return nil, "", err
		}
		if page.Value == nil {
			return nil, "", errors.New("answer without a list")
		}
		all = append(all, *page.Value...)
		if page.NextLink == "" {
			return all, reply.CorrelationID, nil
		}
		if pages == maxPages {
			return nil, "", fmt.Errorf("more than %d pages", maxPages)
		}
		reply, err = arm.Follow(ctx, page.NextLink)
	}
}

// authorizationVersion is that of the roleAssignments, roleDefinitions, denyAssignments and
// permissions operations.
// https://learn.microsoft.com/rest/api/authorization
const authorizationVersion = "2022-04-01"

func authorizationQuery(filter string) url.Values {
	query := url.Values{"api-version": {authorizationVersion}}
	if filter != "" {
		query.Set("$filter", filter)
	}
	return query
}

func authorizationPath(q Question, operation string) string {
	return q.Resource.String() + "/providers/Microsoft.Authorization/" + operation
}

// check makes sure that a question can be put to Resource Manager.
func (q Question) check() error {
	if q.Resource == (Resource{}) {
		return errors.New("no resource")
	}
	if !guid.Is(q.ObjectID) {
		return fmt.Errorf("%q is not an object id", foreign.Clip(q.ObjectID))
	}
	return nil
}
