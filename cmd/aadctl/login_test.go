// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/msteinert/pam/v2"
	"github.com/spf13/cobra"
)

func TestRemaining(t *testing.T) {
	for _, test := range []struct {
		n    int
		left time.Duration
		want string
	}{
		{0, 280 * time.Second, "- waiting for the browser, 4:40 left "},
		{5, 61*time.Second + 999*time.Millisecond, `\ waiting for the browser, 1:01 left `},
		{2, 9 * time.Second, "| waiting for the browser, 0:09 left "},
		{3, -time.Second, "/ waiting for the browser, 0:00 left "},
		{0, 15 * time.Minute, "- waiting for the browser, 15:00 left "},
	} {
		if got := remaining(test.n, test.left); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

// The text after the countdown begins on an empty line.
func TestCountdown(t *testing.T) {
	var out bytes.Buffer
	c := &countdown{w: &out, live: true, total: time.Minute}
	c.start()
	c.start() // one line is enough
	c.stop()
	c.stop()
	first := "\r" + remaining(0, time.Minute-time.Nanosecond)
	got := out.String()
	if !strings.HasPrefix(got, first[:len(first)-10]) ||
		!strings.HasSuffix(got, "\r"+strings.Repeat(" ", len(first)-1+2)+"\r") {
		t.Errorf("%q", got)
	}

	out.Reset()
	c.live = false
	if c.start(); out.Len() > 0 {
		t.Errorf("not on a terminal, and yet %q", out.String())
	}
	c.stop()
}

// Scripts distinguish a refusal from an outage.
func TestNotSignedIn(t *testing.T) {
	for err, want := range map[error]int{
		pam.ErrPermDenied: exitNo, pam.ErrAuth: exitNo, pam.ErrAuthinfoUnavail: exitUnreachable,
		pam.ErrService:  exitConfiguration,
		errors.New("x"): exitNo,
	} {
		if f := notSignedIn(err); f.code != want || !strings.HasPrefix(f.what, "login: ") ||
			f.hint == "" {
			t.Errorf("%v: %+v", err, f)
		}
	}
}

// Nothing that is typed here goes to another module.
func TestConversation(t *testing.T) {
	var out, errout bytes.Buffer
	cmd := &cobra.Command{}
	cmd.SetOut(&out)
	cmd.SetErr(&errout)
	c := conversation{cmd: cmd, clock: &countdown{w: &out}}
	for _, test := range []struct {
		style   pam.Style
		refused bool
	}{{pam.PromptEchoOn, false}, {pam.TextInfo, false}, {pam.ErrorMsg, false},
		{pam.PromptEchoOff, true}, {pam.Style(99), true}} {
		if answer, err := c.answer(test.style, "text"); answer != "" ||
			(err != nil) != test.refused {
			t.Errorf("%v: %q, %v", test.style, answer, err)
		}
	}
	if out.String() != "text\ntext\n" || errout.String() != "text\n" {
		t.Errorf("%q, %q", out.String(), errout.String())
	}
}
