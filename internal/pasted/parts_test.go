// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package pasted

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// answers returns three parts of one attempt, and damaged answers.
func answers(t *testing.T) (a *Attempt, one, two, three string) {
	t.Helper()
	a = sshd()
	a.Kind, a.Size = Code, 100
	all := split(a, strings.Repeat("0123456789", 23), 'C', a.Size)
	if len(all) != 3 {
		t.Fatalf("%d parts", len(all))
	}
	return a, all[0], all[1], all[2]
}

// People and terminals change parts on their way. Each row has the answers of one conversation.
func TestAdd(t *testing.T) {
	a, one, two, three := answers(t)
	stranger := *a
	stranger.challenge = digest("another")
	other := split(&stranger, "0123", 'C', 100)[0]
	newer := split(a, strings.Repeat("ABCDEFGHIJ", 23), 'C', 100)
	fewer := split(a, "0123", 'C', 100)[0]
	token := split(a, "0123", 'T', 100)[0]
	wide := strings.Join(strings.SplitAfter(one, "0"), " \t")
	type answer struct {
		text string
		want Received
	}
	took := func(text string, numbers ...int) answer {
		return answer{text, Received{New: numbers, Length: len(text)}}
	}
	const all, none = "", "123"
	for name, test := range map[string]struct {
		answers []answer
		missing string
	}{
		"in order":  {[]answer{took(one, 1), took(two, 2), took(three, 3)}, all},
		"backwards": {[]answer{took(three, 3), took(two, 2), took(one, 1)}, all},
		"joined":    {[]answer{took(one+two+three, 1, 2, 3)}, all},
		"joined by line breaks": {[]answer{{one + "\n" + two + "\r\n" + three + "\n",
			Received{New: []int{1, 2, 3}, Length: len(one + two + three)}}}, all},
		"one missing": {[]answer{took(one, 1), took(three, 3)}, "2"},
		"empty answers": {[]answer{{"", Received{}}, took(one, 1),
			{" \r\n", Received{}}, {";", Received{Length: 1}}}, "23"},
		"repeated": {[]answer{took(one, 1),
			{one, Received{Again: []int{1}, Length: len(one)}},
			{one + two, Received{Again: []int{1}, New: []int{2}, Length: len(one + two)}}}, "3"},
		"twice in one answer": {[]answer{{one + one,
			Received{New: []int{1}, Again: []int{1}, Length: 2 * len(one)}}}, "23"},
		"blanks": {[]answer{{wide,
			Received{New: []int{1}, Length: len(one)}}}, "23"},
		"blanks of programs for text": {[]answer{{"\ufeff" + strings.Join(strings.SplitAfter(one, "0"),
			"\u00a0\u200b\u00ad\u2028"), Received{New: []int{1}, Length: len(one)}}}, "23"},
		"brackets": {[]answer{{"\x1b[200~" + one + "\x1b[201~",
			Received{New: []int{1}, Length: len(one)}}}, "23"},
		"brackets without escape": {[]answer{{"[200~" + one + "[201~",
			Received{New: []int{1}, Length: len(one)}}}, "23"},
		"control characters": {[]answer{{"\x01\x7f" + one + "\x1b",
			Received{New: []int{1}, Length: len(one)}}}, "23"},
		"cut by the program": {[]answer{{(one + two)[:len(one)+30],
			Received{New: []int{1}, Cut: true, Length: len(one) + 30}}}, "23"},
		"end missing": {[]answer{{one[:60], Received{Cut: true, Length: 60}},
			took(one, 1)}, "23"},
		"semicolon missing": {[]answer{{one[:len(one)-1],
			Received{Cut: true, Length: len(one) - 1}}}, none},
		"cut, then whole": {[]answer{{one[:60] + one,
			Received{New: []int{1}, Length: 60 + len(one)}}}, "23"},
		"cut at a digit": {[]answer{{one[:20] + "1" + one,
			Received{New: []int{1}, Length: 21 + len(one)}}}, "23"},
		"beginning missing": {[]answer{{one[5:],
			Received{Damaged: true, Length: len(one) - 5}}}, none},
		"middle missing": {[]answer{took(two, 2),
			{one[:40] + one[50:], Received{Damaged: true, Length: len(one) - 10}}}, "13"},
		"another attempt's": {[]answer{took(two, 2),
			{other, Received{Other: true, Length: len(other)}}}, "13"},
		"another attempt's too": {[]answer{{other + two,
			Received{New: []int{2}, Other: true, Length: len(other + two)}}}, "13"},
		"of another kind": {[]answer{{token,
			Received{Damaged: true, Length: len(token)}}}, none},
		"page used twice": {[]answer{took(one, 1), took(two, 2),
			{newer[0], Received{New: []int{1}, Anew: true, Length: len(one)}}}, "23"},
		"page used twice, other number": {[]answer{took(one, 1), took(two, 2),
			{fewer, Received{New: []int{1}, Anew: true, Length: len(fewer)}}}, all},
		"typed": {[]answer{{"hunter2", Received{Strange: true, Length: 7}}}, none},
		"a password with a slash": {[]answer{
			{"hunter/2.", Received{Strange: true, Length: 9}}}, none},
		"the address": {[]answer{
			{a.Address(), Received{Strange: true, Length: len(a.Address())}}}, none},
		"the address, folded by PuTTY": {[]answer{
			{a.Address()[:77] + "\n> " + a.Address()[77:],
				Received{Strange: true, Length: len(a.Address()) + 1}}}, none},
		"cut early": {[]answer{{one[:5], Received{Cut: true, Length: 5}},
			{"10/11.C", Received{Cut: true, Length: 7}}}, none},
		"letters of elsewhere": {[]answer{{"пароль", Received{Strange: true, Length: 6}}}, none},
		"bytes of no text": {[]answer{{"\xff\xfe\x80",
			Received{Strange: true, Length: 3}}}, none},
		"more than may come": {[]answer{{strings.Repeat("x", MaxAnswer+9),
			Received{Strange: true, Length: MaxAnswer}}}, none},
	} {
		t.Run(name, func(t *testing.T) {
			p := a.Parts()
			for _, answer := range test.answers {
				if got := p.Add([]byte(answer.text)); !reflect.DeepEqual(got, answer.want) {
					t.Errorf("%q: %+v, want %+v", answer.text, got, answer.want)
				}
			}
			var missing string
			for _, i := range p.Missing() {
				missing += fmt.Sprint(i)
			}
			if p.Total() == 0 {
				missing = none
			}
			if missing != test.missing || p.Complete() != (test.missing == all) {
				t.Errorf("%s missing, want %s", missing, test.missing)
			}
		})
	}
}

// No page sends these numbers.
func TestNumbers(t *testing.T) {
	a, _, _, _ := answers(t)
	for head, want := range map[string]bool{
		"1/1":     true,
		"20/20":   true,
		"1/20":    true,
		"10/11":   true,
		"0/1":     false,
		"2/1":     false,
		"1/21":    false,
		"01/1":    false,
		"1/01":    false,
		"1/99":    false,
		"100/100": false,
		"-1/1":    false,
		"/1":      false,
		"1/":      false,
	} {
		head += ".C" + a.challenge[:4]
		f := a.Parts().Add([]byte(head + "." + digest(head + ".abc")[:6] + ".abc;"))
		if (f.New != nil) != want || f.Damaged == want {
			t.Errorf("%s: %+v", head, f)
		}
	}
}

// All parts together are bounded. A part that does not fit is refused, and the others stay.
func TestBound(t *testing.T) {
	a, _, _, _ := answers(t)
	p := a.Parts()
	all := split(a, strings.Repeat("x", maxData+4000), 'C', 8000)
	for i, part := range all {
		if f := p.Add([]byte(part)); f.Damaged != (i == len(all)-1) {
			t.Errorf("part %d: %+v", i+1, f)
		}
	}
	if got := p.Missing(); !slices.Equal(got, []int{len(all)}) {
		t.Errorf("missing %v", got)
	}
	if _, err := p.Code(); err == nil {
		t.Error("a code without its last part")
	}
}

// Any pieces of any pasted text cause no panic and stay within the bounds. A code that results was
// sent in parts.
func FuzzParts(f *testing.F) {
	a := sshd()
	a.Kind = Code
	for _, part := range split(a, strings.Repeat("0123456789", 23), 'C', 100) {
		f.Add([]byte(part), []byte("\x1b[200~"+part+part[:9]))
	}
	f.Add([]byte(split(a, "IS8", 'c', 100)[0]), []byte("1/2.Cabcd.abcdef.x;"))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		p := a.Parts()
		for _, answer := range [][]byte{first, second, first} {
			had := p.Total() - len(p.Missing())
			got := p.Add(answer)
			switch has := p.Total() - len(p.Missing()); {
			case !got.Anew && has != had+len(got.New), got.Length > MaxAnswer, p.Total() > maxParts:
				t.Fatalf("%+v: %d, then %d of %d", got, had, has, p.Total())
			case got.Length <= strings.Count(string(answer), ";"): // nothing but separators
			case got.New == nil && got.Again == nil &&
				!got.Other && !got.Damaged && !got.Cut && !got.Strange:
				t.Fatalf("nobody is told what is wrong with %q", answer)
			}
		}
		code, err := p.Code()
		if (err == nil) && (!p.Complete() || len(code) > maxData) {
			t.Fatalf("a code of %d without its parts", len(code))
		}
		unprintable := func(r rune) bool { return r < ' ' || r > '~' }
		if err == nil && strings.ContainsFunc(code, unprintable) {
			t.Fatalf("no code: %q", code)
		}
	})
}
