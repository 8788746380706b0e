// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"testing"
)

// question returns a frame that asks, with or without echo.
func question(echo byte, text string) string { return frame('Q', string([]byte{echo})+text) }

// typing returns the answers of a person who takes a second for the first one, and no time for the
// others.
func typing(texts ...string) (all []typed) {
	for i, text := range texts {
		all = append(all, typed{kind: types, takes: byte(1 - min(i, 1)), text: text})
	}
	return all
}

// asked returns what the host and the worker see of questions without echo, all of the same text,
// and of their replies.
func asked(replies ...event) (all []event) {
	for _, reply := range replies {
		all = append(all, event{'H', "Part: "}, reply)
	}
	return all
}

var (
	hidden  = event{'H', "Part: "}
	tooLong = event{'O', ""}
	nobody  = failed(5, "conversation-failed", "")
)

func TestRelayQuestion(t *testing.T) {
	r := newRelay(t)
	every := make([]byte, 0, 255)
	for b := 1; b < 256; b++ {
		every = append(every, byte(b))
	}
	full := strings.Repeat("x", 8192)
	for _, test := range []struct {
		name    string
		answers []typed
		want    []event
	}{
		{"a text", typing("1/1.Tabcd.ef12g3.data;"), asked(event{'T', "1/1.Tabcd.ef12g3.data;"})},
		{"just ENTER", typing(""), asked(event{'T', ""})},
		{"any bytes", typing(string(every)), asked(event{'T', string(every)})},
		{"as much as may be", typing(full), asked(event{'T', full})},
		{"more", typing(full + "x"), asked(tooLong)},
		{"much more", typing(strings.Repeat("x", 65535)), asked(tooLong)},
		{"more than the host takes", []typed{{kind: fails, takes: 1}}, asked(tooLong)},
	} {
		s := scenario{frames: question(0, "Part: ") + result(pamSuccess), answers: test.answers}
		seen, code := r.play(t, s)
		if code != pamSuccess || !slices.Equal(seen, append(test.want, ended)) {
			t.Errorf("%s: %d %v", test.name, code, seen)
		}
		r.agree(t, s)
	}
	s := scenario{frames: question(1, "%s\x00hidden") + result(pamSuccess), answers: typing("x")}
	if seen, _ := r.play(t, s); !slices.Equal(seen, []event{{'V', "%s"}, {'T', "x"}, ended}) {
		t.Errorf("with echo: %v", seen)
	}
	for _, text := range []string{"", "\x02Part: ", "\xffPart: ", "P"} {
		s := scenario{frames: frame('Q', text) + result(pamSuccess), answers: typing("x")}
		seen, code := r.play(t, s)
		if code != pamSystemErr || !slices.Equal(seen, broken(nonsense)) {
			t.Errorf("%q: %d %v", text, code, seen)
		}
	}
}

// A text that is pasted in several lines answers several questions, the later ones at once. A text
// that is too long does not end that.
func TestRelaySeveralQuestions(t *testing.T) {
	r := newRelay(t)
	three := strings.Repeat(question(0, "Part: "), 3) + result(pamSuccess)
	many := strings.Repeat(question(0, "Part: "), 9) + result(pamSuccess)
	one, two := event{'T', "one"}, event{'T', "two"}
	slow, again, empty := typed{kind: fails, takes: 1}, typed{kind: fails}, typed{kind: types}
	for _, test := range []struct {
		name    string
		frames  string
		answers []typed
		want    []event
		code    byte
	}{
		{"one after the other", three, typing("one", "two", "one"),
			append(asked(one, two, one), ended), pamSuccess},
		{"the first line too long", three, []typed{slow, {text: "one"}, {text: "two"}},
			append(asked(tooLong, one, two), ended), pamSuccess},
		{"the second line too long", three, []typed{{takes: 1, text: "one"}, again, {text: "two"}},
			append(asked(one, tooLong, two), ended), pamSuccess},
		{"too long twice", three, []typed{slow, slow, {takes: 1, text: "one"}},
			append(asked(tooLong, tooLong, one), ended), pamSuccess},
		{"too long at all times", many, []typed{slow},
			append(asked(tooLong, tooLong, tooLong, tooLong, tooLong), hidden, nobody), pamConvErr},
		{"too long for us at all times", many, typing(strings.Repeat("x", 9000))[:1],
			append(asked(tooLong, tooLong, tooLong, tooLong, tooLong), hidden, nobody), pamConvErr},
		{"Ctrl-C", three, []typed{slow, again}, append(asked(tooLong), hidden, nobody), pamConvErr},
		{"a part, then Ctrl-C", many, []typed{{takes: 1, text: "one"}, slow, again},
			append(asked(one, tooLong), hidden, nobody), pamConvErr},
		{"just ENTER from a line break, at once", three,
			[]typed{empty, empty, {takes: 1, text: "one"}},
			append(asked(event{'T', ""}, event{'T', ""}, one), ended), pamSuccess},
		{"nobody there", three, []typed{again}, []event{hidden, nobody}, pamConvErr},
		{"a conversation that fails otherwise", three, []typed{{kind: failsOtherwise, takes: 1}},
			[]event{hidden, nobody}, pamConvErr},
		{"no answer", three, []typed{{kind: noAnswer, takes: 1}},
			[]event{hidden, nobody}, pamConvErr},
		{"no more answers", three, []typed{{takes: 1, text: "one"}, {kind: noAnswer}},
			append(asked(one), hidden, nobody), pamConvErr},
	} {
		s := scenario{frames: test.frames, answers: test.answers}
		if seen, code := r.play(t, s); code != test.code || !slices.Equal(seen, test.want) {
			t.Errorf("%s: %d %v\nwant %d %v", test.name, code, seen, test.code, test.want)
		}
		r.agree(t, s)
	}
}

// A program that answers by itself is recognised before the worker reads what the program has
// stored.
func TestRelayQuestionToPrograms(t *testing.T) {
	r := newRelay(t)
	stored := event{'E', "Your program answered by itself, with a password that it has stored. " +
		"This account has none: let the program use a key, or a connection that is open already " +
		"(ControlMaster)."}
	for _, test := range []struct {
		name    string
		s       scenario
		answers []typed
		want    []event
		code    byte
	}{
		{"a password in sshd", scenario{sshd: true}, []typed{{text: "stored"}},
			[]event{hidden, hidden, stored, failed(5, "stored-password", "")}, pamMaxTries},
		{"a password elsewhere", scenario{}, []typed{{text: "stored"}},
			[]event{hidden, hidden, nobody}, pamConvErr},
		{"the name", scenario{}, []typed{{text: "a"}}, []event{hidden, nobody}, pamConvErr},
		{"the name, typed by a person", scenario{}, []typed{{takes: 2, text: "a"}},
			append(asked(event{'T', "a"}), ended), pamSuccess},
		{"a password of the host's, whenever", scenario{answer: password},
			[]typed{{takes: 2, text: "of the host"}}, []event{hidden, nobody}, pamConvErr},
		{"typed ahead", scenario{}, []typed{{text: "ls"}, {takes: 1, text: "one"}},
			append([]event{hidden}, append(asked(event{'T', "one"}), ended)...), pamSuccess},
		{"typed ahead, then ENTER", scenario{}, []typed{{text: "ls"}, {text: ""}},
			append([]event{hidden}, append(asked(event{'T', ""}), ended)...), pamSuccess},
	} {
		test.s.frames, test.s.answers = question(0, "Part: ")+result(pamSuccess), test.answers
		for _, test.s.userPrompt = range []bool{false, true} {
			seen, code := r.play(t, test.s)
			if code != test.code || !slices.Equal(seen, test.want) {
				t.Errorf("%s: %d %v\nwant %d %v", test.name, code, seen, test.code, test.want)
			}
			r.agree(t, test.s)
		}
	}
}

// A question is asked once, whatever a prompt would become after 15 s, and ends with the time of
// the attempt as a prompt does.
func TestRelayQuestionIsAskedOnce(t *testing.T) {
	r := newRelay(t)
	begin := deadline(60) + frame('A', "Still waiting.") + question(0, "Part: ")
	part := asked(event{'T', "one"})
	for _, test := range []struct {
		name  string
		s     scenario
		takes byte
		want  []event
		code  byte
	}{
		{"the worker is silent", scenario{frames: begin, end: silence}, 1,
			append(part, broken(timedOut)...), pamSystemErr},
		{"in time", scenario{frames: begin + result(pamSuccess), end: silence}, 59,
			append(part, ended), pamSuccess},
		{"too late", scenario{frames: begin + result(pamSuccess), end: silence}, 61,
			append(part, broken(timedOut)...), pamSystemErr},
		{"a refusal, too late", scenario{frames: begin + result(pamAuthErr), end: silence}, 61,
			append(part, ended), pamAuthErr},
	} {
		test.s.answers = []typed{{takes: test.takes, text: "one"}}
		if seen, code := r.play(t, test.s); code != test.code || !slices.Equal(seen, test.want) {
			t.Errorf("%s: %d %v, want %d %v", test.name, code, seen, test.code, test.want)
		}
		r.agree(t, test.s)
	}
}

// A worker that ended without waiting for the reply has said why, or has died. A worker that does
// not read the reply it asked for is broken.
func TestRelayReplyToNobody(t *testing.T) {
	r := newRelay(t)
	part := asked(event{'T', "one"})
	for _, hears := range []byte{hasGone, hasDied} {
		s := scenario{
			frames: question(0, "Part: ") + result(pamAuthErr), answers: typing("one"),
			hears: hears,
		}
		seen, code := r.play(t, s)
		if code != pamAuthErr || !slices.Equal(seen, append(part, ended)) {
			t.Errorf("ended: %d %v", code, seen)
		}
		r.agree(t, s)
		s.frames, s.end = question(0, "Part: "), reset
		seen, code = r.play(t, s)
		if code != pamSystemErr || !slices.Equal(seen, append(part, broken(hungUp)...)) {
			t.Errorf("died: %d %v", code, seen)
		}
		r.agree(t, s)
	}
	for hears, cause := range map[byte]string{
		isFull:    "Resource temporarily unavailable",
		hearsHalf: nonsense,
	} {
		s := scenario{
			frames: question(0, "Part: ") + result(pamSuccess), answers: typing("one"),
			hears: hears,
		}
		seen, code := r.play(t, s)
		if code != pamSystemErr || !slices.Equal(seen, append(part, broken(cause)...)) {
			t.Errorf("does not read: %d %v", code, seen)
		}
		r.agree(t, s)
	}
}

// For any questions and answers no sanitizer reports an error, nothing typed stays in memory, and
// both ends see what the model says.
func FuzzQuestions(f *testing.F) {
	f.Add([]byte(question(0, "Part: ")+question(1, "Part 2: ")+result(pamSuccess)),
		[]byte("\x04\x03\x01one\x00\x03\x01two"), byte(hears), byte(enter))
	f.Add([]byte(strings.Repeat(question(1, ""), 9)), []byte("\x05\x00\x00\x01\x00\x00"),
		byte(hears), byte(enter))
	f.Add([]byte(question(0, "")+question(0, "")+question(0, "")),
		[]byte("\x04\xff\xff"+strings.Repeat("x", 255)), byte(hearsHalf), byte(password))
	f.Add([]byte(question(0, "")+frame('P', "")+question(0, "")), []byte("\x00\x01\x01a"),
		byte(hasDied), byte(name))
	r := newRelay(f)
	f.Fuzz(func(t *testing.T, frames, spoken []byte, hears, answer byte) {
		s := scenario{
			frames: string(frames), hears: hears % 5, answer: answer % 6, sshd: answer&64 != 0,
			userPrompt: answer&128 != 0,
		}
		for len(spoken) > 3 {
			how, length, times := spoken[0], int(spoken[1]), int(spoken[2])
			text := spoken[3:min(3+length, len(spoken))]
			spoken = spoken[3+len(text):]
			repeated := strings.Repeat(strings.ReplaceAll(string(text), "\x00", ""), times)
			s.answers = append(s.answers, typed{kind: how & 3, takes: how >> 2 & 1, text: repeated})
		}
		r.agree(t, s)
	})
}
