// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strconv"
	"time"

	"aadlogin/internal/config"
	"aadlogin/internal/doctor"
	"aadlogin/internal/signin"
)

// A walk tries sign-ins in the tenant with a person at a browser. It talks to the person on
// standard error. Standard output is for findings alone, as --json requires.
type walk struct {
	say   io.Writer
	lines <-chan string // typed on the terminal; nil without a terminal
}

// examineTenant runs "check --tenant".
func (o *options) examineTenant(ctx context.Context, in io.Reader, say io.Writer,
	tell func([]doctor.Finding)) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	w := &walk{say: say}
	if isTerminal(in) {
		w.lines = linesOf(in)
	}
	o.tryTenant(ctx, w, tell)
}

func (o *options) tryTenant(ctx context.Context, w *walk, tell func([]doctor.Finding)) {
	c, err := config.Load(o.config)
	if err != nil {
		tell([]doctor.Finding{brokenConfiguration(err)})
		return
	}
	tell([]doctor.Finding{{Check: "configuration", Status: doctor.OK,
		Found: o.config + " can be used"}})
	h := &doctor.Host{Config: c, ConfigPath: o.config}
	probe := h.Tenant(ctx, tell)
	if probe == nil {
		return
	}
	if c.SignIn.Flow == config.DeviceCode {
		tell(h.JudgeTenant(w.through(ctx, probe, doctor.Forms(c))))
	}
	if c.SignIn.Page != "" {
		tell(h.JudgePages(w.byPage(ctx, probe, doctor.PageTrials(c))))
	}
}

// linesOf sends the lines that are typed. It reads until the program ends.
func linesOf(in io.Reader) <-chan string {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(in); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	return lines
}

func (w *walk) through(ctx context.Context, probe *signin.Probe,
	forms []string) (trials []doctor.Trial) {
	fmt.Fprintf(w.say,
		"Sign in once with each of %d codes, in a private window and as somebody who should be "+
			"let in.\n", len(forms))
	if w.lines != nil {
		fmt.Fprintln(w.say,
			"If the page shows an error, type its number and ENTER. ENTER alone skips a code, "+
				"Ctrl-C those that are left.")
	}
	for n, scope := range forms {
		if ctx.Err() != nil {
			trials = append(trials, doctor.Trial{Scope: scope})
			continue
		}
		what := "scope " + scope
		if scope == "" {
			what = "no scope"
		}
		fmt.Fprintf(w.say, "\n%d of %d, %s:\n", n+1, len(forms), what)
		trials = append(trials, w.once(ctx, probe, scope))
	}
	fmt.Fprintln(w.say)
	return trials
}

var errorNumber = regexp.MustCompile(`^\s*(?:AADSTS)?([0-9]{4,9})\s*$`)

// once tries one code. The trial ends when the browser is done, the code expires, or a line is
// typed.
func (w *walk) once(ctx context.Context, probe *signin.Probe, scope string) doctor.Trial {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w.forget()
	done := make(chan doctor.Trial, 1)
	go func() {
		granted, err := probe.Try(ctx, scope, func(page, code string) {
			fmt.Fprintf(w.say, "  open %s and enter the code %s\n", page, code)
		})
		done <- doctor.Trial{Scope: scope, Done: !signin.Unfinished(err),
			Granted: granted, Err: err}
	}()
	lines := w.lines
	for {
		select {
		case t := <-done:
			w.report(t)
			return t
		case line, open := <-lines:
			if !open { // the terminal is gone, and only the browser can end the trial
				lines = nil
				continue
			}
			cancel()
			t := <-done
			if m := errorNumber.FindStringSubmatch(line); m != nil && !t.Done {
				t.Page, _ = strconv.Atoi(m[1]) // nine digits fit
				t.Done, t.Err = true, nil
			}
			w.report(t)
			return t
		}
	}
}

// forget drops lines that were typed too late for the last code.
func (w *walk) forget() {
	for {
		select {
		case _, open := <-w.lines:
			if !open {
				w.lines = nil
			}
		default:
			return
		}
	}
}

func (w *walk) report(t doctor.Trial) {
	said := "not tried to the end"
	switch {
	case t.Page != 0:
		said = fmt.Sprintf("refused, AADSTS%d", t.Page)
	case t.Done && t.Err == nil:
		said = "accepted"
	case t.Done:
		said = "refused, " + signin.ExplainError(t.Err).Number
	}
	fmt.Fprintf(w.say, "  %s (%s)\n", said, time.Now().Format(time.TimeOnly))
}
