// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A labelling is a machine with a policy. Its restorecon first answers what it would do and then
// what it does, as on Debian 13.
type labelling struct {
	options
	would, does string
	fails       error
	calls       []string
}

func newLabelling(t *testing.T) *labelling {
	t.Helper()
	dir := t.TempDir()
	l := &labelling{options: options{root: dir, storeDir: filepath.Join(dir, "store"),
		runtimeDir: filepath.Join(dir, "run")}}
	for path, text := range map[string]string{"sys/fs/selinux/enforce": "1",
		"store/accounts.cdb": "a store", "run/x": ""} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func (l *labelling) run(_ context.Context, program string, args ...string) (string, error) {
	l.calls = append(l.calls, program+" "+strings.Join(args, " "))
	if slices.Contains(args, "-n") {
		return l.would, nil
	}
	return l.does, l.fails
}

func TestStoreRelabel(t *testing.T) {
	l := newLabelling(t)
	l.would = "Would relabel " + l.storeDir +
		"/accounts.cdb from system_u:object_r:var_lib_t:s0 to " +
		"system_u:object_r:aad_login_lib_t:s0\n"
	l.does = strings.Replace(l.would, "Would relabel", "Relabeled", 1)
	var out strings.Builder
	if err := l.relabel(t.Context(), &out, l.run); err != nil {
		t.Fatal(err)
	}
	if out.String() != l.does {
		t.Errorf("it said %q", out.String())
	}
	for i, options := range []string{"-R -n -v ", "-R -v "} {
		if call := l.calls[i]; !strings.HasPrefix(call, "restorecon "+options) ||
			!strings.HasSuffix(call, l.storeDir+" "+l.runtimeDir) &&
				!strings.Contains(call, l.storeDir+" /var/cache/aad-login "+l.runtimeDir) {
			t.Errorf("it called %s", call)
		}
	}
	if _, err := os.Stat(l.storeDir + "/accounts.lock"); err != nil {
		t.Errorf("no writer was kept out: %v", err)
	}
}

// A file with the right label is not made mutable, not even for a moment.
func TestStoreRelabelOfRightLabels(t *testing.T) {
	l := newLabelling(t)
	var out strings.Builder
	if err := l.relabel(t.Context(), &out, l.run); err != nil ||
		out.String() != "every label is as the policy has it\n" || len(l.calls) != 1 {
		t.Errorf("%v; said %q, called %q", err, out.String(), l.calls)
	}
	if _, err := os.Stat(l.storeDir + "/accounts.lock"); err == nil {
		t.Error("it took the lock")
	}
}

func TestStoreRelabelWithoutSELinux(t *testing.T) {
	l := newLabelling(t)
	if err := os.Remove(filepath.Join(l.root, "sys/fs/selinux/enforce")); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := l.relabel(t.Context(), &out, l.run); err != nil || !strings.Contains(out.String(),
		"not enabled") || l.calls != nil {
		t.Errorf("%v; said %q, called %q", err, out.String(), l.calls)
	}
}

// Errors of restorecon are reported, on one line.
func TestStoreRelabelFails(t *testing.T) {
	l := newLabelling(t)
	l.would, l.does, l.fails = "Would relabel x\n",
		"restorecon: Could not set context for /x:\n  Operation not permitted\n",
		errors.New("exit status 255")
	var out strings.Builder
	err := l.relabel(t.Context(), &out, l.run)
	if f := explain(err); err == nil || f.code != exitNo ||
		f.what != "store relabel: restorecon: Could not set context for /x: Operation not permitted" ||
		f.hint == "" || out.String() != "" {
		t.Errorf("%v; said %q", err, out.String())
	}
}
