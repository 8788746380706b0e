// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"strings"
	"testing"

	"aadlogin/internal/emulator"
	"aadlogin/internal/signin"
)

// A misspelled domain turns everybody into a stranger. A domain of guests is right beside one of
// the tenant's.
func TestDomains(t *testing.T) {
	const elsewhere = `{"issuer":"https://127.0.0.1/99999999-0000-0000-0000-000000000000/v2.0"}`
	for name, test := range map[string]struct {
		domains []string
		fault   *emulator.Fault
		want    []Status
		found   string
	}{
		"the tenant's": {[]string{"contoso.example"}, nil, []Status{OK}, "are the tenant's"},
		"a slip": {[]string{"contoso.exmaple"}, nil, []Status{Failed},
			"knows no tenant that has the domain contoso.exmaple"},
		"beside the tenant's": {[]string{"contoso.example", "contoso.exmaple"}, nil,
			[]Status{Warning}, "contoso.exmaple"},
		"two slips": {[]string{"a.example", "b.example"}, nil,
			[]Status{Failed, Failed}, "a.example"},
		"of another tenant": {[]string{"fabrikam.example"}, &emulator.Fault{Endpoint: "openid",
			Body: elsewhere}, []Status{Failed},
			"of tenant 99999999-0000-0000-0000-000000000000"},
		"no answer": {[]string{"contoso.example"}, &emulator.Fault{Endpoint: "openid", Status: 503},
			[]Status{Warning}, "could not be asked"},
		"no tenant": {[]string{"contoso.example"}, &emulator.Fault{Endpoint: "openid",
			Body: `{"issuer":"https://127.0.0.1/"}`},
			[]Status{Warning}, "could not be asked"},
	} {
		t.Run(name, func(t *testing.T) {
			entra := new(emulator.Server)
			if err := entra.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { entra.Close() })
			h := host(t, entra, "")
			h.Config.Domains = test.domains
			probe, err := signin.NewProbe(t.Context(), h.Config)
			if err != nil {
				t.Fatal(err)
			}
			r := remote{h, probe}
			r.openID(t.Context())
			if test.fault != nil {
				entra.Fail(*test.fault)
			}
			got := r.domains(t.Context())
			if len(got) != len(test.want) {
				t.Fatalf("%+v", got)
			}
			for i, want := range test.want {
				if got[i].Status != want || got[i].Status != OK && got[i].Fix == "" {
					t.Errorf("%+v", got[i])
				}
			}
			if !strings.Contains(got[0].Found, test.found) {
				t.Errorf("found %q", got[0].Found)
			}
		})
	}
}
