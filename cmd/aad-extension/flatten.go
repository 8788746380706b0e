// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"aadlogin/internal/config"
)

// flatten walks publicSettings in their order. An object in them is a section. null means no value,
// since templates write it for optional parameters. A key that is given twice is an error; a map
// would silently take the last.
func flatten(object []byte) ([]pair, error) {
	f := flattener{json.NewDecoder(bytes.NewReader(object)), nil, map[string]bool{}}
	f.in.UseNumber()
	if first, err := f.in.Token(); err != nil || first != json.Delim('{') {
		return nil, errors.New(`publicSettings is not an object, such as {"tenant_id": "…"}`)
	}
	if err := f.object("", 1); err != nil {
		return nil, fmt.Errorf("publicSettings: %w", err)
	}
	return f.pairs, nil
}

type flattener struct {
	in    *json.Decoder
	pairs []pair
	seen  map[string]bool
}

// maxDepth is the depth of accounts.groups. Nothing in config.toml is deeper.
const maxDepth = 3

var bareKey = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)

func (f *flattener) object(section string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%s is not a section of config.toml", strings.TrimSuffix(section, "."))
	}
	for f.in.More() {
		token, err := f.in.Token()
		if err != nil {
			return errors.New(position(err))
		}
		name, _ := token.(string)
		if !bareKey.MatchString(name) {
			return fmt.Errorf("%.100q is not a key of config.toml", name)
		}
		key := section + name
		if f.seen[key] {
			return fmt.Errorf("%s is given twice", key)
		}
		f.seen[key] = true
		if err := f.value(key, depth); err != nil {
			return err
		}
	}
	_, err := f.in.Token()
	return err
}

func (f *flattener) value(key string, depth int) error {
	token, err := f.in.Token()
	switch {
	case err != nil:
		return errors.New(position(err))
	case token == nil:
		return nil
	case token == json.Delim('{'):
		return f.object(key+".", depth+1)
	}
	value, err := f.spell(key, token)
	f.pairs = append(f.pairs, pair{key, value})
	return err
}

// spell writes a value as TOML. TOML's words for true and false and its escapes are those of JSON.
func (f *flattener) spell(key string, token json.Token) (string, error) {
	switch v := token.(type) {
	case string:
		return quote(v), nil
	case json.Delim:
		if v == '[' {
			return f.list(key)
		}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return fmt.Sprint(n), nil
		}
	case bool:
		return fmt.Sprint(v), nil
	}
	return "", fmt.Errorf("%s holds what no key of config.toml does", key)
}

func (f *flattener) list(key string) (string, error) {
	var all []string
	for f.in.More() {
		token, err := f.in.Token()
		if err != nil {
			return "", errors.New(position(err))
		}
		if token == json.Delim('[') {
			return "", fmt.Errorf("%s holds a list in a list", key)
		}
		value, err := f.spell(key, token)
		if err != nil {
			return "", err
		}
		all = append(all, value)
	}
	_, err := f.in.Token()
	return "[" + strings.Join(all, ", ") + "]", err
}

// quote writes a string with the escapes of TOML (TOML 1.0, String). These are JSON's, and one more
// control character.
func quote(s string) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(s) // cannot fail: a string, into memory
	return strings.ReplaceAll(strings.TrimSuffix(b.String(), "\n"), "\x7f", `\u007f`)
}

// edit returns the text of config.toml with the settings in it.
func (s settings) edit(text []byte) []byte {
	for _, p := range s.pairs {
		text, _ = config.Set(text, p.key, p.value)
	}
	return text
}

func (s settings) has(key string) bool {
	for _, p := range s.pairs {
		if p.key == key {
			return true
		}
	}
	return false
}
