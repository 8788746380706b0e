// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

const vectors = "../../testdata/config/*.toml"

func vectorFiles(t testing.TB) []string {
	files, err := filepath.Glob(vectors)
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors match %s (%v)", vectors, err)
	}
	return files
}

// The first line of each vector has the exact answer of Parse.
func TestVectors(t *testing.T) {
	for _, file := range vectorFiles(t) {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(string(text), "\n")
			want, ok := strings.CutPrefix(first, "# expect: ")
			if !ok {
				t.Fatalf("first line is %q, not an expectation", first)
			}
			got := "ok"
			c, err := Parse(name, text)
			if err != nil {
				got = err.Error()
			}
			if got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if (c == nil) != (err != nil) {
				t.Errorf("Parse = %v, %v: want one of the two", c, err)
			}
		})
	}
}

func parseVector(t *testing.T, name string) *Config {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(filepath.Dir(vectors), name))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse(name, text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// required sets what every minimal vector has.
func required(c *Config) *Config {
	c.TenantID = "8a09f2d7-8415-4296-92b2-80bb4666c5fc"
	c.ClientID = "0b3f4a5e-1c2d-4e3f-8a9b-0c1d2e3f4a5b"
	c.Domains = []string{"contoso.com"}
	return c
}

func TestDefaults(t *testing.T) {
	got, want := parseVector(t, "required-only.toml"), required(defaults())
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestEveryKeyArrives(t *testing.T) {
	want := required(&Config{
		ShortNames: true,
		Cloud:      "usgovernment",
		Endpoints: Endpoints{
			Authority:       "https://login.microsoftonline.us",
			ResourceManager: "https://management.usgovcloudapi.net",
			Metadata:        "http://127.0.0.1:8442",
			CAFile:          "/etc/ssl/emulator.pem",
			Proxy:           "http://proxy.contoso.com:3128",
		},
		SignIn: SignIn{
			Flow: Browser, Page: "https://signin.contoso.com:8443/linux/Sign-in.html",
			Answer:  CodeAnswer,
			Scope:   "0b3f4a5e-1c2d-4e3f-8a9b-0c1d2e3f4a5b/sign-in",
			Timeout: 90 * time.Second, MaxWaiting: 1024, QR: true, ReuseWindow: 15 * time.Minute,
			Services: []string{"sshd", "sudo", "vpn"}, AdminServices: []string{"cockpit"},
			ReconnectOnGroupChange: "true",
		},
		Authorization: Authorization{
			Source:          "check-access",
			ResourceID:      "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-1/providers/Microsoft.Compute/virtualMachines/web1",
			ManagedIdentity: "0f3c1111-2222-3333-4444-555555555555",
			GrantLifetime:   12 * time.Hour,

			GrantCoversAdministrators: true,
		},
		Accounts: Accounts{
			IDRange:   [2]uint32{200000, 300000},
			Home:      "/srv/homes/%d/%l",
			Shell:     "/usr/bin/zsh",
			Directory: "/srv/aad-login",

			Groups:                map[string]string{"0f3c1111-2222-3333-4444-555555555555": "docker"},
			AllowPrivilegedGroups: true,
		},
	})
	if got := parseVector(t, "every-key.toml"); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// The default of sign_in.answer depends on authorization.source.
func TestAnswer(t *testing.T) {
	for name, want := range map[string]string{
		"required-only.toml": TokenAnswer, "flow-browser.toml": TokenAnswer,
		"answer-code.toml": CodeAnswer, "answer-permissions.toml": CodeAnswer,
	} {
		if got := parseVector(t, name).SignIn.Answer; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestOneSpelling(t *testing.T) {
	got := parseVector(t, "upper-case.toml")
	want := required(defaults())
	want.Domains = append(want.Domains, "contoso.onmicrosoft.com")
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// A field without a key could never be set, and a key without a field would never be read.
func TestEveryFieldHasItsKey(t *testing.T) {
	var leaves func(reflect.Type) int
	leaves = func(typ reflect.Type) (n int) {
		if typ.Kind() != reflect.Struct {
			return 1
		}
		for i := range typ.NumField() {
			n += leaves(typ.Field(i).Type)
		}
		return n
	}
	groups := 1 // the free keys of accounts.groups
	fields, keys := leaves(reflect.TypeFor[Config]()), len(defaults().settings())+groups
	if fields != keys {
		t.Errorf("Config has %d fields and the file %d keys", fields, keys)
	}
}

func FuzzParse(f *testing.F) {
	for _, file := range vectorFiles(f) {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse("fuzz.toml", text)
		if err == nil {
			checkInvariants(t, c)
			return
		}
		e, ok := err.(*Error)
		if !ok || e.Problem == "" || e.Fix == "" || e.File != "fuzz.toml" {
			t.Fatalf("not a complete error: %#v", err)
		}
		if strings.ContainsFunc(e.Error(), func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Fatalf("control character in %q", e.Error())
		}
		if lines := strings.Count(string(text), "\n") + 1; e.Line > lines {
			t.Fatalf("line %d of %d", e.Line, lines)
		}
	})
}

// checkInvariants checks what other packages rely on.
func checkInvariants(t *testing.T, c *Config) {
	switch {
	case !lowerGUID(c.TenantID), !lowerGUID(c.ClientID), len(c.Domains) == 0:
		t.Fatalf("a required key is not there: %+v", c)
	case c.Accounts.IDRange[0] < 1000, c.Accounts.IDRange[1]-c.Accounts.IDRange[0] < 1023,
		c.Accounts.IDRange[1] > 2147483646:
		t.Fatalf("id range %v", c.Accounts.IDRange)
	case c.SignIn.Timeout <= 0, c.SignIn.MaxWaiting < 1, c.Authorization.Source == "app-roles" &&
		c.Cloud == "auto" && c.Endpoints.Authority == "":
		t.Fatalf("out of bounds: %+v", c)
	}
	s := c.SignIn.Scope
	isScope := strings.Contains(s, "/") && !strings.ContainsAny(s, " \t\n\"")
	if s != "" && (c.Authorization.Source == Permissions || !isScope) {
		t.Fatalf("scope %q", s)
	}
	page := c.SignIn.Page
	if c.SignIn.Flow == Browser && page == "" || len(page) > maxPage ||
		strings.ContainsAny(page, " \t\n\"?#%+>|") ||
		c.SignIn.Answer == TokenAnswer && c.Authorization.Source == Permissions {
		t.Fatalf("sign-in page %q gives a %s", page, c.SignIn.Answer)
	}
	for _, s := range append([]string{c.Accounts.Home, c.Accounts.Shell, c.Accounts.Directory},
		c.Domains...) {
		if s == "" || strings.ContainsAny(s, ":\n\x00") {
			t.Fatalf("%q would break a passwd line", s)
		}
	}
}
