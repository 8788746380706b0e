// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package releases

import (
	"os"
	"testing"
	"time"

	"aadlogin/internal/machine/rig"
)

// The machine under test is another one, and may be emulated.
func TestMain(m *testing.M) {
	if !rig.OnThrowaway() {
		return
	}
	rig.Patience = 10 * time.Minute
	os.Exit(m.Run())
}
