// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// An Error is a mistake in a directory file.
type Error struct {
	File    string
	Line    int    // 0 if something is missing
	Key     string // "assignment[2].role", or empty
	Problem string
}

func (e *Error) Error() string {
	var at strings.Builder
	at.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&at, ":%d", e.Line)
	}
	if e.Key != "" {
		fmt.Fprintf(&at, ": %s", e.Key)
	}
	return at.String() + ": " + e.Problem
}

// Load reads a directory file.
func Load(path string) (*Directory, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("emulator: read directory: %w", err)
	}
	return Parse(path, text)
}

// Parse reads the text of a directory file. file is its name in errors. An unknown key is an error,
// so that a test cannot pass because of a misspelled fault.
func Parse(file string, text []byte) (*Directory, error) {
	d := new(Directory)
	dec := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := dec.Decode(d); err != nil {
		return nil, decodeError(file, err)
	}
	if key, problem := d.problem(); problem != "" {
		return nil, &Error{File: file, Line: line(text, key), Key: key, Problem: problem}
	}
	return d, nil
}

// decodeError turns an error of go-toml into an Error.
func decodeError(file string, err error) error {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) && len(unknown.Errors) > 0 {
		e := &unknown.Errors[0]
		row, _ := e.Position()
		return &Error{file, row, strings.Join(e.Key(), "."), "no such key"}
	}
	var wrong *toml.DecodeError
	if errors.As(err, &wrong) {
		row, _ := wrong.Position()
		return &Error{file, row, strings.Join(wrong.Key(), "."),
			strings.TrimPrefix(wrong.Error(), "toml: ")}
	}
	return &Error{File: file, Problem: err.Error()}
}

// encode is the inverse of Parse.
func (d *Directory) encode() ([]byte, error) {
	text, err := toml.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("emulator: encode directory: %w", err)
	}
	return text, nil
}

// line returns the line of a key such as "assignment[2].role", or of the nearest enclosing key in
// the text. It returns 0 if there is none.
func line(text []byte, key string) int {
	lines := keyLines(text)
	for key != "" {
		if n, ok := lines[key]; ok {
			return n
		}
		key = key[:max(0, strings.LastIndexByte(key, '.'))]
	}
	return 0
}

// keyLines maps every key of the text to its line.
func keyLines(text []byte) map[string]int {
	lines := make(map[string]int)
	count := make(map[string]int)
	table := ""
	var p unstable.Parser
	p.Reset(text)
	for p.NextExpression() {
		e := p.Expression()
		name, at := dotted(e, text)
		switch e.Kind {
		case unstable.ArrayTable:
			table = fmt.Sprintf("%s[%d]", name, count[name])
			count[name]++
			lines[table] = at
			table += "."
		case unstable.Table:
			lines[name] = at
			table = name + "."
		case unstable.KeyValue:
			lines[table+name] = at
		}
	}
	return lines
}

// dotted returns an expression's key and its line.
func dotted(e *unstable.Node, text []byte) (name string, line int) {
	var parts []string
	for it := e.Key(); it.Next(); {
		k := it.Node()
		if line == 0 {
			line = 1 + bytes.Count(text[:k.Raw.Offset], []byte("\n"))
		}
		parts = append(parts, string(k.Data))
	}
	return strings.Join(parts, "."), line
}

// A Duration is a time.Duration that files and control requests spell "1.5s".
type Duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v < 0 {
		return fmt.Errorf("%q is not a duration such as \"1.5s\"", text)
	}
	*d = Duration(v)
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) {
	return []byte(time.Duration(d).String()), nil
}
