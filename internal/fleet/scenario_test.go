// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"aadlogin/internal/emulator"
	"aadlogin/internal/signin"
)

// A scenario is a fleet at nine o'clock. People come with a browser, to a machine that is new to
// them, or with a key. cron has a job on every machine. The account of keys and jobs has signed in
// everywhere at eight.
type scenario struct {
	name          string
	machines      int
	browsers      int
	keys          int
	lines         string                    // of the configuration
	change        func(*emulator.Directory) // of the cloud
	subscriptions int                       // the number of subscriptions for the machines; 0: one
	shares        bool                      // what if: the sign-ins of a machine share the token of its identity
	outage        bool                      // Resource Manager answers 503 from shortly before nine
	arrive        time.Duration             // how long the people take to arrive, around nine
	cron          time.Duration             // how long the jobs take to start, from nine on; 0: none
}

// browsing is the time that a person spends in the browser. It does not end right before one of the
// machine's requests, which come every five seconds.
const browsing = 42 * time.Second

// batch is the account that has signed in everywhere.
const batch = "batch@fleet.example"

type fleet struct {
	scenario
	t               *testing.T
	dir             string
	entra, metadata http.Handler
	server          *emulator.Server
	root            fs.FS
	begun           time.Time
	template        map[string][]byte // the files of a machine on which batch has signed in
	attempts        int
	result          *result
}

// oneKey is the key of all emulators, because making a key takes a while.
var oneKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// run plays a scenario.
func (s scenario) run(t *testing.T) *result {
	t.Helper()
	switch {
	case os.Geteuid() == 0:
	case *share != 0:
		t.Fatal("the configuration must be root's: run as root")
	default:
		t.Skip("the configuration must be root's: run as root")
	}
	key, dir := oneKey(), directoryOfStore(t)
	f := &fleet{scenario: s, t: t, dir: dir,
		root: fstest.MapFS{"bin/bash": &fstest.MapFile{Mode: 0o755}}}
	synctest.Test(t, func(t *testing.T) {
		f.t, f.begun = t, time.Now()
		f.result = newResult(f.begun.Add(time.Hour))
		f.server = &emulator.Server{Key: key, Directory: s.cloud(), Trace: f.result.answered}
		f.entra, f.metadata = f.server.Entra(), f.server.Metadata()
		f.atEight()
		f.result.forget()
		time.Sleep(time.Until(f.result.nine.Add(-s.arrive / 2)))
		if s.outage {
			f.server.Fail(emulator.Fault{Endpoint: "arm", Status: http.StatusServiceUnavailable})
		}
		f.atNine()
	})
	return f.result
}

// directoryOfStore returns a directory in memory if possible, because the disk is not measured
// here.
func directoryOfStore(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "fleet-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// cloud returns a tenant with these people. Each of them is a user of all machines.
func (s scenario) cloud() *emulator.Directory {
	d := emulator.Contoso()
	const everywhere = "/providers/Microsoft.Management/managementGroups/contoso-root"
	d.Interval, d.Machine.Fleet, d.Limits = 5, "vm", emulator.Documented()
	d.Users = []emulator.User{{Name: batch, ObjectID: "dddddddd-0000-4444-5555-000000000000",
		AppRoles: []string{"login"}}}
	for i := range s.browsers {
		d.Users = append(d.Users, emulator.User{Name: personName(i),
			ObjectID: fmt.Sprintf("dddddddd-1111-4444-5555-%012d", i), AppRoles: []string{"login"}})
	}
	staff := emulator.Group{Name: "Staff", ObjectID: "cccccccc-0000-3333-4444-000000000000"}
	for _, u := range d.Users {
		staff.Members = append(staff.Members, u.Name)
	}
	d.Groups = []emulator.Group{staff}
	d.Assignments = []emulator.Assignment{
		{Principal: "Staff", Role: "Virtual Machine User Login", Scope: everywhere},
		{Principal: "demo-vm", Role: "Access Reader", Scope: everywhere},
	}
	if s.change != nil {
		s.change(d)
	}
	return d
}

func personName(i int) string { return fmt.Sprintf("p%05d@fleet.example", i) }

// atEight has batch sign in on one machine. All others get copies of its store.
func (f *fleet) atEight() {
	m := f.machine(0)
	conv := &person{t: f.t, browser: func(code string) { f.browse(code, batch, 0) }}
	got := m.signin.Authenticate(f.t.Context(), m.request(batch, "sshd"), conv)
	if got != signin.Success {
		f.t.Fatalf("at eight: %s", conv.line)
	}
	conv.busy.Wait()
	f.template = make(map[string][]byte)
	for _, part := range []string{"store"} {
		err := filepath.WalkDir(filepath.Join(m.dir, part),
			func(path string, entry fs.DirEntry, err error) error {
				if err != nil || entry.IsDir() {
					return err
				}
				text, err := os.ReadFile(path)
				name, _ := filepath.Rel(m.dir, path)
				f.template[name] = text
				return err
			})
		if err != nil {
			f.t.Fatal(err)
		}
	}
	os.RemoveAll(m.dir)
}

// unpack makes the directories of a machine.
func (f *fleet) unpack(dir string) {
	files := map[string][]byte{"config.toml": fmt.Appendf(nil, `tenant_id = %q
client_id = %q
domains = ["fleet.example"]
cloud = "public"
endpoints.authority = "https://login.fleet"
endpoints.resource_manager = "https://login.fleet"
accounts.directory = %q
accounts.home = %q
sign_in.max_waiting = 4
%s
`, emulator.Contoso().TenantID, emulator.Contoso().ClientID, filepath.Join(dir, "store"),
		filepath.Join(dir, "home", "%u"), f.lines)}
	for name, text := range f.template {
		files[name] = text
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			f.t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			f.t.Fatal(err)
		}
	}
}

func (f *fleet) browse(code, as string, takes time.Duration) {
	time.Sleep(takes)
	if err := f.server.SignIn(code, as); err != nil {
		f.result.lost(err)
	}
}

// atNine starts everybody, each at a different moment, and waits for all.
func (f *fleet) atNine() {
	machines := make([]*machine, f.machines)
	for i := range machines {
		machines[i] = f.machine(i)
	}
	var all sync.WaitGroup
	start := func(at time.Duration, what string, attempt func(*person) signin.Verdict) {
		all.Go(func() {
			time.Sleep(at)
			begun, conv := time.Now(), &person{t: f.t}
			verdict := attempt(conv)
			f.result.ended(what, conv, verdict, time.Since(begun))
			conv.busy.Wait()
		})
	}
	for i := range f.browsers {
		m := machines[i%len(machines)]
		request := m.request(personName(i), "sshd")
		start(moment(i, f.browsers, f.arrive), "browser", func(p *person) signin.Verdict {
			p.browser = func(code string) { f.browse(code, personName(i), browsing) }
			return m.signin.Authenticate(f.t.Context(), request, p)
		})
	}
	account := func(at time.Duration, m *machine, service, what string) {
		request := m.request(batch, service)
		start(at, what, func(p *person) signin.Verdict {
			return m.signin.Account(f.t.Context(), request, p)
		})
	}
	const keys, jobs = 333 * time.Nanosecond, 777 * time.Nanosecond
	for i := range f.keys {
		account(moment(i, f.keys, f.arrive)+keys, machines[i%len(machines)], "sshd", "key")
	}
	if f.cron > 0 {
		for i, m := range machines {
			account(f.arrive/2+moment(i, len(machines), f.cron)+jobs, m, "cron", "cron")
		}
	}
	all.Wait()
}

// moment spreads the i-th of n evenly. Each gets a microsecond of its own, which retries keep. So
// no two ask at the same moment, and the results do not depend on speed.
func moment(i, n int, over time.Duration) time.Duration {
	return time.Duration(int64(over)*int64(i)/int64(n)).Truncate(time.Millisecond) +
		time.Duration(i)*time.Microsecond
}
