// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/binary"
	"slices"
	"strings"
)

// questioned returns the answers to questions: at least one that is no answer.
func (s scenario) questioned() []typed {
	if len(s.answers) == 0 {
		return []typed{{kind: noAnswer}}
	}
	return s.answers
}

// answerer is a model of door.h's questions, in Go.
type answerer struct {
	scenario
	next, tooLong int
	there, failed bool
	now           int64
	seen          []event
}

// once asks, and reports whether somebody answered, and whether that was at once.
func (a *answerer) once(kind byte, text string) (t typed, answered, atOnce bool) {
	a.seen = append(a.seen, event{kind, text})
	all := a.questioned()
	t = all[a.next%len(all)]
	a.next++
	a.now += int64(t.takes)
	atOnce = t.takes == 0
	answered = t.kind == types && !(atOnce && t.text == "a") &&
		!(a.answer == password && t.text == "of the host")
	return t, answered, atOnce
}

// ask returns the result of the conversation, or -1 if the worker gets no reply that it can use.
func (a *answerer) ask(text string) int {
	kind := "HV"[text[0]]
	text, _, _ = strings.Cut(text[1:], "\x00")
	t, answered, atOnce := a.once(kind, text)
	if answered && atOnce && t.text != "" && !a.there {
		if t, answered, atOnce = a.once(kind, text); answered && atOnce && t.text != "" {
			return pamMaxTries
		}
	}
	long := answered && len(t.text) > 8192
	if t.kind == fails {
		long = !atOnce || a.there && !a.failed
	}
	a.failed = !answered
	a.there = a.there || !atOnce
	switch {
	case long && a.tooLong == 5, !long && !answered:
		return pamConvErr
	case long:
		a.tooLong++
		a.seen = append(a.seen, event{'O', ""})
	default:
		a.seen = append(a.seen, event{'T', t.text})
	}
	if a.hears == isFull || a.hears == hearsHalf && t.text != "" && !long {
		return -1
	}
	return pamSuccess
}

// model returns what the host must see of a scenario, and the result: door.h once more, in Go.
func (s scenario) model() (seen []event, code byte) {
	var now, until int64 = 0, 30
	person := answerer{scenario: s}
	rest := s.frames
	take := func(n int) (string, bool) {
		if len(rest) < n {
			return "", false
		}
		text := rest[:n]
		rest = rest[n:]
		return text, true
	}
	breakDown := func(cause string) ([]event, byte) {
		return append(seen, broken(cause)...), pamSystemErr
	}
	show := func(kind byte, prefix, text string) {
		text, _, _ = strings.Cut(text, "\x00")
		seen = append(seen, event{kind, prefix + text})
	}
	prompts, again, last := 0, "", ""
	// asked reports whether a person has read a prompt.
	asked := func(text string) bool {
		for {
			show('P', "", text)
			prompts++
			switch {
			case s.answer == enter || s.answer == ahead && prompts > 1 ||
				s.answer == name && s.takes > 0:
				now += int64(s.takes)
				return s.conversation == pamSuccess
			case s.answer != ahead && s.answer != atOnceAgain || s.conversation != pamSuccess ||
				prompts > 1:
				return false
			}
		}
	}
	// waited does the same, and again as long as a person presses ENTER and the worker stays
	// silent.
	waited := func(text string) bool {
		for asked(text) {
			if again == "" || s.takes == 0 || now+15 >= until || rest != "" || s.end != silence {
				return true
			}
			now += 15
			text = again
		}
		return false
	}
	unread := func(byProgram bool) ([]event, byte) {
		if s.sshd && byProgram {
			told := event{'E', "Your program answered by itself, with a password that it has " +
				"stored. This account has none: let the program use a key, or a connection that " +
				"is open already (ControlMaster)."}
			return append(seen, told, failed(5, "stored-password", "")), pamMaxTries
		}
		return append(seen, failed(5, "conversation-failed", "")), pamConvErr
	}
	ending := []string{hungUp, timedOut, ioError, hungUp}[s.end]
	for {
		head, ok := take(3)
		if !ok {
			return breakDown(ending)
		}
		length := int(head[1]) + int(head[2])*256
		if length > 16384 {
			return breakDown(nonsense)
		}
		text, ok := take(length)
		if !ok {
			return breakDown(ending)
		}
		switch {
		case head[0] == 'P':
			if !waited(text) {
				return unread(s.answer == atOnceAgain && s.conversation == pamSuccess)
			}
		case head[0] == 'Q' && length >= 1 && text[0] <= 1:
			person.seen, person.now = seen, now
			ret := person.ask(text)
			seen, now = person.seen, person.now
			switch {
			case ret < 0 && s.hears == isFull:
				return breakDown("Resource temporarily unavailable")
			case ret < 0:
				return breakDown(nonsense)
			case ret != pamSuccess:
				return unread(ret == pamMaxTries)
			}
		case head[0] == 'A':
			again, _, _ = strings.Cut(text, "\x00")
		case head[0] == 'E':
			show('E', "", text)
		case head[0] == 'F' && length <= 2048:
			last, _, _ = strings.Cut(text, "\x00")
		case head[0] == 'L' && length <= 1:
		case head[0] == 'L':
			show('L', string([]byte{text[0] & 7}), text[1:])
		case head[0] == 'D' && length == 4:
			seconds := int64(binary.LittleEndian.Uint32([]byte(text)))
			if seconds*1000 > 1<<31-1 { // more than poll(2) accepts
				return breakDown(nonsense)
			}
			until = now + seconds
		case head[0] == 'R' && length >= 1 && allowed(text[0]):
			code = text[0]
			line, _, _ := strings.Cut(text[min(2, len(text)):], "\x00")
			switch {
			case line == "" && code != pamUserUnknown && code != pamIgnore:
				return breakDown(nonsense)
			case code == pamSuccess && now > until:
				return breakDown(timedOut)
			}
			if line != "" {
				seen = append(seen, event{'L', string([]byte{text[1] & 7}) + line})
			}
			if last != "" && code != pamSuccess {
				seen = append(seen, event{'F', last})
			}
			return seen, code
		default:
			return breakDown(nonsense)
		}
	}
}

func allowed(code byte) bool {
	return slices.Contains([]byte{
		pamSuccess, pamServiceErr, pamSystemErr, pamPermDenied, pamAuthErr, pamUnavail,
		pamUserUnknown, pamConvErr, pamIgnore,
	}, code)
}
