// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
)

// An rpms is the package manager rpm. It waits for other installations by itself.
type rpms struct{ host }

const rpm = "/usr/bin/rpm"

func (r rpms) state(ctx context.Context) (string, bool, error) {
	said, err := r.run(ctx, nil, rpm, "-q", "--qf", "%{VERSION}-%{RELEASE}\n", packageName)
	if err == nil {
		return strings.TrimSpace(said), true, nil
	}
	if there, absent := split(said, []string{packageName}); status(err) != 1 ||
		len(there) > 0 || absent != 1 {
		return "", false, commandError("rpm -q", said, err)
	}
	return "", false, nil
}

func (r rpms) present(ctx context.Context, names []string) ([]string, error) {
	said, err := r.run(ctx, nil, rpm, append([]string{"-q", "--qf", "%{NAME}\n"}, names...)...)
	there, absent := split(said, names)
	if len(there)+absent != len(names) || status(err) != absent {
		return nil, commandError("rpm -q", said, cmp.Or(err, errOdd))
	}
	return there, nil
}

var errOdd = errors.New("said something else")

// split reads what rpm -q prints about names: those that are installed, and how many are not. rpm's
// exit status is the number of absent packages. It is also 1 for a database that cannot be read;
// then there is an unexpected line, which makes the count one too many.
func split(said string, names []string) (there []string, absent int) {
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(line)
		name, of := strings.CutPrefix(line, "package ")
		name, not := strings.CutSuffix(name, " is not installed")
		if of && not && slices.Contains(names, name) {
			absent++
		} else {
			there = append(there, line)
		}
	}
	return there, absent
}

func (r rpms) version(ctx context.Context, file string) (string, error) {
	said, err := r.run(ctx, nil, rpm, "-qp", "--nosignature", "--qf", "%{VERSION}-%{RELEASE}\n",
		file)
	if err != nil {
		return "", commandError("rpm -qp", said, err)
	}
	return strings.TrimSpace(said), nil
}

// newer uses rpm's own comparison.
func (r rpms) newer(ctx context.Context, a, b string) (bool, error) {
	said, err := r.run(ctx, nil, rpm, "--eval", "%{lua:print(rpm.vercmp('"+
		plain(a)+"', '"+plain(b)+"'))}")
	if err != nil {
		return false, commandError("rpm --eval", said, err)
	}
	return strings.TrimSpace(said) == "1", nil
}

// plain keeps only characters of versions, since the result becomes part of a program.
func plain(version string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' ||
			strings.ContainsRune(".-_+~^:", r) {
			return r
		}
		return -1
	}, version)
}

// missing has rpm try the installation, which changes nothing.
func (r rpms) missing(ctx context.Context, file string) ([]string, error) {
	said, err := r.run(ctx, nil, rpm, "-U", "--test", "--replacepkgs", "--oldpackage", file)
	if err == nil {
		return nil, nil
	}
	missing := parseMissing(said)
	if len(missing) == 0 {
		return nil, commandError("rpm -U --test", said, err)
	}
	return missing, nil
}

// parseMissing reads lines such as "pam >= 1.3 is needed by aad-login-0.1.0-1.x86_64".
func parseMissing(said string) (missing []string) {
	for line := range strings.Lines(said) {
		if need, _, ok := strings.Cut(strings.TrimSpace(line), " is needed by "); ok {
			missing = append(missing, need)
		}
	}
	return missing
}

// install repeats an installation that was cut short. It accepts an older version, because the
// administrator has chosen that one.
func (r rpms) install(ctx context.Context, file string) error {
	said, err := r.run(ctx, nil, rpm, "-U", "--replacepkgs", "--oldpackage", file)
	if err != nil {
		return commandError("rpm -U", said, err)
	}
	return nil
}

func (r rpms) remove(ctx context.Context) error {
	said, err := r.run(ctx, nil, rpm, "-e", packageName)
	if err != nil {
		return commandError("rpm -e", said, err)
	}
	return nil
}
