// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"testing"
)

// PAM codes, by their numbers in _pam_types.h.
const (
	pamSuccess     = 0
	pamServiceErr  = 3
	pamSystemErr   = 4
	pamPermDenied  = 6
	pamAuthErr     = 7
	pamUnavail     = 9
	pamUserUnknown = 10
	pamMaxTries    = 11
	pamConvErr     = 19
	pamIgnore      = 25
)

// These come after a worker's last byte.
const (
	endOfFile = iota
	silence
	readError
	reset // by a worker that died without reading a reply
)

// The answers of a conversation.
const (
	enter       = iota // after some time also with a text, typed by mistake
	nothing            // no answer at all
	name               // the account's; after some time a person has typed it
	password           // the one that the host has from elsewhere, PAM_AUTHTOK
	atOnceAgain        // a text, and the same when asked again
	ahead              // a text that was typed before, and then ENTER
)

// The results of a question.
const (
	types = iota
	fails // as sudo's conversation does
	failsOtherwise
	noAnswer
)

// These are the ways of a worker with a reply.
const (
	hears = iota
	hasGone
	hasDied
	isFull
	hearsHalf
)

// typed is one answer to a question.
type typed struct {
	kind  byte
	takes byte // seconds
	text  string
}

// scenario is the output of a worker, and the behaviour of everything around it.
type scenario struct {
	frames       string
	end          byte
	chunk        byte   // bytes at a time; 0: all there are
	interrupted  bool   // by signals
	conversation byte   // its result
	answer       byte   // its answer
	userPrompt   bool   // set by the host
	sshd         bool   // the host is sshd
	takes        uint32 // seconds until ENTER

	answers []typed // to questions, over and over
	hears   byte    // what the worker does with a reply
}

// event is something that the host has seen: P a prompt, V and H a question with and without echo,
// E an error message, L a log line after its priority, F last words. T and O are replies that the
// worker has read.
type event struct {
	kind byte
	text string
}

func (e event) String() string { return fmt.Sprintf("%c%.200q", e.kind, e.text) }

func frame(kind byte, text string) string {
	return string([]byte{kind, byte(len(text)), byte(len(text) >> 8)}) + text
}

// result returns the frame that ends an attempt: the code, and the line for the log.
func result(code byte) string { return frame('R', string([]byte{code, 5})+ending) }

const ending = `denied account="a"`

// ended is that line as the host sees it.
var ended = event{'L', "\x05" + ending}

func deadline(seconds uint32) string {
	return frame('D', string(binary.LittleEndian.AppendUint32(nil, seconds)))
}

// relayHarness is a running harness: testdata/relay.c.
type relayHarness struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr bytes.Buffer
}

func newRelay(t testing.TB) *relayHarness {
	t.Helper()
	r := &relayHarness{cmd: exec.Command(harness(t, "relay"))}
	r.cmd.Stderr = &r.stderr
	var err error
	if r.in, err = r.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	r.out = bufio.NewReader(out)
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.in.Close()
		if err := r.cmd.Wait(); err != nil { // a leak is found at the end
			t.Errorf("relay: %v\n%s", err, r.stderr.Bytes())
		}
	})
	return r
}

// play runs a scenario and returns what the host saw of it, and the result.
func (r *relayHarness) play(t testing.TB, s scenario) ([]event, byte) {
	t.Helper()
	head := []byte{s.end, s.chunk, 0, s.conversation}
	if s.interrupted {
		head[2] = 1
	}
	head = append(head, s.answer, 0, 0, s.hears)
	if s.userPrompt {
		head[5] = 1
	}
	if s.sshd {
		head[6] = 1
	}
	head = binary.NativeEndian.AppendUint32(head, s.takes)
	head = binary.NativeEndian.AppendUint32(head, uint32(len(s.frames)))
	var answers []byte
	for _, a := range s.questioned() {
		answers = append(append(answers, a.kind, a.takes, byte(len(a.text)), byte(len(a.text)>>8)),
			a.text...)
	}
	head = binary.NativeEndian.AppendUint32(head, uint32(len(answers)))
	// The harness reads everything before it answers.
	if _, err := r.in.Write(slices.Concat(head, []byte(s.frames), answers)); err != nil {
		t.Fatalf("relay: %v", err)
	}
	var seen []event
	for {
		e, err := r.event()
		if err != nil {
			t.Fatalf("relay: %v after %v", err, seen) // the end of the harness says why
		}
		if e.kind == 'R' {
			return seen, e.text[0]
		}
		seen = append(seen, e)
	}
}

func (r *relayHarness) event() (event, error) {
	var head [5]byte
	if _, err := io.ReadFull(r.out, head[:]); err != nil {
		return event{}, err
	}
	text := make([]byte, binary.NativeEndian.Uint32(head[1:]))
	_, err := io.ReadFull(r.out, text)
	return event{head[0], string(text)}, err
}

// The causes of a broken worker, as strerror(3) has them.
const (
	hungUp   = "Broken pipe"
	timedOut = "Connection timed out"
	nonsense = "Protocol error"
	ioError  = "Input/output error"
)

// failed returns the line that the door writes itself.
func failed(priority byte, reason, more string) event {
	return event{
		'L', string(priority) + `failed reason="` + reason + `" account="a" attempt="id"` + more,
	}
}

// broken returns what the host sees of a broken worker.
func broken(cause string) []event {
	sorry := event{'E',
		"Something went wrong on this machine, and nobody was signed in. Try again; if it stays, " +
			"tell its administrator."}
	switch cause {
	case timedOut:
		return []event{
			{'E', "The sign-in took too long and was given up. Try again."},
			failed(3, "time-out", ""),
		}
	case hungUp:
		return []event{sorry, failed(3, "worker-died", ` error="panic" stack="main.f main.go:1"`)}
	default:
		return []event{sorry, failed(3, "worker-failed", ` error="`+cause+`"`)}
	}
}

// agree plays a scenario against the model, in one piece, in small pieces and between signals.
func (r *relayHarness) agree(t testing.TB, s scenario) {
	t.Helper()
	want, wantCode := s.model()
	for _, s.chunk = range []byte{0, 1, 7} {
		for _, s.interrupted = range []bool{false, true} {
			if seen, code := r.play(t, s); code != wantCode || !slices.Equal(seen, want) {
				t.Fatalf("%.200q, ending %d, %d at a time: %d %v\nwant %d %v", s.frames, s.end,
					s.chunk, code, seen, wantCode, want)
			}
		}
	}
}
