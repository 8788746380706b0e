// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"strings"
	"testing"

	"aadlogin/internal/emulator"
	"aadlogin/internal/signin"
)

// What mends an identity that gives no token depends on which there are: a new one is no help beside two that are not named.
func TestIdentityThatIsNotMeant(t *testing.T) {
	one := emulator.Identity{Name: "1", ObjectID: "22222222-0000-0000-0000-000000000000", ClientID: "bbbbbbbb-0000-0000-0000-000000000000"}
	two := emulator.Identity{Name: "2", ObjectID: "33333333-0000-0000-0000-000000000000", ClientID: "cccccccc-0000-0000-0000-000000000000"}
	for name, test := range map[string]struct {
		have    []emulator.Identity
		line    string
		fix     string
		command string
	}{
		"none":         {nil, "", "az vm identity assign", "az vm identity assign --ids /subscriptions/"},
		"two":          {[]emulator.Identity{one, two}, "", "set authorization.managed_identity", ""},
		"another":      {[]emulator.Identity{one}, `authorization.managed_identity = "` + two.ClientID + `"`, "authorization.managed_identity is " + two.ClientID, ""},
		"the only one": {[]emulator.Identity{one}, "", "", ""},
		"one that is":  {[]emulator.Identity{one, two}, `authorization.managed_identity = "` + two.ClientID + `"`, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := emulator.Contoso()
			d.Identities, d.Assignments = test.have, nil
			entra := &emulator.Server{Directory: d}
			if err := entra.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { entra.Close() })
			p := patient(t, entra, test.line)
			probe, err := signin.NewProbe(t.Context(), p.Config)
			if err != nil {
				t.Fatal(err)
			}
			r := remote{p, probe}
			r.openID(t.Context())
			r.machine(t.Context())
			result := r.identity(t.Context())[0]
			if (result.Status == OK) != (test.fix == "") || !strings.Contains(result.Fix, test.fix) || !strings.HasPrefix(result.Command, test.command) || (result.Command == "") != (test.command == "") {
				t.Errorf("%+v", result)
			}
		})
	}
}
