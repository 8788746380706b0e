// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"

	"aadlogin/internal/account"
	"aadlogin/internal/config"
)

// errReconfigured is returned if the configuration has changed since the attempt read it.
var errReconfigured = errors.New("signin: reconfigured meanwhile")

// stillConfigured reports whether the configuration says what it said when the attempt began. A
// person may be in the browser for minutes. What Entra ID and Azure have answered since then, they
// have answered to questions of the former configuration, and the rules that the attempt would
// store are the former ones, also if "aadctl config apply" has stored new ones meanwhile.
func (a *attempt) stillConfigured() bool {
	now, err := config.Load(a.ConfigPath)
	return err == nil && ConfigDigest(now) == ConfigDigest(a.cfg) && account.RulesFrom(now).Equal(account.RulesFrom(a.cfg))
}

func (a *attempt) reconfigured() error {
	return a.refuse(Denied, "The configuration of this machine has changed. Connect again.", "reconfigured")
}
