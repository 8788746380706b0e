// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// vectors yields the lines of a file that both languages read.
func vectors(t testing.TB, path string) (lines []string) {
	t.Helper()
	f, err := os.Open("../../testdata/" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if line := s.Text(); line != "" && line[0] != '#' {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		t.Fatalf("%s holds no vectors", path)
	}
	return lines
}

// nss/name.c is tested with the vectors, so they must have every name of the list.
func TestGroupNamesHaveVectors(t *testing.T) {
	lines := vectors(t, "names/names.txt")
	for _, name := range groupNames {
		if !slices.Contains(lines, strconv.Quote(name)+" expect: foreign") {
			t.Errorf("names.txt does not have %s", name)
		}
	}
}

// nss/name.c may have no name that Go lacks, because it would answer nobody of that name.
func TestGroupNamesAreThoseOfTheNameService(t *testing.T) {
	text, err := os.ReadFile("../../nss/name.c")
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile(`(?s)group\[\] = \{(.*?)\};`).FindSubmatch(text)
	if list == nil {
		t.Fatal("name.c has no list of groups")
	}
	names := []string{UsersGroup, AdminsGroup}
	for _, quoted := range regexp.MustCompile(`"([^"]*)"`).FindAllSubmatch(list[1], -1) {
		names = append(names, string(quoted[1]))
	}
	if !slices.Equal(slices.Sorted(slices.Values(names)),
		slices.Sorted(slices.Values(groupNames))) {
		t.Errorf("name.c has %q,\nGo has %q", names, groupNames)
	}
}

func TestName(t *testing.T) {
	var rules Rules
	for _, line := range vectors(t, "names/names.txt") {
		if s, ok := strings.CutPrefix(line, "short_names: "); ok {
			rules.ShortNames = s == "on"
			continue
		}
		if s, ok := strings.CutPrefix(line, "domains: "); ok {
			rules.Domains = strings.Fields(s)
			continue
		}
		quoted, expect, _ := strings.Cut(line, " expect: ")
		typed, err := strconv.Unquote(quoted)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		n, err := rules.Name(typed)
		var spelling *SpellingError
		var got string
		switch {
		case err == nil:
			got = fmt.Sprintf("ours %s %s", n.Account, n.UPN)
		case errors.As(err, &spelling):
			got = "spelled " + spelling.Right
		case errors.Is(err, ErrForeign):
			got = "foreign"
		default:
			t.Fatal(err)
		}
		if got != expect {
			t.Errorf("Name(%s) with %v is %q, want %q", quoted, rules, got, expect)
		}
		_, right, _ := strings.Cut(expect, " ")
		right, _, _ = strings.Cut(right, " ")
		if !strings.Contains(typed, "@") {
			right = "" // a token says the domain
		}
		if n, _ := rules.FromUPN(typed); n.Account != right {
			t.Errorf("FromUPN(%s) with %v is %q, want %q", quoted, rules, n, right)
		}
	}
}

func TestFromUPN(t *testing.T) {
	rules := Rules{Domains: []string{"contoso.com"}, ShortNames: true}
	n, err := rules.FromUPN("Alice@Contoso.com")
	if err != nil || n != (Name{"alice", "alice@contoso.com"}) {
		t.Errorf("FromUPN = %v, %v", n, err)
	}
	if _, err := rules.FromUPN("alice"); !errors.Is(err, ErrForeign) {
		t.Errorf("a UPN without domain: %v", err)
	}
}

func TestZeroRulesHaveNoNames(t *testing.T) {
	for _, name := range []string{"", "alice", "alice@contoso.com"} {
		if _, err := (Rules{}).Name(name); !errors.Is(err, ErrForeign) {
			t.Errorf("Name(%q) = %v", name, err)
		}
	}
}

func TestID(t *testing.T) {
	var tenant string
	var low, high uint32
	for _, line := range vectors(t, "ids/ids.txt") {
		if s, ok := strings.CutPrefix(line, "tenant: "); ok {
			tenant = s
			continue
		}
		if _, err := fmt.Sscanf(line, "range: %d %d", &low, &high); err == nil {
			continue
		}
		f := strings.Fields(line)
		k, err := strconv.Atoi(f[1])
		if err != nil {
			t.Fatal(err)
		}
		if got := strconv.FormatUint(uint64(ID(tenant, f[0], k, low, high)), 10); got != f[3] {
			t.Errorf("ID(%s, %s, %d, %d, %d) = %s, want %s", tenant, f[0], k, low, high, got, f[3])
		}
	}
}

func TestExpand(t *testing.T) {
	n := Name{Account: "alice", UPN: "alice@contoso.com"}
	for template, want := range map[string]string{
		"/home/%u":       "/home/alice",
		"/home/%d/%l":    "/home/contoso.com/alice",
		"/home/%l@%d":    "/home/alice@contoso.com",
		"/home/%%u":      "/home/%u",
		"/home/%%%u/%%%": "",
		"/home/%x":       "",
		"/home/%":        "",
	} {
		if !isTemplate(template) {
			if want != "" {
				t.Errorf("%q is refused", template)
			}
			continue
		}
		if got := expand(template, n); got != want {
			t.Errorf("expand(%q) = %q, want %q", template, got, want)
		}
	}
}

// FuzzName checks that a name of ours is safe as a path element, an argument and a field, and is
// its own right spelling. No other name is taken for it, typed or in a token, except in ASCII's
// other case.
func FuzzName(f *testing.F) {
	for _, line := range vectors(f, "names/names.txt") {
		quoted, _, _ := strings.Cut(line, " expect: ")
		if typed, err := strconv.Unquote(quoted); err == nil {
			f.Add(typed, false)
			f.Add(typed, true)
		}
	}
	f.Fuzz(func(t *testing.T, typed string, short bool) {
		rules := Rules{Domains: []string{"contoso.com", "fabrikam.co.uk"}, ShortNames: short}
		carried, absent := rules.FromUPN(typed)
		if absent == nil && carried.UPN != lower(typed) {
			t.Fatalf("a token's %q is %q", typed, carried)
		}
		n, err := rules.Name(typed)
		var spelling *SpellingError
		if errors.As(err, &spelling) {
			if n, err = rules.Name(spelling.Right); err != nil || n.Account == typed {
				t.Fatalf("the right spelling %q of %q: %v", spelling.Right, typed, err)
			}
		}
		if strings.Contains(typed, "@") && (absent == nil) != (err == nil) ||
			absent == nil && carried != n {
			t.Fatalf("%q typed is %q, %v; in a token %q, %v", typed, n, err, carried, absent)
		}
		if err != nil {
			return
		}
		if strings.ContainsAny(n.UPN, "/:\\ \n\x00%") || strings.HasPrefix(n.UPN, "-") ||
			strings.HasPrefix(n.UPN, ".") || len(n.UPN) > maxUPN || !validName(n.Account) ||
			n.Account != n.UPN && n.Account != n.Local() {
			t.Errorf("%q made %q", typed, n)
		}
		if same, err := rules.Name(n.Account); err != nil || same != n {
			t.Errorf("%q is %q, %v", n, same, err)
		}
		if same, err := rules.FromUPN(strings.ToUpper(n.UPN)); err != nil || same != n {
			t.Errorf("a token's %q is %q, %v", strings.ToUpper(n.UPN), same, err)
		}
	})
}
