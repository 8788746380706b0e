// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package metrics

import "slices"

// reasons are the reasons of pam_aad(8) for denials and failures.
var reasons = []string{
	"authorization-not-asked", "cannot-connect", "configuration-error",
	"conversation-failed", "demoted", "expired",
	"former-name", "groups-changed", "home-of-another", "id-of-a-group",
	"id-of-another", "incomplete-answer",
	"interrupted",
	"local-conflict", "locked-account", "memory-limit", "metadata-forbidden",
	"metadata-refused", "misspelt-name",
	"name-not-accepted", "name-of-a-group", "name-of-another",
	"name-service-error", "never-signed-in",
	"no-last-grant", "no-role", "no-shell", "no-short-name", "no-time-left",
	"not-renamed", "not-root",
	"not-writable", "other-account", "other-tenant", "overtaken", "panic", "reconfigured",
	"refused-by-sshd", "relayed-answer", "removed-account",
	"renamed", "service-not-listed", "sign-in-refused", "stale-lookup", "store-damaged",
	"store-error", "stored-password",
	"time-out", "token-refused", "too-many-waiting", "unforeseen", "unreachable",
	"unverified-name", "user-changed", "waiting-room-locked", "worker-died", "worker-failed",
}

// other stands for a reason of a later version, or one that somebody has invented.
const other = "other"

func known(reason string) string {
	if slices.Contains(reasons, reason) {
		return reason
	}
	return other
}
