// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"aadlogin/internal/account"
	"aadlogin/internal/config"
	"aadlogin/internal/emulator"
)

// machine is one machine with a directory of its own.
type machine struct {
	t      testing.TB
	entra  *emulator.Server
	signin Signin
	dir    string
	config string // path
	store  account.Store
	rules  account.Rules

	aborts   bool   // the person turns away after the browser, and the door lets nobody in
	metadata string // base URL; "": the emulator's

	ahead    atomic.Int64                           // of the real clock, for this machine and the emulator
	answered atomic.Pointer[func(emulator.Request)] // called by the emulator before the client has its answer
}

// oneKey returns the key of all emulators, because a real key takes a while to make.
var oneKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// newMachine configures a machine with these lines besides the usual ones, and runs the test in
// parallel. Every sign-in waits a second between polls, because the server asks for that.
func newMachine(t testing.TB, lines string) *machine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("the configuration must be root's: run as root")
	}
	if t, ok := t.(*testing.T); ok {
		t.Parallel()
	}
	dir := t.TempDir()
	// An answer that an attempt fetches early may arrive after the attempt. The real worker has
	// ended by then. Here it would recreate the cache while the directory is being removed, so the
	// directory goes first.
	t.Cleanup(func() {
		for os.RemoveAll(dir) != nil {
		}
	})
	m := &machine{t: t, dir: dir, config: filepath.Join(dir, "config.toml")}
	m.signin.Now = m.now
	// The cgo version of os/user would ask an installed name service.
	m.signin.LookupGroup = groupFile(nil).lookup
	m.signin.Etc = fstest.MapFS{}
	// Without a sshd_config, sshd may have rules for any group.
	m.signin.Root = fstest.MapFS{"bin/bash": {Mode: 0o755}, "etc/ssh/sshd_config": {}}
	m.signin.CacheDir = filepath.Join(dir, "cache")
	m.signin.RuntimeDir = filepath.Join(dir, "run")
	m.store.Etc, m.store.Dir = m.signin.Etc, filepath.Join(dir, "store")
	m.connect()
	m.reconfigure(lines)
	return m
}

func (m *machine) now() time.Time { return time.Now().Add(time.Duration(m.ahead.Load())) }

// connect starts the servers of this machine, or replaces them.
func (m *machine) connect() {
	m.t.Helper()
	entra := &emulator.Server{Key: oneKey(), Now: m.now, Trace: func(r emulator.Request) {
		if do := m.answered.Load(); do != nil {
			(*do)(r)
		}
	}}
	if err := entra.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { entra.Close() })
	m.entra = entra
	m.write(filepath.Join(m.dir, "ca.pem"), string(entra.CA()))
}

// reconfigure writes the usual lines and these.
func (m *machine) reconfigure(lines string) {
	m.t.Helper()
	metadata := m.metadata
	if metadata == "" {
		metadata = m.entra.MetadataURL()
	}
	// /home may hold directories of other tests or of real users.
	if !strings.Contains(lines, "accounts.home") {
		lines = fmt.Sprintf("accounts.home = %q\n", m.home("%u")) + lines
	}
	m.configure(fmt.Sprintf(`tenant_id = %q
client_id = %q
domains = ["contoso.example"]
endpoints.authority = %q
endpoints.resource_manager = %[3]q
endpoints.metadata = %q
endpoints.ca_file = %q
accounts.directory = %q
%s
`, emulator.Contoso().TenantID, emulator.Contoso().ClientID, m.entra.EntraURL(), metadata,
		filepath.Join(m.dir, "ca.pem"), m.store.Dir, lines))
}

func (m *machine) home(name string) string { return filepath.Join(m.dir, "homes", name) }

func (m *machine) write(path, text string) {
	m.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) configure(text string) {
	m.t.Helper()
	m.write(m.config, text)
	cfg, err := config.Load(m.config)
	if err != nil {
		m.t.Fatal(err)
	}
	m.rules = account.RulesFrom(cfg)
}

// request returns what sshd asks about a name that the host does not know.
func (m *machine) request(name string) Request {
	return Request{Attempt: ofOurs, User: name, Service: "sshd",
		RemoteHost: "192.0.2.7", ConfigPath: m.config}
}

// stored returns an account after a sign-in.
func (m *machine) stored(name string) account.Account {
	m.t.Helper()
	s, err := m.store.Open()
	if err != nil {
		m.t.Fatal(err)
	}
	defer s.Close()
	a, err := s.ByName(name)
	if err != nil {
		m.t.Fatalf("%s: %v", name, err)
	}
	return a
}

// unknown fails if anything is stored under the name.
func (m *machine) unknown(name string) {
	m.t.Helper()
	s, err := m.store.Open()
	if err != nil {
		return
	}
	defer s.Close()
	if a, err := s.ByName(name); err == nil {
		m.t.Errorf("stored: %+v", a)
	}
}

// put stores accounts as an administrator or an earlier sign-in would.
func (m *machine) put(accounts ...account.Account) {
	m.t.Helper()
	err := m.store.Update(func(e *account.Edit) error {
		if err := e.SetRules(m.rules); err != nil {
			return err
		}
		for _, a := range accounts {
			if a.ObjectID == "" {
				if err := e.Import([]account.Account{a}); err != nil {
					return err
				}
			} else if err := e.Put(a); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		m.t.Fatal(err)
	}
}

// person returns an account of the directory as its first sign-in stores it.
func (m *machine) person(name, oid string) account.Account {
	return account.Account{
		Name: name, UPN: name, UID: m.firstID(name), Gecos: name,
		Home: m.home(name), Shell: "/bin/bash",
		TenantID: m.rules.TenantID, ObjectID: oid,
	}
}

func (m *machine) firstID(name string) uint32 {
	return account.ID(m.rules.TenantID, name, 0, m.rules.Low, m.rules.High)
}

func (m *machine) grant(uid uint32) (account.Grant, error) { return m.store.ReadGrant(uid) }

// requests counts the requests to an endpoint, or to all of them if endpoint is "".
func (m *machine) requests(endpoint string) int {
	n := 0
	for _, r := range m.entra.Requests() {
		if endpoint == "" || r.Endpoint == endpoint {
			n++
		}
	}
	return n
}
