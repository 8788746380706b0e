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

// interruptible runs do, which is in libpam, so that Ctrl-C ends it in order. pam_aad.so looks for
// signals on the waiting thread, gives up, and writes its line to the log. Then tidy restores the
// terminal, and the process ends by the signal. Without this, Go would end the process at once,
// from any thread.
func interruptible(do func() error, tidy func()) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	came, done, first := make(chan os.Signal, 1), make(chan struct{}), make(chan syscall.Signal, 1)
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) { // as nohup(1) does
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
	signal.Stop(came) // from here on came has what has arrived
	close(done)
	if s, came := <-first; came {
		tidy()
		syscall.Kill(os.Getpid(), s)
		select {} // until the signal arrives
	}
	return err
}

// passOn hands the first signal to the thread and waits for do to end. The signal comes back once
// from there. A person who does not want to wait sends the same signal again, which ends the
// program. Another signal does not count as such a wish, nor does SIGHUP, which may come several
// times for one terminal: a terminal that goes away during Ctrl-C causes both.
//
// pam_aad.so may see a signal and give up before it arrives here. Such a signal ends the program,
// and the thread does not get it.
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
				if !isClosed(done) {
					give(s)
				}
			case s != given || s == syscall.SIGHUP:
			case back == 0:
				back++
			default:
				end(s)
			}
		case <-done:
			if len(came) == 0 {
				return
			}
		}
	}
}

func isClosed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}
