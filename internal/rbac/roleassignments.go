// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"aadlogin/internal/azure"
	"aadlogin/internal/foreign"
	"aadlogin/internal/guid"
)

// RoleAssignments asks what is assigned and judges it here. The managed identity needs
// Microsoft.Authorization/*/read at the machine (Reader has it). Azure expands groups and inherits
// scopes: assignedTo() is transitive, and atScope() includes all scopes above.
type RoleAssignments struct {
	ARM Reader
}

// Ask implements Source.
func (s RoleAssignments) Ask(ctx context.Context, q Question) (Facts, error) {
	if err := q.check(); err != nil {
		return Facts{}, fmt.Errorf("rbac: role assignments: %w", err)
	}
	f := Facts{Question: q}
	var found Assignments
	err := together(
		func() (err error) {
			found.Assignments, f.CorrelationID, err = s.assignments(ctx, q)
			if err == nil {
				found.Roles, err = s.roles(ctx, q, found.Assignments)
			}
			return err
		},
		func() (err error) {
			found.Denies, err = s.denies(ctx, q)
			return err
		},
	)
	if err != nil {
		return Facts{}, err
	}
	f.Evidence = found
	return f, nil
}

func (s RoleAssignments) assignments(
	ctx context.Context, q Question,
) ([]Assignment, string, error) {
	type entry struct {
		ID         string `json:"id"`
		Properties struct {
			Role          string `json:"roleDefinitionId"`
			PrincipalID   string `json:"principalId"`
			PrincipalType string `json:"principalType"`
			Scope         string `json:"scope"`
			Condition     string `json:"condition"`
		} `json:"properties"`
	}
	filter := "atScope() and assignedTo('" + q.ObjectID + "')"
	entries, correlationID, err := list[entry](ctx, s.ARM,
		authorizationPath(q, "roleAssignments"), authorizationQuery(filter))
	if err != nil {
		return nil, "", fmt.Errorf("rbac: role assignments: %w", err)
	}
	all := make([]Assignment, len(entries))
	for i, e := range entries {
		p := e.Properties
		principal := Principal{p.PrincipalID, p.PrincipalType}
		all[i] = Assignment{e.ID, roleKey(p.Role), principal, p.Scope, p.Condition}
	}
	return all, correlationID, nil
}

// roleKey returns the GUID at the end of a role definition's id.
func roleKey(id string) string { return strings.ToLower(id[strings.LastIndexByte(id, '/')+1:]) }

// maxRoles bounds how many role definitions are requested; a person has a few.
const maxRoles = 256

// roles requests the definitions that the assignments name, each once and at the machine, where the
// managed identity may read. It need not be allowed to read at the subscription, where the ids
// lead. A role that does not exist allows nothing.
func (s RoleAssignments) roles(
	ctx context.Context, q Question, as []Assignment,
) (map[string]Role, error) {
	roles := make(map[string]Role)
	for _, a := range as {
		if guid.Is(a.Role) { // anything else would be a path of the server's making
			roles[a.Role] = Role{}
		}
	}
	if len(roles) > maxRoles {
		return nil, fmt.Errorf("rbac: role definitions: more than %d", maxRoles)
	}
	var mu sync.Mutex
	var asks []func() error
	for _, id := range slices.Sorted(maps.Keys(roles)) {
		asks = append(asks, func() error {
			role, err := s.role(ctx, q, id)
			mu.Lock()
			defer mu.Unlock()
			roles[id] = role
			return err
		})
	}
	return roles, together(asks...)
}

func (s RoleAssignments) role(ctx context.Context, q Question, id string) (Role, error) {
	path := authorizationPath(q, "roleDefinitions/"+id)
	reply, err := s.ARM.Get(ctx, path, authorizationQuery(""))
	var answer *azure.Error
	if errors.As(err, &answer) && answer.Status == http.StatusNotFound {
		return Role{}, nil
	}
	var doc struct {
		Properties *Role `json:"properties"`
	}
	if err == nil {
		err = foreign.Decode(reply.Body, &doc)
	}
	if err == nil && doc.Properties == nil {
		err = errors.New("answer without properties")
	}
	if err != nil {
		return Role{}, fmt.Errorf("rbac: role definition: %w", err)
	}
	return *doc.Properties, nil
}

func (s RoleAssignments) denies(ctx context.Context, q Question) ([]Deny, error) {
	type entry struct {
		Properties struct {
			Name        string       `json:"denyAssignmentName"`
			Scope       string       `json:"scope"`
			NotBelow    bool         `json:"doNotApplyToChildScopes"`
			Effect      string       `json:"denyAssignmentEffect"`
			Permissions []Permission `json:"permissions"`
			Principals  []Principal  `json:"principals"`
			Excluded    []Principal  `json:"excludePrincipals"`
		} `json:"properties"`
	}
	entries, _, err := list[entry](ctx, s.ARM,
		authorizationPath(q, "denyAssignments"), authorizationQuery("atScope()"))
	if err != nil {
		return nil, fmt.Errorf("rbac: deny assignments: %w", err)
	}
	all := make([]Deny, len(entries))
	for i, e := range entries {
		all[i] = Deny(e.Properties)
	}
	return all, nil
}

// together runs functions side by side, a few at a time. It returns the error of the first in the
// list that failed.
func together(do ...func() error) error {
	errs := make([]error, len(do))
	room := make(chan struct{}, 8)
	var all sync.WaitGroup
	for i, f := range do {
		room <- struct{}{}
		all.Go(func() {
			errs[i] = f()
			<-room
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
