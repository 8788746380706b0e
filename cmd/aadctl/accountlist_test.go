// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"aadlogin/internal/account"
)

// A list of many accounts takes no more memory than one of a few.
func TestListInConstantMemory(t *testing.T) {
	const many = 100_000
	store := account.Store{Dir: t.TempDir() + "/store", RuntimeDir: t.TempDir()}
	err := store.Update(func(e *account.Edit) error {
		err := e.SetRules(account.Rules{TenantID: "8a09f2d7-8415-4296-92b2-80bb4666c5fc",
			Domains: []string{"contoso.com"},
			Low:     500_000, High: 2_000_000, Home: "/home/%u", Shell: "/bin/sh",
			PreAuthServices: []string{"sshd"}})
		if err != nil {
			return err
		}
		for i := range uint32(many) {
			name := fmt.Sprintf("person%d@contoso.com", i)
			if err := e.Put(account.Account{Name: name, UPN: name, UID: 1_000_000 + i,
				Home: "/home/x", Shell: "/bin/sh"}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for name, how := range map[string]listing{"table": {}, "json": {json: true},
		"passwd": {passwd: true}, "last": {last: true}} {
		out := &heapWatcher{before: heap()}
		if err := how.list(out, store, s); err != nil {
			t.Fatal(err)
		}
		if grown := int64(out.peak) - int64(out.before); out.lines < many || grown > 1<<20 {
			t.Errorf("%s: %d lines, and memory grew by %d", name, out.lines, grown)
		}
	}
}

// A heapWatcher measures the memory in use while it is written to.
type heapWatcher struct {
	before, peak uint64
	written      int
	lines        int
}

func (w *heapWatcher) Write(p []byte) (int, error) {
	if w.written += len(p); w.written>>20 != (w.written-len(p))>>20 { // another MiB
		w.peak = max(w.peak, heap())
	}
	w.lines += strings.Count(string(p), "\n")
	return len(p), nil
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Text from an import must not drive the terminal. A reader of JSON gets the same text.
func TestJSONLine(t *testing.T) {
	const gecos = "zoë \u202e\u009b2J \U000e0001 \" \x1b"
	var out strings.Builder
	w := bufio.NewWriter(&out)
	jsonLine(w, record{Gecos: gecos})
	w.Flush()
	if want := `"gecos":"zoë \u202e\u009b2J \udb40\udc01 \" \u001b"`; !strings.Contains(out.String(), want) {
		t.Errorf("%s, want %s", out.String(), want)
	}
	var back record
	if err := json.Unmarshal([]byte(out.String()), &back); err != nil || back.Gecos != gecos {
		t.Errorf("%q, %v", back.Gecos, err)
	}
}
