// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"crypto/rand"
	"errors"
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode"
)

// A code is a device code and the state of its sign-in.
type code struct {
	device   string
	user     string
	scope    string
	host     string // the host that the request was sent to
	created  time.Time
	expires  time.Time
	interval time.Duration
	polled   time.Time // zero: never
	state    State
	account  string   // the account that signed in
	refused  *Refused // why the browser refused the person
	ruling   ruling   // of the policies about the last person
}

// A State is the state of a sign-in.
type State string

// The last three states are final. Blocked is final, too, unless the machine goes on waiting: then
// another account may still sign in.
const (
	Pending  State = "pending"
	Blocked  State = "blocked"   // in the browser; the machine may not know
	SignedIn State = "signed-in" // in the browser; the device has not polled since
	Declined State = "declined"
	Expired  State = "expired"
	Redeemed State = "redeemed"
)

// A Code is a sign-in as tests see it. It does not contain the device code.
type Code struct {
	UserCode   string    `json:"user_code"`
	State      State     `json:"state"`
	Account    string    `json:"account,omitempty"` // the last account in the browser
	Scope      string    `json:"scope"`
	Created    time.Time `json:"created"`
	Age        float64   `json:"age_seconds"`
	AADSTS     int       `json:"aadsts,omitempty"`      // the number that the browser showed with a refusal
	Policy     string    `json:"policy,omitempty"`      // the Conditional Access policy that refused
	Resource   string    `json:"resource,omitempty"`    // the id of the application that policies judged the sign-in by
	MFA        bool      `json:"mfa,omitempty"`         // a policy asked for a second factor
	ReportOnly []string  `json:"report_only,omitempty"` // report-only policies that would have refused
}

// describe returns the code as tests see it.
func (c *code) describe(now time.Time) Code {
	d := Code{
		UserCode: c.user, State: c.stateAt(now), Account: c.account, Scope: c.scope,
		Created: c.created, Age: now.Sub(c.created).Seconds(),
		Resource: c.ruling.audience, MFA: c.ruling.mfa, ReportOnly: c.ruling.reportOnly,
	}
	if c.refused != nil {
		d.AADSTS, d.Policy = c.refused.AADSTS, c.refused.Policy
	}
	return d
}

// These are the errors for a user code or an account on the device page.
var (
	ErrUnknownCode    = errors.New("emulator: no such code")
	ErrExpiredCode    = errors.New("emulator: this code has expired")
	ErrUsedCode       = errors.New("emulator: this code has been used")
	ErrUnknownAccount = errors.New("emulator: no such account")
)

// stateAt returns the state at a time, when the code may have expired.
func (c *code) stateAt(now time.Time) State {
	if (c.state == Pending || c.state == SignedIn || c.state == Blocked) && !now.Before(c.expires) {
		return Expired
	}
	return c.state
}

// Codes returns every sign-in that the server remembers, oldest first.
func (s *Server) Codes() []Code {
	s.setUp()
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Code, len(s.codes))
	for i, c := range s.codes {
		all[i] = c.describe(now)
	}
	return all
}

// PendingCodes returns the user codes that wait for a person, oldest first.
func (s *Server) PendingCodes() []Code {
	return slices.DeleteFunc(s.Codes(), func(c Code) bool { return c.State != Pending })
}

// issueCode begins a sign-in. It forgets sign-ins that ended long ago.
func (s *Server) issueCode(scope, host string, now time.Time, life, interval time.Duration) code {
	c := &code{
		device: secret(), user: userCode(), scope: scope, host: host,
		created: now, expires: now.Add(life), interval: interval, state: Pending,
	}
	defer s.lock()()
	s.codes = slices.DeleteFunc(s.codes,
		func(old *code) bool { return now.Sub(old.expires) > time.Hour })
	s.codes = append(s.codes, c)
	s.issue(c.device)
	return *c
}

// userCode returns 9 random characters, which are 46 bits.
func userCode() string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	n := big.NewInt(int64(len(alphabet)))
	var b [9]byte
	for i := range b {
		k, err := rand.Int(rand.Reader, n)
		if err != nil {
			panic(err) // crypto/rand.Reader does not fail
		}
		b[i] = alphabet[k.Int64()]
	}
	return string(b[:])
}

// plainCode returns a typed user code in a form that can be compared. RFC 8628, Section 6.1: case
// and punctuation do not matter.
func plainCode(typed string) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) {
			return -1
		}
		return r
	}, typed))
}

// find returns a code that a person can still act on. The caller holds the mutex.
func (s *Server) find(typed string, now time.Time) (*code, error) {
	plain := plainCode(typed)
	i := slices.IndexFunc(s.codes, func(c *code) bool { return c.user == plain })
	if i < 0 {
		return nil, ErrUnknownCode
	}
	switch c := s.codes[i]; c.stateAt(now) {
	case Pending:
		return c, nil
	case Blocked:
		if c.told(s.dir) == nil {
			return c, nil
		}
	case Expired:
		return nil, ErrExpiredCode
	}
	return nil, ErrUsedCode
}

// check reports whether a person can still act on a code.
func (s *Server) check(typed string) error {
	s.setUp()
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.find(typed, s.now())
	return err
}

// Decline acts as a person who declines the sign-in in the browser.
func (s *Server) Decline(userCode string) error { return s.end(userCode, Declined) }

// Expire makes a code expire now.
func (s *Server) Expire(userCode string) error { return s.end(userCode, Expired) }

func (s *Server) end(userCode string, state State) error {
	defer s.lock()()
	c, err := s.find(userCode, s.now())
	if err != nil {
		return err
	}
	c.state = state
	return nil
}
