// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"slices"
	"syscall"
	"testing"
)

// The attempt ends in order and its line reaches the log, even if a terminal that goes away causes
// several signals.
func TestWhoIsInAHurry(t *testing.T) {
	const hup, interrupt, term = syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM
	for name, test := range map[string]struct {
		came  []syscall.Signal
		ended bool
	}{
		"Ctrl-C": {[]syscall.Signal{interrupt, interrupt}, false},
		"Ctrl-C twice": {[]syscall.Signal{interrupt, interrupt, interrupt},
			true},
		"Ctrl-C, and the terminal goes": {[]syscall.Signal{interrupt, hup, interrupt, hup},
			false},
		"the terminal goes, with a shell": {[]syscall.Signal{hup, hup, hup}, false},
		"the terminal goes, and Ctrl-C":   {[]syscall.Signal{hup, hup, interrupt}, false},
		"kill, twice":                     {[]syscall.Signal{term, term, term}, true},
	} {
		t.Run(name, func(t *testing.T) {
			var sent []syscall.Signal
			came, done, first := make(chan os.Signal), make(chan struct{}),
				make(chan syscall.Signal, 1)
			ended := make(chan struct{})
			go func() {
				passOn(came, done, first, func(s syscall.Signal) { sent = append(sent, s) },
					func(s syscall.Signal) { sent = append(sent, -s) })
				close(ended)
			}()
			for _, s := range test.came {
				came <- s
			}
			close(done)
			<-ended
			want := []syscall.Signal{test.came[0]}
			if test.ended {
				want = append(want, -test.came[0])
			}
			if s := <-first; s != test.came[0] || !slices.Equal(sent, want) {
				t.Errorf("%v, %v, want %v", s, sent, want)
			}
		})
	}
}

// A signal that arrives while the module gives up ends the program, too.
func TestSignalAtTheEnd(t *testing.T) {
	for range 100 { // of two channels that are ready, Go takes any
		came, done := make(chan os.Signal, 1), make(chan struct{})
		first := make(chan syscall.Signal, 1)
		came <- syscall.SIGINT
		close(done)
		passOn(came, done, first,
			func(s syscall.Signal) { t.Errorf("the thread got %v", s) },
			func(s syscall.Signal) { t.Errorf("ended by %v", s) })
		if s := <-first; s != syscall.SIGINT {
			t.Fatalf("told of %v", s)
		}
	}
}
