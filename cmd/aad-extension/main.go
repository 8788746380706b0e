// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Command aad-extension is the handler of the Azure VM extension AADLoginForLinux: the agent of the
// machine (WALinuxAgent) unpacks the extension's zip and runs it with one of five words.
//
//	install    install the package that the zip brought
//	enable     write the settings into config.toml, apply them, and see whether people can
//	           sign in; again at every boot
//	disable    switch sign-in off, and lose nothing
//	update     on the way to another version: let the package stay
//	uninstall  remove the package; accounts and configuration stay
//
// bin/handler, a shell script of a few lines, picks the one of two static binaries that this
// processor runs.
//
// The order of the agent is install, enable; disable, uninstall; and from version A to B: A
// disable, B update, A uninstall, B install, B enable. It kills a command after 900 seconds
// (install, update, disable) or 300 (enable, uninstall), and starts any of them again after a crash
// or a boot. So each can be repeated, in any order, from wherever the last one was killed: nothing
// is remembered but the last sequence number, in mrseq, and what is half done is done again.
//
// # Settings
//
// publicSettings are config.toml in JSON: the same keys in the same sections, checked by the same
// code.
//
//	{"tenant_id": "…", "client_id": "…", "domains": ["contoso.com"],
//	 "authorization": {"source": "app-roles"}}
//
// They are put into config.toml as aadctl setup does it: comments, and keys that the settings do
// not name, are the administrator's and stay. All is checked before anything changes, by install
// too. There are no secrets in it: protectedSettings are neither needed nor read. Without settings,
// a complete config.toml is applied as it is. Settings with a lower number than those in force are
// not applied.
//
// # Disabled
//
// disable renames config.toml to config.toml.disabled. It is one step that is done or not done, and
// the same on every distribution. Without a configuration the PAM module refuses accounts of ours,
// with a key too, and leaves local ones alone; names, uids and files keep their owners. To take the
// module out of PAM instead would, if cut short, leave accounts that nobody authorizes.
//
// # Exit codes
//
//	 0  done
//	 1  not done; the message says why
//	22  the settings cannot be used, or there are none where they are needed
//	23  other software for Entra ID is in the way
//	51  distribution or processor not supported
//	52  something is missing on the machine: packages, memory
//
// 51 and 52 are those by which Azure tells a machine's fault from an extension's. 22 and 23 are
// what AADSSHLoginForLinux ends with when the machine has not been given what it needs, and when
// the preview is still there, so runbooks know them.
//
// # Reports
//
// For the portal, status/N.status holds how it went as a whole and part by part. While people
// cannot sign in for a reason on the machine, enable fails; that Entra ID or Azure cannot be
// reached just now is a warning. The log is aad-extension.log in the agent's folder. Neither has
// settings in it, nor what programs were given.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// The exit codes are explained in the package comment.
const (
	exitOK          = 0
	exitFailed      = 1
	exitSettings    = 22
	exitConflict    = 23
	exitUnsupported = 51
	exitMissing     = 52
)

// A command is one word of the agent. Its limit is below the agent's, which leaves time to say what
// happened.
type command struct {
	operation string
	limit     time.Duration
	final     bool // no other command follows that could report the result
	do        func(context.Context, *handler) (string, error)
}

var commands = map[string]command{
	"install":   {"Install", 840 * time.Second, false, install},
	"enable":    {"Enable", 270 * time.Second, true, enable},
	"update":    {"Update", 840 * time.Second, false, update},
	"disable":   {"Disable", 840 * time.Second, true, disable},
	"uninstall": {"Uninstall", 270 * time.Second, true, uninstall},
}

func main() {
	os.Exit(run(os.Args[1:], os.Stderr))
}

func run(args []string, errout io.Writer) int {
	var c command
	if len(args) == 1 {
		c = commands[args[0]]
	}
	if c.do == nil {
		fmt.Fprintln(errout, "usage: aad-extension install|enable|update|disable|uninstall")
		return exitFailed
	}
	program, err := os.Executable()
	if err != nil {
		fmt.Fprintln(errout, "aad-extension:", err)
		return exitFailed
	}
	h, err := newHandler(filepath.Dir(filepath.Dir(program)), os.Getenv)
	if err != nil {
		fmt.Fprintln(errout, "aad-extension:", err)
		return exitCode(err)
	}
	defer h.log.Close()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	return h.serve(ctx, c, errout)
}

// serve runs the command while no other command of this extension runs, and reports.
func (h *handler) serve(ctx context.Context, c command, errout io.Writer) int {
	h.logf("%s, sequence number %d", c.operation, h.sequence)
	h.report.begin(c.operation)
	unlock, err := lock(ctx, filepath.Join(h.runtimeDir(), "lock"))
	if err == nil {
		defer unlock()
		if err := h.report.write(transitioning, 0, c.operation+" is running."); err != nil {
			h.logf("%v", err) // the disk may be full; the work may still succeed
		}
		var said string
		if said, err = c.do(ctx, h); err == nil {
			err = h.done(c, said)
		}
	}
	if err == nil {
		return exitOK
	}
	err = outOfTime(ctx, c, err)
	h.logf("failed: %v", err)
	fmt.Fprintln(errout, "aad-extension:", err)
	if err := h.report.write(failed, exitCode(err), err.Error()); err != nil {
		h.logf("%v", err)
		fmt.Fprintln(errout, "aad-extension:", err)
	}
	return exitCode(err)
}

// done reports success. Where enable follows, it leaves the last word to enable.
func (h *handler) done(c command, said string) error {
	h.logf("done: %s", said)
	state := success
	if !c.final {
		state = transitioning
	}
	return h.report.write(state, 0, said)
}

// outOfTime returns the reason why everything failed at once.
func outOfTime(ctx context.Context, c command, err error) error {
	switch ctx.Err() {
	case nil:
		return err
	case context.DeadlineExceeded:
		return &failure{exitFailed, fmt.Sprintf("%s was not done within %v: %v",
			c.operation, c.limit, err),
			"It goes on where it stopped when it is run again."}
	default:
		return &failure{exitFailed, c.operation + " was interrupted.",
			"It goes on where it stopped when it is run again."}
	}
}

// A failure tells the person at the portal what is wrong and how to correct it.
type failure struct {
	code      int
	what, fix string
}

func (f *failure) Error() string {
	if f.fix == "" {
		return f.what
	}
	return f.what + " " + f.fix
}

func exitCode(err error) int {
	if f := (*failure)(nil); errors.As(err, &f) {
		return f.code
	}
	return exitFailed
}
