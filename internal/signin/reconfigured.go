// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"reflect"

	"aadlogin/internal/config"
)

// errReconfigured is returned if the configuration has changed since the attempt read it.
var errReconfigured = errors.New("signin: reconfigured meanwhile")

// stillConfigured reports whether the configuration says what it said when the attempt began. A
// person may be in the browser for minutes, and Azure may not answer for long. What has been asked
// since then was asked for the former configuration. The rules that the attempt would store are the
// former ones, also if "aadctl config apply" has stored new ones meanwhile.
func (a *attempt) stillConfigured() bool {
	now, err := config.Load(a.ConfigPath)
	return err == nil && reflect.DeepEqual(now, a.cfg)
}

// reconfigured refuses an attempt that is not stillConfigured. A configuration that cannot be read
// any more is said to be so.
func (a *attempt) reconfigured() error {
	if _, err := config.Load(a.ConfigPath); err != nil {
		return a.misconfigured(err)
	}
	return a.refuse(Denied, "The configuration of this machine has changed. Connect again.",
		"reconfigured")
}
