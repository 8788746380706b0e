// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"aadlogin/internal/emulator"
)

// A schema is the part of JSON Schema (draft 2020-12) that check.schema.json uses. An unknown
// keyword is an error, because it would check nothing.
type schema struct {
	Draft       string             `json:"$schema"`
	Title       string             `json:"title"`
	Description string             `json:"description"`
	Type        string             `json:"type"`
	Enum        []string           `json:"enum"`
	Required    []string           `json:"required"`
	Properties  map[string]*schema `json:"properties"`
	Additional  *bool              `json:"additionalProperties"`
	Items       *schema            `json:"items"`
	MinItems    int                `json:"minItems"`
}

func parseSchema(t *testing.T) *schema {
	t.Helper()
	s := new(schema)
	d := json.NewDecoder(strings.NewReader(Schema))
	d.DisallowUnknownFields()
	if err := d.Decode(s); err != nil {
		t.Fatal(err)
	}
	return s
}

// faults returns where a value violates the schema.
func (s *schema) faults(at string, value any) (all []string) {
	wrong := func(format string, args ...any) {
		all = append(all, at+": "+fmt.Sprintf(format, args...))
	}
	if text, ok := value.(string); s.Enum != nil && (!ok || !slices.Contains(s.Enum, text)) {
		wrong("%v is none of %q", value, s.Enum)
	}
	is := map[string]bool{}
	switch v := value.(type) {
	case bool:
		is["boolean"] = true
	case string:
		is["string"] = true
	case []any:
		is["array"] = true
		if len(v) < s.MinItems {
			wrong("%d items", len(v))
		}
		for i, item := range v {
			all = append(all, s.Items.faults(fmt.Sprintf("%s[%d]", at, i), item)...)
		}
	case map[string]any:
		is["object"] = true
		for _, key := range s.Required {
			if _, ok := v[key]; !ok {
				wrong("no %s", key)
			}
		}
		for key, item := range v {
			if of, ok := s.Properties[key]; ok {
				all = append(all, of.faults(at+"."+key, item)...)
			} else if s.Additional != nil && !*s.Additional {
				wrong("%s is too much", key)
			}
		}
	}
	if s.Type != "" && !is[s.Type] {
		wrong("%v is no %s", value, s.Type)
	}
	return all
}

func (s *schema) check(t *testing.T, text string) []string {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	return s.faults("", value)
}

// All findings satisfy the schema: those about this machine, as far as a test may look, about the
// network, and about a person.
func TestSchema(t *testing.T) {
	// These two are checked below.
	s, seen := parseSchema(t), map[string]bool{"configuration": true, "endpoints": true}
	entra := new(emulator.Server)
	if err := entra.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { entra.Close() })
	h := host(t, entra, `sign_in.page = "`+entra.MetadataURL()+`/sign-in/"`)
	h.Files = fstest.MapFS{}
	h.Account = "user@contoso.example"
	findings := []Finding{{Check: "configuration", Status: Failed, Kind: Configuration, Found: "x"},
		{Check: "endpoints", Status: Failed, Kind: Configuration,
			Found: "x", Fix: "y", Command: "z"}}
	tell := func(more []Finding) {
		for _, r := range more {
			seen[r.Check] = true
		}
		findings = append(findings, more...)
	}
	h.Local(t.Context(), tell)
	h.Person(t.Context(), h.Remote(t.Context(), tell), tell)
	text, err := json.Marshal(Findings{Results: findings})
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range s.check(t, string(text)) {
		t.Error(fault)
	}
	for _, name := range s.Properties["results"].Items.Properties["check"].Enum {
		if !seen[name] {
			t.Errorf("the schema has a check %q that there is not", name)
		}
	}
}

// The schema refuses wrong values.
func TestSchemaRefuses(t *testing.T) {
	s := parseSchema(t)
	const good = `{"ok": true, "results": [{"check": "sshd", "status": "ok", "found": "x"}]}`
	if faults := s.check(t, good); len(faults) > 0 {
		t.Errorf("%q", faults)
	}
	for old, odd := range map[string]string{
		`"ok": true, `:      `"ok": 1, `,
		`"results":`:        `"result":`,
		`{"check": "sshd",`: `{"check": "ssh",`,
		`"status": "ok"`:    `"status": "fine"`,
		`, "found": "x"`:    ``,
		`"found": "x"`:      `"found": "x", "more": "y"`,
		`"found"`:           `"kind": "", "found"`,
		`[{"check": "sshd", "status": "ok", "found": "x"}]`: `[]`,
	} {
		bad := strings.Replace(good, old, odd, 1)
		if faults := s.check(t, bad); bad == good || len(faults) == 0 {
			t.Errorf("passes: %s", bad)
		}
	}
}
