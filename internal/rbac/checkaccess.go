// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"

	"aadlogin/internal/azure"
	"aadlogin/internal/foreign"
)

// A Poster posts a question to Azure Resource Manager with the machine's managed identity.
type Poster interface {
	Post(ctx context.Context, path string, query url.Values, in any) (azure.Reply, error)
}

// CheckAccess asks Azure for the decision: the checkAccess operation expands groups, inherits
// scopes and applies deny assignments on the server's side. The managed identity needs
// Microsoft.Authorization/*/read at the machine.
type CheckAccess struct {
	ARM Poster
}

// checkAccessVersion is the version that takes another subject than the caller. It is the one that
// https://github.com/kubeguard/guard uses.
const checkAccessVersion = "2018-09-01-preview"

// Ask implements Source.
func (c CheckAccess) Ask(ctx context.Context, q Question) (Facts, error) {
	if err := q.check(); err != nil {
		return Facts{}, fmt.Errorf("rbac: check access: %w", err)
	}
	query := url.Values{"api-version": {checkAccessVersion}}
	reply, err := c.ARM.Post(ctx, authorizationPath(q, "checkAccess"), query, newAccessRequest(q))
	if err != nil {
		return Facts{}, fmt.Errorf("rbac: check access: %w", err)
	}
	decisions, err := parseAccess(reply.Body)
	if err != nil {
		return Facts{}, fmt.Errorf("rbac: check access: %w", err)
	}
	return Facts{Question: q, Evidence: decisions, CorrelationID: reply.CorrelationID}, nil
}

type attributes map[string]any

type accessRequest struct {
	Subject     struct{ Attributes accessSubject }
	Actions     []accessAction
	Resource    accessResource
	Environment *struct{}
}

type accessSubject struct {
	ObjectID string `json:"ObjectId"`
	Groups   []string
	// Without it only direct assignments count.
	RetrieveGroups bool `json:"xms-pasrp-retrievegroupmemberships"`
}

type accessAction struct {
	ID           string `json:"Id"`
	IsDataAction bool
	Attributes   attributes
}

type accessResource struct {
	ID         string `json:"Id"`
	Attributes attributes
}

func newAccessRequest(q Question) accessRequest {
	actions := q.Resource.Actions()
	var r accessRequest
	r.Subject.Attributes = accessSubject{
		ObjectID: q.ObjectID, Groups: []string{}, RetrieveGroups: true,
	}
	r.Actions = []accessAction{
		{actions.Login, true, attributes{}},
		{actions.LoginAsAdmin, true, attributes{}},
	}
	r.Resource = accessResource{q.Resource.String(), attributes{}}
	return r
}

// An accessEntry is one element of an answer of checkAccess. Unknown members are allowed, because
// the answer grows with Azure. The assignment may be null even if the decision is Allowed.
type accessEntry struct {
	ActionID     string `json:"actionId"`
	IsDataAction bool   `json:"isDataAction"`
	Decision     string `json:"accessDecision"`
	Role         struct {
		ID         string `json:"id"`
		Definition string `json:"roleDefinitionId"`
		Scope      string `json:"scope"`
		Condition  string `json:"condition"`
	} `json:"roleAssignment"`
	Deny struct {
		ID    string `json:"id"`
		Name  string `json:"name"`
		Scope string `json:"scope"`
	} `json:"denyAssignment"`
}

// denied reports whether the entry names a deny assignment. Older answers have one with empty
// members where newer ones have null.
func (e accessEntry) denied() bool {
	return e.Deny.ID != "" || e.Deny.Name != "" || e.Deny.Scope != ""
}

// parseAccess reads an answer: a list, or the object around it that a later version of the
// operation sends. The first of several pages is not an answer.
func parseAccess(body []byte) (ActionDecisions, error) {
	var entries []accessEntry
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
		var doc struct {
			Value []accessEntry `json:"value"`
			Next  string        `json:"nextLink"`
		}
		if err := foreign.Decode(body, &doc); err != nil {
			return nil, err
		}
		if doc.Value == nil || doc.Next != "" {
			return nil, errors.New("not JSON of the expected form")
		}
		entries = doc.Value
	} else if err := foreign.Decode(body, &entries); err != nil {
		return nil, err
	}
	decisions := make(ActionDecisions, 0, len(entries))
	for _, e := range entries {
		decisions = append(decisions, ActionDecision{
			Action:     e.ActionID,
			DataAction: e.IsDataAction,
			Word:       e.Decision,
			By:         By{e.Role.Definition, e.Role.Scope, e.Role.ID},
			Condition:  e.Role.Condition,
			Denied:     e.denied(),
		})
	}
	return decisions, nil
}
