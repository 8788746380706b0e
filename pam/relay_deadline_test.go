// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"testing"
)

// The door waits for nothing after the deadline. Queued frames may say why, and a success comes too
// late.
func TestRelayDeadline(t *testing.T) {
	prompt := frame('P', "Press ENTER.")
	r := newRelay(t)
	for _, test := range []struct {
		name  string
		s     scenario
		code  byte
		cause string
	}{
		{"in time", scenario{frames: deadline(10) + prompt + result(pamSuccess), takes: 9},
			pamSuccess, ""},
		{"the last moment", scenario{frames: deadline(10) + prompt + result(pamSuccess), takes: 10},
			pamSuccess, ""},
		{"a success too late", scenario{frames: deadline(10) + prompt + result(pamSuccess),
			takes: 11}, pamSystemErr, timedOut},
		{"ENTER long after", scenario{frames: deadline(10) + prompt + result(pamSuccess),
			takes: 1 << 31}, pamSystemErr, timedOut},
		{"a refusal late, with its own line",
			scenario{frames: deadline(10) + prompt + result(pamAuthErr), takes: 11}, pamAuthErr,
			""},
		{"the first deadline", scenario{frames: prompt + result(pamSuccess), takes: 30}, pamSuccess,
			""},
		{"past the first deadline", scenario{frames: prompt + result(pamSuccess), takes: 31},
			pamSystemErr, timedOut},
		{"nothing comes", scenario{end: silence}, pamSystemErr, timedOut},
		{"nothing more comes", scenario{frames: deadline(285) + prompt, end: silence},
			pamSystemErr, timedOut},
		{"nothing more comes after ENTER", scenario{frames: deadline(10) + prompt, end: silence,
			takes: 100}, pamSystemErr, timedOut},
		{"none left", scenario{frames: deadline(0) + result(pamSuccess)}, pamSuccess, ""},
		{"another deadline", scenario{frames: deadline(1) + prompt + deadline(5) + prompt +
			result(pamSuccess), takes: 5}, pamSuccess, ""},
		{"as long as poll can wait", scenario{frames: deadline(2147483), end: silence},
			pamSystemErr, timedOut},
		{"longer", scenario{frames: deadline(2147484) + result(pamSuccess)},
			pamSystemErr, nonsense},
		{"wraps around to little", scenario{frames: deadline(4294968) + result(pamSuccess)},
			pamSystemErr, nonsense},
		{"for ever", scenario{frames: deadline(1<<32-1) + result(pamSuccess), end: silence},
			pamSystemErr, nonsense},
		{"too short", scenario{frames: frame('D', "abc") + result(pamSuccess)},
			pamSystemErr, nonsense},
		{"too long", scenario{frames: frame('D', "abcde") + result(pamSuccess)},
			pamSystemErr, nonsense},
		{"empty", scenario{frames: frame('D', "") + result(pamSuccess)}, pamSystemErr, nonsense},
	} {
		t.Run(test.name, func(t *testing.T) {
			seen, code := r.play(t, test.s)
			if code != test.code {
				t.Errorf("%d %v, want %d", code, seen, test.code)
			}
			tail := broken(test.cause)
			if test.cause != "" &&
				(len(seen) < len(tail) || !slices.Equal(seen[len(seen)-len(tail):], tail)) {
				t.Errorf("%v, want %v last", seen, tail)
			}
			r.agree(t, test.s)
		})
	}
}
