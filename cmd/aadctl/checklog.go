// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"aadlogin/internal/doctor"
)

// lately is how far back check looks into the log.
const lately = 7 * 24 * time.Hour

// lastRefusal tells how the last sign-in of an account ended, if that was a no: of somebody who has only ever been refused, nothing
// else here knows. What is to be done is not taken from the log, where any local user can write.
func (o *options) lastRefusal(ctx context.Context, name string, now time.Time) []doctor.Finding {
	said := signIns(ctx, o.logs(os.DirFS(o.root+"/")), now.Add(-lately), now, 1, name, []string{strings.ToLower(name)})
	if len(said.Events) == 0 || said.Events[0].Verb != "denied" {
		return nil
	}
	last := said.Events[0]
	reason := last.Values["reason"]
	if strings.Trim(reason, "abcdefghijklmnopqrstuvwxyz-") != "" {
		return nil
	}
	return []doctor.Finding{{
		Check: "access", Status: doctor.Warning,
		Found: fmt.Sprintf("the last sign-in in the log, of %s, was denied: %s", when(last.Time), reason),
		Fix:   "pam_aad(8) explains the reason; the whole line, with what mends it: journalctl -g 'pam_aad.*denied.*" + name + "'",
	}}
}
