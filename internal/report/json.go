// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
)

// WriteJSON writes the report for programs: one object, whose keys are in aadctl(8). Redacted has
// the same effect as in Write.
func (r *Report) WriteJSON(to io.Writer) error {
	v, w := view{r}, &jsonWriter{w: bufio.NewWriter(to)}
	w.put("{", "made", r.Made.UTC())
	w.put(",", "about", r.Only)
	w.put(",", "redacted", r.Redacted != nil)
	w.put(",", "machine", v.machine())
	w.put(",", "settings", r.Settings)
	w.put(",", "checks", v.checks())
	w.put(",", "sign_ins", v.signIns())
	w.text(`,"accounts":`)
	v.writeAccounts(w)
	w.text("}\n")
	w.keep(w.w.Flush())
	return w.err
}

// writeAccounts writes accounts one by one, since there may be many.
func (v view) writeAccounts(w *jsonWriter) {
	w.put("{", "total", v.Accounts.Total)
	w.put(",", "shown", v.Accounts.Shown)
	if v.Accounts.Problem != "" {
		w.put(",", "problem", v.storeProblem())
	}
	w.text(`,"list":[`)
	if v.Accounts.All != nil {
		between := ""
		for a := range v.Accounts.All {
			w.text(between)
			w.value(v.account(a))
			between = ","
		}
	}
	w.text("]}")
}

// jsonWriter remembers the first error.
type jsonWriter struct {
	w   *bufio.Writer
	err error
}

func (w *jsonWriter) keep(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *jsonWriter) text(s string) {
	_, err := w.w.WriteString(s)
	w.keep(err)
}

func (w *jsonWriter) value(v any) {
	text, err := Printable(v)
	w.keep(err)
	w.text(text)
}

func (w *jsonWriter) put(before, key string, v any) {
	w.text(fmt.Sprintf("%s%q:", before, key))
	w.value(v)
}

// Printable returns a value as JSON that cannot drive a terminal. JSON has an escape for every
// character.
func Printable(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, c := range string(text) {
		if unicode.IsPrint(c) {
			b.WriteRune(c)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, c) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String(), nil
}
