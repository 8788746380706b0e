// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"testing"
)

// whole is a sign-in with every kind of frame.
var whole = deadline(285) + frame('L', "\x07step account=\"a\"") + frame('E', "Look.") +
	frame('P', "Open the page.\nPress ENTER.") + frame('P', "") + result(pamSuccess)

func TestRelayWhole(t *testing.T) {
	r := newRelay(t)
	want := []event{
		{'L', "\x07step account=\"a\""}, {'E', "Look."}, {'P', "Open the page.\nPress ENTER."},
		{'P', ""}, ended,
	}
	seen, code := r.play(t, scenario{frames: whole, end: silence})
	if code != pamSuccess || !slices.Equal(seen, want) {
		t.Errorf("%d %v", code, seen)
	}
	r.agree(t, scenario{frames: whole, end: silence})
	// Nothing after the result is read.
	_, code = r.play(t, scenario{frames: result(pamAuthErr) + result(pamSuccess)})
	if code != pamAuthErr {
		t.Errorf("the second result counts: %d", code)
	}
}

// A conversation that is cut off anywhere, in any way, is a failure.
func TestRelayTruncated(t *testing.T) {
	r := newRelay(t)
	for n := range whole {
		for end, cause := range []string{hungUp, timedOut, ioError, hungUp} {
			s := scenario{frames: whole[:n], end: byte(end)}
			seen, code := r.play(t, s)
			tail := broken(cause)
			if code != pamSystemErr || len(seen) < len(tail) ||
				!slices.Equal(seen[len(seen)-len(tail):], tail) {
				t.Errorf("%d bytes: %d %v", n, code, seen)
			}
			r.agree(t, s)
		}
	}
}

// Every possible result: the allowed ones pass with their line, only 0 is a success, and the others
// are a broken worker.
func TestRelayResults(t *testing.T) {
	r := newRelay(t)
	pass := map[byte]bool{}
	for code := range 256 {
		s := scenario{frames: result(byte(code))}
		seen, got := r.play(t, s)
		switch {
		case (got == pamSuccess) != (code == 0):
			t.Errorf("result %d becomes %d", code, got)
		case slices.Equal(seen, []event{ended}) && got == byte(code):
			pass[got] = true
		case !slices.Equal(seen, broken(nonsense)) || got != pamSystemErr:
			t.Errorf("result %d becomes %d %v", code, got, seen)
		}
		r.agree(t, s)
	}
	if len(pass) != 9 {
		t.Errorf("%d results pass: %v", len(pass), pass)
	}
}

// There is no success, and no refusal of a name that is ours, without a line in the log.
func TestRelayResultWithoutLine(t *testing.T) {
	r := newRelay(t)
	for _, text := range []string{
		"", "\x00", "\x00\x05", "\x07", "\x07\x05", "\x00\x05\x00line",
		strings.Repeat("\x00", 16384),
	} {
		seen, got := r.play(t, scenario{frames: frame('R', text)})
		if got != pamSystemErr || !slices.Equal(seen, broken(nonsense)) {
			t.Errorf("%q: %d %v", text, got, seen)
		}
	}
	for _, code := range []byte{pamUserUnknown, pamIgnore} {
		seen, got := r.play(t, scenario{frames: frame('R', string(code))})
		if got != code || seen != nil {
			t.Errorf("a name that is not ours: %d %v", got, seen)
		}
	}
}

func TestRelayUnknownTypes(t *testing.T) {
	r := newRelay(t)
	for kind := range 256 {
		if strings.IndexByte("PAQEFLDR", byte(kind)) >= 0 {
			continue
		}
		for _, text := range []string{"", "\x00", "text"} {
			seen, code := r.play(t, scenario{frames: frame(byte(kind), text) + result(pamSuccess)})
			if code != pamSystemErr || !slices.Equal(seen, broken(nonsense)) {
				t.Errorf("type %d: %d %v", kind, code, seen)
			}
		}
	}
}

func TestRelayLengths(t *testing.T) {
	r := newRelay(t)
	for _, kind := range []byte("PAQEFLDR") {
		for _, n := range []int{16385, 16386, 32767, 32768, 65535} {
			s := scenario{frames: frame(kind, strings.Repeat("x", n)) + result(pamSuccess)}
			seen, code := r.play(t, s)
			if code != pamSystemErr || !slices.Equal(seen, broken(nonsense)) {
				t.Errorf("%c of %d bytes: %d, %d events", kind, n, code, len(seen))
			}
			r.agree(t, s)
			// The length alone is enough: the door does not wait for the text.
			r.agree(t, scenario{frames: s.frames[:3], end: silence})
		}
		for _, n := range []int{0, 1, 2, 3, 4, 5, 2047, 2048, 2049, 16383, 16384} {
			r.agree(t, scenario{frames: frame(kind, strings.Repeat("x", n)) + result(pamSuccess)})
		}
	}
}

// A text is neither a format nor the beginning of another text.
func TestRelayTexts(t *testing.T) {
	r := newRelay(t)
	for _, text := range []string{
		"%s%n%d", "\x00hidden", "seen\x00hidden", "\xff\xfe", "\x06%n", "\xff%s", "\x1b[2J",
	} {
		for _, kind := range []byte("PAQEFL") {
			r.agree(t, scenario{frames: frame(kind, text) + result(pamSuccess)})
		}
	}
}

// A person who pressed ENTER before the browser was done is asked again every 15 s, for as long as
// the attempt lasts. A program that presses it is not, and nobody is once the worker has something
// to say.
func TestRelayAsksAgain(t *testing.T) {
	r := newRelay(t)
	again := deadline(60) + frame('A', "Still waiting.") + frame('P', "Press ENTER.")
	ask, still := event{'P', "Press ENTER."}, event{'P', "Still waiting."}
	late := broken(timedOut)
	for _, test := range []struct {
		name  string
		s     scenario
		want  []event
		until byte
	}{
		{"every 15 s", scenario{frames: again, end: silence, takes: 1},
			append([]event{ask, still, still, still}, late...), pamSystemErr},
		{"a person who reads for long", scenario{frames: again, end: silence, takes: 40},
			append([]event{ask, still}, late...), pamSystemErr},
		{"a program's ENTER", scenario{frames: again, end: silence}, append([]event{ask}, late...),
			pamSystemErr},
		{"the browser is done", scenario{frames: again + result(pamSuccess), end: silence,
			takes: 1}, []event{ask, ended}, pamSuccess},
		{"half a frame is none", scenario{frames: again + "R", end: silence, takes: 1},
			append([]event{ask}, late...), pamSystemErr},
		{"the worker has died", scenario{frames: again, takes: 1},
			append([]event{ask}, broken(hungUp)...), pamSystemErr},
		{"nothing to ask", scenario{frames: deadline(60) + frame('P', "Press ENTER."), end: silence,
			takes: 1}, append([]event{ask}, late...), pamSystemErr},
	} {
		if seen, code := r.play(t, test.s); code != test.until || !slices.Equal(seen, test.want) {
			t.Errorf("%s: %d %v, want %d %v", test.name, code, seen, test.until, test.want)
		}
		r.agree(t, test.s)
	}
}

// A stored password is refused in sshd once and for all, with a sentence that helps. Elsewhere sudo
// may ask again.
func TestRelayStoredPassword(t *testing.T) {
	r := newRelay(t)
	s := scenario{
		frames: frame('P', "Press ENTER.") + result(pamSuccess), answer: atOnceAgain, sshd: true,
	}
	seen, code := r.play(t, s)
	if code != pamMaxTries || len(seen) != 4 ||
		!strings.Contains(seen[2].text, "a password that it has stored") ||
		seen[3] != failed(5, "stored-password", "") {
		t.Errorf("%d %v", code, seen)
	}
	r.agree(t, s)
	for _, answer := range []byte{enter, nothing, name, password, ahead} {
		if s.answer = answer; answer == enter || answer == ahead {
			if _, code := r.play(t, s); code != pamSuccess {
				t.Errorf("answer %d: %d", answer, code)
			}
		}
		r.agree(t, s)
	}
	s.answer, s.sshd = atOnceAgain, false
	if _, code := r.play(t, s); code != pamConvErr {
		t.Errorf("outside sshd: %d", code)
	}
	r.agree(t, s)
}

func TestRelayConversationFails(t *testing.T) {
	r := newRelay(t)
	for code := 1; code < 256; code++ {
		s := scenario{
			frames: frame('P', "Press ENTER.") + result(pamSuccess), conversation: byte(code),
		}
		seen, got := r.play(t, s)
		if got != pamConvErr || len(seen) != 2 || seen[1] != failed(5, "conversation-failed", "") {
			t.Errorf("conversation %d: %d %v", code, got, seen)
		}
	}
}

// A conversation in which nobody has read the prompt ends the attempt at once, whatever it answers.
func TestRelayNobodyReads(t *testing.T) {
	r := newRelay(t)
	ask := event{'P', "Press ENTER."}
	nobody := failed(5, "conversation-failed", "")
	for _, test := range []struct {
		name   string
		answer byte
		takes  uint32
		want   []event
		code   byte
	}{
		{"ENTER", enter, 0, []event{ask, ended}, pamSuccess},
		{"a text, in time", enter, 1, []event{ask, ended}, pamSuccess},
		{"no answer", nothing, 0, []event{ask, nobody}, pamConvErr},
		{"the name", name, 0, []event{ask, nobody}, pamConvErr},
		{"a password of the host's", password, 0, []event{ask, nobody}, pamConvErr},
		{"the name, typed by a person", name, 2, []event{ask, ended}, pamSuccess},
		{"a password of the host's, whenever", password, 2, []event{ask, nobody}, pamConvErr},
		{"the same at once", atOnceAgain, 0, []event{ask, ask, nobody}, pamConvErr},
		{"typed ahead", ahead, 0, []event{ask, ask, ended}, pamSuccess},
		{"typed ahead, then read", ahead, 3, []event{ask, ask, ended}, pamSuccess},
	} {
		for _, set := range []bool{false, true} {
			s := scenario{
				frames: frame('P', "Press ENTER.") + result(pamSuccess), answer: test.answer,
				takes: test.takes, userPrompt: set,
			}
			if seen, code := r.play(t, s); code != test.code || !slices.Equal(seen, test.want) {
				t.Errorf("%s: %d %v, want %d %v", test.name, code, seen, test.code, test.want)
			}
			r.agree(t, s)
		}
	}
}

// For any bytes of a worker no sanitizer reports an error, and the host sees what the model says.
func FuzzRelay(f *testing.F) {
	f.Add([]byte(whole), byte(silence), byte(pamSuccess), byte(enter), uint32(1))
	f.Add([]byte(whole), byte(silence), byte(pamSuccess), byte(ahead), uint32(1))
	f.Add([]byte(deadline(10)+frame('P', "p")+result(pamSuccess)), byte(endOfFile),
		byte(pamSuccess), byte(enter), uint32(11))
	f.Add([]byte(deadline(1<<32-1)), byte(silence), byte(pamSuccess), byte(nothing), uint32(0))
	f.Add([]byte(frame('L', "\xff%n\x00x")+frame('E', "%s")), byte(readError),
		byte(pamConvErr), byte(name), uint32(0))
	f.Add([]byte(frame('P', "")+result(pamMaxTries)), byte(endOfFile), byte(pamConvErr),
		byte(atOnceAgain), uint32(0))
	f.Add([]byte("P\x01\x40"), byte(endOfFile), byte(0), byte(0), uint32(0))
	r := newRelay(f)
	f.Fuzz(func(t *testing.T, frames []byte, end, conversation, answer byte, takes uint32) {
		r.agree(t, scenario{
			frames: string(frames), end: end % 4, conversation: conversation, answer: answer % 6,
			takes: takes,
		})
	})
}
