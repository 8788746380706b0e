// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aadlogin/internal/machine/rig"
)

var hosts = flag.Bool("hosts", false, "PAM applications besides sshd and sudo")

// A program is a PAM application: how it is started, and what it says to a person with a name and a
// password.
type program struct {
	name    string
	pkg     string // of Debian, for its version
	service string // of PAM
	start   func(t *testing.T)
	quick   bool // every Debian has it: in "make test", too
	inside  bool // for who has come in already: strangers do not meet it
	try     func(t *testing.T, user, password string) (in bool, err error)

	// shows signs in with the code that the program shows; nil if it shows none.
	shows func(t *testing.T, user string)
	// jobs run for an account in its absence. Such a program has no try.
	jobs *jobs
}

// row is the result of a program.
type row struct {
	program
	version           string
	right, wrong      string // a local user
	ours              string // an account of ours
	absent, installed []time.Duration
}

// TestFaillockOfPrograms lets strangers try passwords for an account of ours at a mail server and a
// file server, with the stacks of hardening guides. They lock nobody out.
func TestFaillockOfPrograms(t *testing.T) {
	if !*hosts {
		t.Skip("run by: make hosts")
	}
	rig.Stored(t, rig.User)
	withFaillock(t)
	for _, p := range programs() {
		if p.name != "dovecot" && p.name != "vsftpd" {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			p.start(t)
			for range 20 {
				if got := said(p.try(t, rig.User, "a guess")); got != "refused" {
					t.Errorf("%s", got)
				}
			}
			if tally(t, rig.User) != 0 {
				t.Errorf("faillock: %s", rig.Must(t, "faillock", "--user", rig.User))
			}
			c := rig.SSH(t, rig.User, "id -un")
			c.SignIn(rig.User)
			c.Expect("\n" + rig.User + "\n")
		})
	}
}

// TestPrograms tests the programs that every Debian has, or all of them, with the figures.
func TestPrograms(t *testing.T) {
	rig.LocalUser(t)
	rig.Stored(t, rig.User)
	var rows []row
	for _, p := range programs() {
		if p.quick || *hosts {
			t.Run(p.name, func(t *testing.T) { rows = append(rows, walk(t, p)) })
		}
	}
	if *hosts {
		print(t, rows)
	}
}

// walk tests one program.
func walk(t *testing.T, p program) row {
	r := row{program: p, version: rig.VersionOf(t, p.pkg)}
	t.Run("people", func(t *testing.T) {
		if p.start != nil {
			p.start(t)
		}
		if p.jobs != nil {
			r.right, r.wrong, r.ours = p.jobs.walk(t), "-", "authorized"
			return
		}
		r.right = said(p.try(t, "local", rig.LocalPassword))
		r.wrong = said(p.try(t, "local", "wrong"))
		if r.right != "in" || r.wrong != "refused" {
			t.Errorf("a local user: right password: %s, wrong: %s", r.right, r.wrong)
		}
		if p.shows == nil {
			r.ours = unseen(t, p)
			return
		}
		started := workersStarted(t)
		p.shows(t, rig.User)
		if started() == 0 {
			t.Error("a code was shown, and no worker was seen to start")
		}
		r.ours = "shows the code"
	})
	if *hosts && p.try != nil && !p.inside && !t.Failed() {
		r.absent, r.installed = figure(t, p)
	}
	return r
}

// unseen tries an account of ours at a program that cannot show a code. It is refused at once,
// without a worker.
func unseen(t *testing.T, p program) string {
	t.Helper()
	mark, codes, started := rig.Syslog.Mark(), rig.Requests("devicecode"), workersStarted(t)
	said := said(p.try(t, rig.User, "a password"))
	if said != "refused" {
		t.Errorf("%s: %s", rig.User, said)
	}
	if n := rig.Requests("devicecode") - codes; n != 0 || started() != 0 {
		t.Errorf("%d codes were asked for, %d workers started", n, started())
	}
	rig.Syslog.Exactly(t, mark, 1, `denied reason="service-not-listed" account="`+rig.User+`"`)
	return said
}

// workersStarted counts workers from now on, of any host, even ended ones. Each worker reads its
// configuration first, and nothing else here does.
func workersStarted(t *testing.T) func() int {
	t.Helper()
	watch, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(watch) })
	if _, err := unix.InotifyAddWatch(watch, rig.ConfigFile, unix.IN_OPEN); err != nil {
		t.Fatal(err)
	}
	total := 0
	return func() int {
		events := make([]byte, 1<<16)
		for {
			n, err := unix.Read(watch, events)
			if err != nil || n <= 0 { // EAGAIN: no more
				return total
			}
			total += n / unix.SizeofInotifyEvent // events of a file have no name
		}
	}
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

// print writes the table.
func print(t *testing.T, rows []row) {
	var out strings.Builder
	fmt.Fprintf(&out,
		"A local user's time beside %d strangers, ms, without the package and with it:\n", knockers)
	fmt.Fprintf(&out, "%-12s %-28s %-12s %-7s %-8s %-15s %-26s %s\n", "program", "version",
		"service", "right", "wrong", "ours", "median", "95th percentile")
	for _, r := range rows {
		fmt.Fprintf(&out, "%-12s %-28s %-12s %-7s %-8s %-15s", r.name, r.version,
			r.service, r.right, r.wrong, r.ours)
		if len(r.absent) == tries && len(r.installed) == tries {
			fmt.Fprintf(&out, " %-26s %s", compare(r, tries/2), compare(r, tries*95/100))
		} else if !r.inside {
			t.Errorf("%s: no figures", r.name)
		}
		fmt.Fprintln(&out)
	}
	os.Stdout.WriteString(out.String())
}

// compare returns the n-th of both times, and their ratio.
func compare(r row, n int) string {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return fmt.Sprintf("%8.1f %8.1f (%4.2f)", ms(r.absent[n]), ms(r.installed[n]),
		float64(r.installed[n])/float64(r.absent[n]))
}
