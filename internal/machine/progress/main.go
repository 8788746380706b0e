// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Progress reads the output of "go test -json" from its standard input, and prints a line for each
// package that has ended, the whole output of each test that failed, and every half minute which
// tests are running. It ends with status 1 if anything failed.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// An event is a line of "go doc test2json". ImportPath belongs to the events of "go help
// buildjson".
type event struct {
	Action, Package, ImportPath, Test, Output string
	Elapsed                                   float64
}

// every is the time between two lines about running tests.
const every = 30 * time.Second

func main() {
	lines := make(chan []byte)
	go func() {
		read(os.Stdin, lines)
		close(lines)
	}()
	r := &run{
		out: os.Stdout, output: map[string]*strings.Builder{}, running: map[string]time.Time{},
	}
	tick := time.NewTicker(every)
	for {
		select {
		case line, more := <-lines:
			if !more {
				os.Exit(r.status)
			}
			r.line(line, time.Now())
		case now := <-tick.C:
			r.still(now)
		}
	}
}

func read(file io.Reader, lines chan<- []byte) {
	in := bufio.NewReader(file)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			lines <- line
		}
		if err != nil {
			return
		}
	}
}

// A run holds what has been read so far. The key of a test is its package and name; the key of a
// package is its path and a blank.
type run struct {
	out     io.Writer
	output  map[string]*strings.Builder
	running map[string]time.Time
	status  int
}

func (r *run) line(line []byte, now time.Time) {
	var e event
	if json.Unmarshal(line, &e) != nil {
		r.out.Write(line) // of a program that does not know of -json
		return
	}
	name := strings.TrimPrefix(e.Package, "aadlogin/") + " " + e.Test
	switch e.Action {
	case "build-output":
		fmt.Fprint(r.out, e.Output)
	case "run", "cont":
		r.running[name] = now
	case "pause": // until the tests that run exclusively have ended
		delete(r.running, name)
	case "output":
		if r.output[name] == nil {
			r.output[name] = new(strings.Builder)
		}
		r.output[name].WriteString(e.Output)
	case "build-fail", "fail":
		r.status = 1
		r.ended(name, e, true)
	case "pass", "skip":
		r.ended(name, e, false)
	}
}

func (r *run) ended(name string, e event, failed bool) {
	if failed && r.output[name] != nil {
		fmt.Fprint(r.out, r.output[name])
	}
	if e.Test == "" && e.Package != "" && e.Action != "skip" {
		result := map[bool]string{false: "ok", true: "FAIL"}[failed]
		fmt.Fprintf(r.out, "%-4s %6.1f s  %s\n", result, e.Elapsed, strings.TrimSpace(name))
	}
	delete(r.output, name)
	delete(r.running, name)
}

// still prints the running tests: the test, instead of the test and its subtests.
func (r *run) still(now time.Time) {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(r.running)) {
		if _, test, _ := strings.Cut(name, " "); !strings.Contains(test, "/") {
			names = append(names,
				fmt.Sprintf("%s (%.0f s)", name, now.Sub(r.running[name]).Seconds()))
		}
	}
	if len(names) > 0 {
		fmt.Fprintln(r.out, "…    "+strings.Join(names, ", "))
	}
}
