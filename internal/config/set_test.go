// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// The output of show can be read back with the same result.
func TestShow(t *testing.T) {
	texts := []string{minimal, minimal + `
short_names = true
sign_in.timeout = "1m30s"
sign_in.admin_services = ["cockpit"]
accounts.groups."ffffffff-5555-6666-7777-aaaaaaaaaaaa" = "night"
accounts.groups."eeeeeeee-5555-6666-7777-aaaaaaaaaaaa" = "day"
`}
	for _, text := range texts {
		want, err := Parse("c", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		shown := want.Show()
		got, err := Parse("shown", []byte(shown))
		if err != nil {
			t.Fatalf("%v:\n%s", err, shown)
		}
		if got.Show() != shown || got.SignIn.Timeout != want.SignIn.Timeout ||
			!reflect.DeepEqual(got.Accounts, want.Accounts) {
			t.Errorf("%+v\n%+v", want, got)
		}
		for _, s := range want.settings() {
			if !strings.Contains(shown, s.key+" = ") {
				t.Errorf("%s is not shown", s.key)
			}
		}
	}
	c, _ := Parse("c", []byte(texts[1]))
	for line, want := range map[string]bool{
		"short_names = true\n": true, "cloud = \"auto\" # default\n": true,
		"sign_in.timeout = \"1m30s\"\n": true,
	} {
		if strings.Contains(c.Show(), line) != want {
			t.Errorf("no %q in\n%s", line, c.Show())
		}
	}
}

func TestSet(t *testing.T) {
	const id = "authorization.resource_id"
	for _, test := range []struct{ text, key, value, want, had string }{
		{"", "cloud", `"china"`, "cloud = \"china\"\n", ""},
		{"# mine", "cloud", `"china"`, "# mine\ncloud = \"china\"\n", ""},
		{"#cloud = \"auto\"\n# more\n", "cloud", `"china"`, "cloud = \"china\"\n# more\n", ""},
		{"# cloud = \"auto\"\ncloud = \"public\"\n", "cloud", `"china"`,
			"# cloud = \"auto\"\ncloud = \"china\"\n", `"public"`},
		{"a = 1\n[sign_in]\n#qr = false\n", "cloud", `"china"`,
			"a = 1\ncloud = \"china\"\n[sign_in]\n#qr = false\n", ""},
		{"[x]\n#cloud = 1\n", "cloud", `"china"`, "cloud = \"china\"\n[x]\n#cloud = 1\n", ""},
		{"[authorization]\n#resource_id = \"\"\n", id, `"/s"`,
			"[authorization]\nresource_id = \"/s\"\n", ""},
		{"[authorization]\n\n[accounts]\n", id, `"/s"`,
			"[authorization]\nresource_id = \"/s\"\n\n[accounts]\n", ""},
		{"authorization.resource_id = \"/t\"\n", id, `"/s"`, "authorization.resource_id = \"/s\"\n",
			`"/t"`},
		{"[authorization]#", id, `"/s"`, "[authorization]#\nresource_id = \"/s\"\n", ""},
		{"[accounts]\n", id, `"/s"`, "authorization.resource_id = \"/s\"\n[accounts]\n", ""},
		// A comment behind a value stays, and is not part of the value.
		{"cloud = \"auto\" # head office\n", "cloud", `"china"`,
			"cloud = \"china\" # head office\n", `"auto"`},
		{"  cloud\t=\t'auto'#x\r\n", "cloud", `"china"`, "  cloud\t=\t\"china\"#x\r\n", `'auto'`},
		{"#cloud = \"auto\" # head office\n", "cloud", `"china"`,
			"cloud = \"china\" # head office\n", ""},
		{"cloud = \"a#b\\\"#c\" # d\n", "cloud", `"china"`, "cloud = \"china\" # d\n", `"a#b\"#c"`},
		{"cloud = 'a\\' # 'd'\n", "cloud", `"china"`, "cloud = \"china\" # 'd'\n", `'a\'`},
		{"short_names=true# yes\n", "short_names", "false", "short_names=false# yes\n", "true"},
		{"domains = [ # ours\n  \"a.b\", # ]\n  '#]',\n] # end\nx = 1\n", "domains", `["c.d"]`,
			"domains = [\"c.d\"] # end\nx = 1\n",
			"[ # ours\n  \"a.b\", # ]\n  '#]',\n]"},
		{"cloud = \"\"\"\na # b\n[x]\ncloud = 1\"\"\"\"\" # c\n", "cloud", `"china"`,
			"cloud = \"china\" # c\n",
			"\"\"\"\na # b\n[x]\ncloud = 1\"\"\"\"\""},
		{"cloud = '''x''' # c\n", "cloud", `"china"`, "cloud = \"china\" # c\n", "'''x'''"},
		{"x = [\n# cloud = 1\n]\n", "cloud", `"china"`,
			"x = [\n# cloud = 1\n]\ncloud = \"china\"\n", ""},
		{"[ \"authorization\" ] # a\nresource_id = \"/t\" # b\n", id, `"/s"`,
			"[ \"authorization\" ] # a\nresource_id = \"/s\" # b\n", `"/t"`},
		{"authorization . resource_id = \"/t\" # b\n", id, `"/s"`,
			"authorization . resource_id = \"/s\" # b\n", `"/t"`},
		{"[a]\nauthorization.resource_id = 1\n", id, `"/s"`,
			"authorization.resource_id = \"/s\"\n[a]\nauthorization.resource_id = 1\n", ""},
		{"cloud = \"not closed # x\nqr = 1\n", "cloud", `"china"`, "cloud = \"china\"\nqr = 1\n",
			`"not closed # x`},
	} {
		got, had := Set([]byte(test.text), test.key, test.value)
		if string(got) != test.want || had != test.had {
			t.Errorf("Set(%q, %s) = %q, %q, want %q, %q", test.text, test.key,
				got, had, test.want, test.had)
		}
	}
}

// Every key of the shipped file can be set.
func TestSetInTheShippedFile(t *testing.T) {
	text, err := os.ReadFile("../../packaging/config.toml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse("c", []byte(minimal))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Count(string(text), "\n")
	for _, line := range c.lines() {
		key, value, _ := strings.Cut(line, " = ")
		text, _ = Set(text, key, value)
	}
	got, err := Parse("shipped", text)
	if err != nil || got.Show() != c.Show() {
		t.Fatalf("%v:\n%s", err, text)
	}
	if n := strings.Count(string(text), "\n"); n != lines {
		t.Errorf("%d lines, were %d", n, lines)
	}
}

// FuzzSet checks that a readable file stays readable, with the new value and otherwise unchanged.
func FuzzSet(f *testing.F) {
	f.Add(minimal + "[authorization]\n#resource_id = \"\"\n")
	f.Add(minimal + "authorization = {resource_id = \"\"}\n")
	f.Add(minimal + "[accounts]\nshell = \"\"\"\\\n  /bin/sh\"\"\" # [authorization]\n")
	f.Add(minimal + "[\"authorization\"]\nresource_id=''\n")
	f.Add(minimal +
		"authorization.resource_id = \"\" # a \"#\" b\nshort_names = false # head office\n")
	f.Fuzz(func(t *testing.T, text string) {
		const id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v"
		before, err := Parse("c", []byte(text))
		if err != nil {
			return
		}
		edited, _ := Set([]byte(text), "authorization.resource_id", Spell(id))
		after, err := Parse("c", edited)
		if err != nil {
			return
		}
		const comment = " # head office\n"
		n, m := strings.Count(text, comment), strings.Count(string(edited), comment)
		if m < n && !strings.Contains(text, `"""`) && !strings.Contains(text, "'''") {
			t.Errorf("a comment is lost: %q", edited)
		}
		before.Authorization.ResourceID = id
		if after.Show() != before.Show() {
			t.Errorf("%q\n%s", edited, after.Show())
		}
	})
}
