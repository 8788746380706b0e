// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"aadlogin/internal/signin"
)

// written is what a worker writes that says all this.
func written(t testing.TB, say func(*door)) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	go func() {
		defer w.Close()
		say(&door{pipe: w})
	}()
	frames, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(frames)
}

// agrees says text in every way there is, and looks at what the C end makes of it.
func (r *relay) agrees(t testing.TB, text string, level byte, in time.Duration) {
	t.Helper()
	frames := written(t, func(d *door) {
		d.Deadline(in)
		d.Prompt(text)
		d.Tell(text)
		d.Log(signin.LogLevel(level), text)
		d.End(signin.LogLevel(level), "x"+text)
		d.frame('R', string([]byte{pamAuthErr})+d.line)
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
	if !slices.Equal(seen, want) {
		t.Fatalf("%d bytes: %v\nwant %v", len(text), seen, want)
	}
}

// cut is the longest beginning of text within max bytes that breaks no character.
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

// What the worker writes, the door reads back: every text up to the bound, and beyond it all but what breaks a character.
func TestFramesOfBothEnds(t *testing.T) {
	r := newRelay(t)
	for _, text := range []string{"", "a", "Press ENTER.\n", strings.Repeat("a", 16381), strings.Repeat("a", 16383), strings.Repeat("a", 16384),
		strings.Repeat("a", 16385), strings.Repeat("a", 70000)} {
		r.agrees(t, text, 6, 280*time.Second)
	}
	for _, character := range []string{"é", "€", "𝄞"} {
		for before := range 2 * utf8.UTFMax {
			r.agrees(t, strings.Repeat("a", before)+strings.Repeat(character, 16384/2), 3, time.Millisecond)
		}
	}
}

// Bytes that are no text cost no more than they must, and no more than the bound.
func TestFrameOfNoText(t *testing.T) {
	for _, text := range []string{strings.Repeat("\x80", 20000), strings.Repeat("\xff", 20000)} {
		frames := written(t, func(d *door) { d.Tell(text) })
		if n := len(frames) - 3; n > 16384 || n < 16384-utf8.UTFMax || frames != frame('E', text[:n]) {
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
