// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"syscall"
	"time"
)

// Grant is the last authorization of an account on this machine, or the denial that came after it.
type Grant struct {
	TenantID     string `json:"tenant"`
	ObjectID     string `json:"object"`           // whom the authorization is for
	Denied       string `json:"denied,omitempty"` // whom it was refused to; then there is no ObjectID
	ConfigDigest string `json:"config"`           // signin.ConfigDigest of the configuration that it was given under
	Admin        bool   `json:"admin"`
	Source       string `json:"source"` // of authorization.source
	Scope        string `json:"scope,omitempty"`
	Service      string `json:"service,omitempty"` // PAM service
	RemoteHost   string `json:"rhost,omitempty"`

	Moment         // when this authorization was asked for
	Browser Moment `json:"browser,omitzero"` // of the last sign-in with a browser
}

// Moment is a point in time on two clocks: Time, and the time since boot, which nobody can step.
type Moment struct {
	Time time.Time     `json:"time"`
	Boot string        `json:"boot,omitempty"`
	Up   time.Duration `json:"up_ns,omitempty"`
}

// After reports whether m was later than n. A moment of another boot was earlier: no process that
// asks now was running then.
func (m Moment) After(n Moment) bool {
	switch {
	case m.Boot != "" && m.Boot == n.Boot:
		return m.Up > n.Up
	case m.Boot != "" && n.Boot != "":
		return false
	}
	return m.Time.After(n.Time)
}

func (m Moment) is(n Moment) bool {
	return m.Time.Equal(n.Time) && m.Boot == n.Boot && m.Up == n.Up
}

// ErrNoGrant is returned for an account without a readable grant.
var ErrNoGrant = errors.New("account: no grant")

const maxGrant = 16 << 10

// RecordGrant replaces the grant of an account. Only root can read the file. RecordGrant must not
// be called within Update, because it takes the same lock.
func (s Store) RecordGrant(uid uint32, g Grant) error {
	if err := s.makeDir(); err != nil {
		return err
	}
	q, err := s.enter()
	if err != nil {
		return err
	}
	defer q.leave()
	q.settle()
	if g.Time.IsZero() {
		g.Time = s.now()
	}
	if err := errors.Join(s.writeGrant(uid, g), syncPath(s.grantPath(uid))); err != nil {
		return fmt.Errorf("account: record grant: %w", err)
	}
	return nil
}

// ReadGrant returns the last grant. It returns ErrNoGrant if there is none or if it cannot be read:
// callers fail closed.
func (s Store) ReadGrant(uid uint32) (Grant, error) { return withoutDenial(s.LastDecision(uid)) }

func withoutDenial(g Grant, err error) (Grant, error) {
	if err == nil && g.Denied != "" {
		return Grant{}, fmt.Errorf("%w: the last authorization was a refusal", ErrNoGrant)
	}
	return g, err
}

// LastDecision is ReadGrant, but it also returns a denial.
func (s Store) LastDecision(uid uint32) (Grant, error) {
	f, err := os.OpenFile(s.grantPath(uid),
		os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Grant{}, ErrNoGrant
	case err != nil:
		return Grant{}, fmt.Errorf("account: read grant: %w", err)
	}
	defer f.Close()
	text := make([]byte, maxGrant)
	n, _ := f.Read(text)
	g, err := parseGrant(text[:n])
	if err != nil {
		return Grant{}, fmt.Errorf("%w: %s is damaged", ErrNoGrant, s.grantPath(uid))
	}
	return g, nil
}

func parseGrant(text []byte) (g Grant, err error) {
	err = json.Unmarshal(text, &g)
	if err != nil || (g.ObjectID == "") == (g.Denied == "") || g.Time.IsZero() {
		return Grant{}, errRecord
	}
	return g, nil
}

func (s Store) grantPath(uid uint32) string {
	return s.path(grantsDir + "/" + strconv.FormatUint(uint64(uid), 10))
}

// writeGrant replaces the grant's file by way of a temporary file. That always has the same name,
// so a writer that is killed again and again leaves only one. The caller has the lock.
//
// A denial is on disk when writeGrant returns. For a grant, keepGrants waits for that: a first
// grant that is lost with the power, or empty, stands in for nothing. A grant that replaces another
// is on disk before it does, or both could be lost.
func (s Store) writeGrant(uid uint32, g Grant) error {
	g.Time, g.Browser.Time = g.Time.UTC(), g.Browser.Time.UTC()
	text, err := json.Marshal(g)
	if err != nil {
		return err
	}
	path := s.grantPath(uid)
	if err := os.Remove(path + ".new"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := f.Write(text); err != nil {
		return err
	}
	if err := f.Chmod(0o600); err != nil { // the umask is our host's
		return err
	}
	if _, none := os.Lstat(path); none == nil || g.Denied != "" {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	if err := os.Rename(f.Name(), path); err != nil || g.Denied == "" {
		return err
	}
	return syncPath(s.path(grantsDir))
}
