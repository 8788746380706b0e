// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"aadlogin/internal/signin"
)

// written returns the frames of a worker that says all this.
func written(t testing.TB, say func(*relay)) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	go func() {
		defer w.Close()
		say(&relay{host: w})
	}()
	frames, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(frames)
}

// agrees says text in every way, and checks what the C end makes of it.
func (r *relayHarness) agrees(t testing.TB, text string, level byte, in time.Duration) {
	t.Helper()
	frames := written(t, func(worker *relay) {
		worker.Deadline(in)
		worker.Prompt(text)
		worker.Tell(text)
		worker.Last(text)
		worker.Log(signin.LogLevel(level), text)
		worker.End(signin.LogLevel(level), "x"+text)
		worker.frame('R', string([]byte{pamAuthErr})+worker.line)
	})
	seen, code := r.play(t, scenario{frames: frames, end: silence})
	if code != pamAuthErr || len(seen) < 3 {
		t.Fatalf("%d bytes: %d %v", len(text), code, seen)
	}
	shown, logged := cut(text, 16384), cut(text, 16383)
	want := []event{{'P', shown}, {'E', shown}}
	if text != "" {
		want = append(want, event{'L', string([]byte{level & 7}) + logged})
	}
	want = append(want, event{'L', string([]byte{level & 7}) + "x" + cut(text, 16381)})
	if text != "" {
		want = append(want, event{'F', cut(text, 2048)})
	}
	if !slices.Equal(seen, want) {
		t.Fatalf("%d bytes: %v\nwant %v", len(text), seen, want)
	}
}

// cut returns the longest beginning of text within max bytes that breaks no character.
func cut(text string, max int) string {
	if len(text) <= max {
		return text
	}
	n := 0
	for n < len(text) {
		_, size := utf8.DecodeRuneInString(text[n:])
		if n+size > max {
			break
		}
		n += size
	}
	return text[:n]
}

// The door reads back what the worker writes: every text up to the bound, and beyond it all but a
// broken character.
func TestFramesOfBothEnds(t *testing.T) {
	r := newRelay(t)
	for _, text := range []string{
		"", "a", "Press ENTER.\n", strings.Repeat("a", 16381), strings.Repeat("a", 16383),
		strings.Repeat("a", 16384), strings.Repeat("a", 16385), strings.Repeat("a", 70000),
	} {
		r.agrees(t, text, 6, 280*time.Second)
	}
	for _, character := range []string{"é", "€", "𝄞"} {
		for before := range 2 * utf8.UTFMax {
			r.agrees(t, strings.Repeat("a", before)+strings.Repeat(character, 16384/2), 3,
				time.Millisecond)
		}
	}
}

// Bytes that are no text are cut no more than needed, and never exceed the bound.
func TestFrameOfNoText(t *testing.T) {
	for _, text := range []string{strings.Repeat("\x80", 20000), strings.Repeat("\xff", 20000)} {
		frames := written(t, func(r *relay) { r.Tell(text) })
		n := len(frames) - 3
		if n > 16384 || n < 16384-utf8.UTFMax || frames != frame('E', text[:n]) {
			t.Errorf("%q: %d bytes", text[:1], n)
		}
	}
}

func FuzzFrames(f *testing.F) {
	f.Add("Look.\n", byte(6), int64(285*time.Second), 1)
	f.Add("€", byte(255), int64(1), 16384)
	f.Add("", byte(0), int64(0), 0)
	r := newRelay(f)
	f.Fuzz(func(t *testing.T, text string, level byte, in int64, times int) {
		text = strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "")
		text = strings.Repeat(text, min(max(times, 0), 1+40000/(len(text)+1)))
		r.agrees(t, text, level, time.Duration(min(max(in, 0), int64(2147483*time.Second))))
	})
}

// pair is a worker's relay, and the host's end of it.
func pair(t testing.TB) (worker *relay, host *os.File) {
	t.Helper()
	ends, err := syscall.Socketpair(syscall.AF_UNIX,
		syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	worker, host = &relay{host: os.NewFile(uintptr(ends[0]), "relay")},
		os.NewFile(uintptr(ends[1]), "host")
	t.Cleanup(func() { worker.host.Close(); host.Close() })
	return worker, host
}

// replied lets a host that is asked reply with these bytes, and hang up.
func replied(t testing.TB, bytes string, echo bool) (asked string, typed []byte, err error) {
	t.Helper()
	worker, host := pair(t)
	question := make(chan string, 1)
	go func() {
		defer host.Close()
		frame := make([]byte, 3+1+len("Part: "))
		io.ReadFull(host, frame)
		question <- string(frame)
		io.WriteString(host, bytes)
	}()
	typed, err = worker.Ask(t.Context(), "Part: ", echo)
	return <-question, typed, err
}

func TestAsk(t *testing.T) {
	full := strings.Repeat("x", 8192)
	for _, test := range []struct {
		name, reply, typed string
		err                error
	}{
		{"a text", frame('T', "one"), "one", nil},
		{"just ENTER", frame('T', ""), "", nil},
		{"as much as may be", frame('T', full), full, nil},
		{"no text", frame('T', "\xff\x00\n"), "\xff\x00\n", nil},
		{"too long", frame('O', ""), "", signin.ErrTooLong},
		{"the host has gone", "", "", io.EOF},
		{"half a head", "T\x03", "", io.ErrUnexpectedEOF},
		{"half a text", frame('T', "one")[:5], "", io.ErrUnexpectedEOF},
		{"more than may be", frame('T', full+"x"), "", errNoReply},
		{"too long, with a text", frame('O', "x"), "", errNoReply},
		{"a frame of the worker's", frame('P', ""), "", errNoReply},
	} {
		for echo, want := range map[bool]string{
			false: question(0, "Part: "),
			true:  question(1, "Part: "),
		} {
			asked, typed, err := replied(t, test.reply, echo)
			if string(typed) != test.typed || !errors.Is(err, test.err) ||
				(err == nil) != (test.err == nil) {
				t.Errorf("%s: %.20q %v, want %.20q %v", test.name, typed, err, test.typed, test.err)
			}
			if asked != want {
				t.Errorf("%s: asks %q", test.name, asked)
			}
		}
	}
}

// Each question has its own reply, and no byte of the next one.
func TestAskAgain(t *testing.T) {
	worker, host := pair(t)
	io.WriteString(host, frame('T', "one")+frame('O', "")+frame('T', "two"))
	var got []string
	for range 3 {
		typed, err := worker.Ask(t.Context(), "Part: ", true)
		got = append(got, fmt.Sprint(string(typed), err))
	}
	want := []string{"one<nil>", fmt.Sprint(signin.ErrTooLong), "two<nil>"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// Nothing waits longer than the attempt lasts, and a text that is typed afterwards answers nothing.
func TestAskInTime(t *testing.T) {
	worker, host := pair(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		io.ReadFull(host, make([]byte, 10))
		cancel()
	}()
	typed, err := worker.Ask(ctx, "Part: ", false)
	if typed != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%q %v", typed, err)
	}
	io.WriteString(host, frame('T', "late"))
	if typed, err := worker.Ask(t.Context(), "Part: ", false); typed != nil || err == nil {
		t.Errorf("another question is answered with %q", typed)
	}
	typed, err = worker.Ask(ctx, "Part: ", false)
	if typed != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%q %v", typed, err)
	}
}

// Any bytes are a reply or an error, and nothing after a reply is read.
func FuzzReply(f *testing.F) {
	f.Add([]byte(frame('T', "one") + "more"))
	f.Add([]byte(frame('O', "")))
	f.Add([]byte("T\x01\x20"))
	f.Add([]byte(frame('T', strings.Repeat("x", 8192))))
	f.Fuzz(func(t *testing.T, reply []byte) {
		rest := bytes.NewReader(reply)
		typed, err := readReply(rest)
		read := string(reply[:len(reply)-rest.Len()])
		switch {
		case err == nil && (len(typed) > 8192 || read != frame('T', string(typed))):
			t.Errorf("%q becomes %q", read, typed)
		case errors.Is(err, signin.ErrTooLong) && read != frame('O', ""):
			t.Errorf("%q is too long", read)
		case err != nil && typed != nil:
			t.Errorf("%q and %v", typed, err)
		}
	})
}
