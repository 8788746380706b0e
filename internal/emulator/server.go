// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"sync"
	"time"
)

// A Server is the emulator. Its zero value is ready for use: Start listens on free loopback ports,
// and Entra and Metadata return the bare handlers. The exported fields are set before the first
// use. The methods may be called at any time from any goroutine.
type Server struct {
	Directory    *Directory       // nil: Contoso()
	Now          func() time.Time // nil: time.Now
	Key          *rsa.PrivateKey  // first signing key; nil: made when it is needed
	EntraAddr    string           // Start listens here; "": a free port of 127.0.0.1
	MetadataAddr string           // the same for metadata and the device page
	SignInPage   []byte           // served at signInPath of the metadata's address, like a page that an organization has published
	PageFile     string           // the same from a file, which may appear later
	ArcKeys      string           // directory of a machine of Azure Arc; "": /var/opt/azcmagent/tokens
	Trace        func(Request)    // called after the answer to a request

	once sync.Once
	net  listeners // set by Start, constant after it

	mu          sync.Mutex
	dir         *Directory // replaced as a whole, never changed
	faults      []*plannedFault
	codes       []*code
	redemptions []*redemption
	tokens      map[string]bearer
	levels      map[string]level // of the buckets of Limits
	keys        keyring
	forgery     *Forgery
	requests    []*Request
	issued      []string            // secrets, for Secrets
	consented   map[string][]string // permissions by the object id of the person who consented
	changed     chan struct{}       // closed and replaced when anything above changes
}

// setUp prepares the zero value for use.
func (s *Server) setUp() {
	s.once.Do(func() {
		s.tokens = make(map[string]bearer)
		s.levels = make(map[string]level)
		s.changed = make(chan struct{})
		s.keys.current = s.Key
		d := s.Directory
		if d == nil {
			d = Contoso()
		}
		s.install(d)
	})
}

// install replaces the directory and puts its faults in force.
func (s *Server) install(d *Directory) {
	faults := d.Faults
	own := *d
	own.Faults = nil
	own.known = newLookup(&own)
	s.dir = &own
	s.faults = nil
	s.consented = make(map[string][]string)
	s.plan(faults)
}

// lock prepares the state and takes the mutex. The caller defers the returned function, which also
// wakes up everybody who waits for a change.
func (s *Server) lock() (unlock func()) {
	s.setUp()
	s.mu.Lock()
	return func() {
		close(s.changed)
		s.changed = make(chan struct{})
		s.mu.Unlock()
	}
}

// now returns the time of the server's clock.
func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// directory returns the current directory, which is never changed.
func (s *Server) directory() *Directory {
	s.setUp()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dir
}

// SetDirectory replaces the directory and the faults. Unfinished sign-ins go on.
func (s *Server) SetDirectory(d *Directory) {
	defer s.lock()()
	s.install(d)
}

// Update changes the directory. change gets a copy with empty Faults. The faults in it are added to
// those in force. If Parse would refuse the result, nothing changes.
func (s *Server) Update(change func(*Directory)) error {
	text, err := s.directory().encode()
	if err != nil {
		return err
	}
	d, err := Parse("directory", text)
	if err != nil {
		return err
	}
	change(d)
	if text, err = d.encode(); err != nil {
		return err
	}
	if d, err = Parse("changed directory", text); err != nil {
		return err
	}
	defer s.lock()()
	s.plan(d.Faults)
	d.Faults = nil
	d.known = newLookup(d)
	s.dir = d
	return nil
}

// Await returns when done reports true. It asks again after every change of a code, a request, a
// fault or the directory, so that a test need not sleep.
func (s *Server) Await(ctx context.Context, done func() bool) error {
	s.setUp()
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if done() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("emulator: await: %w", ctx.Err())
		}
	}
}

// secret returns at least 130 random bits.
func secret() string { return rand.Text() + rand.Text() }

// newGUID returns a random GUID, such as trace and correlation ids.
func newGUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
