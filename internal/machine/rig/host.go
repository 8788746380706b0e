// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/msteinert/pam/v2"
	"golang.org/x/sys/unix"
)

// Host is a PAM application of our own. It shows each return code and the moment of each message,
// which no other program does.
type Host struct {
	T       testing.TB
	Tx      *pam.Transaction
	Prompt  func(code string) error // answers a device code prompt with ENTER
	Told    []string
	Prompts []string
}

// NewHost starts a transaction whose stack is this module alone, with these arguments.
func NewHost(t testing.TB, user, arguments string) *Host {
	t.Helper()
	return NewHostFor(t, "vlock", user, arguments)
}

// NewHostFor is NewHost under the name of a PAM service.
func NewHostFor(t testing.TB, service, user, arguments string) *Host {
	t.Helper()
	dir := t.TempDir()
	stack := fmt.Sprintf("auth required pam_aad.so %s\naccount required pam_aad.so %[1]s\n",
		arguments)
	if err := os.WriteFile(filepath.Join(dir, service), []byte(stack), 0o644); err != nil {
		t.Fatal(err)
	}
	h := &Host{T: t, Prompt: func(string) error { return errors.New("no prompt expected") }}
	tx, err := pam.StartConfDir(service, user, h, dir)
	if err != nil {
		t.Fatal(err)
	}
	h.Tx = tx
	t.Cleanup(func() { tx.End() })
	return h
}

var deviceCode = regexp.MustCompile(`enter the code ([A-Z0-9]{9}) to`)

// RespondPAM is the PAM conversation.
func (h *Host) RespondPAM(style pam.Style, text string) (string, error) {
	if style != pam.PromptEchoOn {
		h.Told = append(h.Told, text)
		return "", nil
	}
	h.Prompts = append(h.Prompts, text)
	m := deviceCode.FindStringSubmatch(text)
	if m == nil {
		return "", fmt.Errorf("a prompt without a device code: %q", text)
	}
	return "", h.Prompt(m[1])
}

// As answers prompts by signing in with the browser.
func As(account string) func(string) error {
	return func(code string) error { return Entra.SignIn(code, account) }
}

// Workers lists the module's processes for hosts in this process, while they wait.
func Workers() (all []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range stats {
		text, err := os.ReadFile(stat)
		if err != nil {
			continue // gone meanwhile
		}
		pid, rest, _ := strings.Cut(string(text), " (")
		fields := strings.Fields(rest[strings.LastIndexByte(rest, ')')+1:])
		exe, _ := os.Readlink("/proc/" + pid + "/exe")
		own, _ := os.Executable()
		if fields[1] == strconv.Itoa(os.Getpid()) && fields[0] != "Z" && exe == own {
			n, _ := strconv.Atoi(pid)
			all = append(all, BehindGuard(n)...)
		}
	}
	return all
}

// KillWorker kills the worker during a prompt.
func KillWorker(string) error {
	for _, pid := range Workers() {
		unix.Kill(pid, unix.SIGKILL)
	}
	return nil
}

// Enters answers the host's two questions: which account signs in now, and which comes with a key.
func Enters(t *testing.T, name string) (withBrowser, withKey error) {
	t.Helper()
	h := NewHost(t, name, "")
	h.Prompt = As(name)
	withBrowser = h.Tx.Authenticate(0)
	return withBrowser, NewHost(t, name, "").Tx.AcctMgmt(0)
}
