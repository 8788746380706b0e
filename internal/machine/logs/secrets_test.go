// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

// forms are the ways in which a secret may be written: plain, in hexadecimal, and in base64, by
// itself or inside something longer.
func forms(secret string) [][]byte {
	plain := []byte(secret)
	all := [][]byte{
		plain, []byte(hex.EncodeToString(plain)),
		[]byte(strings.ToUpper(hex.EncodeToString(plain))),
	}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			text := encoding.EncodeToString(append(make([]byte, before), plain...))
			// The first characters also hold bits of what comes before, and the last ones of what
			// comes after.
			all = append(all, []byte(text[(before*8+5)/6:(before+len(plain))*8/6]))
		}
	}
	return all
}

// places are texts, by where they were found.
type places map[string][]byte

// add keeps the earlier texts of a place, too.
func (p places) add(where string, text []byte) {
	if !bytes.Contains(p[where], text) {
		p[where] = append(p[where], text...)
	}
}

// leaks returns where a secret was found, or a part of it: any sixteen characters of a token count.
func (p places) leaks(secrets []string) []string {
	const shortest = 9
	index := map[string][][]byte{} // forms by their beginning
	for _, secret := range secrets {
		for piece := range slices.Chunk([]byte(secret), 16) {
			if len(piece) < shortest {
				continue
			}
			for _, form := range forms(string(piece)) {
				begin := string(form[:shortest])
				index[begin] = append(index[begin], form)
			}
		}
	}
	var found []string
	for where, text := range p {
		for i := 0; i+shortest <= len(text); i++ {
			for _, form := range index[string(text[i:i+shortest])] {
				if bytes.HasPrefix(text[i:], form) {
					found = append(found, fmt.Sprintf("%s holds %s", where, form))
				}
			}
		}
	}
	return found
}

// files adds the files below the directories that were written since then.
func (p places) files(t *testing.T, since time.Time, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if path == rig.Browsing.Dir { // a browser writes down what a person has typed into it
				return fs.SkipDir
			}
			if err != nil || !d.Type().IsRegular() {
				return nil // gone meanwhile, or nothing to read
			}
			// lastlog is larger, and full of holes: it has a place for each uid.
			info, err := d.Info()
			if err == nil && info.ModTime().After(since) && info.Size() < 64<<20 {
				text, _ := os.ReadFile(path)
				p.add(path, append(text, path...))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// processes adds the environment and arguments of every process.
func (p places) processes(t *testing.T) {
	t.Helper()
	for _, pattern := range []string{"/proc/[0-9]*/environ", "/proc/[0-9]*/cmdline"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, _ := os.ReadFile(path)
			p.add(path, text)
		}
	}
}

// Sign-ins of every outcome, with debug on, leave no device code and no token anywhere, not even a
// part: not in a log, a file, an environment or the output to the person. The user code is in the
// prompt only.
func TestNoSecretAnywhere(t *testing.T) {
	const user = "user@contoso.example"
	rig.Stored(t, user)
	began, mark, first := time.Now().Add(-time.Second), rig.Syslog.Mark(), len(rig.Entra.Secrets())
	seen := places{}
	var codes []string
	look := func() {
		seen.processes(t)
		seen.files(t, began, "/var/lib/aad-login", "/var/cache/aad-login", "/run", "/tmp",
			"/var/log", "/var/tmp", "/dev/shm", "/home")
	}
	for i, test := range []struct {
		as     string
		answer func(code string) error
		fault  emulator.Fault
		forge  *emulator.Forgery
	}{
		{as: user}, {as: "admin@contoso.example"}, {as: "norole@contoso.example"},
		{answer: func(code string) error { return rig.Entra.Decline(code) }},
		{answer: func(code string) error { return rig.Entra.Expire(code) }},
		{answer: func(string) error { return errors.New("hung up") }},
		{answer: rig.KillWorker},
		{as: user, forge: &emulator.Forgery{Sign: emulator.Stranger}},
		{as: user, forge: &emulator.Forgery{Claims: map[string]any{"oid": nil}}},
		{as: user, fault: emulator.Fault{Endpoint: "checkaccess", Status: 500}},
		{as: user, fault: emulator.Fault{Endpoint: "checkaccess", Status: 403,
			Error: "AuthorizationFailed"}},
		{as: user, fault: emulator.Fault{Endpoint: "checkaccess", Reset: true}},
		{as: user, fault: emulator.Fault{Endpoint: "identity", Status: 400,
			Error: "invalid_request"}},
		{as: user, fault: emulator.Fault{Endpoint: "token", Reset: true, Times: 1}},
		{as: user, fault: emulator.Fault{Endpoint: "devicecode", Status: 500}},
	} {
		if test.fault.Endpoint != "" {
			rig.Entra.Fail(test.fault)
		}
		rig.Entra.Forge(test.forge)
		h := rig.NewHost(t, user, "debug")
		h.Prompt = func(code string) error {
			codes = append(codes, code)
			look() // while the worker is alive
			for _, pid := range rig.Workers() {
				limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid))
				if err == nil && !regexp.MustCompile(`Max core file size +0 +0 `).Match(limits) {
					t.Errorf("a worker may dump core:\n%s", limits)
				}
			}
			if test.answer != nil {
				return test.answer(code)
			}
			return rig.Entra.SignIn(code, test.as)
		}
		h.Tx.Authenticate(0)
		h.Tx.AcctMgmt(0)
		rig.Entra.Heal()
		rig.Entra.Forge(nil)
		environment, err := h.Tx.GetEnvList()
		if err != nil {
			t.Fatal(err)
		}
		seen[fmt.Sprintf("what outcome %d told", i)] = []byte(strings.Join(h.Told, "\n"))
		seen[fmt.Sprintf("the environment of outcome %d", i)] = fmt.Append(nil, environment)
	}
	sshWithDebug(t, "admin@contoso.example")
	look()
	logged := func() {
		seen["the system log"] = []byte(strings.Join(rig.Syslog.Since(mark), "\n"))
	}
	logged()
	for _, c := range rig.Entra.Codes() {
		codes = append(codes, c.UserCode)
	}
	secrets := slices.Concat(rig.Entra.Secrets()[first:], codes)
	rig.Syslog.Settle(t)
	if len(secrets) < 60 || len(rig.Syslog.Find(mark, `step="token"`)) == 0 {
		t.Fatalf("%d secrets, log %q: nothing was proved", len(secrets), rig.Syslog.Find(mark, ""))
	}
	for _, leak := range seen.leaks(secrets) {
		t.Error(leak)
	}

	// The search itself finds every planted form.
	for _, secret := range []string{secrets[0], secrets[0][20:52], codes[0]} {
		for i, form := range forms(secret) {
			planted := places{"x": slices.Concat([]byte("before"), form, []byte("after"))}
			if planted.leaks(secrets) == nil {
				t.Errorf("form %d of %s was not found", i, secret)
			}
		}
	}
	plant := filepath.Join("/var/cache/aad-login", "planted")
	planted := base64.StdEncoding.EncodeToString([]byte("Bearer " + secrets[1]))
	err := os.WriteFile(plant, []byte(planted), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(plant)
	c, err := net.Dial("unixgram", "/dev/log")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "<86>planted: %s", secrets[2])
	rig.Eventually(t, "the planted secrets are found", rig.Patience, func() bool {
		look()
		logged()
		return len(seen.leaks(secrets[1:3])) >= 2
	})
}

// sshWithDebug signs in and runs sudo, with an sshd that logs everything and a stack with debug.
func sshWithDebug(t *testing.T, name string) {
	t.Helper()
	for _, stack := range []string{"/etc/pam.d/common-auth", "/etc/pam.d/common-account"} {
		rig.Edit(t, stack, func(s string) []byte {
			return []byte(strings.ReplaceAll(s, "pam_aad.so", "pam_aad.so debug"))
		})
	}
	const port = "2224"
	sshd, err := rig.StartSSHD(port, "-o", "LogLevel=DEBUG3")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		sshd.Process.Kill()
		sshd.Wait()
	}()
	args := rig.SSHArgs(name+"@127.0.0.1", "sudo -k; sudo env")
	c := rig.Open(t, "ssh", append([]string{"-p", port, "-tt"}, args...)...)
	c.SignIn(name)
	c.SignIn(name)
	if status, rest := c.End(); status != 0 {
		t.Fatalf("exit status %d, said %s", status, rest)
	}
}
