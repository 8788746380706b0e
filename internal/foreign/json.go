// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package foreign

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxDepth is deeper than any document of the services that are asked here.
const maxDepth = 16

// Decode is json.Unmarshal, but refuses an object with two members of one name. encoding/json takes
// the last of them and ignores the case of names, so
// {"accessDecision":"Denied","AccessDecision":"Allowed"} would read as allowed (RFC 8259, Section
// 4: behaviour unpredictable). Decode also refuses text that is not UTF-8. Errors quote only a
// member's name, because the text may be a token's.
//
// A byte order mark at the beginning, which some gateways add, is ignored.
func Decode(text []byte, into any) error { return decode(text, into, everyName) }

// DecodeNamed is Decode for an object of which the caller reads only these members, by their exact
// names. Other members may have names that differ only in case, as the claims that a tenant adds to
// its tokens may.
func DecodeNamed(text []byte, into any, read ...string) error {
	names := make(map[string]bool)
	for _, name := range read {
		names[strings.Map(fold, name)] = true
	}
	return decode(text, into, func(folded string) bool { return names[folded] })
}

func everyName(string) bool { return true }

// decode takes two names for one if they are equal, or if they differ only in case and foldable
// accepts them. Below the outermost object, all names are compared without case.
func decode(text []byte, into any, foldable func(folded string) bool) error {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if !utf8.Valid(text) {
		return errors.New("not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := checkValue(dec, 0, foldable); err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return errors.New("not JSON of the expected form")
	}
	return nil
}

func checkValue(dec *json.Decoder, depth int, foldable func(string) bool) error {
	if depth > maxDepth {
		return errors.New("nested too deeply")
	}
	token, err := dec.Token()
	if err != nil {
		return errors.New("not JSON")
	}
	switch token {
	case json.Delim('{'):
		return checkObject(dec, depth, foldable)
	case json.Delim('['):
		return checkArray(dec, depth)
	default:
		return nil
	}
}

func checkObject(dec *json.Decoder, depth int, foldable func(string) bool) error {
	seen := make(map[string]bool)
	for dec.More() {
		token, err := dec.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return errors.New("not JSON")
		}
		key := "=" + name // which no folded name begins with
		if folded := strings.Map(fold, name); foldable(folded) {
			key = folded
		}
		if seen[key] {
			return fmt.Errorf("member %q twice", Clip(name))
		}
		seen[key] = true
		if err := checkValue(dec, depth+1, everyName); err != nil {
			return err
		}
	}
	return checkEnd(dec)
}

func checkArray(dec *json.Decoder, depth int) error {
	for dec.More() {
		if err := checkValue(dec, depth+1, everyName); err != nil {
			return err
		}
	}
	return checkEnd(dec)
}

// checkEnd reads the closing bracket.
func checkEnd(dec *json.Decoder) error {
	if _, err := dec.Token(); err != nil {
		return errors.New("not JSON")
	}
	return nil
}

func fold(r rune) rune {
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	return least
}
