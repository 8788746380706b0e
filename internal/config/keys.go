// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// assign reads text over the defaults and returns the line of every key.
//
// Two passes: Unmarshal proves the whole text to be TOML 1.0 (duplicates,
// UTF-8, numbers) and yields the values; the syntax tree yields the keys in the
// order of the file with their lines. A decoder into structs would not do: it
// matches keys whatever their case and cannot say where a bad value stood.
func (c *Config) assign(text []byte) (map[string]int, *Error) {
	var values map[string]any
	if err := toml.Unmarshal(text, &values); err != nil {
		return nil, syntax(err)
	}
	r := reader{text: text, values: values, lines: map[string]int{}}
	r.settings = make(map[string]setter)
	for _, s := range c.settings() {
		r.settings[s.key] = s.set
	}
	r.group = c.setGroup
	return r.lines, r.read()
}

func syntax(err error) *Error {
	e := wrong("is not valid TOML: "+strings.TrimPrefix(err.Error(), "toml: "),
		"check the quotes and brackets on this line and before it").at("", 0)
	if d := (*toml.DecodeError)(nil); errors.As(err, &d) {
		e.Line, _ = d.Position()
	}
	return e
}

// A reader hands every key of a valid text, in order, to its setter.
type reader struct {
	text     []byte
	values   map[string]any
	settings map[string]setter
	group    func(id string, value any) *problem // for the free keys of accounts.groups
	lines    map[string]int
}

func (r *reader) read() *Error {
	var parser unstable.Parser
	parser.Reset(r.text)
	var table []string
	for parser.NextExpression() {
		node := parser.Expression()
		switch node.Kind {
		case unstable.Table:
			table, _ = r.path(nil, node)
			if err := r.table(node); err != nil {
				return err
			}
		case unstable.KeyValue:
			if err := r.keyValue(table, node); err != nil {
				return err
			}
		default:
			path, line := r.path(nil, node)
			return wrong("must not be written in double brackets",
				"no table of this file repeats").at(join(path), line)
		}
	}
	return nil
}

func (r *reader) table(node *unstable.Node) *Error {
	path, line := r.path(nil, node)
	if !section(join(path)) {
		return wrong("is not a section of this file",
			"see the shipped config.toml for those there are").at(join(path), line)
	}
	return nil
}

func (r *reader) keyValue(table []string, node *unstable.Node) *Error {
	path, line := r.path(table, node)
	key := join(path)
	r.lines[key] = line
	if section(key) {
		return r.inline(path, line, node.Value())
	}
	if p := r.set(path, key); p != nil {
		return p.at(key, line)
	}
	return nil
}

// inline reads a section written as name = { key = value }.
func (r *reader) inline(path []string, line int, value *unstable.Node) *Error {
	key := join(path)
	if value.Kind != unstable.InlineTable {
		return wrong("is a section, not a key", "write its keys below ["+key+"]").at(key, line)
	}
	for it := value.Children(); it.Next(); {
		if err := r.keyValue(path, it.Node()); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) set(path []string, key string) *problem {
	value := r.value(path)
	if set, ok := r.settings[key]; ok {
		return set(value)
	}
	if len(path) == 3 && join(path[:2]) == groupsSection {
		r.lines[groupsSection] = r.lines[key]
		return r.group(path[2], value)
	}
	return wrong("is not a key of this file", "check its spelling and the [section] it stands in")
}

func (r *reader) value(path []string) any {
	var value any = r.values
	for _, name := range path {
		inner, _ := value.(map[string]any)
		value = inner[name]
	}
	return value
}

// path is the key of node below table, and the line it starts on.
func (r *reader) path(table []string, node *unstable.Node) (path []string, line int) {
	path = append(path, table...)
	for it := node.Key(); it.Next(); {
		part := it.Node()
		path = append(path, string(part.Data))
		if line == 0 {
			line = 1 + bytes.Count(r.text[:part.Raw.Offset], []byte("\n"))
		}
	}
	return path, line
}

// join spells a path as it would be written in the file, so that the one key
// "sign_in.timeout" and the key timeout of section sign_in stay apart.
func join(path []string) string {
	spelt := make([]string, len(path))
	for i, name := range path {
		if spelt[i] = name; !isBareKey(name) {
			spelt[i] = strconv.Quote(name)
		}
	}
	return strings.Join(spelt, ".")
}
