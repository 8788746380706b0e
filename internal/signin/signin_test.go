// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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

const (
	user   = "user@contoso.example"
	admin  = "admin@contoso.example"
	norole = "norole@contoso.example"

	userOID  = "dddddddd-3333-4444-5555-eeeeeeeeeeee"
	adminOID = "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb"
)

// machine is one machine of a directory of its own.
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

// oneKey is every emulator's: real keys take a while to make.
var oneKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// newMachine configures a machine with these lines besides the usual ones, and lets the test run
// beside others: every sign-in waits a second, as long as the server asks between polls.
func newMachine(t testing.TB, lines string) *machine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("the configuration must be root's: run as root")
	}
	if t, ok := t.(*testing.T); ok {
		t.Parallel()
	}
	dir := t.TempDir()
	// What an attempt fetches to be early may arrive when the attempt is over: the worker has ended
	// then, but here it would bring back the cache while the directory is being removed. Without
	// the directory it cannot.
	t.Cleanup(func() {
		for os.RemoveAll(dir) != nil {
		}
	})
	m := &machine{t: t, dir: dir, config: filepath.Join(dir, "config.toml")}
	m.signin.Now = m.now
	// os/user's, here with cgo, would ask an installed name service
	m.signin.LookupGroup = groupFile(nil).lookup
	m.signin.Etc = fstest.MapFS{}
	m.signin.CacheDir = filepath.Join(dir, "cache")
	m.signin.RuntimeDir = filepath.Join(dir, "run")
	m.store.Etc, m.store.Dir = m.signin.Etc, filepath.Join(dir, "store")
	m.connect()
	m.reconfigure(lines)
	return m
}

func (m *machine) now() time.Time { return time.Now().Add(time.Duration(m.ahead.Load())) }

// connect starts the servers of this machine, or others in their place.
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
	// what is below /home is another test's, or somebody's
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

// request is what sshd asks for a name that the host does not know.
func (m *machine) request(name string) Request {
	return Request{Attempt: ofOurs, User: name, Service: "sshd",
		RemoteHost: "192.0.2.7", ConfigPath: m.config}
}

// stored is an account after a sign-in.
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

// unknown: nothing is stored under the name.
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

// put stores accounts as an administrator or an earlier sign-in did.
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

// person is an account of the directory, as its first sign-in stores it.
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

// requests counts what an endpoint was asked; "" is any.
func (m *machine) requests(endpoint string) int {
	n := 0
	for _, r := range m.entra.Requests() {
		if endpoint == "" || r.Endpoint == endpoint {
			n++
		}
	}
	return n
}

var userCode = regexp.MustCompile(`enter the code (\S+) to authenticate`)

// signIn runs an attempt in which this account signs in with the browser.
func (m *machine) signIn(req Request, as string) (Verdict, *said) {
	m.t.Helper()
	return m.run(req, func(code string) error { return m.entra.SignIn(code, as) })
}

func (m *machine) run(req Request, act func(code string) error) (Verdict, *said) {
	m.t.Helper()
	conv := &said{answer: func(prompt string) {
		code := userCode.FindStringSubmatch(prompt)
		if code == nil {
			m.t.Errorf("no code in %q", prompt)
			return
		}
		if err := act(code[1]); err != nil {
			m.t.Error(err)
		}
	}}
	verdict := m.signin.Authenticate(m.t.Context(), req, conv)
	conv.check(m.t, verdict)
	if mark := filepath.Join(m.signin.RuntimeDir, "pending", req.Attempt); verdict == Success &&
		!m.aborts {
		// as pam/window.c does, if there is one
		os.Rename(mark, filepath.Join(m.signin.RuntimeDir, "opened", req.Attempt))
	}
	return verdict, conv
}

// again is the account phase alone.
func (m *machine) again(req Request) (Verdict, *said) {
	m.t.Helper()
	conv := new(said)
	verdict := m.signin.Account(m.t.Context(), req, conv)
	conv.check(m.t, verdict)
	if conv.prompts != nil {
		m.t.Errorf("the account phase asks: %q", conv.prompts)
	}
	return verdict, conv
}

// check: an attempt has one line in the log, the last, unless the name is none of ours; and what is
// said and written holds no secret and nothing that a terminal takes for a command.
func (s *said) check(t testing.TB, v Verdict) {
	t.Helper()
	if want := map[bool]int{true: 0, false: 1}[v == NotOurs]; s.ends != want {
		t.Errorf("verdict %d: %d lines, want %d: %q", v, s.ends, want, s.logged)
	}
	if s.ends == 1 && !oneLine.MatchString(s.logged[len(s.logged)-1]) {
		t.Errorf("the last line is %q", s.logged[len(s.logged)-1])
	}
	for _, text := range slices.Concat(s.prompts, s.told, s.last, s.logged) {
		if problem := safe(strings.ReplaceAll(text, "\n", " ")); problem != "" {
			t.Errorf("%q: %s", text, problem)
		}
	}
	for _, line := range s.logged {
		for _, p := range s.prompts {
			if code := userCode.FindStringSubmatch(p); code != nil &&
				strings.Contains(line, code[1]) {
				t.Errorf("the log holds the device code: %s", line)
			}
		}
		// A token begins with eyJ; so may any part of Entra ID's random id of a sign-in.
		if strings.Contains(signInID.ReplaceAllString(line, ""), "eyJ") ||
			strings.Contains(line, "\n") {
			t.Errorf("the log holds a token or a second line: %q", line)
		}
	}
}

var signInID = regexp.MustCompile(` uti="[A-Za-z0-9_-]{22}"`)

var oneLine = regexp.MustCompile(`^[3-6] (signed-in|authorized|(denied|failed) reason="[a-z-]+") .*account=".+" .*duration="\d+\.\d{3}s" attempt="`)

// ended compares how an attempt ended.
func ended(t testing.TB, got Verdict, conv *said, want Verdict, told, logged string) {
	t.Helper()
	if got != want {
		t.Errorf("verdict %d, want %d; told %q, logged %q", got, want, conv.told, conv.logged)
	}
	if all := strings.Join(slices.Concat(conv.told, conv.last), "\n"); !strings.Contains(all,
		told) || (told == "") != (all == "") {
		t.Errorf("told %q, want %q", all, told)
	}
	if all := strings.Join(conv.logged, "\n"); !strings.Contains(all, logged) {
		t.Errorf("logged %q, want %q", all, logged)
	}
}

func TestFirstSignIn(t *testing.T) {
	m := newMachine(t, "")
	got, conv := m.signIn(m.request(user), user)
	ended(t, got, conv, Success, "", "signed-in")
	if len(conv.prompts) != 1 || !strings.Contains(conv.prompts[0], m.entra.VerificationURI()) {
		t.Errorf("prompts: %q", conv.prompts)
	}
	want := m.person(user, userOID)
	a := m.stored(user)
	if a.UID != want.UID || a.ObjectID != want.ObjectID || a.TenantID != want.TenantID ||
		a.Admin || a.Home != want.Home {
		t.Errorf("stored %+v", a)
	}
	g, err := m.grant(a.UID)
	if err != nil || g.ObjectID != userOID || g.TenantID != a.TenantID || g.Admin ||
		g.Service != "sshd" || g.RemoteHost != "192.0.2.7" || g.Source != "check-access" {
		t.Errorf("grant %+v, %v", g, err)
	}
	// The host waits longer than we do, or the person would never hear why it ended.
	if len(conv.deadlines) != 1 || conv.deadlines[0] != 280*time.Second+slack {
		t.Errorf("deadlines %v", conv.deadlines)
	}
	for _, r := range m.entra.Requests() {
		if r.Endpoint == "devicecode" && strings.Contains(r.Scope, "offline_access") {
			t.Errorf("asked for a refresh token: %q", r.Scope)
		}
	}
}

func TestAdministrator(t *testing.T) {
	m := newMachine(t, "")
	got, conv := m.signIn(m.request(admin), admin)
	ended(t, got, conv, Success, "", `decision="administrator"`)
	a := m.stored(admin)
	if g, err := m.grant(a.UID); !a.Admin || err != nil || !g.Admin {
		t.Errorf("stored %+v, grant %+v, %v", a, g, err)
	}
}

// What the browser may bring, and none of it lets anybody in or stores anything.
func TestNotSignedIn(t *testing.T) {
	t.Parallel()
	claim := func(name string, value any) *emulator.Forgery {
		return &emulator.Forgery{Claims: map[string]any{name: value}}
	}
	for _, test := range []struct {
		name   string
		as     string // or
		do     func(*machine, string) error
		forge  *emulator.Forgery
		want   Verdict
		told   string
		logged string
	}{
		{name: "other account", as: admin, want: Refused, told: "This sign-in is for " + user +
			", but " + admin + " signed in", logged: "other-account"},
		{name: "declined", do: func(m *machine, code string) error { return m.entra.Decline(code) },
			want: Refused, told: "declined", logged: "sign-in-refused"},
		{name: "expired", do: func(m *machine, code string) error { return m.entra.Expire(code) },
			want: Refused, told: "not finished in the browser in time", logged: "expired"},
		{name: "unsigned token", as: user, forge: &emulator.Forgery{Sign: emulator.None},
			want: Refused, told: "could not be trusted", logged: "token-refused"},
		{name: "stranger's token", as: user, forge: &emulator.Forgery{Sign: emulator.Stranger},
			want: Refused, told: "could not be trusted", logged: "token-refused"},
		{name: "other tenant", as: user,
			forge: claim("tid", "99999999-9999-9999-9999-999999999999"), want: Refused,
			told: "could not be trusted", logged: "token-refused"},
		{name: "other audience", as: user,
			forge: claim("aud", "99999999-9999-9999-9999-999999999999"), want: Refused,
			told: "could not be trusted", logged: "token-refused"},
		{name: "no object id", as: user, forge: claim("oid", nil), want: Refused,
			told: "could not be trusted", logged: "token-refused"},
		{name: "name in capitals", as: user,
			forge: claim("preferred_username", "User@Contoso.Example"),
			want:  Success, logged: "signed-in"},
		{name: "a look-alike name", as: user,
			forge: claim("preferred_username", "uſer@contoso.example"), want: Refused,
			told: "This sign-in is for", logged: "other-account"},
		{name: "name with a second line", as: user,
			forge: claim("preferred_username", user+"\nx\x1b[2J"), want: Refused,
			told:   user + " x[2J signed in",
			logged: `browser_account="user@contoso.example\x0ax\x1b[2J"`},
		{name: "name of another domain", as: user,
			forge: claim("preferred_username", "user@fabrikam.example"), want: Refused,
			told: "user@fabrikam.example signed in", logged: "other-account"},
		{name: "no role", as: norole, want: Denied,
			told: "Access denied:  to sign-in you be assigned a role with action " +
				"'Microsoft.Compute/virtualMachines/login/action'",
			logged: `denied reason="no-role"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t, "")
			m.entra.Forge(test.forge)
			name := user
			if test.as == norole {
				name = norole
			}
			do := func(code string) error { return m.entra.SignIn(code, test.as) }
			if test.do != nil {
				do = func(code string) error { return test.do(m, code) }
			}
			got, conv := m.run(m.request(name), do)
			ended(t, got, conv, test.want, test.told, test.logged)
			if test.want != Success {
				m.unknown(name)
				if _, err := m.grant(m.firstID(name)); err == nil {
					t.Error("there is a grant")
				}
			}
		})
	}
}

// Servers that are down, or answer something else, let nobody in.
func TestServersThatFail(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		fault  emulator.Fault
		want   Verdict
		told   string
		logged string
	}{
		{emulator.Fault{Endpoint: "instance", Status: 400, Body: "\x00garbage"}, Misconfigured,
			"does not say which machine this is", "metadata-refused"},
		{emulator.Fault{Endpoint: "instance", Status: 400,
			Body: `{"error":"invalid_request","error_description":"The api-version is invalid. Supported are 2019-11-01 2019-08-15"}`},
			Misconfigured, "does not say which machine this is",
			"Supported are 2019-11-01 2019-08-15"},
		{emulator.Fault{Endpoint: "instance", Status: 400,
			Body: `{"error":"Bad request. api-version is invalid","newest-versions":["2030-01-01","2029-01-01"]}`},
			Misconfigured, "does not say which machine this is",
			"Newest versions: 2030-01-01 2029-01-01"},
		{emulator.Fault{Endpoint: "instance", Status: 404,
			Body: `{"error":"Not found. Invalid version requested"}`}, Misconfigured,
			"does not say which machine this is", "metadata-refused"},
		{emulator.Fault{Endpoint: "instance",
			Body: `{"azEnvironment":"Nowhere\u001b[2J","resourceId":"/"}`}, Unreachable,
			"metadata service of this machine", "unreachable"},
		{emulator.Fault{Endpoint: "instance",
			Body: `{"azEnvironment":"AzurePublicCloud","resourceId":"/../../evil"}`}, Unreachable,
			"metadata service of this machine", "unreachable"},
		{emulator.Fault{Endpoint: "openid", Body: "garbage"}, Unreachable,
			"sign-in service", "unreachable"},
		{emulator.Fault{Endpoint: "openid", Body: `{"issuer":"https://evil.example"}`},
			Misconfigured, "not configured correctly", "configuration-error"},
		{emulator.Fault{Endpoint: "openid", Status: 400, Error: "invalid_tenant", AADSTS: 90002},
			Misconfigured, "not configured correctly", "configuration-error"},
		{emulator.Fault{Endpoint: "devicecode", Body: "garbage"}, Unreachable,
			"sign-in service", "unreachable"},
		{emulator.Fault{Endpoint: "devicecode", Body: `{"user_code":"\u001b[2J"}`}, Unreachable,
			"sign-in service", "unreachable"},
		{emulator.Fault{Endpoint: "devicecode", Status: 401, Error: "invalid_client",
			AADSTS: 7000218}, Misconfigured, "Allow public client flows", `aadsts="7000218"`},
		{emulator.Fault{Endpoint: "devicecode", Status: 400,
			Error: "odd\u001b[2J\nsigned-in x=\"y"}, Refused,
			"refused this sign-in", "sign-in-refused"},
		{emulator.Fault{Endpoint: "token", Status: 400, Error: "invalid_grant", AADSTS: 50076},
			Refused, "aka.ms/mfasetup", `aadsts="50076"`},
		{emulator.Fault{Endpoint: "keys", Body: `{"keys":[]}`}, Unreachable,
			"sign-in service", "unreachable"},
		{emulator.Fault{Endpoint: "checkaccess", Body: "garbage"}, Unreachable,
			"authorization service of Azure", "unreachable"},
		{emulator.Fault{Endpoint: "checkaccess", Body: "[]"}, Denied, "Access denied:", "denied"},
		{emulator.Fault{Endpoint: "checkaccess", Status: 403, Error: "AuthorizationFailed"},
			Unreachable, "does not let it ask", "authorization-not-asked"},
		{emulator.Fault{Endpoint: "identity", Status: 400, Error: "invalid_request"}, Unreachable,
			"does not let it ask", "managed identity token"},
	} {
		t.Run(test.fault.Endpoint+" "+test.fault.Error+test.fault.Body, func(t *testing.T) {
			m := newMachine(t, "")
			m.entra.Fail(test.fault)
			got, conv := m.signIn(m.request(user), user)
			ended(t, got, conv, test.want, test.told, test.logged)
			m.unknown(user)
		})
	}
}

// The person who hangs up ends everything; nobody is let in on the way out.
func TestCancelled(t *testing.T) {
	m := newMachine(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	conv := &said{answer: func(string) { cancel() }}
	if got := m.signin.Authenticate(ctx, m.request(user), conv); got == Success ||
		len(conv.told) != 1 {
		t.Errorf("verdict %d, told %q", got, conv.told)
	}
	m.unknown(user)
}

// Attempts give their slots back, however they end.
func TestSlotIsGivenBack(t *testing.T) {
	m := newMachine(t, "sign_in.max_waiting = 1")
	for range 3 {
		got, conv := m.run(m.request(user), m.entra.Decline)
		ended(t, got, conv, Refused, "declined", "sign-in-refused")
	}
	full := m.request(user)
	got, conv := m.run(m.request(user), func(code string) error {
		nested := new(said)
		verdict := m.signin.Authenticate(t.Context(), full, nested)
		ended(t, verdict, nested, Unreachable, "Too many sign-ins are waiting on this machine",
			`too-many-waiting`)
		return m.entra.Decline(code)
	})
	ended(t, got, conv, Refused, "declined", "sign-in-refused")
	if n := m.requests("devicecode"); n != 4 {
		t.Errorf("%d device codes, want 4: a full machine asks for none", n)
	}
}
