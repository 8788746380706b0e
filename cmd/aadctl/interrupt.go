// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// interruptible lets do, which is in libpam, end in order when somebody presses Ctrl-C: pam_aad.so
// looks for signals at the thread that waits, gives up, and leaves its line in the log. Then tidy
// puts the terminal right, and the process ends by the signal. Left to itself, Go would end it at
// once, in whichever thread.
func interruptible(do func() error, tidy func()) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	came, done, first := make(chan os.Signal, 1), make(chan struct{}), make(chan syscall.Signal, 1)
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) { // nohup(1)
			signal.Notify(came, s)
		}
	}
	thread := unix.Gettid()
	go passOn(came, done, first,
		func(s syscall.Signal) { unix.Tgkill(os.Getpid(), thread, s) },
		func(s syscall.Signal) {
			signal.Reset(s)
			syscall.Kill(os.Getpid(), s)
		})
	err := do()
	close(done)
	signal.Stop(came)
	if s, came := <-first; came {
		tidy()
		syscall.Kill(os.Getpid(), s)
		select {} // until it comes
	}
	return err
}

// passOn gives the first signal to the thread, and waits for do to end. The signal comes back from
// there once. Whoever does not want to wait sends it again, and that is the end. Another one, and
// SIGHUP, which more than one sends for one terminal, is no such wish: a terminal that goes away
// while somebody presses Ctrl-C brings both.
func passOn(came <-chan os.Signal, done <-chan struct{}, first chan<- syscall.Signal,
	give, end func(syscall.Signal)) {
	defer close(first)
	var given syscall.Signal
	back := 0
	for {
		select {
		case s := <-came:
			switch s := s.(syscall.Signal); {
			case given == 0:
				given = s
				first <- s
				give(s)
			case s != given || s == syscall.SIGHUP:
			case back == 0:
				back++
			default:
				end(s)
			}
		case <-done:
			return
		}
	}
}
