// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package nss

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"aadlogin/internal/account"
)

// vectors yields the lines of a file that both languages read.
func vectors(t testing.TB, path string) (lines []string) {
	t.Helper()
	f, err := os.Open("../testdata/" + path)
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
		if got := strconv.FormatUint(uint64(id(tenant, f[0], k, low, high)), 10); got != f[3] {
			t.Errorf("id(%s, %s, %d, %d, %d) = %s, want %s", tenant, f[0], k, low, high, got, f[3])
		}
	}
}

func nobody(*account.Edit) error { return nil }

func TestName(t *testing.T) {
	rules := testRules()
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
		data, _ := build(t, rules, nobody)
		if got := spelled(load(t, data), typed); got != expect {
			t.Errorf("%s with %v is %q, want %q", quoted, rules.Domains, got, expect)
		}
	}
}

func spelled(s store, typed string) string {
	switch name, upn, exact := s.name(typed); {
	case name == "":
		return "foreign"
	case exact:
		return "ours " + name + " " + upn
	default:
		return "spelled " + name
	}
}

// FuzzName checks that Go and C agree about every name.
func FuzzName(f *testing.F) {
	for _, line := range vectors(f, "names/names.txt") {
		if quoted, _, ok := strings.Cut(line, " expect: "); ok {
			if typed, err := strconv.Unquote(quoted); err == nil {
				f.Add(typed, true)
				f.Add(typed, false)
			}
		}
	}
	off, on := testRules(), testRules()
	on.ShortNames = true
	offData, _ := build(f, off, nobody)
	onData, _ := build(f, on, nobody)
	stores := map[bool]store{false: load(f, offData), true: load(f, onData)}
	f.Fuzz(func(t *testing.T, typed string, short bool) {
		if strings.ContainsRune(typed, 0) {
			return // C ends it there
		}
		rules := off
		if short {
			rules = on
		}
		want := "foreign"
		n, err := rules.Name(typed)
		var spelling *account.SpellingError
		switch {
		case err == nil:
			want = "ours " + n.Account + " " + n.UPN
		case errors.As(err, &spelling):
			want = "spelled " + spelling.Right
		}
		if got := spelled(stores[short], typed); got != want {
			t.Errorf("%q: C %q, Go %q", typed, got, want)
		}
	})
}
