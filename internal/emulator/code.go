// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode"
)

// code is a device code and what became of it.
type code struct {
	device   string
	user     string
	scope    string
	created  time.Time
	expires  time.Time
	interval time.Duration
	polled   time.Time // zero: not yet
	state    State
	account  string // who signed in
}

// State is where a sign-in stands.
type State string

// The states of a sign-in; the last three are final.
const (
	Pending  State = "pending"
	SignedIn State = "signed-in" // in the browser; the device has not asked since
	Declined State = "declined"
	Expired  State = "expired"
	Redeemed State = "redeemed"
)

// Code is a sign-in as tests see it, without the device code.
type Code struct {
	UserCode string    `json:"user_code"`
	State    State     `json:"state"`
	Account  string    `json:"account,omitempty"`
	Scope    string    `json:"scope"`
	Created  time.Time `json:"created"`
	Age      float64   `json:"age_seconds"`
}

// What can be wrong with a user code or an account on the device page.
var (
	ErrUnknownCode    = errors.New("emulator: no such code")
	ErrExpiredCode    = errors.New("emulator: this code has expired")
	ErrUsedCode       = errors.New("emulator: this code has been used")
	ErrUnknownAccount = errors.New("emulator: no such account")
)

// stateAt is the state with the passing of time taken into account.
func (c *code) stateAt(now time.Time) State {
	if (c.state == Pending || c.state == SignedIn) && !now.Before(c.expires) {
		return Expired
	}
	return c.state
}

// Codes returns every sign-in the server still remembers, oldest first.
func (s *Server) Codes() []Code {
	s.setUp()
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Code, len(s.codes))
	for i, c := range s.codes {
		all[i] = Code{c.user, c.stateAt(now), c.account, c.scope, c.created, now.Sub(c.created).Seconds()}
	}
	return all
}

// PendingCodes returns the user codes that wait for a person, oldest first.
func (s *Server) PendingCodes() []Code {
	return slices.DeleteFunc(s.Codes(), func(c Code) bool { return c.State != Pending })
}

// issueCode begins a sign-in, and forgets those that ended long ago.
func (s *Server) issueCode(scope string, now time.Time, life, interval time.Duration) code {
	c := &code{
		device: secret(), user: userCode(), scope: scope,
		created: now, expires: now.Add(life), interval: interval, state: Pending,
	}
	defer s.lock()()
	s.codes = slices.DeleteFunc(s.codes, func(old *code) bool { return now.Sub(old.expires) > time.Hour })
	s.codes = append(s.codes, c)
	s.issue(c.device)
	return *c
}

// userCode returns 9 characters, every one equally likely: 46 bits.
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

// plainCode is a user code as people type it, made comparable. RFC 8628,
// Section 6.1: case and punctuation do not matter.
func plainCode(typed string) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) {
			return -1
		}
		return r
	}, typed))
}

// find returns a code that a person can still act on; the caller holds the
// mutex.
func (s *Server) find(typed string, now time.Time) (*code, error) {
	plain := plainCode(typed)
	i := slices.IndexFunc(s.codes, func(c *code) bool { return c.user == plain })
	if i < 0 {
		return nil, ErrUnknownCode
	}
	switch c := s.codes[i]; c.stateAt(now) {
	case Pending:
		return c, nil
	case Expired:
		return nil, ErrExpiredCode
	default:
		return nil, ErrUsedCode
	}
}

// check reports whether a person can still act on a code.
func (s *Server) check(typed string) error {
	s.setUp()
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.find(typed, s.now())
	return err
}

// SignIn does what a person does in the browser: it enters the code and signs
// in with the account.
func (s *Server) SignIn(userCode, account string) error {
	defer s.lock()()
	c, err := s.find(userCode, s.now())
	if err != nil {
		return err
	}
	u, ok := s.dir.user(strings.TrimSpace(account))
	if !ok {
		return fmt.Errorf("%w: %q", ErrUnknownAccount, account)
	}
	c.state, c.account = SignedIn, u.Name
	return nil
}

// Decline does what a person does who refuses the sign-in in the browser.
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
