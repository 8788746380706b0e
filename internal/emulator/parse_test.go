// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// head is a directory without the part that the test adds.
const head = `tenant_id = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
client_id = "00001111-aaaa-2222-bbbb-3333cccc4444"
[[user]]
name = "a@contoso.example"
oid = "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb"
`

func TestParseErrors(t *testing.T) {
	tests := []struct {
		name, text string
		want       string // the whole error, or its beginning up to …
	}{
		{"empty", "", `f.toml: tenant_id: "" is not a GUID…`},
		{"syntax", "x = = 1\n", `f.toml:1: …`},
		{"unknown key", head + "nmae = 1\n", `f.toml:6: user.nmae: no such key`},
		{"unknown table", head + "[[users]]\n", `f.toml:6: users: no such key`},
		{"wrong type", "interval = \"x\"\n" + head, `f.toml:1: interval: …`},
		{"no GUID", strings.Replace(head, "0000-cccc", "0000-ccc", 1),
			`f.toml:1: tenant_id: "aaaabbbb-0000-ccc-1111-dddd2222eeee" is not a GUID…`},
		{"negative", "\ninterval = -1\n" + head,
			`f.toml:2: interval: give a number of seconds above 0`},
		{"resource", head + "[machine]\nresource_id = \"x\"\n",
			`f.toml:7: machine.resource_id: an Azure resource id begins with /subscriptions/`},
		{"nameless", head + "[[group]]\noid = \"aaaaaaaa-0000-1111-2222-cccccccccccc\"\n",
			`f.toml:6: group[0].name: a name is needed`},
		{"twice", head +
			"[[user]]\nname = \"A@contoso.example\"\noid = " +
			"\"aaaaaaaa-0000-1111-2222-cccccccccccc\"\n",
			`f.toml:6: user[1]: "a@contoso.example" is used by user[0] already`},
		{"member", head +
			"[[group]]\nname = \"g\"\noid = \"aaaaaaaa-0000-1111-2222-cccccccccccc\"\nmembers = " +
			"[\"b\"]\n", `f.toml:9: group[0].members: there is no user, group or identity "b"`},
		{"role id", head + "[[role]]\nname = \"r\"\nid = \"x\"\n",
			`f.toml:8: role[0].id: "x" is not a GUID…`},
		{"principal", head + "[[assignment]]\nrole = \"Owner\"\nscope = \"/\"\n",
			`f.toml:6: assignment[0].principal: there is no…`},
		{"role", head +
			"[[assignment]]\nprincipal = \"a@contoso.example\"\nrole = \"Onwer\"\nscope = \"/\"\n",
			`f.toml:8: assignment[0].role: there is no role "Onwer"…`},
		{"scope", head +
			"[[assignment]]\nprincipal = \"a@contoso.example\"\nrole = \"Owner\"\nscope = \"x\"\n",
			`f.toml:9: assignment[0].scope: a scope begins with /`},
		{"deny nobody", head + "[[deny]]\nname = \"d\"\nprincipals = []\nscope = \"/\"\n",
			`f.toml:8: deny[0].principals: say who…`},
		{"deny unknown",
			head + "[[deny]]\nname = \"d\"\nprincipals = [\"everyone\"]\nexclude = " +
				"[\"x\"]\nscope = \"/\"\n", `f.toml:9: deny[0].exclude: there is no…`},
		{"fault", head +
			"[[fault]]\nendpoint = \"token\"\nstatus = 500\n[[fault]]\nendpoint = \"tokens\"\n",
			`f.toml:10: fault[1].endpoint: "tokens" is none of…`},
		{"idle fault", head + "[[fault]]\nendpoint = \"token\"\n",
			`f.toml:6: fault[0].: nothing would go wrong…`},
		{"user consent", "\nuser_consent = \"some\"\n" + head,
			`f.toml:2: user_consent: "some" is none of all, low-impact, none`},
		{"polling", "polling = \"x\"\n" + head,
			`f.toml:1: polling: "x" is none of pending, invalid_grant, interaction_required, access_denied`},
		{"baseline scopes", "baseline_scopes = \"x\"\n" + head,
			`f.toml:1: baseline_scopes: "x" is none of new, old, an application's id`},
		{"block alone", "security_defaults_block_device_code = true\n" + head,
			`f.toml:1: security_defaults_block_device_code: it goes with security_defaults`},
		{"scope twice", head + "[registration]\nscopes = [\"a\", \"a\"]\n",
			`f.toml:7: registration.scopes: "a": a scope's name…`},
		{"scope with a slash", head + "[registration]\nscopes = [\"a/b\"]\n",
			`f.toml:7: registration.scopes: "a/b": a scope's name…`},
		{"pre-authorized",
			head + "[registration]\nscopes = [\"a\"]\nconsent_required = true\npre_authorized = " +
				"[\"b\"]\n",
			`f.toml:9: registration.pre_authorized: "b" is none of registration.scopes`},
		{"consent to no scope",
			head + "[registration]\nconsent_required = true\nadmin_consent = [\"sign-in\"]\n",
			`f.toml:8: registration.admin_consent: "sign-in" is no scope: AADSTS650053: …`},
		{"consent beside all", head + "[registration]\nadmin_consent = [\"openid\"]\n",
			`f.toml:6: registration.consent_required: without it…`},
		{"consent to nothing",
			head + "[registration]\nno_service_principal = true\nadmin_consent = [\"openid\"]\n",
			`f.toml:8: registration.admin_consent: consent is kept in…`},
		{"for itself", head + "[registration]\nfor_itself = \"yes\"\n",
			`f.toml:7: registration.for_itself: "yes" is none of any, guid, none`},
		{"a page by http", head + "[registration]\nspa = [\"http://a.example/\"]\n",
			`f.toml:7: registration.spa: "http://a.example/": a redirect address is one of https…`},
		{"a page with a fragment", head + "[registration]\nweb = [\"https://a.example/#x\"]\n",
			`f.toml:7: registration.web: "https://a.example/#x": a redirect address is absolute…`},
		{"an address twice",
			head + "[registration]\nspa = [\"http://127.0.0.1/\"]\npublic_client = " +
				"[\"http://127.0.0.1:8000/\"]\n",
			`f.toml:8: registration.public_client: "http://127.0.0.1:8000/": one address is registered once…`},
		{"code", "code_length = 63\n" + head, `f.toml:1: code_length: an authorization code has…`},
		{"identifier", head + "[registration]\nidentifier_uris = [\"api:\"]\n",
			`f.toml:7: registration.identifier_uris: an identifier URI…`},
		{"policy name", head + "[[policy]]\ngrant = \"block\"\n",
			`f.toml:6: policy[0].name: a name is needed`},
		{"policy state",
			head + "[[policy]]\nname = \"p\"\ngrant = \"block\"\nstate = \"enabled\"\n",
			`f.toml:9: policy[0].state: "enabled" is none of on, report-only, off`},
		{"policy grant", head + "[[policy]]\nname = \"p\"\ngrant = \"deny\"\n",
			`f.toml:8: policy[0].grant: "deny" is none of block, mfa, managed-device, domain-joined-device`},
		{"policy without", head + "[[policy]]\nname = \"p\"\n",
			`f.toml:6: policy[0].grant: "nothing" is none of block…`},
		{"policy flow",
			head + "[[policy]]\nname = \"p\"\ngrant = \"block\"\nauthentication_flows = " +
				"[\"code\"]\n",
			`f.toml:9: policy[0].authentication_flows: "code" is none of device-code, authentication-transfer`},
		{"policy client",
			head + "[[policy]]\nname = \"p\"\ngrant = \"block\"\nclient_apps = [\"mobile\"]\n",
			`f.toml:9: policy[0].client_apps: "mobile" is none of browser, mobile-and-desktop…`},
		{"policy user",
			head + "[[policy]]\nname = \"p\"\ngrant = \"block\"\nexclude_users = [\"b\"]\n",
			`f.toml:9: policy[0].exclude_users: there is no user, group or identity "b"`},
		{"policy resource",
			head + "[[policy]]\nname = \"p\"\ngrant = \"block\"\nresources = [\"Graph\"]\n",
			`f.toml:9: policy[0].resources: "Graph" is neither "All" nor an application's id`},
		{"policy beside defaults", "security_defaults = true\n" + head +
			"[[policy]]\nname = \"p\"\ngrant = \"block\"\n",
			`f.toml:7: policy[0].state: Entra ID has either security_defaults or policies that are on`},
		{"duration", head + "[[fault]]\nendpoint = \"token\"\ndelay = \"soon\"\n",
			`f.toml:8: fault.delay: …`},
	}
	for _, test := range tests {
		_, err := Parse("f.toml", []byte(test.text))
		var where *Error
		if !errors.As(err, &where) {
			t.Errorf("%s: %v is no *Error", test.name, err)
			continue
		}
		begin, more := strings.CutSuffix(test.want, "…")
		if got := err.Error(); got != begin && !(more && strings.HasPrefix(got, begin)) {
			t.Errorf("%s:\n%s, want\n%s", test.name, got, test.want)
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than one line: %q", test.name, err)
		}
	}
}

func TestLoad(t *testing.T) {
	d, err := Load("contoso.toml")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(d, Contoso()) {
		t.Error("the demonstration's file is not the built-in directory")
	}
	if _, err := Load("missing.toml"); err == nil {
		t.Error("a missing file is accepted")
	}
}

func TestUpdateRefused(t *testing.T) {
	var s Server
	err := s.Update(func(d *Directory) { d.Assignments[0].Role = "x" })
	if err == nil || s.directory().Assignments[0].Role == "x" {
		t.Errorf("error %v, directory %+v", err, s.directory().Assignments[0])
	}
}

// FuzzParse checks that an accepted directory survives being written and read again.
func FuzzParse(f *testing.F) {
	f.Add(contoso)
	f.Add([]byte(head +
		"[user.claims]\nx = {y = [1, 2.5, true]}\n[[fault]]\nendpoint = \"token\"\ndelay = " +
		"\"1s\"\nheader = {A = \"b\"}\n"))
	f.Add([]byte(head +
		"[registration]\nscopes = [\"a\"]\nconsent_required = true\nadmin_consent = " +
		"[\"openid\"]\n[[policy]]\nname = \"p\"\ngrant = \"mfa\"\n"))
	f.Add([]byte("[[user"))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Parse("f", text)
		if err != nil {
			var where *Error
			if !errors.As(err, &where) {
				t.Errorf("%v is no *Error", err)
			}
			return
		}
		again, err := d.encode()
		if err != nil {
			t.Skip() // TOML can read some claims that it cannot write
		}
		d2, err := Parse("g", again)
		if err != nil {
			t.Fatalf("%v in\n%s", err, again)
		}
		if len(d2.Users) != len(d.Users) || len(d2.Faults) != len(d.Faults) ||
			d2.Machine.ResourceID != d.Machine.ResourceID {
			t.Errorf("%+v became %+v", d, d2)
		}
	})
}
