// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Grant is the last authorization of an account on this machine.
type Grant struct {
	TenantID   string `json:"tenant"`
	ObjectID   string `json:"object"` // whom it was given to
	Rules      string `json:"config"` // digest of the configuration that it was given under
	Admin      bool   `json:"admin"`
	Source     string `json:"source"` // of authorization.source
	Scope      string `json:"scope,omitempty"`
	Service    string `json:"service,omitempty"` // PAM service
	RemoteHost string `json:"rhost,omitempty"`

	Moment         // of this authorization
	Browser Moment `json:"browser,omitzero"` // of the last sign-in with a browser
}

// Moment is a point of time by two clocks: Time, and one that nobody can step,
// which says how long after this boot.
type Moment struct {
	Time time.Time     `json:"time"`
	Boot string        `json:"boot,omitempty"`
	Up   time.Duration `json:"up_ns,omitempty"`
}

// ErrNoGrant is returned for an account without a readable grant.
var ErrNoGrant = errors.New("account: no grant")

const maxGrant = 16 << 10

// RecordGrant replaces the grant of an account. Only root can read it. It must
// not be called within Update, whose lock it takes.
func (s Store) RecordGrant(uid uint32, g Grant) error {
	if g.Time.IsZero() {
		g.Time = s.now()
	}
	g.Time, g.Browser.Time = g.Time.UTC(), g.Browser.Time.UTC()
	text, err := json.Marshal(g)
	if err == nil {
		err = s.makeDir()
	}
	if err == nil {
		err = s.writeGrant(s.grantPath(uid), text)
	}
	if err != nil {
		return fmt.Errorf("account: record grant: %w", err)
	}
	return nil
}

// ReadGrant returns the last grant, or ErrNoGrant when there is none or it
// does not read as one: whoever relies on it fails closed.
func (s Store) ReadGrant(uid uint32) (Grant, error) {
	f, err := os.OpenFile(s.grantPath(uid), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Grant{}, ErrNoGrant
	case err != nil:
		return Grant{}, fmt.Errorf("account: read grant: %w", err)
	}
	defer f.Close()
	text := make([]byte, maxGrant)
	n, _ := f.Read(text)
	var g Grant
	if err := json.Unmarshal(text[:n], &g); err != nil || g.ObjectID == "" || g.Time.IsZero() {
		return Grant{}, fmt.Errorf("%w: %s is damaged", ErrNoGrant, s.grantPath(uid))
	}
	return g, nil
}

func (s Store) grantPath(uid uint32) string {
	return s.path(grantsDir + "/" + strconv.FormatUint(uint64(uid), 10))
}

// writeGrant replaces the file, by way of one that has always the same name: a
// writer that was killed leaves one, however often that happens.
func (s Store) writeGrant(path string, text []byte) error {
	lock, err := s.lock()
	if err != nil {
		return err
	}
	defer lock.Close()
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
	if err := f.Sync(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Withdraw takes back what an earlier authorization of an account has left for
// the next one to rely on: the grant that would stand in for Azure, and the
// windows that would for a browser.
func (s Store) Withdraw(uid uint32) error {
	var all error
	for _, path := range []string{s.grantPath(uid), s.WindowsPath(uid)} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			all = errors.Join(all, fmt.Errorf("account: withdraw: %w", err))
		}
	}
	return all
}

// WindowsPath is the file in which package signin keeps the windows of one
// account (sign_in.reuse_window): in /run, which a reboot empties too.
func (s Store) WindowsPath(uid uint32) string {
	return filepath.Join(cmp.Or(s.RuntimeDir, DefaultRuntimeDir), "windows", strconv.FormatUint(uint64(uid), 10))
}
