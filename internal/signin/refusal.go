// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import "errors"

// refusal ends an attempt. It has what the person, the log and PAM are told.
type refusal struct {
	verdict Verdict
	person  string   // what happened and what to do next; "" says nothing
	reason  string   // of the log line; "" writes none
	pairs   []string // of the log line
	cause   error    // for errors.Is; may be nil
	level   LogLevel // of the log line; 0: the verdict's
}

func (r *refusal) Unwrap() error { return r.cause }

func (r *refusal) Error() string { return "signin: " + LogLine(r.reason, r.pairs...) }

// run takes the steps and turns their result into one verdict and one line in the log. An error
// that no step has foreseen is Broken.
func (a *attempt) run(verb string, steps func(*attempt) error) (v Verdict) {
	defer func() {
		if p := recover(); p != nil {
			v = a.refused(a.panicked(p))
		}
	}()
	if err := steps(a); err != nil {
		return a.refused(err)
	}
	level, reason := LogInfo, ""
	switch {
	case a.event.standIn != nil:
		level, reason = LogWarning, "last-grant"
	case a.event.reused != nil:
		reason = "reuse"
	}
	a.conv.End(level, a.line(verb, reason, append(a.event.standIn, a.event.reused...)...))
	return Success
}

func (a *attempt) refused(err error) Verdict {
	var r *refusal
	if !errors.As(err, &r) {
		r = a.unexpected(err)
	}
	if r.verdict == Success {
		r.verdict = Broken // a refusal is never a success, whatever a step put into it
	}
	switch {
	case r.person == "":
	case a.pasting && a.inSSHD():
		a.conv.Last(r.person + "\nPress ENTER. ")
	default:
		a.conv.Tell(r.person)
	}
	if r.reason != "" {
		verb, level := r.verdict.said()
		if r.level != 0 {
			level = r.level
		}
		a.conv.End(level, a.line(verb, r.reason, r.pairs...))
	}
	return r.verdict
}

// said returns the word for the log: denied if the answer was no, failed if there was no answer.
func (v Verdict) said() (verb string, level LogLevel) {
	switch v {
	case Refused, Denied:
		return "denied", LogNotice
	case Unreachable:
		return "failed", LogWarning
	default:
		return "failed", LogError
	}
}

func (a *attempt) refuse(v Verdict, person, reason string, pairs ...string) *refusal {
	person += "\nCorrelation ID: " + a.correlation()
	return &refusal{verdict: v, person: person, reason: reason, pairs: pairs}
}

const somethingWrong = "Something went wrong on this machine, and nobody was signed in. " +
	"Try again; if it stays, tell its administrator."

func (a *attempt) unforeseen(reason string, err error) *refusal {
	return a.refuse(Broken, somethingWrong, reason, "error", err.Error())
}

// unexpected is for an error that no step has foreseen. Any step may meet a file that it must not
// write.
func (a *attempt) unexpected(err error) *refusal {
	if mayNotWrite(err) {
		return a.notWritable(err)
	}
	return a.unforeseen("unforeseen", err)
}

const metadataService = "metadata service of this machine"

const tellAdministrator = "Tell the administrator of this machine: "

func (a *attempt) misconfigured(err error) error {
	return a.refuse(Misconfigured, tellAdministrator+
		"sign-in is not configured correctly; the system log says what is wrong.",
		"configuration-error", "error", err.Error())
}
