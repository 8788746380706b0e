// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// A keyboard answers the prompts of a sign-in with a browser's answer. The rules of this terminal:
//
//   - nothing is asked for before a prompt has named the sign-in page, because until then another
//     module asks;
//   - text that is pasted at a prompt without echo is not shown, and the terminal is restored in
//     every case;
//   - if the person has a browser here, the first ENTER alone opens the page in it, and is not
//     passed on.
type keyboard struct {
	page    string // sign_in.page; "" if people type nothing
	in      io.Reader
	out     io.Writer
	desktop *desktop // nil: no browser can be started

	begun bool
	lines <-chan string
}

var (
	errNotOurs = errors.New("another module asks for a password")
	errNoLine  = errors.New("nobody is there to paste the answer")
	errSignal  = errors.New("interrupted")
)

// to shows a prompt and returns the typed answer.
func (k *keyboard) to(text string, echo bool) (string, error) {
	address := addressIn(text, k.page)
	switch {
	case address != "":
		k.begun = true
	case !k.begun:
		return "", errNotOurs
	}
	if k.lines == nil {
		k.lines = linesOf(k.in)
	}
	if !echo {
		defer hidden(k.in, k.out)() // before anybody sees the prompt and types
	}
	opens := address != "" && k.desktop != nil
	if opens {
		fmt.Fprintln(k.out, "ENTER alone opens the page in your browser.")
	}
	fmt.Fprint(k.out, text)
	line, err := k.line()
	if err == nil && line == "" && opens {
		said := "The page opens in your browser."
		if err := k.desktop.open(address); err != nil {
			said = fmt.Sprintf("The browser could not be started (%v): open the address yourself.",
				err)
		}
		fmt.Fprint(k.out, "\n"+said+"\n"+text[strings.LastIndexByte(text, '\n')+1:])
		line, err = k.line()
	}
	return line, err
}

// line waits for a line or a signal. libpam, which would see the signal, waits for us.
func (k *keyboard) line() (string, error) {
	came := make(chan os.Signal, 1)
	signal.Notify(came, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(came)
	select {
	case line, open := <-k.lines:
		if !open {
			return "", errNoLine
		}
		return line, nil
	case <-came:
		return "", errSignal
	}
}

// hidden switches off the terminal's echo, and returns the function that switches it on again.
func hidden(in io.Reader, out io.Writer) (shown func()) {
	f, ok := in.(*os.File)
	if !ok {
		return func() {}
	}
	before, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return func() {} // in is no terminal
	}
	quiet := *before
	quiet.Lflag &^= unix.ECHO
	unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, &quiet)
	return func() {
		unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, before)
		fmt.Fprintln(out) // the newline that was typed was not shown
	}
}

// addressIn returns the line of a prompt that opens the page with the values of an attempt, or ""
// if there is none.
func addressIn(text, page string) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\r\n"); page != "" &&
			strings.HasPrefix(line, page+"#") && !strings.ContainsAny(line, " \t") {
			return line
		}
	}
	return ""
}
