// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package signin has the order of the steps of one sign-in, and every sentence that a person reads
// on the way.
//
// [Signin.Authenticate] reads as one straight line: configuration, name, waiting room, endpoints,
// browser and its token (browse.go: by a device code, or by an answer that is pasted),
// authorization, account, grant. An earlier sign-in may stand in for what comes before the
// authorization (reuse.go). [Signin.Account] is the account phase alone (public key, cron): the
// stored object id is authorized again, without a prompt. Each step returns a value, or ends the
// attempt with a refusal. A refusal has a sentence for the person, a line for the log and a verdict
// for PAM.
//
// The package runs as root, in a process of its own that ends with the attempt. It decides nothing
// by itself: names and binding are internal/account's, cryptography is internal/token's, and policy
// is internal/rbac's.
//
// golang.org/x/sys is used for flock(2) and CLOCK_BOOTTIME, which the standard library does not
// export.
package signin

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	osuser "os/user"
	"time"

	"aadlogin/internal/account"
	"aadlogin/internal/config"
	"aadlogin/internal/token"
)

// A Verdict says how an attempt ended. Only Success lets anybody in; the zero value does not.
type Verdict int

const (
	Broken        Verdict = iota // a fault of ours or of this machine
	Success                      // signed in and authorized, account stored
	NotOurs                      // not an account of the configured domains
	Refused                      // not signed in: wrong account, declined, expired, forged
	Denied                       // signed in, but may not: no role, another person's name. Final for this connection
	Unreachable                  // Entra, Azure or the metadata service could not be asked
	Misconfigured                // an administrator must act
)

// A Request is what the PAM host asks.
type Request struct {
	Attempt     string // correlation id of ours, for all that is said and logged of this attempt
	User        string // as typed
	Service     string // PAM service: sshd, sudo, …
	RemoteHost  string // where the person is; empty for local services
	ConfigPath  string
	Debug       bool
	KnownToHost bool          // the host's getpwnam(3) answers User …
	UID         uint32        // … with this uid
	HoldsAdmins bool          // the host runs for User's own session, and that session has the group aad_admins
	Caller      uint32        // real uid of the host: who runs sudo or su
	Program     string        // the host's own name; "": of this process
	Connected   time.Duration // for which sshd has the connection; 0: unknown, or another host
	Said        string        // what was told when the attempt before this one ended, on the same connection
	Columns     int           // of the terminal, if it is known to show UTF-8 or, behind sshd, may; else 0

	// accounts.cdb as the host found it before it took the session's uid: inode and modification
	// time (ns), or 0, 0.
	StoreInode    uint64
	StoreModified int64
}

// A Conversation is the PAM conversation with the person, through the PAM host. What they type
// comes back only as the answer to Ask: after a Prompt the host itself waits for ENTER, and reads
// only then.
type Conversation interface {
	// Prompt shows text and waits for ENTER.
	Prompt(text string)

	// Again sets what the next prompt becomes if nothing follows within 15 s after ENTER.
	Again(text string)

	// Tell shows text.
	Tell(text string)

	// Last shows text when the attempt has failed and its line is written. It waits for ENTER.
	Last(text string)

	// Log writes one line to authpriv, about something besides the attempt's end.
	Log(level LogLevel, line string)

	// End says how the attempt ended: its one line for authpriv. It is called once, last.
	End(level LogLevel, line string)

	// Deadline says when the host may give this attempt up.
	Deadline(in time.Duration)

	// Ask shows text and returns what is typed up to ENTER, at most 8 KiB of any bytes but NUL. The
	// caller clears it. After ErrTooLong the caller may ask again; after any other error, also one
	// of ctx, it may not.
	Ask(ctx context.Context, text string, echo bool) ([]byte, error)
}

// ErrTooLong is returned by Conversation.Ask: the host takes no answer of this length (sudo, none
// of 512 bytes and more).
var ErrTooLong = errors.New("the answer is too long for this program")

// Signin runs attempts. Its zero value is the product; tests set the fields.
type Signin struct {
	Now        func() time.Time               // nil: time.Now
	Uptime     func() (string, time.Duration) // boot id and time since that boot; nil: the kernel's
	CacheDir   string                         // "": /var/cache/aad-login
	RuntimeDir string                         // "": account.DefaultRuntimeDir

	OwnAddresses func() ([]net.Addr, error) // of this machine; nil: net.InterfaceAddrs
	HostTitle    func() string              // the title of the host's process; nil: that of this one, its fork
	Root         fs.FS                      // of this machine; nil: os.DirFS("/")

	Etc fs.FS // nil: /etc, which says who is local

	// all that is outside this machine; nil: by TCP, as the configuration says
	Network http.RoundTripper

	// nil: os/user's, which without cgo, as the module is built, reads /etc/group alone and asks no
	// name service.
	LookupGroup func(name string) (*osuser.Group, error)
}

const (
	defaultCacheDir = "/var/cache/aad-login"
	slack           = 5 * time.Second  // the host's patience beyond our own, so that we end with a sentence
	accountTimeout  = 30 * time.Second // the account phase, and a reuse, have no person to wait for
)

// attempt is one Request on its way. Its fields are filled from top to bottom.
type attempt struct {
	Signin
	Request
	conv  Conversation
	begun time.Time
	event event
	cfg   *config.Config
	rules account.Rules
	name  account.Name
	store account.Store

	others *account.Locals // of this machine; nil: not read yet

	first *account.Account // that this attempt would be the first to sign in to; nil if it is not
	homes *account.Homes   // as they were looked at for first, if that is no account yet

	asking  time.Time     // since when Entra ID is
	pasting bool          // the person has been asked for an answer
	claims  *token.Claims // of the browser's token; nil without a browser
	browser moment        // when that token came
	left    time.Duration // for the person, from the beginning
	asked   moment        // when Azure was
}

// Authenticate signs the person at the other end of conv in as req.User, or says why not.
func (s *Signin) Authenticate(ctx context.Context, req Request, conv Conversation) Verdict {
	return s.attempt(req, conv).run("signed-in", func(a *attempt) error {
		return a.authenticate(ctx)
	})
}

// Account authorizes an account that something else (a public key, cron) has authenticated.
func (s *Signin) Account(ctx context.Context, req Request, conv Conversation) Verdict {
	return s.attempt(req, conv).run("authorized", func(a *attempt) error {
		return a.authorizeAgain(ctx)
	})
}

func (s *Signin) attempt(req Request, conv Conversation) *attempt {
	a := &attempt{Signin: *s, Request: req, conv: conv}
	if a.Now == nil {
		a.Now = time.Now
	}
	if a.CacheDir == "" {
		a.CacheDir = defaultCacheDir
	}
	if a.LookupGroup == nil {
		a.LookupGroup = osuser.LookupGroup
	}
	if a.OwnAddresses == nil {
		a.OwnAddresses = net.InterfaceAddrs
	}
	if a.Uptime == nil {
		a.Uptime = uptime
	}
	if a.HostTitle == nil {
		a.HostTitle = hostTitle
	}
	if a.Root == nil {
		a.Root = os.DirFS("/")
	}
	if a.RuntimeDir == "" {
		a.RuntimeDir = account.DefaultRuntimeDir
	}
	if a.Program == "" {
		a.Program = hostProgram()
	}
	a.begun = a.Now()
	return a
}

// authenticate is a sign-in, from top to bottom.
func (a *attempt) authenticate(ctx context.Context) error {
	if err := a.configure(); err != nil {
		return err
	}
	if err := a.checkName(); err != nil {
		return err
	}
	if err := a.checkHost(); err != nil {
		return err
	}
	left, err := a.timeLeft()
	if err != nil {
		return err
	}
	a.conv.Deadline(left + slack)
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()

	if acct, ok := a.openWindow(ctx); ok {
		return cmp.Or(a.authorizeStored(ctx, acct), a.stillAdmitted())
	}
	slot, err := a.waitingRoom().Enter(ctx, a.visitor(), a.moment())
	if err != nil {
		return a.noSlot(err)
	}
	defer slot.Close()

	a.asking = a.Now()
	cloud, err := a.reach(ctx)
	if err != nil {
		return err
	}
	claims, tokens, err := a.browse(ctx, cloud)
	if err != nil {
		return err
	}
	a.beEarly(ctx, cloud)
	who, err := a.sameAccount(claims)
	if err != nil {
		return err
	}
	a.claims = claims
	a.debug("token", "oid", who.ObjectID)
	if err := cloud.sameTenant(); err != nil {
		return a.noMachine(err)
	}
	decision, err := a.authorize(ctx, cloud, person{who.ObjectID, claims.Roles, tokens.AccessToken})
	if err != nil {
		return a.cannotAsk(cloud.resource, err)
	}
	a.event.decided(a.cfg.Authorization.Source, decision)
	if !decision.Login {
		return a.deny(who, decision, cloud, a.actions(cloud).Login)
	}
	if err := cmp.Or(a.admitAndRemember(who, decision, cloud), a.stillAdmitted()); err != nil {
		return err
	}
	slot.Finished(ctx, a.moment())
	return nil
}

// configure reads what the administrator has decided.
func (a *attempt) configure() error {
	cfg, err := config.Load(a.ConfigPath)
	if err != nil {
		return a.misconfigured(err)
	}
	a.cfg, a.rules = cfg, account.RulesFrom(cfg)
	a.store = account.Store{
		Dir: cfg.Accounts.Directory, RuntimeDir: a.RuntimeDir, Now: a.Now, Etc: a.Etc,
	}
	for _, dir := range []string{cfg.Accounts.Directory, a.CacheDir, a.RuntimeDir} {
		if err := config.Directory(dir); err != nil {
			return a.misconfigured(err)
		}
	}
	if cfg.SignIn.ReuseWindow > 0 {
		notesIn(a.RuntimeDir).expect()
	}
	return nil
}
