// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"fmt"
	"strings"
	"testing"
)

func TestParsePasswd(t *testing.T) {
	rules := testRules()
	good := "alice@contoso.com:x:3197663:3197663:Alice Example:/home/alice:/bin/zsh\n" +
		"\n" +
		"bob@fabrikam.com:*:4359382:4359382::/home/bob:\n"
	accounts, err := ParsePasswd(strings.NewReader(good), rules)
	if err != nil || len(accounts) != 2 {
		t.Fatalf("%+v, %v", accounts, err)
	}
	want := Account{
		Name: "alice@contoso.com", UPN: "alice@contoso.com", UID: 3197663,
		Gecos: "Alice Example", Home: "/home/alice", Shell: "/bin/zsh",
	}
	if !accounts[0].equal(want) {
		t.Errorf("%+v", accounts[0])
	}
	if accounts[1].Gecos != "bob@fabrikam.com" || accounts[1].Shell != rules.Shell {
		t.Errorf("%+v", accounts[1])
	}
	for line, problem := range map[string]string{
		"alice@contoso.com:x:3197663:3197663:Alice:/home/alice": "6 fields",
		"a:b:c:d:e:f:g:h": "8 fields",
		"root:x:0:0::/root:/bin/sh": "not one of an " +
			"accepted domain",
		"carol@other.com:x:5000:5000::/home/c:/bin/sh": "not one of an " +
			"accepted domain",
		"Carol@contoso.com:x:5000:5000::/home/c:/bin/sh": `must be spelled "carol@contoso.com"`,
		"alice@contoso.com:x:5000:5000::/home/c:/bin/sh": "is on line " +
			"1 already",
		"carol@contoso.com:x:3197663:3197663::/home/c:/bin/sh": "uid 3197663 is " +
			"on line 1 already",
		"carol@contoso.com:$6$x:5000:5000::/home/c:/bin/sh": "has a password",
		"carol@contoso.com:x:0:0::/home/c:/bin/sh": "uid 0 is the " +
			"system's",
		"carol@contoso.com:x:999:999::/home/c:/bin/sh": "uid 999 is the " +
			"system's",
		"carol@contoso.com:x:65534:65534::/home/c:/bin/sh":           "the system's",
		"carol@contoso.com:x:4294967295:4294967295::/home/c:/bin/sh": "the system's",
		"carol@contoso.com:x:4294967296:4294967296::/home/c:/bin/sh": "is not a number",
		"carol@contoso.com:x:+5000:+5000::/home/c:/bin/sh":           "is not a number",
		"carol@contoso.com:x:05000:05000::/home/c:/bin/sh":           "is not a number",
		"carol@contoso.com:x:-1:-1::/home/c:/bin/sh":                 "is not a number",
		"carol@contoso.com:x:5000:100::/home/c:/bin/sh": "write 5000 for " +
			"both and, once it is imported, hand over its files: find / -xdev -uid 5000 -gid 100 " +
			"-exec chgrp -h 5000 {} +",
		"carol@contoso.com:x:5000:$(reboot)::/home/c:/bin/sh": "every account " +
			"here has a private group with its own number",
		"carol@contoso.com:x:1879048193:1879048193::/home/c:/bin/sh":           "is a group's",
		"carol@contoso.com:x:5000:5000:::/bin/sh":                              "home",
		"carol@contoso.com:x:5000:5000::home:/bin/sh":                          "home",
		"carol@contoso.com:x:5000:5000::/home/c:sh":                            "shell",
		"carol@contoso.com:x:5000:5000:\x01:/home/c:/bin/sh":                   "gecos",
		"carol@contoso.com:x:5000:5000:" + strings.Repeat("g", 1<<17) + ":/h:": "token too long",
	} {
		accounts, err := ParsePasswd(strings.NewReader(good+line+"\n"), rules)
		if err == nil || accounts != nil {
			t.Errorf("%.60q: %v", line, accounts)
			continue
		}
		got := err.Error()
		if !strings.HasPrefix(got, "account: line 4: ") || !strings.Contains(got, problem) {
			t.Errorf("%.60q: %v; want %q", line, err, problem)
		}
	}
}

// The preview's users have their names in any case, and the field before the home is documented
// nowhere.
func TestParsePreview(t *testing.T) {
	accounts, err := ParsePreview(strings.NewReader("# made by aadlogin\n"+
		"Alice@Contoso.com:x:3197663:3197663:Alice Example:/home/alice:/bin/zsh\n"+
		"bob@fabrikam.com:*:4359382:4359382:/home/bob:/bin/sh\r\n"+
		"carol@contoso.com:x:5000:5000:Carol:Example::/home/carol:\n"), testRules())
	if err != nil || len(accounts) != 3 {
		t.Fatalf("%+v, %v", accounts, err)
	}
	for i, want := range []Account{
		{Name: "alice@contoso.com", UPN: "alice@contoso.com", UID: 3197663, Gecos: "Alice Example",
			Home: "/home/alice", Shell: "/bin/zsh"},
		{Name: "bob@fabrikam.com", UPN: "bob@fabrikam.com", UID: 4359382, Gecos: "bob@fabrikam.com",
			Home: "/home/bob", Shell: "/bin/sh"},
		{Name: "carol@contoso.com", UPN: "carol@contoso.com", UID: 5000, Gecos: "Carol Example ",
			Home: "/home/carol", Shell: "/bin/bash"},
	} {
		if !accounts[i].equal(want) {
			t.Errorf("got  %+v\nwant %+v", accounts[i], want)
		}
	}
	// The error names every wrong line, not only the first.
	accounts, err = ParsePreview(strings.NewReader("a:b\nalice@contoso.com:x:5000:5000::/home/a:\neve@evil.example:x:5001:5001::/h:\n"), testRules())
	want := "account: line 1: has 2 fields"
	if accounts != nil || !strings.HasPrefix(fmt.Sprint(err), want) ||
		!strings.Contains(err.Error(), "\naccount: line 3: name \"eve@evil.example\"") {
		t.Errorf("%v, %v", accounts, err)
	}
}

// Imported accounts keep ids outside the range, even at their first sign-in.
func TestImport(t *testing.T) {
	s := newStore(t)
	bind(t, s, testRules(), "zoe@contoso.com")
	parse := func(lines string) []Account {
		accounts, err := ParsePasswd(strings.NewReader(lines), testRules())
		if err != nil {
			t.Fatal(err)
		}
		return accounts
	}
	lines := "alice@contoso.com:x:3197663:3197663::/home/alice:/bin/zsh\nbob@contoso.com:x:4359382:4359382::/home/bob:/bin/sh\n"
	for range 2 { // again changes nothing
		update(t, s, func(e *Edit) error { return e.Import(parse(lines)) })
	}
	for _, bad := range []string{
		"carol@contoso.com:x:5000:5000::/home/c:/bin/sh\ndora@contoso.com:x:3197663:3197663::/home/d:/bin/sh\n",
		"carol@contoso.com:x:5000:5000::/home/c:/bin/sh\nalice@contoso.com:x:5001:5001::/home/alice:/bin/sh\n",
	} {
		if err := s.Update(func(e *Edit) error { return e.Import(parse(bad)) }); err == nil {
			t.Errorf("imported %q", bad)
		}
	}
	if _, err := open(t, s).ByName("carol@contoso.com"); err != ErrUnknown {
		t.Errorf("half of an import was stored: %v", err)
	}
	update(t, s, func(e *Edit) error {
		_, err := e.Bind(person("alice@contoso.com"), 3197663)
		return err
	})
	a, err := open(t, s).ByObject(tenant, person("alice@contoso.com").ObjectID)
	if err != nil || a.UID != 3197663 || a.Home != "/home/alice" {
		t.Errorf("bound %+v, %v", a, err)
	}
	other := Identity{tenant, "other", "alice@contoso.com", "alice@contoso.com"}
	err = s.Update(func(e *Edit) error {
		_, err := e.Bind(other, 3197663)
		return err
	})
	if err != ErrOtherObject {
		t.Errorf("a second person claims the import: %v", err)
	}
}

// FuzzParsePasswd checks that a parsed account can be imported, unless its id is taken, and comes
// out of the store unchanged.
func FuzzParsePasswd(f *testing.F) {
	f.Add("alice@contoso.com:x:3197663:3197663:Alice:/home/alice:/bin/zsh\n")
	f.Add("a@contoso.com:*:1000:1000::/h:\nb@fabrikam.com::1001:1001::/h:/s")
	f.Fuzz(func(t *testing.T, lines string) {
		accounts, _ := ParsePasswd(strings.NewReader(lines), testRules())
		preview, _ := ParsePreview(strings.NewReader(lines), testRules())
		for _, a := range append(accounts, preview...) {
			if a.UID < minID || a.check() != nil {
				t.Fatalf("parsed %+v", a)
			}
			got, err := parseAccount(entry(a, a.Name, 5), restOf(t, a))
			if err != nil || !got.equal(a) {
				t.Fatalf("stored %+v, read %+v, %v", a, got, err)
			}
		}
	})
}

// restOf returns the "a" record of an account.
func restOf(t testing.TB, a Account) (rest []byte) {
	t.Helper()
	err := records(a, 5, func(key, value []byte) error {
		if key[0] == 'a' {
			rest = value
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rest
}

// FuzzRecords checks that an account that is read from any bytes is written as the same bytes.
func FuzzRecords(f *testing.F) {
	a := Account{
		Name: "alice@contoso.com", UPN: "alice@contoso.com", UID: 2000,
		Home: "/home/alice", Shell: "/bin/sh",
		TenantID: tenant, ObjectID: "oid", Admin: true, Groups: []uint32{27},
		Former: []string{"old@contoso.com"},
	}
	rest := fmt.Appendf(nil,
		`{"upn":%q,"tenant":"t","object":"o","created":"2026-11-22T12:00:00Z"}`, a.UPN)
	f.Add(entry(a, a.Name, 5), rest, testRules().record())
	f.Fuzz(func(t *testing.T, first, rest, rules []byte) {
		if r, _, err := parseRules(rules); err == nil {
			if again, _, err := parseRules(r.record()); err != nil || !again.Equal(r) {
				t.Errorf("rules %+v, again %+v, %v", r, again, err)
			}
		}
		a, err := parseAccount(first, rest)
		if err != nil {
			return
		}
		again, err := parseAccount(entry(a, a.Name, 5), restOf(t, a))
		if err != nil || !again.equal(a) {
			t.Errorf("account %+v, again %+v, %v", a, again, err)
		}
	})
}
