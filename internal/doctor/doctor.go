// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package doctor finds out what keeps people from signing in to this machine, and what to do about
// it.
//
// A check looks at one precondition and says what it found. Each is a function of texts (a file,
// the output of "sshd -T") or of an answer from the network. No check changes anything or takes
// longer than its limit.
//
// aadctl check --json prints [Findings]. aadctl check --schema prints their JSON Schema,
// check.schema.json.
package doctor

import (
	"context"
	_ "embed"
	"fmt"
	"io/fs"
	"time"

	"aadlogin/internal/config"
)

// A Status is the result of a check.
type Status string

const (
	OK      Status = "ok"
	Warning Status = "warning" // people can sign in, but an administrator should know
	Failed  Status = "failed"
	Skipped Status = "skipped" // not asked for, or impossible because another check failed
)

// A Kind is where the cause of a failure lies.
type Kind string

const (
	Machine       Kind = "" // this machine, or the answer is no
	Configuration Kind = "configuration"
	Unreachable   Kind = "unreachable"
	Store         Kind = "store"
)

// A Finding is what one check found.
type Finding struct {
	Check   string `json:"check"`
	Status  Status `json:"status"`
	Kind    Kind   `json:"kind,omitempty"`
	Found   string `json:"found"`
	Fix     string `json:"fix,omitempty"`
	Command string `json:"command,omitempty"`

	also []string // PAM services with the same finding
}

// Findings is the output of aadctl check --json.
type Findings struct {
	OK      bool      `json:"ok"` // no check failed
	Results []Finding `json:"results"`
}

// Schema is the JSON Schema of Findings.
//
//go:embed check.schema.json
var Schema string

// A System gives the checks access to the machine.
type System struct {
	Files fs.FS // the files below /

	// Run runs a program of the system. Its output counts even if the error says that it failed.
	Run func(ctx context.Context, program string, args ...string) (output string, err error)
}

// A Host is the machine to check, with its configuration.
type Host struct {
	System
	Config     *config.Config
	ConfigPath string
	Account    string // as typed; "" for nobody in particular
}

// limit is how long one check may take. The first poll for a device code is due after five seconds.
const limit = 15 * time.Second

// examine runs one check. It does not wait for a check that hangs.
func examine(ctx context.Context, name string, check checkFunc) []Finding {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	done := make(chan []Finding, 1)
	go func() { done <- check(ctx) }()
	var findings []Finding
	select {
	case findings = <-done:
	case <-ctx.Done():
		findings = []Finding{failedf(Machine, "no answer within %v", limit).fix(hangs)}
	}
	return named(name, findings)
}

// hangs is the advice about a program that a check runs. Checks of the network run none.
const hangs = "a program that this check runs does not end: see which one, and what it waits " +
	"for: ps -ef --forest"

func named(check string, findings []Finding) []Finding {
	for i := range findings {
		findings[i].Check = check
	}
	return findings
}

func ok(format string, args ...any) Finding {
	return Finding{Status: OK, Found: fmt.Sprintf(format, args...)}
}

func skipped(why string) Finding { return Finding{Status: Skipped, Found: why} }

func failed(kind Kind, found string) Finding {
	return Finding{Status: Failed, Kind: kind, Found: found}
}

func failedf(kind Kind, format string, args ...any) Finding {
	return failed(kind, fmt.Sprintf(format, args...))
}

func warningf(format string, args ...any) Finding { return warning(fmt.Sprintf(format, args...)) }

func warning(found string) Finding { return Finding{Status: Warning, Found: found} }

// fix adds the advice in words, and run the command.
func (r Finding) fix(words string) Finding { r.Fix = words; return r }

func (r Finding) run(command string) Finding { r.Command = command; return r }
