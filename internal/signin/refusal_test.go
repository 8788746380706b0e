// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"aadlogin/internal/account"
	"aadlogin/internal/azure"
	"aadlogin/internal/config"
	"aadlogin/internal/oauth"
	"aadlogin/internal/rbac"
	"aadlogin/internal/token"
)

var everyVerdict = []Verdict{Broken, Success, NotOurs, Refused, Denied, Unreachable,
	Misconfigured, Misconfigured + 1, -1}

func TestZeroVerdictLetsNobodyIn(t *testing.T) {
	var zero Verdict
	if zero == Success || zero != Broken {
		t.Errorf("the zero Verdict is %v", zero)
	}
	var r refusal
	if r.verdict == Success {
		t.Error("the zero refusal succeeds")
	}
}

// Only an attempt without an error is a success.
func TestEnd(t *testing.T) {
	end := func(err error) (Verdict, *said) {
		conv := new(said)
		a := new(Signin).attempt(Request{User: "user@contoso.example"}, conv)
		return a.run("signed-in", func(*attempt) error { return err }), conv
	}
	got, conv := end(nil)
	if got != Success || conv.told != nil || len(conv.logged) != 1 ||
		!strings.HasPrefix(conv.logged[0], "6 signed-in ") {
		t.Errorf("no error: %v, told %q, logged %q", got, conv.told, conv.logged)
	}
	for _, v := range everyVerdict {
		want := v
		if v == Success {
			want = Broken
		}
		for _, err := range []error{
			&refusal{verdict: v},
			fmt.Errorf("wrapped: %w", &refusal{verdict: v, person: "No.", reason: "no"}),
		} {
			if got, _ := end(err); got != want {
				t.Errorf("refusal %d: %v, want %v", v, got, want)
			}
		}
	}
	for _, err := range []error{
		errors.New("anything"), context.Canceled, context.DeadlineExceeded, account.ErrUnknown,
	} {
		got, conv := end(err)
		if got != Broken || len(conv.told) != 1 ||
			!strings.Contains(conv.told[0], "nobody was signed in") || len(conv.logged) != 1 ||
			!strings.Contains(conv.logged[0], err.Error()) {
			t.Errorf("%v: %v, told %q, logged %q", err, got, conv.told, conv.logged)
		}
	}
}

// A refusal without a sentence is for accounts that are not ours.
func TestEndSaysNothing(t *testing.T) {
	conv := new(said)
	new(Signin).attempt(Request{}, conv).run("signed-in",
		func(*attempt) error { return &refusal{verdict: NotOurs} })
	if conv.told != nil || conv.logged != nil {
		t.Errorf("told %q, logged %q", conv.told, conv.logged)
	}
}

// A step that panics must not take the log line with it, and must not log what it was about.
func TestPanic(t *testing.T) {
	const secret = "eyJhbGciOiJSUzI1NiJ9"
	for want, step := range map[string]func(*attempt) error{
		`error="runtime error: index out of range [20] with length 20" stack="signin.TestPanic.func`: func(*attempt) error {
			end := strings.Index(secret+"!", "!")
			return errors.New(string(secret[end]))
		},
		`error="a panic with a string" stack="signin.TestPanic.func`: func(*attempt) error {
			panic("\n" + secret)
		},
		`error="a panic with a *errors.errorString" stack="signin.TestPanic.func`: func(*attempt) error {
			panic(errors.New(secret))
		},
	} {
		conv := new(said)
		a := new(Signin).attempt(Request{User: "user@contoso.example"}, conv)
		got := a.run("signed-in", step)
		ended(t, got, conv, Broken, "nobody was signed in",
			`3 failed reason="panic" account="user@contoso.example"`)
		line := conv.logged[0]
		if !strings.Contains(line, want) ||
			!strings.Contains(line, " < signin.(*attempt).run refusal.go:") ||
			strings.Contains(line, secret) || conv.ends != 1 {
			t.Errorf("%d ends: %q, want %s", conv.ends, conv.logged, want)
		}
	}
}

func TestWordsForTheLog(t *testing.T) {
	for _, v := range everyVerdict {
		want, wantLevel := "failed", LogError
		switch v {
		case Refused, Denied:
			want, wantLevel = "denied", LogNotice
		case Unreachable:
			wantLevel = LogWarning
		}
		if got, level := v.said(); got != want || level != wantLevel {
			t.Errorf("%v: %s at level %d, want %s at %d", v, got, level, want, wantLevel)
		}
	}
}

// Each error of the packages below has one sentence, one log line and one PAM result.
func TestRefusals(t *testing.T) {
	a := &attempt{cfg: new(config.Config), Request: Request{Attempt: ofOurs},
		name: account.Name{Account: "user@contoso.example", UPN: "user@contoso.example"}}
	unreachable := fmt.Errorf("x: %w", azure.ErrUnreachable)
	for _, test := range []struct {
		name    string
		err     error
		verdict Verdict
		person  string
		log     string
	}{
		{"configuration", a.misconfigured(errors.New("line 3")), Misconfigured,
			"not configured correctly", `configuration-error error="line 3"`},
		{"spelling", a.misspelt("user@contoso.example"), Denied, "spelled user@contoso.example",
			`misspelt-name exact_name="user@contoso.example"`},
		{"name service", a.unknownToHost(), Misconfigured, "name service", "nsswitch.conf"},
		{"moved", a.moved(), Denied, "Connect again", "stale-lookup"},
		{"moved, from the store", a.notStored(&account.MovedError{}), Denied,
			"Connect again", "stale-lookup"},
		{"renamed", a.renamed(account.Account{Name: "new@contoso.example", UID: 7}), Denied,
			"now named new@contoso.example", `renamed new_name="new@contoso.example"`},
		{"renamed, typed so", a.renamed(account.Account{Name: a.name.Account, UID: 7}), Denied,
			"renamed to " + a.name.Account, "renamed"},
		{"demoted", a.demoted(account.Account{Name: "x@contoso.example"}), Denied,
			"no longer an administrator", "demoted"},
		{"another's name", a.notStored(fmt.Errorf("y: %w", account.ErrOtherObject)), Denied,
			"belongs to somebody else", "name-of-another"},
		{"removed", a.notStored(account.ErrRemoved), Denied, "has been removed", "removed-account"},
		{"locked", a.notStored(account.ErrLocked), Denied, "has been locked", "locked-account"},
		{"damaged", a.notStored(&account.DamagedError{File: "f", Problem: "p"}), Misconfigured,
			"damaged", "store-damaged"},
		{"store", a.notStored(errors.New("disk full")), Broken, "could not be stored", "disk full"},
		{"other account",
			a.otherAccount(&token.Claims{PreferredUsername: "eve\x1b[1m@x\n", ObjectID: "o"}),
			Refused,
			"This sign-in is for user@contoso.example, but eve[1m@x signed in",
			`browser_account="eve\x1b[1m@x\x0a" browser_oid="o"`},
		{"forged token", a.badToken(&token.InvalidError{Part: "iss"}), Refused,
			"could not be trusted", "token-refused"},
		{"no keys", a.badToken(unreachable), Unreachable, "sign-in service cannot be reached",
			"unreachable"},
		{"certificate", a.cannotReach("sign-in service",
			fmt.Errorf("z: %w", &azure.CertificateError{Problem: "is odd"})), Unreachable,
			"Tell the administrator of this machine: the certificate of the sign-in service is odd.", "unreachable"},
		{"server down", a.cannotAsk(rbac.Resource{},
			&azure.Error{Status: 503, CorrelationID: "theirs"}), Unreachable,
			"Correlation ID: theirs", "unreachable"},
		{"not allowed to ask", a.cannotAsk(rbac.Resource{}, &azure.Error{Op: azure.ResourceManager,
			Status: 403, Code: "AuthorizationFailed", CorrelationID: "theirs"}), Unreachable,
			"does not let it ask", "Microsoft.Authorization/*/read"},
		{"cannot ask", a.cannotAsk(rbac.Resource{}, unreachable), Unreachable,
			"cannot be reached", "unreachable"},
		{"anything while asking", a.cannotAsk(rbac.Resource{}, errors.New("odd")), Unreachable,
			"cannot be reached", "odd"},
		{"tenant unknown", a.noDiscovery(&token.RefusedError{}), Misconfigured,
			"not configured correctly", "configuration-error"},
		{"metadata odd", a.noDiscovery(&token.DocumentError{}), Misconfigured,
			"not configured correctly", "configuration-error"},
		{"metadata missing", a.noDiscovery(unreachable), Unreachable,
			"cannot be reached", "unreachable"},
		{"code refused", a.noCode(&oauth.Error{Code: "invalid_client"}), Misconfigured,
			"application registration", `error="invalid_client"`},
		{"no code", a.noCode(unreachable), Unreachable, "cannot be reached", "unreachable"},
		{"expired", a.notSignedIn(fmt.Errorf("q: %w", oauth.ErrExpired)), Refused,
			"not finished in the browser in time", "expired"},
		{"expired, says the server",
			a.notSignedIn(&oauth.Error{Code: "expired_token", CorrelationID: "theirs"}), Refused,
			"Correlation ID: theirs", "expired"},
		{"our own patience", a.notSignedIn(fmt.Errorf("q: %w", context.DeadlineExceeded)), Refused,
			"not finished in the browser in time", "expired"},
		{"declined", a.notSignedIn(&oauth.Error{Code: "access_denied"}), Refused,
			"declined", "access_denied"},
		{"machine full", a.noSlot(errMachineFull), Unreachable,
			"on this machine", `limit="machine"`},
		{"address full", a.noSlot(errAddressFull), Unreachable,
			"from your address", `limit="address"`},
		{"account full", a.noSlot(errAccountFull), Unreachable,
			"for this account", `limit="account"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := refused(t, test.err)
			if r.verdict != test.verdict || !strings.Contains(r.person, test.person) ||
				!strings.Contains(r.Error(), test.log) {
				t.Errorf("got  %v %q\nlog %s\nwant %v %q, log %q", r.verdict, r.person, r.Error(),
					test.verdict, test.person, test.log)
			}
			if !strings.Contains(r.person, "\nCorrelation ID: ") {
				t.Errorf("nothing to quote in %q", r.person)
			}
		})
	}
}

// The sentence of the preview stands word for word. The fix names the scale set for an instance of
// a uniform one.
func TestNoRole(t *testing.T) {
	const compute = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e/resourceGroups/demo/providers/Microsoft.Compute/"
	for id, scope := range map[string]string{
		compute + "virtualMachines/demo-vm": compute +
			"virtualMachines/demo-vm",
		compute + "virtualMachineScaleSets/web/virtualMachines/3": compute +
			"virtualMachineScaleSets/web",
	} {
		resource, err := rbac.ParseResource(id)
		if err != nil {
			t.Fatal(err)
		}
		a := &attempt{cfg: new(config.Config), Request: Request{Attempt: ofOurs}}
		for action, role := range map[string]string{
			resource.Actions().Login:        "Virtual Machine User Login",
			resource.Actions().LoginAsAdmin: "Virtual Machine Administrator Login",
		} {
			d := rbac.Decision{Reason: "why", CorrelationID: "theirs"}
			a.event.decided("check-access", d)
			r := refused(t, a.noRole(&cloud{resource: resource}, "the-oid", action))
			want := "Access denied:  to sign-in you be assigned a role with action '" + action +
				"', for example '" + role + "'\n" +
				"Scope: " + scope + "\nObject ID: the-oid\nCorrelation ID: theirs"
			if r.verdict != Denied || r.person != want {
				t.Errorf("%v\n%s\nwant\n%s", r.verdict, r.person, want)
			}
			log := r.Error()
			if !strings.Contains(log,
				"--assignee-object-id the-oid --role '"+role+"' --scope '"+scope+"'") {
				t.Errorf("log: %s", log)
			}
		}
	}
}

// Every line of the log has these pairs, whoever chose the values.
func TestLogHasWhoAndWhere(t *testing.T) {
	conv := new(said)
	a := new(Signin).attempt(
		Request{Attempt: ofOurs, User: "a\"\nb", Service: "sshd", RemoteHost: "h\x1b"}, conv)
	a.log(LogInfo, "verb", "key", "value")
	want := `6 verb account="a\"\x0ab" service="sshd" rhost="h\x1b" attempt="` + ofOurs +
		`" key="value"`
	if len(conv.logged) != 1 || conv.logged[0] != want {
		t.Errorf("got  %q\nwant %q", conv.logged, want)
	}
}

// A service in a sandbox may not write below /var. Nobody, not even root, may make files below
// /sys/kernel, so it serves as an example.
func TestNotWritable(t *testing.T) {
	const forbidden = "/sys/kernel/aad-login"
	m := newMachine(t, "")
	m.signin.CacheDir = forbidden
	got, conv := m.signIn(m.request(user), user)
	ended(t, got, conv, Misconfigured, "may not write where sign-ins are kept", forbidden)
	all := strings.Join(conv.logged, "\n")
	if !strings.Contains(all, `reason="not-writable"`) ||
		!strings.Contains(all, "ReadWritePaths=") {
		t.Errorf("logged %q", all)
	}
	for _, err := range []error{syscall.EROFS, syscall.EPERM, syscall.EACCES} {
		if !mayNotWrite(&os.PathError{Op: "open", Path: forbidden, Err: err}) {
			t.Errorf("%v", err)
		}
	}
	if mayNotWrite(&os.PathError{Op: "open", Path: forbidden, Err: syscall.ENOSPC}) {
		t.Error("a full disk is another matter")
	}
}
