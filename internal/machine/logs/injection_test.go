// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/msteinert/pam/v2"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

// strange are texts that a stranger may type as a name, give to the name of an address, or send in
// a server's place.
var strange = map[string]string{
	"a second line":       "x\nsigned-in account=\"root\" uid=\"0\"",
	"another pair":        `x" uid="0" account="root`,
	"a backslash":         `x\" uid="0`,
	"ANSI":                "x\x1b[1A\x1b[2K\x1b]0;owned\x07",
	"C1":                  "x\u009b2J\x9b2J",
	"right to left":       "x\u202etoor\u2066",
	"invisible":           "x\u200b\u3164\ufe0f\u00ad",
	"tab and return":      "x\ty\rz",
	"not UTF-8":           "x\xff\xfe\xc0\xaf\xed\xa0\x80",
	"a format":            "%s%n%100000d",
	"very long":           strings.Repeat("x", 1000),
	"very long and worse": strings.Repeat("\x1b\n", 500),
	"line separators":     "x\u2028y\u2029z\u0085",
}

// pairsOf reads a line back as a log collector would. It fails unless the line is verb key="value"
// … in printable ASCII.
func pairsOf(t *testing.T, line string) map[string]string {
	t.Helper()
	_, said, _ := strings.Cut(line, "): ")
	if strings.ContainsFunc(said, func(r rune) bool { return r < ' ' || r > '~' }) {
		t.Fatalf("unclean: %q", line)
	}
	_, rest, _ := strings.Cut(said, " ")
	pairs := map[string]string{}
	for rest != "" {
		key, value, _ := strings.Cut(rest, "=")
		quoted, err := strconv.QuotedPrefix(value)
		if err != nil {
			t.Fatalf("%q: at %q: %v", line, rest, err)
		}
		if _, twice := pairs[key]; twice || strings.Trim(key, "abcdefghijklmnopqrstuvwxyz_") != "" {
			t.Fatalf("%q: key %q", line, key)
		}
		pairs[key], _ = strconv.Unquote(quoted)
		rest = strings.TrimPrefix(value[len(quoted):], " ")
	}
	return pairs
}

// is reports whether got is the value, or the beginning of a long one.
func is(got, want string) bool {
	begin, cut := strings.CutSuffix(got, "...")
	return got == want || cut && len(want) > 200 && strings.HasPrefix(want, begin)
}

// harmless checks that texts that are shown drive no terminal and hide nothing.
func harmless(t *testing.T, texts ...string) {
	t.Helper()
	hidden := unicode.Other_Default_Ignorable_Code_Point
	harmful := func(r rune) bool {
		return r == unicode.ReplacementChar ||
			r != '\n' && (!unicode.IsPrint(r) || unicode.Is(hidden, r))
	}
	for _, text := range texts {
		if strings.ContainsFunc(text, harmful) {
			t.Errorf("shown: %q", text)
		}
	}
}

// Names and remote hosts make one line, in which both can be read back exactly, whether the worker
// or the door writes it. Without a store the domains are unknown, so any name with an @ gets that
// far.
func TestStrangeNames(t *testing.T) {
	rig.Edit(t, rig.StoreFile, func(string) []byte { return nil })
	for name, text := range strange {
		for _, arguments := range []string{"config=/nonexistent", "config=relative"} {
			t.Run(name+" "+arguments, func(t *testing.T) {
				mark, user := rig.Syslog.Mark(), text+"@contoso.example"
				h := rig.NewHost(t, user, arguments)
				if err := h.Tx.SetItem(pam.Rhost, text); err != nil {
					t.Fatal(err)
				}
				if err := h.Tx.Authenticate(0); !errors.Is(err, pam.ErrService) {
					t.Errorf("%v", err)
				}
				harmless(t, h.Told...)
				logged := rig.OneLine(t, mark, `failed reason="configuration-error"`)
				pairs := pairsOf(t, logged)
				if !is(pairs["account"], user) || !is(pairs["rhost"], text) || pairs["uid"] != "" {
					t.Errorf("%q became %q", user, logged)
				}
			})
		}
	}
}

// The text of a server gets into the prompt, the sentence and the log.
func TestStrangeAnswers(t *testing.T) {
	const user = "user@contoso.example"
	var all []string
	for _, text := range strange {
		all = append(all, text)
		strangeAnswer(t, user, emulator.Fault{
			Endpoint: "devicecode", Status: 400, Body: oauthAnswer(t, text),
		})
		strangeAnswer(t, user, emulator.Fault{Endpoint: "devicecode", Body: oauthAnswer(t, text)})
	}
	slices.Sort(all)
	text := strings.Join(all, "") // these two wait a second for the browser
	strangeAnswer(t, user, emulator.Fault{
		Endpoint: "token", Status: 400, Body: oauthAnswer(t, text),
	})
	message, err := json.Marshal(map[string]any{
		"error": map[string]any{"code": text, "message": text},
	})
	if err != nil {
		t.Fatal(err)
	}
	strangeAnswer(t, user, emulator.Fault{
		Endpoint: "checkaccess", Status: 403, Body: string(message),
		Header: map[string]string{"x-ms-correlation-request-id": `x" uid="0" y="\`},
	})
}

// oauthAnswer returns an answer with the text in every member of RFC 8628 and Entra ID.
func oauthAnswer(t *testing.T, text string) string {
	t.Helper()
	answer := map[string]any{"error_codes": []int{50076}, "expires_in": 900, "interval": 1}
	for _, name := range []string{
		"error", "error_description", "correlation_id", "trace_id", "suberror", "message",
		"user_code", "device_code", "verification_uri", "verification_uri_complete",
	} {
		answer[name] = text
	}
	body, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func strangeAnswer(t *testing.T, user string, fault emulator.Fault) {
	t.Helper()
	rig.Entra.Fail(fault)
	defer rig.Entra.Heal()
	mark := rig.Syslog.Mark()
	h := rig.NewHost(t, user, "")
	h.Prompt = rig.As(user)
	if err := h.Tx.Authenticate(0); err == nil {
		t.Errorf("%+v: signed in", fault)
	}
	harmless(t, h.Told...)
	harmless(t, h.Prompts...)
	logged := rig.Lines(t, mark)
	if len(logged) != 1 || len(h.Told)+len(h.Prompts) == 0 {
		t.Fatalf("%+v: logged %q, told %q, prompted %q", fault, logged, h.Told, h.Prompts)
	}
	if pairs := pairsOf(t, logged[0]); pairs["account"] != user || pairs["uid"] == "0" {
		t.Errorf("%+v became %q", fault, logged[0])
	}
}
