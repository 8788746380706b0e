// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"fmt"

	"aadlogin/internal/azure"
	"aadlogin/internal/rbac"
)

func (a *attempt) cannotReach(what string, err error) error {
	a.event.heard(err)
	var certificate *azure.CertificateError
	var local *azure.LocalError
	if errors.As(err, &local) {
		return a.cannotConnect(what, local, err)
	}
	person := fmt.Sprintf("The %s cannot be reached. Try again in a moment; if it stays, tell "+
		"the administrator of this machine.", what)
	if errors.As(err, &certificate) {
		person = fmt.Sprintf("%sthe certificate of the %s %s.",
			tellAdministrator, what, certificate.Problem)
	}
	r := a.refuse(Unreachable, person, "unreachable", "server", what, "error", err.Error())
	r.cause = err
	return r
}

// cannotConnect is no outage of anybody else: no last grant stands in for it.
func (a *attempt) cannotConnect(what string, local *azure.LocalError, err error) error {
	return a.refuse(Broken,
		fmt.Sprintf("This machine %s, so it cannot reach the %s. Try again in a moment; if it "+
			"stays, tell its administrator.", local.Problem, what),
		"cannot-connect", "server", what, "error", err.Error(), "fix", local.Fix)
}

// cannotAsk is not a denial: nobody has said no.
func (a *attempt) cannotAsk(machine rbac.Resource, err error) error {
	var refused *azure.Error
	switch {
	case errors.Is(err, azure.ErrUnreachable) && azure.Op(err) == azure.IdentityToken:
		return a.cannotReach(metadataService, err)
	case !errors.As(err, &refused), errors.Is(err, azure.ErrUnreachable):
		return a.cannotReach("authorization service of Azure", err)
	}
	a.event.heard(err)
	if refused.Forbidden() {
		return a.metadataForbidden(refused)
	}
	return a.refuse(Unreachable, tellAdministrator+
		"Azure does not let it ask who may sign in; the system log says why.",
		"authorization-not-asked", "error", err.Error(), "fix", mayAsk(refused, a.cfg, machine))
}
