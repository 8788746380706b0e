// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxDepth is deeper than any document of the services spoken to here.
const maxDepth = 16

// Decode is json.Unmarshal that refuses an object with two members of one
// name. encoding/json takes the last of them and compares names without
// regard to case, so {"accessDecision":"Denied","AccessDecision":"Allowed"}
// would read as allowed (RFC 8259, Section 4: behaviour unpredictable). It
// also refuses what is not UTF-8. Errors quote nothing but a member's name:
// the text may be a token's.
func Decode(text []byte, into any) error {
	if !utf8.Valid(text) {
		return errors.New("not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := checkValue(dec, 0); err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return errors.New("not JSON of the expected form")
	}
	return nil
}

func checkValue(dec *json.Decoder, depth int) error {
	if depth > maxDepth {
		return errors.New("nested too deeply")
	}
	token, err := dec.Token()
	if err != nil {
		return errors.New("not JSON")
	}
	switch token {
	case json.Delim('{'):
		return checkObject(dec, depth)
	case json.Delim('['):
		return checkArray(dec, depth)
	default:
		return nil
	}
}

func checkObject(dec *json.Decoder, depth int) error {
	seen := make(map[string]bool)
	for dec.More() {
		token, err := dec.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return errors.New("not JSON")
		}
		folded := strings.Map(fold, name)
		if seen[folded] {
			return fmt.Errorf("member %q twice", clip(name))
		}
		seen[folded] = true
		if err := checkValue(dec, depth+1); err != nil {
			return err
		}
	}
	return checkEnd(dec)
}

func checkArray(dec *json.Decoder, depth int) error {
	for dec.More() {
		if err := checkValue(dec, depth+1); err != nil {
			return err
		}
	}
	return checkEnd(dec)
}

// checkEnd takes the closing bracket.
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
