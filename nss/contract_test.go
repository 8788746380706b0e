// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package nss

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"aadlogin/internal/account"
)

// patience is the longest time for a program that does not hang.
const patience = 4 * time.Minute

// sanitizers for the library and the program; the empty one loads the library that ships.
var sanitizers = []string{"", "address,undefined"}

// program compiles testdata/NAME.c, and returns the command that runs it.
func (l library) program(t *testing.T, name, sanitizer string) []string {
	t.Helper()
	exe := filepath.Join(filepath.Dir(l.so), name+sanitizer)
	args := []string{
		"-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-Wdeclaration-after-statement",
		"-pthread", "-rdynamic", "-Wl,-z,now", "-o", exe, "testdata/" + name + ".c", "-ldl",
	}
	if sanitizer == "" {
		compile(t, args...)
		return []string{exe, l.so}
	}
	sources, err := filepath.Glob("*.c")
	if err != nil || len(sources) < 5 {
		t.Fatalf("sources %q, %v", sources, err)
	}
	args = append(args, "-fsanitize="+sanitizer, "-fno-sanitize-recover=all",
		fmt.Sprintf("-DAAD_STORE=%q", l.store))
	compile(t, append(args, sources...)...)
	// it needs the addresses of a kernel that randomizes fewer bits of them
	if sanitizer == "thread" {
		return []string{"setarch", "-R", exe, ""}
	}
	return []string{exe, ""}
}

// start gives up on a program that hangs.
func start(t *testing.T, command []string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, command[0], slices.Concat(command[1:], args)...)
	cmd.WaitDelay = time.Second
	cmd.Env = append(os.Environ(), "TSAN_OPTIONS=die_after_fork=0")
	return cmd
}

// holds runs a program that reports what is wrong, and returns its output.
func holds(t *testing.T, command []string, args ...string) string {
	t.Helper()
	out, err := start(t, command, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s %q: %v\n%s", filepath.Base(command[0]), args, err, out)
	}
	return string(out)
}

func TestContract(t *testing.T) {
	l := buildLibrary(t)
	data, snapshot := build(t, testRules(), people)
	var gone account.Account
	for a := range snapshot.All() {
		if !a.Removed.IsZero() {
			gone = a
		}
	}
	for _, sanitizer := range sanitizers {
		contract := l.program(t, "contract", sanitizer)
		l.write(t, data)
		for _, name := range []string{
			"admin@contoso.com", "is@contoso.com", "imported@contoso.com",
		} {
			a, err := snapshot.ByName(name)
			if err != nil {
				t.Fatal(err)
			}
			holds(t, contract, "found", name, fmt.Sprint(a.UID))
		}
		for _, name := range []string{
			gone.Name, "was@contoso.com", "new@contoso.com", "new@elsewhere.com", "root", "", "@",
		} {
			holds(t, contract, "absent", name, fmt.Sprint(gone.UID))
		}
		l.write(t, data[:len(data)-1])
		holds(t, contract, "unavailable", "admin@contoso.com", fmt.Sprint(gone.UID))
		for _, trace := range []string{
			l.store + ".previous", filepath.Join(filepath.Dir(l.store), "accounts.lock"),
		} {
			if err := os.Rename(l.store, trace); err != nil {
				t.Fatal(err)
			}
			// it is lost
			holds(t, contract, "unavailable", "admin@contoso.com", fmt.Sprint(gone.UID))
			if err := os.Rename(trace, l.store); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Remove(l.store); err != nil {
			t.Fatal(err)
		}
		holds(t, contract, "none", "admin@contoso.com", fmt.Sprint(gone.UID))
		if err := os.Remove(filepath.Dir(l.store)); err != nil {
			t.Fatal(err)
		}
		// its disk may not be mounted
		holds(t, contract, "unavailable", "admin@contoso.com", fmt.Sprint(gone.UID))
		if err := os.Mkdir(filepath.Dir(l.store), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// Root's id and the system's other ids need no store to be none of ours.
	got := l.ask(t, "pwuid", "0", "grgid", "0", "pwuid", "999", "grgid", "999")
	if !slices.Equal(got, []string{notFound, notFound, notFound, notFound}) {
		t.Errorf("without a store: %q", got)
	}
}

// The entry of somebody before the first sign-in is composed in the buffer, not copied.
func TestContractBeforeSignIn(t *testing.T) {
	l := buildLibrary(t)
	rules := testRules()
	rules.Home = "/home/%d/%l/%u/%%"
	data, snapshot := build(t, rules, people)
	l.write(t, data)
	n, err := rules.Name("new@contoso.com")
	if err != nil {
		t.Fatal(err)
	}
	first, err := snapshot.NewAccount(n)
	if err != nil {
		t.Fatal(err)
	}
	for _, sanitizer := range sanitizers {
		contract := l.program(t, "contract", sanitizer)
		sshd := filepath.Join(t.TempDir(), "sshd")
		if err := os.Rename(contract[0], sshd); err != nil {
			t.Fatal(err)
		}
		contract[0] = sshd
		holds(t, contract, "fresh", n.Account, fmt.Sprint(first.UID))
	}
}

// Ids that nobody has here: the system's, those around the range and around an imported account,
// and the groups at the beginning of the range, which are no accounts.
func TestContractForeignIDs(t *testing.T) {
	l := buildLibrary(t)
	rules := testRules()
	rules.Low, rules.High = 70000, 80000
	data, snapshot := build(t, rules, people)
	l.write(t, data)
	imported, err := snapshot.ByName("imported@contoso.com")
	if err != nil {
		t.Fatal(err)
	}
	foreign := []uint32{
		rules.Low - 1, rules.High + 1, imported.UID - 1, imported.UID + 1, 1000, 1<<31 - 1, 1 << 31,
		1<<32 - 2, 1<<32 - 1,
	}
	for id := range uint32(1000) {
		foreign = append(foreign, id)
	}
	var ask, want []string
	for _, id := range foreign {
		ask = append(ask, "pwuid", fmt.Sprint(id), "grgid", fmt.Sprint(id))
		want = append(want, notFound, notFound)
	}
	for id := rules.Low; id < rules.Low+16; id++ {
		ask = append(ask, "pwuid", fmt.Sprint(id))
		want = append(want, notFound)
	}
	// An imported account keeps an id from before there was a range.
	ask = append(ask, "pwuid", fmt.Sprint(imported.UID))
	want = append(want, line(imported))
	got := l.ask(t, ask...)
	if len(got) != len(want) {
		t.Fatalf("%d answers to %d questions", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%s: %q, want %q", ask[2*i:2*i+2], got[i], want[i])
		}
	}
	// No account can have an id below 1000.
	s := account.Store{Dir: t.TempDir()}
	for _, id := range []uint32{0, 999, 1<<32 - 1} {
		err := s.Update(func(e *account.Edit) error {
			if err := e.SetRules(rules); err != nil {
				return err
			}
			return e.Put(account.Account{
				Name: "low@contoso.com", UPN: "low@contoso.com", UID: id, Home: "/",
				Shell: "/bin/sh",
			})
		})
		if err == nil {
			t.Errorf("an account with the id %d was stored", id)
		}
	}
}

func TestContractOfEnumerations(t *testing.T) {
	l := buildLibrary(t)
	data, snapshot := build(t, testRules(), people)
	l.write(t, data)
	var names []string
	for a := range snapshot.All() {
		if a.Removed.IsZero() {
			names = append(names, a.Name)
		}
	}
	groups := append([]string{account.UsersGroup, account.AdminsGroup}, names...)
	for _, sanitizer := range sanitizers {
		enumerate := l.program(t, "enumerate", sanitizer)
		holds(t, enumerate, append([]string{"passwd"}, names...)...)
		holds(t, enumerate, append([]string{"group"}, groups...)...)
	}
}

func TestContractOfInitgroups(t *testing.T) {
	l := buildLibrary(t)
	const name = "admin@contoso.com"
	data, snapshot := build(t, testRules(), func(e *account.Edit) error {
		return add(e, name, func(a *account.Account) {
			a.Admin, a.Groups = true, []uint32{27, a.UID, 100}
		})
	})
	l.write(t, data)
	a, err := snapshot.ByName(name)
	if err != nil {
		t.Fatal(err)
	}
	low := testRules().Low
	for _, sanitizer := range sanitizers {
		holds(t, l.program(t, "initgroups", sanitizer), a.Name, fmt.Sprint(a.UID), fmt.Sprint(low),
			fmt.Sprint(low+1), "27", "100")
	}
}
