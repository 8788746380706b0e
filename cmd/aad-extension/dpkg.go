// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A debs is the package manager dpkg.
type debs struct{ host }

const dpkg = "/usr/bin/dpkg"

func (d debs) state(ctx context.Context) (string, bool, error) {
	said, err := d.run(ctx, nil, "/usr/bin/dpkg-query", "-W", "-f",
		"${db:Status-Eflag} ${db:Status-Status} ${Version}\n", packageName)
	if status(err) == 1 { // the package is unknown
		return "", false, nil
	}
	fields := strings.Fields(said)
	if err != nil || len(fields) < 2 {
		return "", false, commandError("dpkg-query", said, err)
	}
	switch flag, state := fields[0], fields[1]; {
	case state == "not-installed" || state == "config-files":
		return "", false, nil
	case len(fields) < 3: // half-installed, for the first time
		return "unknown", false, nil
	default:
		return fields[2], state == "installed" && flag == "ok", nil
	}
}

func (d debs) present(ctx context.Context, names []string) ([]string, error) {
	all, err := d.installed(ctx)
	var there []string
	for _, name := range names {
		if _, ok := all[name]; ok {
			there = append(there, name)
		}
	}
	return there, err
}

// installed returns the version of every installed package, and of the packages that it provides
// with a version.
func (d debs) installed(ctx context.Context) (map[string]string, error) {
	said, err := d.run(ctx, nil, "/usr/bin/dpkg-query", "-W", "-f",
		"${db:Status-Status}\t${Package}\t${Version}\t${Provides}\n")
	if err != nil {
		return nil, commandError("dpkg-query", said, err)
	}
	all := make(map[string]string)
	for line := range strings.Lines(said) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) != 4 || fields[0] != "installed" {
			continue
		}
		all[fields[1]] = fields[2]
		for provided := range strings.SplitSeq(fields[3], ",") {
			name, relation := parseRelation(provided)
			if _, own := all[name]; !own && name != "" {
				all[name] = strings.TrimPrefix(relation, "= ")
			}
		}
	}
	return all, nil
}

// parseRelation splits "name:any (>= 1) [arch]" into a name and ">= 1".
func parseRelation(s string) (name, relation string) {
	s, _, _ = strings.Cut(s, "[")
	name, relation, _ = strings.Cut(s, "(")
	name, _, _ = strings.Cut(strings.TrimSpace(name), ":")
	return name, strings.TrimSpace(strings.TrimRight(strings.TrimSpace(relation), ")"))
}

func (d debs) version(ctx context.Context, file string) (string, error) {
	return d.field(ctx, file, "Version")
}

func (d debs) field(ctx context.Context, file, name string) (string, error) {
	said, err := d.run(ctx, nil, "/usr/bin/dpkg-deb", "-f", file, name)
	if err != nil {
		return "", commandError("dpkg-deb", said, err)
	}
	return strings.TrimSpace(said), nil
}

func (d debs) newer(ctx context.Context, a, b string) (bool, error) {
	return d.compare(ctx, a, "gt", b)
}

func (d debs) compare(ctx context.Context, a, relation, b string) (bool, error) {
	said, err := d.run(ctx, nil, dpkg, "--compare-versions", a, relation, b)
	if err != nil && status(err) != 1 {
		return false, commandError("dpkg --compare-versions", said, err)
	}
	return err == nil, nil
}

// missing evaluates Depends and Pre-Depends. dpkg itself notices a missing dependency only after it
// has unpacked everything.
func (d debs) missing(ctx context.Context, file string) ([]string, error) {
	all, err := d.installed(ctx)
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, field := range []string{"Pre-Depends", "Depends"} {
		needs, err := d.field(ctx, file, field)
		if err != nil {
			return nil, err
		}
		for need := range strings.SplitSeq(needs, ",") {
			need = strings.TrimSpace(need)
			met, err := d.met(ctx, all, need)
			if err != nil {
				return nil, err
			}
			if need != "" && !met && !slices.Contains(missing, need) {
				missing = append(missing, need)
			}
		}
	}
	return missing, nil
}

// met reports whether one of the alternatives is installed.
func (d debs) met(ctx context.Context, all map[string]string, need string) (bool, error) {
	for alternative := range strings.SplitSeq(need, "|") {
		name, relation := parseRelation(alternative)
		version, there := all[name]
		operator, wanted, versioned := strings.Cut(relation, " ")
		if !there || versioned && version == "" {
			continue
		}
		if !versioned {
			return true, nil
		}
		if ok, err := d.compare(ctx, version, operator, wanted); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// install keeps the administrator's config.toml and other changed files without asking.
func (d debs) install(ctx context.Context, file string) error {
	return d.runLocked(ctx, "--force-confold", "--install", file)
}

func (d debs) remove(ctx context.Context) error { return d.runLocked(ctx, "--remove", packageName) }

// runLocked waits for the lock of dpkg's front ends, and holds it while dpkg runs. dpkg itself does
// not wait. https://wiki.debian.org/Teams/Dpkg/Spec/FrontendLock
func (d debs) runLocked(ctx context.Context, args ...string) error {
	lock, err := os.OpenFile(d.path("/var/lib/dpkg/lock-frontend"), os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return err
	}
	defer lock.Close()
	waiting, cancel := withMargin(ctx)
	defer cancel()
	var who string
	err = poll(waiting, func() (bool, error) {
		err := syscall.FcntlFlock(lock.Fd(), syscall.F_SETLK,
			&syscall.Flock_t{Type: syscall.F_WRLCK})
		who = holder(lock)
		if err == nil {
			who = d.orphan()
		}
		return err == nil && who == "", ignore(err, syscall.EAGAIN, syscall.EACCES, syscall.EINTR)
	})
	if err != nil {
		return &failure{exitFailed, "Another program" + who +
			" is installing packages, and did not end in time.", "Try again when it has."}
	}
	said, err := d.run(ctx, []string{"DPKG_FRONTEND_LOCKED=1"}, dpkg, args...)
	if err != nil {
		return commandError("dpkg "+args[len(args)-2], said, err)
	}
	return nil
}

// orphan names a dpkg that goes on although its caller, which held the front ends' lock, is gone.
func (d debs) orphan() string {
	lock, err := os.Open(d.path("/var/lib/dpkg/lock"))
	if err != nil {
		return ""
	}
	defer lock.Close()
	return holder(lock)
}

// holder names another process that holds the lock.
func holder(lock *os.File) string {
	l := syscall.Flock_t{Type: syscall.F_WRLCK}
	if syscall.FcntlFlock(lock.Fd(), syscall.F_GETLK, &l) != nil || l.Type == syscall.F_UNLCK ||
		l.Pid <= 0 {
		return ""
	}
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", l.Pid))
	return fmt.Sprintf(" (process %d, %s)", l.Pid, strings.TrimSpace(printable(string(name))))
}

// margin is the longest time that an installation itself takes. Waiting for others ends that much
// earlier.
const margin = 90 * time.Second

func withMargin(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, end.Add(-margin))
}
