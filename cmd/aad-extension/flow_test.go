// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// internal/machine tests the extension with the real programs. These tests are for what a machine
// there cannot show: a limit that runs out, programs that fail at a chosen moment, and the other
// distributions.

func TestEnable(t *testing.T) {
	s := newStage(t)
	s.settings(t, 3, "{"+required+`}`)
	code, b := s.serve(t, "enable", 3)
	if code != 0 || b.Status != success || b.Operation != "Enable" ||
		b.FormattedMessage.Message != "People of contoso.example sign in to this machine with "+
			"Entra ID." {
		t.Errorf("%d, %+v", code, b)
	}
	if p := partNamed(b, service); p.Status != warning ||
		p.FormattedMessage.Message != "openid: no route; open port 443" {
		t.Errorf("%+v", p)
	}
	if p := partNamed(b, "pam"); p.Status != success {
		t.Errorf("%+v", p)
	}
	if s.applied() != 3 || !slices.Contains(s.calls, aadctl+" config apply") ||
		!slices.Contains(s.calls, aadctl+" store relabel") {
		t.Errorf("%d applied, called %q", s.applied(), s.calls)
	}
	// A label that cannot be set is reported, and the command goes on.
	s.answers[aadctl+" store relabel"] = answer{"aadctl: store relabel: not permitted",
		errors.New("exit status 1")}
	code, b = s.serve(t, "enable", 3)
	if p := partNamed(b, "labels"); code != 0 || p.Status != warning ||
		!strings.Contains(p.FormattedMessage.Message, "not permitted") {
		t.Errorf("%d, %+v", code, p)
	}
	delete(s.answers, aadctl+" store relabel")
	// A failure of the machine makes enable fail.
	s.answers[aadctl+" check"] = answer{`{"results":[{"check":"pam","status":"failed",
		"found":"nobody asks us","command":"pam-auth-update"}]}`, nil}
	code, b = s.serve(t, "enable", 3)
	if code != exitFailed || b.Status != failed || partNamed(b, "pam").Code != exitFailed ||
		b.FormattedMessage.Message != "People cannot sign in (pam): nobody asks us: "+
			"pam-auth-update." {
		t.Errorf("%d, %+v", code, b)
	}
	// A check that cannot be run does not.
	s.answers[aadctl+" check"] = answer{"aadctl: it broke", errors.New("exit status 2")}
	if code, b = s.serve(t, "enable", 3); code != 0 || partNamed(b, service).Status != warning {
		t.Errorf("%d, %+v", code, b)
	}
}

// Sequence numbers come again, late, or not at all.
func TestSequence(t *testing.T) {
	s := newStage(t)
	s.settings(t, 5, "{"+required+`,"short_names":true}`)
	s.settings(t, 4, "{"+required+`,"short_names":false}`)
	for _, test := range []struct {
		what     string
		sequence int
	}{{"enable", 5}, {"enable", 5}, {"enable", 4}, {"disable", 4}, {"enable", 4},
		{"enable", 6}, {"enable", 5}} {
		if code, b := s.serve(t, test.what, test.sequence); code != 0 {
			t.Fatalf("%v: %+v", test, b)
		}
		if text := s.config(t); test.what == "enable" &&
			!strings.Contains(text, "short_names = true\n") {
			t.Errorf("after %v: %s", test, text)
		}
	}
	if s.applied() != 6 { // it had no settings of its own
		t.Errorf("applied: %d", s.applied())
	}
	put(t, s.sequenceFile(), "-7 or so")
	if s.applied() != -1 {
		t.Errorf("applied: %d", s.applied())
	}
	for env, want := range map[string]int{"": 5, "4": 4, "-1": 5, "07": 5, "x": 5, "0": 0} {
		s.env["ConfigSequenceNumber"] = env
		if got := s.findSequence(); got != want {
			t.Errorf("%q: %d", env, got)
		}
	}
}

// If settings or file are wrong, nothing changes, and the error says where to correct it.
func TestNothingChanges(t *testing.T) {
	const other = "tenant_id = \"bbbbbbbb-0000-cccc-1111-dddd2222eeee\"\n"
	for _, test := range []struct{ public, file, says string }{
		{"null", "",
			"There are no settings, and no complete configuration on the machine: tenant_id is " +
				"missing."},
		{"null", other,
			"There are no settings, and no complete configuration on the machine: client_id is " +
				"missing."},
		{`{"tenant_id":"aaaabbbb-0000-cccc-1111-dddd2222eeee"}`, "",
			"publicSettings: client_id: is missing. Correct it: set it to"},
		{"{" + required + `,"sign_in":{"timeout":5}}`, "",
			"publicSettings: sign_in.timeout: is a whole number. Correct it: write a duration"},
		{"{" + required + `,"sources":"app-roles"}`, "",
			"publicSettings: sources: is not a key of this file."},
		{"{" + required + `,"authorization":{"source":"app-roles"}}`, "", "publicSettings: cloud:"},
		{"{" + required + `}`, "sign_in.timeout = 5\n",
			"/etc/aad-login/config.toml:1: sign_in.timeout: is a whole number. Mend it on the " +
				"machine:"},
		{"{" + required + `}`, "cloud = \n", "/etc/aad-login/config.toml:1: is not valid TOML"},
		{"[]", "", "1.settings: publicSettings is not an object"},
	} {
		s := newStage(t)
		s.settings(t, 1, test.public)
		if test.file != "" {
			put(t, s.configPath(), test.file)
		}
		for _, what := range []string{"install", "enable", "update"} {
			code, b := s.serve(t, what, 1)
			if code != exitSettings || b.Code != exitSettings ||
				!strings.Contains(strings.ReplaceAll(b.FormattedMessage.Message, s.root, ""),
					test.says) {
				t.Errorf("%s of %s: %d, %s", what, test.public, code, b.FormattedMessage.Message)
			}
			if s.config(t) != test.file || s.applied() != -1 || len(s.calls) > 0 {
				t.Errorf("%s of %s changed %q, ran %q", what, test.public, s.config(t), s.calls)
			}
		}
	}
	s := newStage(t) // a file that others may have written must not become a trusted one
	s.settings(t, 1, "{"+required+"}")
	put(t, s.configPath(), "# of others\n")
	if err := os.Chmod(s.configPath(), 0o666); err != nil {
		t.Fatal(err)
	}
	if code, b := s.serve(t, "enable", 1); code != exitSettings ||
		!strings.Contains(b.FormattedMessage.Message, "can be written by others") {
		t.Errorf("%d, %+v", code, b)
	}
}

// A configuration that cannot be applied is undone.
func TestApplyFails(t *testing.T) {
	for _, before := range []string{"", "# mine\nshort_names = true\n"} {
		s := newStage(t)
		s.settings(t, 1, "{"+required+"}")
		if before != "" {
			put(t, s.configPath(), before)
		}
		s.answers[aadctl+" config apply"] = answer{"aadctl: store: damaged\n\x1b[2J",
			errors.New("exit status 5")}
		code, b := s.serve(t, "enable", 1)
		if code != exitFailed || !strings.Contains(b.FormattedMessage.Message,
			"exit status 5: aadctl: store: damaged | ?[2J") {
			t.Errorf("%d, %+v", code, b)
		}
		if s.config(t) != before || s.applied() != -1 {
			t.Errorf("left behind: %q, %d", s.config(t), s.applied())
		}
	}
}

// Only a newer version leaves a marker for uninstall. It is valid for a limited time and once.
func TestUpdate(t *testing.T) {
	s := newStage(t)
	s.settings(t, 1, "{"+required+"}")
	removes := func() bool {
		t.Helper()
		if code, b := s.serve(t, "uninstall", 1); code != 0 {
			t.Fatalf("%+v", b)
		}
		return slices.Contains(s.calls, dpkg+" --remove aad-login")
	}
	put(t, s.path("/var/lib/dpkg/lock-frontend"), "")
	s.env["AZURE_GUEST_AGENT_EXTENSION_VERSION"] = "2"
	s.env["VERSION"] = "2"
	if code, b := s.serve(t, "update", 1); code != 0 || b.Status != transitioning {
		t.Fatalf("%d, %+v", code, b)
	}
	if removes() {
		t.Error("removed in the middle of an update")
	}
	if !removes() {
		t.Error("not removed after it")
	}
	s.serve(t, "update", 1)
	for _, age := range []time.Duration{markerTTL, -time.Hour} {
		if then := time.Now().Add(-age); os.Chtimes(s.updating(), then, then) != nil || !removes() {
			t.Errorf("word of %v ago holds", age)
		}
	}
	s.env["VERSION"] = "1"
	os.Remove(s.updating())
	if code, _ := s.serve(t, "update", 1); code != 0 || !removes() {
		t.Error("not removed for an older version")
	}

	// An update is refused. The old version goes on, enabled.
	s.serve(t, "enable", 1)
	text := s.config(t)
	s.serve(t, "disable", 1)
	put(t, s.path("/proc/meminfo"), "MemTotal: 500000 kB\n")
	if code, b := s.serve(t, "update", 1); code != exitMissing || s.config(t) != text {
		t.Errorf("%d, %+v, %s", code, b, s.config(t))
	}
}

// When the time is over, the report says so, and all processes of the command have ended.
func TestOutOfTime(t *testing.T) {
	s := newStage(t)
	s.settings(t, 1, "{"+required+"}")
	pid := filepath.Join(t.TempDir(), "pid")
	s.handler.run = func(ctx context.Context, env []string, _ string, _ ...string) (string, error) {
		return runProgram(ctx, env, "/bin/sh", "-c", "trap '' TERM; sleep 1000 & echo $! >"+pid+
			".new; mv "+pid+".new "+pid+"; wait")
	}
	s.sequence = 1
	s.report = &report{path: s.folders.Status + "/1.status", name: "N", now: time.Now}
	s.log = nowhere{}
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		_ = poll(ctx, func() (bool, error) { _, err := os.Stat(pid); return err == nil, nil })
		cancel(nil)
	}()
	var errout bytes.Buffer
	if code := s.handler.serve(ctx, commands["install"], &errout); code != exitFailed ||
		!strings.Contains(errout.String(), "Install was interrupted.") {
		t.Errorf("%d, %s", code, errout.String())
	}
	child, err := os.ReadFile(pid)
	if err != nil {
		t.Fatal(err)
	}
	soon, over := context.WithTimeout(t.Context(), 20*time.Second)
	defer over()
	if err := poll(soon, func() (bool, error) {
		state, err := os.ReadFile("/proc/" + strings.TrimSpace(string(child)) + "/stat")
		return err != nil || strings.Contains(string(state), ") Z "), nil
	}); err != nil {
		t.Errorf("its child goes on: %v", err)
	}
	late, done := context.WithDeadline(t.Context(), time.Now())
	defer done()
	err = outOfTime(late, commands["enable"], errors.New("cause"))
	if !strings.Contains(err.Error(), "Enable was not done within 4m30s: cause") {
		t.Error(err)
	}
}
