// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var hosts = flag.Bool("hosts", false, "PAM applications besides sshd and sudo")

// A program is a PAM application: how it is started, and what it says to somebody who comes with a name and a password.
type program struct {
	name    string
	pkg     string // of Debian, for its version
	service string // of PAM
	start   func(t *testing.T)
	inside  bool // for who has come in already: strangers do not meet it
	try     func(t *testing.T, user, password string) (in bool, err error)

	// shows is how the program shows a code, and signs in with a browser; nil where it shows nobody any.
	shows func(t *testing.T, user string)
}

// row is what a program did.
type row struct {
	program
	version       string
	right, wrong  string // a local user
	ours          string // an account of ours
	quiet, beside []time.Duration
}

const (
	tries    = 30
	knockers = 10
)

// TestFaillockOfPrograms has strangers at a mail server and a file server try passwords for an account of ours, with the stacks of
// hardening guides. They lock nobody out.
func TestFaillockOfPrograms(t *testing.T) {
	if !*hosts {
		t.Skip("run by: make hosts")
	}
	stored(t, user)
	withFaillock(t)
	for _, p := range programs() {
		if p.name != "dovecot" && p.name != "vsftpd" {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			p.start(t)
			for range 20 {
				if got := said(p.try(t, user, "a guess")); got != "refused" {
					t.Errorf("%s", got)
				}
			}
			if tally(t, user) != 0 {
				t.Errorf("faillock: %s", must(t, "faillock", "--user", user))
			}
			c := ssh(t, user, "id -un")
			c.signIn(user)
			c.expect("\n" + user + "\n")
		})
	}
}

// TestPrograms walks through every program with the package installed, and once more, for the local user's time, without it.
func TestPrograms(t *testing.T) {
	if !*hosts {
		t.Skip("run by: make hosts")
	}
	localUser(t)
	stored(t, user)
	var rows []row
	for _, p := range programs() {
		t.Run(p.name, func(t *testing.T) { rows = append(rows, walk(t, p)) })
	}
	must(t, "dpkg", "-r", "aad-login")
	for i, r := range rows {
		if r.inside {
			continue
		}
		t.Run(r.name+" without the package", func(t *testing.T) {
			r.start(t)
			rows[i].quiet = times(t, r.program, "stranger%d")
		})
	}
	print(t, rows)
}

// walk is one program with the package.
func walk(t *testing.T, p program) row {
	r := row{program: p, version: versionOf(t, p.pkg)}
	p.start(t)
	r.right = said(p.try(t, "local", localPassword))
	r.wrong = said(p.try(t, "local", "wrong"))
	if r.right != "in" || r.wrong != "refused" {
		t.Errorf("a local user: right password: %s, wrong: %s", r.right, r.wrong)
	}
	if p.shows != nil {
		p.shows(t, user)
		r.ours = "shows the code"
	} else {
		r.ours = unseen(t, p)
	}
	if !p.inside {
		r.beside = times(t, p, "stranger%d@contoso.example")
	}
	return r
}

// unseen is an account of ours at a program that could show nobody a code: refused at once, by no process of ours.
func unseen(t *testing.T, p program) string {
	t.Helper()
	mark, codes := syslog.mark(), requests("devicecode")
	said := said(p.try(t, user, "a password"))
	if said != "refused" {
		t.Errorf("%s: %s", user, said)
	}
	if n := requests("devicecode") - codes; n != 0 || len(workersOf()) != 0 {
		t.Errorf("%d codes were asked for, %d workers run", n, len(workersOf()))
	}
	lines := syslog.find(mark, `account="`+user+`"`)
	if len(lines) != 1 {
		t.Errorf("log: %q", lines)
	}
	return said
}

// times is how long a local user takes to get in while knockers knock, in order.
func times(t *testing.T, p program, names string) (all []time.Duration) {
	t.Helper()
	var knocking sync.WaitGroup
	stop := make(chan struct{})
	for i := range knockers {
		knocking.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					p.try(t, fmt.Sprintf(names, i), "a password") // what becomes of it is not asked here
				}
			}
		})
	}
	for range tries {
		began := time.Now()
		if in, err := p.try(t, "local", localPassword); !in {
			t.Errorf("a local user is kept out beside %d others: %v", knockers, err)
			break
		}
		all = append(all, time.Since(began))
	}
	close(stop)
	knocking.Wait()
	slices.Sort(all)
	return all
}

func said(in bool, err error) string {
	switch {
	case err != nil:
		return err.Error()
	case in:
		return "in"
	default:
		return "refused"
	}
}

func versionOf(t *testing.T, pkg string) string {
	t.Helper()
	if pkg == "proftpd-core" {
		return strings.TrimSpace(must(t, "sh", "-c", "dpkg-deb -f /tmp/proftpd-core_*.deb Version"))
	}
	return must(t, "dpkg-query", "-W", "-f", "${Version}", pkg)
}

// print writes the table; the last two columns are the local user's time, as a ratio to the same without the package.
func print(t *testing.T, rows []row) {
	var out strings.Builder
	fmt.Fprintf(&out, "%-14s %-28s %-12s %-8s %-8s %-15s %20s %20s\n", "program", "version", "service", "right", "wrong", "ours",
		"median ms (ratio)", "95th ms (ratio)")
	for _, r := range rows {
		fmt.Fprintf(&out, "%-14s %-28s %-12s %-8s %-8s %-15s", r.name, r.version, r.service, r.right, r.wrong, r.ours)
		if len(r.quiet) == tries && len(r.beside) == tries {
			fmt.Fprintf(&out, " %s %s", ratio(r.beside[tries/2], r.quiet[tries/2]), ratio(r.beside[tries*95/100], r.quiet[tries*95/100]))
		} else if !r.inside {
			t.Errorf("%s: no figures", r.name)
		}
		fmt.Fprintln(&out)
	}
	os.Stdout.WriteString(out.String())
}

func ratio(with, without time.Duration) string {
	return fmt.Sprintf("%12.1f (%5.2f)", float64(with.Microseconds())/1000, float64(with)/float64(without))
}
