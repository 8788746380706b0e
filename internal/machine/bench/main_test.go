// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"os"
	"testing"

	"aadlogin/internal/machine/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }
