// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
)

// An accessRequest is the body of checkAccess.
type accessRequest struct {
	Subject struct {
		Attributes struct {
			ObjectID string   `json:"ObjectId"`
			Groups   []string `json:"Groups"`
			Retrieve bool     `json:"xms-pasrp-retrievegroupmemberships"`
		}
	}
	Actions []struct {
		ID   string `json:"Id"`
		Data bool   `json:"IsDataAction"`
	}
	Resource struct {
		ID string `json:"Id"`
	}
}

// An accessDecision is one element of the answer.
type accessDecision struct {
	ActionID   string              `json:"actionId"`
	Decision   string              `json:"accessDecision"`
	Data       bool                `json:"isDataAction"`
	Assignment *decidingAssignment `json:"roleAssignment"`
	Deny       *decidingDeny       `json:"denyAssignment"`
	Audit      []any               `json:"auditAssignments"`
	TTL        int                 `json:"timeToLiveInMs"`
}

type decidingAssignment struct {
	Delegated        string `json:"delegatedManagedIdentityResourceId"`
	ID               string `json:"id"`
	RoleDefinitionID string `json:"roleDefinitionId"`
	PrincipalID      string `json:"principalId"`
	PrincipalType    string `json:"principalType"`
	Scope            string `json:"scope"`
	Condition        string `json:"condition"`
	ConditionVersion string `json:"conditionVersion"`
	CanDelegate      bool   `json:"canDelegate"`
	Description      string `json:"description"`
}

type decidingDeny struct {
	ID                      string            `json:"id"`
	Name                    string            `json:"name"`
	Description             string            `json:"description"`
	Permissions             []block           `json:"permissions"`
	Scope                   string            `json:"scope"`
	DoNotApplyToChildScopes bool              `json:"doNotApplyToChildScopes"`
	Principals              []deniedPrincipal `json:"principals"`
	ExcludePrincipals       []deniedPrincipal `json:"excludePrincipals"`
	Condition               string            `json:"condition"`
	ConditionVersion        string            `json:"conditionVersion"`
	Effect                  *string           `json:"effect"` // null
	IsSystemProtected       string            `json:"isSystemProtected"`
}

// checkAccess answers whether the subject may do each of the actions.
func (x *exchange) checkAccess(resource, _ string) {
	var req accessRequest
	if err := x.decode(&req); err != nil {
		x.armError(http.StatusBadRequest, "InvalidRequestContent",
			"The request content was invalid: "+err.Error()+".")
		return
	}
	who := req.Subject.Attributes
	switch {
	case !isGUID(who.ObjectID):
		x.armError(http.StatusBadRequest, "InvalidRequestContent",
			"The request content was invalid: Subject.Attributes.ObjectId is not a GUID.")
		return
	case plainScope(req.Resource.ID) != plainScope(resource):
		x.armError(http.StatusBadRequest, "InvalidRequestContent",
			"The request content was invalid: Resource.Id is not the resource of the URL.")
		return
	}
	subject := append([]string{who.ObjectID}, who.Groups...)
	switch _, exists := x.dir.principal(who.ObjectID); {
	case who.Retrieve && exists:
		subject = append(subject, x.dir.memberOf(who.ObjectID)...)
	case who.Retrieve:
		// It was deleted, and has no groups. Inferred: Azure does not document its answer about
		// such an object.
		subject = nil
	}
	answer := []accessDecision{}
	for _, a := range req.Actions {
		v := x.dir.decide(question{subject, a.ID, a.Data, resource})
		answer = append(answer, accessDecision{
			ActionID: a.ID, Decision: v.word, Data: a.Data,
			Assignment: x.dir.deciding(v), Deny: x.dir.decidingDeny(v.deny),
			Audit: []any{}, TTL: 300000,
		})
	}
	x.json(http.StatusOK, answer)
}

// deciding describes the role assignment that allowed the action, if there is one.
func (d *Directory) deciding(v decision) *decidingAssignment {
	a := v.assignment
	if a == nil || d.BareDecisions {
		return nil
	}
	p := d.whoever(a.Principal)
	out := &decidingAssignment{
		ID: digest(p.oid, v.role.ID, a.Scope), RoleDefinitionID: bare(v.role.ID),
		PrincipalID: bare(p.oid), PrincipalType: p.kind, Scope: a.Scope, Condition: a.Condition,
	}
	if a.Condition != "" {
		out.ConditionVersion = "2.0"
	}
	return out
}

func (d *Directory) decidingDeny(y *Deny) *decidingDeny {
	if y == nil {
		return nil
	}
	what := Role{Actions: y.Actions, NotActions: y.NotActions, DataActions: y.DataActions,
		NotDataActions: y.NotDataActions}
	short := func(all []deniedPrincipal) []deniedPrincipal {
		for i := range all {
			all[i].ID = bare(all[i].ID)
		}
		return all
	}
	return &decidingDeny{
		ID: digest(y.Name, y.Scope), Name: y.Name, Scope: y.Scope,
		Permissions:             []block{what.block()},
		DoNotApplyToChildScopes: y.DoNotApplyToChildScopes, IsSystemProtected: "true",
		Principals: short(d.named(y.Principals)), ExcludePrincipals: short(d.named(y.Exclude)),
	}
}

// bare returns a GUID in checkAccess's form: 32 hexadecimal digits.
func bare(guid string) string { return strings.ReplaceAll(guid, "-", "") }

// digest returns an identifier that depends on the parts alone.
func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.Join(parts, "\x00"))))
	return fmt.Sprintf("%x", sum[:16])
}
