// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Pam_aad.so: the PAM module. A C door, loaded by sshd, sudo, su and login, and a Go worker, which
// runs in a child process that the door forks for one sign-in. The Go runtime never starts in the
// host: see wake.c for why and how, door.h for the map and for everything door and worker agree on.
// [aadlogin/internal/signin] is what the worker does.
//
// The package is built with -buildmode=c-archive and linked by the Makefile; main is never called.
package main

/*
#cgo CFLAGS: -std=gnu11 -O2 -Wall -Wextra -Werror -Wdeclaration-after-statement -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
#cgo LDFLAGS: -lpam
#include "door.h"
*/
import "C"

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime/debug"
	"syscall"
	"time"
	"unicode/utf8"

	"aadlogin/internal/config"
	"aadlogin/internal/signin"
	_ "aadlogin/nss" // the door's own look at the store, in C: ours.c
)

func main() {}

// aadWork is the worker's whole life. It runs in the forked child, on that process's first thread,
// and never returns: whatever happens, the process ends here, and a process that ends without a
// result frame has failed. A panic that nobody recovers, in whatever goroutine, ends it, too: the
// runtime says where on standard error, which the door reads (crash.c).
//
//export aadWork
func aadWork(c *C.struct_aad_request, fd C.int) {
	syscall.SetNonblock(int(fd), true) // so that a question ends in time
	relay := &relay{host: os.NewFile(uintptr(fd), "relay")}
	debug.SetMemoryLimit(64 << 20) // never swap the machine out

	// This goroutine is bound to the first thread: whenever it went on after a pause, threads would
	// change places. Another one runs on the thread that is awake.
	req, phase, ended := request(c), c.phase, make(chan struct{})
	go func() {
		defer close(ended)
		relay.result(code(attempt(req, phase, relay), phase))
	}()
	<-ended
}

func attempt(req signin.Request, phase C.enum_aad_phase, relay *relay) signin.Verdict {
	if phase == C.AAD_AUTHENTICATE {
		return new(signin.Signin).Authenticate(context.Background(), req, relay)
	}
	return new(signin.Signin).Account(context.Background(), req, relay)
}

// code is the table of results: the only way to PAM_SUCCESS is signin's explicit Success.
func code(v signin.Verdict, phase C.enum_aad_phase) C.int {
	switch v {
	case signin.Success:
		return C.PAM_SUCCESS
	case signin.NotOurs:
		if phase == C.AAD_ACCOUNT {
			return C.PAM_IGNORE
		}
		return C.PAM_USER_UNKNOWN
	case signin.Refused:
		return C.PAM_AUTH_ERR
	case signin.Denied:
		return C.PAM_PERM_DENIED
	case signin.Unreachable:
		return C.PAM_AUTHINFO_UNAVAIL
	case signin.Misconfigured:
		return C.PAM_SERVICE_ERR
	default:
		return C.PAM_SYSTEM_ERR
	}
}

// request copies what the door was asked into Go.
func request(c *C.struct_aad_request) signin.Request {
	r := signin.Request{
		Attempt:       C.GoString(&c.attempt[0]),
		User:          C.GoString(c.user),
		Service:       C.GoString(c.service),
		RemoteHost:    C.GoString(c.rhost),
		ConfigPath:    config.DefaultPath,
		Debug:         c.debug != 0,
		KnownToHost:   c.known != 0,
		UID:           uint32(c.uid),
		Columns:       int(c.columns),
		Connected:     time.Duration(c.connected) * time.Second,
		HoldsAdmins:   c.holds_admins != 0,
		Caller:        uint32(c.caller),
		StoreInode:    uint64(c.store_ino),
		StoreModified: int64(c.store_mtime),
	}
	if c.said != nil {
		r.Said = C.GoString(c.said)
	}
	if c.config != nil {
		r.ConfigPath = C.GoString(c.config)
	}
	return r
}

// relay is the worker's end of the socket to pam/relay.c: it writes the frames of door.h and reads
// the replies. A write that fails means that the host is gone, and the worker then ends.
type relay struct {
	host *os.File
	line string // of the result, after its priority
}

func (r *relay) frame(kind byte, text string) {
	text = bounded(text, C.AAD_FRAME_MAX)
	b := append([]byte{kind, byte(len(text)), byte(len(text) >> 8)}, text...)
	if _, err := r.host.Write(b); err != nil {
		os.Exit(1)
	}
}

// bounded is text, cut between two characters if it is longer than most.
func bounded(text string, most int) string {
	if len(text) <= most {
		return text
	}
	end := most
	for end > most-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

func (r *relay) Prompt(text string) { r.frame(C.AAD_PROMPT, text) }
func (r *relay) Again(text string)  { r.frame(C.AAD_AGAIN, text) }
func (r *relay) Tell(text string)   { r.frame(C.AAD_ERROR, text) }
func (r *relay) Last(text string)   { r.frame(C.AAD_LAST, bounded(text, C.AAD_LAST_MAX)) }

// Ask answers no more questions once ctx has ended: what is typed to this one may still come.
func (r *relay) Ask(ctx context.Context, text string, echo bool) ([]byte, error) {
	shown := "\x00"
	if echo {
		shown = "\x01"
	}
	r.frame(C.AAD_ASK, shown+text)
	defer context.AfterFunc(ctx, func() { r.host.SetReadDeadline(time.Unix(1, 0)) })()
	typed, err := readReply(r.host)
	if ctx.Err() != nil {
		clear(typed)
		return nil, ctx.Err()
	}
	return typed, err
}

var errNoReply = errors.New("what the door has sent is no reply")

// readReply reads no byte more than the reply has, so that no copy of what was typed stays in a
// buffer.
func readReply(host io.Reader) ([]byte, error) {
	var head [3]byte
	if _, err := io.ReadFull(host, head[:]); err != nil {
		return nil, err
	}
	switch n := int(head[1]) | int(head[2])<<8; {
	case head[0] == C.AAD_TOO_LONG && n == 0:
		return nil, signin.ErrTooLong
	case head[0] == C.AAD_TYPED && n <= C.AAD_TYPED_MAX:
		typed := make([]byte, n)
		if _, err := io.ReadFull(host, typed); err != nil {
			clear(typed)
			return nil, err
		}
		return typed, nil
	default:
		return nil, errNoReply
	}
}

func (r *relay) Log(level signin.LogLevel, line string) {
	r.frame(C.AAD_LOG, string([]byte{byte(level)})+line)
}

func (r *relay) End(level signin.LogLevel, line string) {
	r.line = string([]byte{byte(level)}) + line
}

func (r *relay) Deadline(in time.Duration) {
	s := uint32((in + time.Second - 1) / time.Second)
	r.frame(C.AAD_DEADLINE, string([]byte{byte(s), byte(s >> 8), byte(s >> 16), byte(s >> 24)}))
}

// result ends the process too: there is exactly one result.
func (r *relay) result(code C.int) {
	r.frame(C.AAD_RESULT, string([]byte{byte(code)})+r.line)
	os.Exit(0)
}
