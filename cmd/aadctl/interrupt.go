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

// interruptible lets do, which is in libpam, end in order when somebody presses Ctrl-C: pam_aad.so looks for signals at the thread
// that waits, gives up, and leaves its line in the log. Then tidy puts the terminal right, and the process ends by the signal.
// Left to itself, Go would end it at once, in whichever thread.
func interruptible(do func() error, tidy func()) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	came, done, first := make(chan os.Signal, 1), make(chan struct{}), make(chan syscall.Signal, 1)
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) { // nohup(1)
			signal.Notify(came, s)
		}
	}
	go passOn(came, done, first, unix.Gettid())
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

// passOn gives the first signal to the thread. It comes back from there, as the second; whoever does not want to wait sends a
// third, and that is the end.
func passOn(came <-chan os.Signal, done <-chan struct{}, first chan<- syscall.Signal, thread int) {
	defer close(first)
	for n := 1; ; n++ {
		select {
		case s := <-came:
			switch s := s.(syscall.Signal); n {
			case 1:
				first <- s
				unix.Tgkill(os.Getpid(), thread, s)
			case 2:
			default:
				signal.Reset(s)
				syscall.Kill(os.Getpid(), s)
			}
		case <-done:
			return
		}
	}
}
