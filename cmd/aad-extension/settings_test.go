// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"aadlogin/internal/config"
)

const required = `"tenant_id":"aaaabbbb-0000-cccc-1111-dddd2222eeee","client_id":"00001111-aaaa-2222-bbbb-3333cccc4444",` +
	`"domains":["contoso.example"]`

// around returns a settings file as the agent writes it.
func around(public string) string {
	return `{"runtimeSettings":[{"handlerSettings":{"publicSettings":` + public +
		`,"protectedSettings":null,"protectedSettingsCertThumbprint":null}}]}`
}

func TestParseSettings(t *testing.T) {
	for _, test := range []struct{ text, want, says string }{
		{"", "", ""},
		{" \n", "", ""},
		{"{}", "", ""},
		{`{"runtimeSettings":[]}`, "", ""},
		{around("null"), "", ""},
		{around("{}"), "", ""},
		{around(`{"tenant_id":"a","short_names":true,"domains":["a","b"],"sign_in":{"max_waiting":7,"qr":null}}`),
			`tenant_id = "a", short_names = true, domains = ["a", "b"], sign_in.max_waiting = 7`,
			""},
		{around(`{"accounts":{"groups":{"0f3c":"docker"},"id_range":[1,2]}}`),
			`accounts.groups.0f3c = "docker", accounts.id_range = [1, 2]`, ""},
		{around(`{"a":"x\"\\\n\u0000\u007f\ud83d\ude00<"}`), `a = "x\"\\\n\u0000\u007f😀<"`, ""},
		{around(`"tenant"`), "", "publicSettings is not an object"},
		{around("[]"), "", "publicSettings is not an object"},
		{around(`{"a":1.5}`), "", "a holds what no key of config.toml does"},
		{around(`{"a":1e400}`), "", "a holds what no key"},
		{around(`{"a":[{}]}`), "", "a holds what no key"},
		{around(`{"a":[null]}`), "", "a holds what no key"},
		{around(`{"a":[[]]}`), "", "a holds a list in a list"},
		{around(`{"a":1,"a":2}`), "", "a is given twice"},
		{around(`{"s":{"a":1},"s":{"b":2}}`), "", "s is given twice"},
		{around(`{"a.b":1}`), "", `"a.b" is not a key`},
		{around(`{"":1}`), "", `"" is not a key`},
		{around(`{"a\nb":1}`), "", `"a\nb" is not a key`},
		{around(`{"a":{"b":{"c":{"d":1}}}}`), "", "a.b.c is not a section"},
		{`{"runtimeSettings":[{"handlerSettings":{"publicSettings":{"secret":`, "",
			"no JSON at byte"},
		{`{"runtimeSettings":{"secret":1}}`, "", "runtimeSettings at byte"},
		{"\x00", "", "no JSON at byte"},
	} {
		s, err := parseSettings([]byte(test.text))
		if test.says != "" {
			if err == nil || !strings.Contains(err.Error(), test.says) ||
				strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: %v", test.text, err)
			}
			continue
		}
		var got []string
		for _, p := range s.pairs {
			got = append(got, p.key+" = "+p.value)
		}
		if err != nil || strings.Join(got, ", ") != test.want {
			t.Errorf("%s: %q, %v", test.text, got, err)
		}
	}
}

func TestProtectedSettings(t *testing.T) {
	for text, want := range map[string]bool{
		around("{}"): false,
		`{"runtimeSettings":[{"handlerSettings":{"protectedSettings":""}}]}`:         false,
		`{"runtimeSettings":[{"handlerSettings":{"protectedSettings":"MIICyg=="}}]}`: true,
		`{"runtimeSettings":[{"handlerSettings":{"protectedSettings":{"a":1}}}]}`:    true,
	} {
		if s, err := parseSettings([]byte(text)); err != nil ||
			s.protected != want || len(s.pairs) > 0 {
			t.Errorf("%s: %+v, %v", text, s, err)
		}
	}
}

// Any settings become TOML with the same values, or are refused with the name of a key.
func FuzzSettings(f *testing.F) {
	f.Add(around(`{`+required+`,"authorization":{"source":"app-roles"},"cloud":"public"}`),
		"[sign_in]\n#qr = false\n")
	f.Add(around(`{`+required+`,"endpoints":{"ca_file":"/a\"\u007f\n","proxy":""}}`), "# mine\n")
	f.Add(around(`{`+required+`,"sign_in":{"timeout":"5s","admin_services":["a",1]}}`), "")
	f.Add(`{"runtimeSettings":[{"handlerSettings":{}}]}`, "domains = [\n]\n")
	f.Fuzz(func(t *testing.T, text, file string) {
		s, err := parseSettings([]byte(text))
		if err != nil || len(s.pairs) == 0 {
			return
		}
		seen := map[string]bool{}
		for _, p := range s.pairs {
			if seen[p.key] {
				t.Fatalf("%s twice", p.key)
			}
			seen[p.key] = true
		}
		_, err = config.Parse("", s.edit(nil))
		var e *config.Error
		if errors.As(err, &e) && e.Key == "" {
			t.Errorf("%v\n%s", err, s.edit(nil))
		}
		s.edit([]byte(file))
	})
}

func FuzzFolders(f *testing.F) {
	f.Add(`[{"name":"AADLoginForLinux","version":1.0,"handlerEnvironment":{"logFolder":"/l","configFolder":"/c","statusFolder":"/s"}}]`)
	f.Add(`[{"handlerEnvironment":null}]`)
	f.Add(`{"name":1}`)
	f.Fuzz(func(t *testing.T, text string) {
		folders, err := parseFolders([]byte(text))
		if err == nil &&
			(folders.Config[0] != '/' || folders.Status[0] != '/' || folders.Log[0] != '/') {
			t.Errorf("%+v", folders)
		}
	})
}

func TestFolders(t *testing.T) {
	got, err := parseFolders([]byte(`[{"name":"N","version":1.0,"handlerEnvironment":{"logFolder":"/l","configFolder":"/c",` +
		`"statusFolder":"/s","heartbeatFile":"/h","eventsFolder":"/e"}}]`))
	if err != nil || got != (folders{"N", "/c", "/s", "/l"}) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"", "[]", "{}", "null", `[{"name":"N"}]`,
		`[{"handlerEnvironment":{"logFolder":"l","configFolder":"/c","statusFolder":"/s"}}]`} {
		if got, err := parseFolders([]byte(bad)); err == nil {
			t.Errorf("%s: %+v", bad, got)
		}
	}
}

// The manifest names commands that exist.
func TestManifest(t *testing.T) {
	text, err := readSome("../../packaging/extension/HandlerManifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var manifest []struct {
		Version         float64
		HandlerManifest map[string]any
	}
	if err := json.Unmarshal(text, &manifest); err != nil || len(manifest) != 1 ||
		manifest[0].Version != 1 {
		t.Fatal(err)
	}
	for name := range commands {
		if got := manifest[0].HandlerManifest[name+"Command"]; got != fmt.Sprint("bin/handler ",
			name) {
			t.Errorf("%s is %v", name, got)
		}
	}
}
