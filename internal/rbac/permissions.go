// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"context"
	"fmt"
)

// Permissions asks, with the person's own token, what the person may do. It needs no managed
// identity, but an access token that can do all that the person can.
//
// The answer names neither roles nor scopes. It shows neither deny assignments nor the conditions
// of role assignments.
type Permissions struct {
	ARM Reader // with the person's token
}

// Ask implements Source. The answer is about the person whose token ARM has: the object id is not
// part of the request.
func (s Permissions) Ask(ctx context.Context, q Question) (Facts, error) {
	err := q.check()
	var blocks []Permission
	var correlationID string
	if err == nil {
		blocks, correlationID, err = list[Permission](ctx, s.ARM,
			authorizationPath(q, "permissions"), authorizationQuery(""))
	}
	if err != nil {
		return Facts{}, fmt.Errorf("rbac: permissions: %w", err)
	}
	return Facts{Question: q, Evidence: OwnPermissions(blocks), CorrelationID: correlationID}, nil
}

// OwnPermissions are what the person may do at the machine, a block for each role.
type OwnPermissions []Permission

func (p OwnPermissions) find(q Question) (login, admin match) {
	return each(q, func(action string) match {
		if r := reachOf(p, action); r != full {
			return refused(action, r.why())
		}
		return allowed(By{})
	})
}
