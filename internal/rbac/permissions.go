// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"context"
	"fmt"
)

// Permissions asks in the person's own name what they may do. It needs no
// managed identity, but an access token that can do all that the person can.
//
// The answer names neither roles nor scopes, and shows neither deny
// assignments nor the conditions of role assignments.
type Permissions struct {
	ARM Reader // with the person's token
}

// Ask implements Source. Who is asked about is whose token ARM has; the object
// id is not part of the request.
func (s Permissions) Ask(ctx context.Context, q Question) (Facts, error) {
	err := q.check()
	var blocks []Permission
	var correlationID string
	if err == nil {
		blocks, correlationID, err = list[Permission](ctx, s.ARM, authorizationPath(q, "permissions"), authorizationQuery(""))
	}
	if err != nil {
		return Facts{}, fmt.Errorf("rbac: permissions: %w", err)
	}
	return Facts{Question: q, Evidence: Grants(blocks), CorrelationID: correlationID}, nil
}

// Grants are what the person may do at the machine, one block a role.
type Grants []Permission

func (g Grants) find(q Question) (login, admin finding) {
	return each(q, func(action string) finding {
		if r := reachOf(g, action); r != full {
			return refused(action, r.why())
		}
		return granted(By{})
	})
}
