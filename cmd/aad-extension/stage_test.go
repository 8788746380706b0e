// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A stage is a handler on a machine of a few files and stand-ins for programs.
type stage struct {
	*handler
	calls   []string
	answers map[string]answer // by the beginning of the command line
	env     map[string]string
}

type answer struct {
	said string
	err  error
}

func newStage(t *testing.T) *stage {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("config.toml is believed of root only")
	}
	base := t.TempDir()
	s := &stage{answers: map[string]answer{
		"/usr/bin/dpkg-deb -f":                         {"0.1.0", nil},
		"/usr/bin/dpkg-query -W -f ${db:Status-Eflag}": {"ok installed 0.1.0\n", nil},
		"/usr/bin/dpkg --compare-versions":             {"", errors.New("cannot be compared")},
		aadctl + " check": {`{"ok":true,"results":[{"check":"pam","status":"ok","found":"it asks us"},
			{"check":"openid","status":"failed","found":"no route","fix":"open port 443"}]}` +
			"\naadctl: check: failed: 1\n", errors.New("exit status 4")},
	}, env: map[string]string{}}
	s.handler = &handler{
		base: base, folders: folders{"N", base + "/config", base + "/status", base + "/log"},
		getenv: func(name string) string { return s.env[name] },
		host: hostBelow(t, map[string]string{"/etc/os-release": "ID=debian\nVERSION_ID=12\n",
			"/proc/meminfo": "MemTotal: 2000000 kB\n"}),
	}
	s.handler.run = s.answer
	put(t, base+"/packages/aad-login_0.1.0_amd64.deb", "")
	put(t, s.path("/etc/aad-login/keep"), "")
	for _, dir := range []string{"config", "status", "log"} {
		if err := os.Mkdir(filepath.Join(base, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s.answers["/usr/bin/dpkg --compare-versions"] = answer{"", nil}
	s.answers["/usr/bin/dpkg --compare-versions 0.1.0 gt 0.1.0"] = answer{"", exitStatus(t, 1)}
	return s
}

func (s *stage) answer(ctx context.Context, _ []string, program string,
	args ...string) (string, error) {
	line := strings.Join(append([]string{program}, args...), " ")
	s.calls = append(s.calls, line)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	best := ""
	for prefix := range s.answers {
		if strings.HasPrefix(line, prefix) && len(prefix) >= len(best) {
			best = prefix
		}
	}
	return s.answers[best].said, s.answers[best].err
}

// exitStatus returns the error of a program with this exit status.
func exitStatus(t *testing.T, n int) error {
	t.Helper()
	_, err := runProgram(t.Context(), nil, "/bin/sh", "-c", fmt.Sprint("exit ", n))
	if status(err) != n {
		t.Fatal(err)
	}
	return err
}

// serve runs a command with a sequence number, and returns its exit status and report.
func (s *stage) serve(t *testing.T, what string, sequence int) (int, statusBody) {
	t.Helper()
	s.sequence, s.calls = sequence, nil
	s.report = &report{path: fmt.Sprintf("%s/%d.status", s.folders.Status, sequence), name: "N",
		now: time.Now}
	s.log = openLog(s.folders.Log)
	defer s.log.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var errout bytes.Buffer
	code := s.handler.serve(ctx, commands[what], &errout)
	var all []statusFile
	text, err := os.ReadFile(s.report.path)
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil || len(all) != 1 || all[0].Version != 1 || (code == 0) != (errout.Len() == 0) ||
		all[0].Status.Name != "N" {
		t.Fatalf("%v: %s; said %q, exit status %d", err, text, errout.String(), code)
	}
	return code, all[0].Status
}

func (s *stage) settings(t *testing.T, sequence int, public string) {
	put(t, fmt.Sprintf("%s/%d.settings", s.folders.Config, sequence), around(public))
}

func (s *stage) config(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(s.configPath())
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(text)
}

func partNamed(b statusBody, name string) statusPart {
	for _, p := range b.Substatus {
		if p.Name == name {
			return p
		}
	}
	return statusPart{}
}
