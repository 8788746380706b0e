// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package internal

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	onMachine = "internal/machine/"
	rig       = onMachine + "rig"
)

// What acts as root on the machine it runs on is for the tests of the machine. Their packages have
// nothing to import besides: each is a doc.go and tests.
func TestRigIsForTestsOfTheMachine(t *testing.T) {
	users, programs := 0, []string{onMachine + "loglines", onMachine + "progress"}
	for _, f := range files(t) {
		if strings.HasPrefix(f.dir, onMachine) && f.dir != rig && !f.test &&
			filepath.Base(f.path) != "doc.go" && !slices.Contains(programs, f.dir) {
			t.Errorf("%s is no test", f.path)
		}
		for _, path := range f.imports() {
			if !strings.HasPrefix(path, module+onMachine) {
				continue
			}
			users++
			if path != module+rig || !f.test || !strings.HasPrefix(f.dir, onMachine) {
				t.Errorf("%s imports %s", f.path, path)
			}
		}
	}
	if users == 0 {
		t.Error("nobody imports the rig")
	}
}

// Each script of "make" has the name of its target, and each target that needs a machine its
// script.
func TestScriptsOfMake(t *testing.T) {
	text, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	makefile := strings.ReplaceAll(string(text), "\\\n", "")
	_, targets, _ := strings.Cut(makefile, "\n.PHONY: ")
	scripts, err := os.ReadDir("machine/make")
	if err != nil || len(scripts) == 0 {
		t.Fatal(scripts, err)
	}
	for _, script := range scripts {
		if !slices.Contains(strings.Fields(targets), script.Name()) {
			t.Errorf("make %s is no target", script.Name())
		}
	}
	var run []string
	for _, m := range regexp.MustCompile(`internal/machine/make/([a-z-]+)`).
		FindAllStringSubmatch(makefile, -1) {
		run = append(run, m[1])
	}
	if rule := regexp.MustCompile(`(?m)^([a-z -]+):\n\t.*internal/machine/make/\$@$`).
		FindStringSubmatch(makefile); rule != nil {
		run = append(run, strings.Fields(rule[1])...)
	}
	for _, target := range run {
		if !slices.ContainsFunc(scripts, func(s fs.DirEntry) bool { return s.Name() == target }) {
			t.Errorf("there is no script for make %s", target)
		}
	}
	for _, script := range scripts {
		if !slices.Contains(run, script.Name()) {
			t.Errorf("no target runs %s", script.Name())
		}
	}
}
