// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package pasted

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// A part is
//
//	i/n.KTAG.SUM.data;
//
// It is part i of n, of kind K; t and c are T and C in their plain form. TAG is the beginning of
// the attempt's challenge. SUM is the beginning of the digest of "i/n.KTAG." and data, so that a
// part which lost something on its way is noticed. The semicolon shows where a part ends and the
// next begins.
const (
	MaxAnswer = 8 << 10  // what one prompt is answered with
	maxData   = 64 << 10 // of all parts
	maxParts  = 20
)

type part struct {
	i, n int
	kind byte // T, t, C or c
	tag  string
	data string
}

// Expressions are compiled only in the sign-ins that need them.
var shape = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([1-9][0-9]?)/([1-9][0-9]?)\.([TtCc])([A-Za-z0-9_-]{4})\.([A-Za-z0-9_-]{6})\.([A-Za-z0-9._~-]+)$`)
})

// begun finds the beginning of a part. A text without one was never a part, although it may have a
// slash: an address, or a password.
var begun = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`[0-9]/[1-9][0-9]?\.[TtCc]`)
})

// parse reads a part without its semicolon. It ignores what stands before the part, from a paste
// that was cut.
func parse(piece string) (p part, whole bool) {
	slash := strings.LastIndexByte(piece, '/') // the data has none
	for back := 1; back <= min(2, slash); back++ {
		m := shape().FindStringSubmatch(piece[slash-back:])
		if m == nil || digest(m[1] + "/" + m[2] + "." + m[3] + m[4] + "." + m[6])[:6] != m[5] {
			continue
		}
		p = part{kind: m[3][0], tag: m[4], data: m[6]}
		p.i, _ = strconv.Atoi(m[1]) // two digits fit
		p.n, _ = strconv.Atoi(m[2])
		return p, p.i <= p.n && p.n <= maxParts
	}
	return part{}, false
}

// Parts collects the answer to one attempt. Its parts may come in any order, and more than once.
type Parts struct {
	attempt *Attempt
	kind    byte
	data    []string // by number; "": not here yet
}

// Format keeps what was pasted out of logs, whatever the verb.
func (Parts) Format(f fmt.State, _ rune) { io.WriteString(f, "pasted.Parts") }

// Parts returns an empty collection.
func (a *Attempt) Parts() *Parts { return &Parts{attempt: a} }

// Received says what one answer held. Its zero value is an empty answer, which a line break after a
// paste makes.
type Received struct {
	New     []int // numbers of parts that are new
	Again   []int // numbers of parts that were here already
	Anew    bool  // the page was used twice, and its first parts are dropped
	Other   bool  // a part of another attempt
	Damaged bool  // a part with something missing in it
	Cut     bool  // the end of a part is missing
	Strange bool  // something that the page does not show
	Length  int   // characters that came
}

// brackets are what a terminal puts around a paste for programs that asked for it. The escape
// character may be missing.
var brackets = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile("\x1b?\\[20[01]~")
})

// Add takes the good parts of an answer. Parts that are here already stay, whatever else came.
func (p *Parts) Add(answer []byte) (f Received) {
	answer = answer[:min(len(answer), MaxAnswer)]
	text := string(bytes.Map(visible, brackets().ReplaceAll(answer, nil)))
	f.Length = utf8.RuneCountInString(text)
	for text != "" {
		piece, rest, ended := strings.Cut(text, ";")
		text = rest
		switch got, whole := parse(piece); {
		case ended && whole:
			p.add(got, &f)
		case ended:
			f.Damaged = f.Damaged || piece != ""
		case begun().MatchString(piece), f.New != nil, f.Again != nil, f.Other:
			f.Cut = true
		default:
			f.Strange = true
		}
	}
	return f
}

// visible drops what no part holds and nobody sees: blanks, line breaks and control characters, and
// those that mail and chat programs put into long words, such as the zero-width space.
func visible(r rune) rune {
	if unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
		return -1
	}
	return r
}

func (p *Parts) add(got part, f *Received) {
	switch {
	case got.tag != p.attempt.challenge[:len(got.tag)]:
		f.Other = true
		return
	case Kind(strings.ToUpper(string(got.kind))[0]) != p.attempt.Kind:
		f.Damaged = true
		return
	case p.data == nil:
		p.begin(got)
	case got.kind != p.kind || got.n != len(p.data) ||
		p.data[got.i-1] != "" && p.data[got.i-1] != got.data:
		f.Anew, f.New, f.Again = true, nil, nil
		p.begin(got)
	}
	if p.data[got.i-1] != "" {
		f.Again = append(f.Again, got.i)
		return
	}
	if len(strings.Join(p.data, ""))+len(got.data) > maxData {
		f.Damaged = true
		return
	}
	p.data[got.i-1] = got.data
	f.New = append(f.New, got.i)
}

func (p *Parts) begin(got part) { p.kind, p.data = got.kind, make([]string, got.n) }

// Drop forgets all parts.
func (p *Parts) Drop() { p.data = nil }

// Total returns how many parts there are, or 0 before the first has come.
func (p *Parts) Total() int { return len(p.data) }

// Missing returns the numbers of the parts that have not come yet.
func (p *Parts) Missing() (all []int) {
	for i, data := range p.data {
		if data == "" {
			all = append(all, i+1)
		}
	}
	return all
}

// Complete reports whether all parts have come.
func (p *Parts) Complete() bool { return p.Total() > 0 && p.Missing() == nil }
