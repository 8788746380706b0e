// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package doctor finds out what keeps people from signing in to this machine, and what to do about
// it.
//
// A check looks at one precondition and says what it found: each is a function of texts (a file,
// what "sshd -T" prints) or of an answer of the network. Nothing is changed by any of them. None
// takes longer than its limit.
//
// What aadctl check --json prints is [Findings]; aadctl check --schema prints its JSON Schema,
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

// A Status is how a check ended.
type Status string

const (
	OK      Status = "ok"
	Warning Status = "warning" // people can sign in; somebody should know
	Failed  Status = "failed"
	Skipped Status = "skipped" // not asked for, or impossible since another check failed
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

	also []string // PAM services of which the same was found
}

// Findings is what aadctl check --json prints.
type Findings struct {
	OK      bool      `json:"ok"` // none failed
	Results []Finding `json:"results"`
}

// Schema is the JSON Schema of Findings.
//
//go:embed check.schema.json
var Schema string

// System is how the checks reach the machine.
type System struct {
	Files fs.FS // of /

	// Run runs a program of the system. Its output counts also when err says that it failed.
	Run func(ctx context.Context, program string, args ...string) (output string, err error)
}

// Host is the machine that is checked, with its configuration.
type Host struct {
	System
	Config     *config.Config
	ConfigPath string
	Account    string // as typed; "" for nobody in particular
}

// limit is how long one check may take. A device code's first poll is due after five seconds.
const limit = 15 * time.Second

// examine runs one check, and does not wait for one that hangs.
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

// hangs is about a program that a check runs; one of the network does not run any.
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

// fix adds what to do in words, run the command.
func (r Finding) fix(words string) Finding { r.Fix = words; return r }

func (r Finding) run(command string) Finding { r.Command = command; return r }
