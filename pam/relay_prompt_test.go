// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"testing"
)

// In device-code flow the worker reads nothing that is typed at a prompt, whatever it is and
// however often.
func TestRelayPromptsHaveNoReply(t *testing.T) {
	r := newRelay(t)
	for answer := byte(enter); answer <= ahead; answer++ {
		for _, takes := range []uint32{0, 1, 40} {
			s := scenario{frames: deadline(100) + frame('A', "Still waiting.") + whole,
				end: silence, answer: answer, takes: takes, answers: typing("secret")}
			seen, _ := r.play(t, s)
			reply := slices.ContainsFunc(seen, func(e event) bool {
				return strings.IndexByte("TOHV", e.kind) >= 0
			})
			if reply || len(seen) < 3 {
				t.Errorf("answer %d: %v", answer, seen)
			}
			r.agree(t, s)
		}
	}
}

// Last words belong to a refusal, and come after its line. A success and a broken worker have none.
func TestRelayLastWords(t *testing.T) {
	r := newRelay(t)
	said := frame('F', "No.\nPress ENTER. ")
	last, full := event{'F', "No.\nPress ENTER. "}, strings.Repeat("x", 2048)
	for _, test := range []struct {
		name, frames string
		want         []event
		code         byte
	}{
		{"a refusal", said + result(pamAuthErr), []event{ended, last}, pamAuthErr},
		{"of what is said twice, the later", frame('F', "Perhaps.") + said + result(pamAuthErr),
			[]event{ended, last}, pamAuthErr},
		{"a success", said + result(pamSuccess), []event{ended}, pamSuccess},
		{"a success, too late", deadline(0) + question(1, "?") + said + result(pamSuccess),
			slices.Concat([]event{{'V', "?"}, {'T', "x"}}, broken(timedOut)), pamSystemErr},
		{"no line", said + frame('R', string([]byte{pamAuthErr})), broken(nonsense), pamSystemErr},
		{"the worker dies", said, broken(hungUp), pamSystemErr},
		{"as long as may be", frame('F', full) + result(pamAuthErr), []event{ended, {'F', full}},
			pamAuthErr},
		{"longer", frame('F', full+"x") + result(pamAuthErr), broken(nonsense), pamSystemErr},
	} {
		s := scenario{frames: test.frames, answers: typing("x")}
		if seen, code := r.play(t, s); code != test.code || !slices.Equal(seen, test.want) {
			t.Errorf("%s: %d %v\nwant %d %v", test.name, code, seen, test.code, test.want)
		}
		r.agree(t, s)
	}
}
