// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package foreign

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestDecode(t *testing.T) {
	tests := []struct {
		text string
		ok   bool
	}{
		{`{"a":1,"b":{"a":2}}`, true},
		{`[{"a":1},{"a":1}]`, true},
		{` null `, true},
		{`{"a":1,"a":1}`, false},
		{`{"x":[{"a":1,"A":2}]}`, false},
		{`{"k":1,"` + "\u212a" + `":2}`, false}, // Kelvin sign: a k to encoding/json
		{`{"s":1,"ſ":2}`, false},
		{`{"a":1,"\u0061":2}`, false},
		{`{"a":1}{"a":1}`, false},
		{`{"a":}`, false},
		{`{1:2}`, false},
		{``, false},
		{strings.Repeat("[", 17) + strings.Repeat("]", 17), true},
		{strings.Repeat("[", 18) + strings.Repeat("]", 18), false},
		{strings.Repeat("[", 1<<20), false},
	}
	for _, test := range tests {
		var v any
		if err := Decode([]byte(test.text), &v); (err == nil) != test.ok {
			t.Errorf("Decode(%.40q) = %v, want ok %v", test.text, err, test.ok)
		}
	}
}

// FuzzDecode checks that encoding/json accepts what Decode accepts, and that it reads the same when
// written out again.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"a":[1,{"b":null}]}`, `{"a":1,"A":1}`, `[`, `"\u212a"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var v any
		if Decode(text, &v) != nil {
			return
		}
		again, err := json.Marshal(v)
		if err != nil || !json.Valid(text) {
			t.Fatalf("%q: %v", text, err)
		}
		if err := Decode(again, new(any)); err != nil {
			t.Errorf("%q became %q: %v", text, again, err)
		}
	})
}

// Unread names may differ only in case. Names that are read may not, and no name may stand twice.
func TestDecodeNamed(t *testing.T) {
	for text, ok := range map[string]bool{
		`{"a":1,"X":1,"x":2}`:      true,
		`{"x":1,"x":1}`:            false,
		`{"a":1,"A":2}`:            false,
		`{"A":1,"\u0061":2}`:       false,
		`{"=a":1,"a":2}`:           true,
		`{"k":1,"\u212a":2}`:       false, // KELVIN SIGN folds to k
		`{"X":{"b":1,"B":2}}`:      false,
		`{"X":[{"b":1,"B":2}]}`:    false,
		"\ufeff" + `{"a":1}`:       true,
		"\ufeff\ufeff" + `{"a":1}`: false,
	} {
		if err := DecodeNamed([]byte(text), &map[string]any{}, "a", "k"); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}
