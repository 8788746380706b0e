// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"fmt"
	"os"
	"testing"
	"time"

	"aadlogin/internal/machine/rig"
)

func TestMain(m *testing.M) {
	switch {
	case vmDirectory() != "": // the machine under test is another, and emulated
		rig.Patience = 10 * time.Minute
		os.Exit(m.Run())
	case guest() == "":
		os.Exit(rig.Main(m))
	}
	if err := startGuest(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	status := m.Run()
	rig.Entra.Close()
	os.Exit(status)
}
