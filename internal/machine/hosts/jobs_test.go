// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// Some programs run jobs for an account in its absence. The account is authorized before each job,
// and the job of an account that has lost the role does not run. The user manager does the same,
// and needs a booted systemd (see TestRelease).

// jobs is a daemon that runs submitted jobs.
type jobs struct {
	service string
	submit  func(t *testing.T, user, file string) // a job that writes the user's name into a file
	start   func(t *testing.T)                    // the daemon
}

// walk runs a job for a local user, and for an account of ours with the role and without it.
func (j jobs) walk(t *testing.T) (local string) {
	t.Helper()
	const user = "user@contoso.example"
	rig.Stored(t, user)
	rig.LocalUser(t)
	dir := t.TempDir()
	for _, d := range []string{filepath.Dir(filepath.Dir(dir)), filepath.Dir(dir), dir} {
		os.Chmod(d, 0o777)
	}
	ours := ` .*service="` + j.service + `"`
	mark := rig.Syslog.Mark()
	j.run(t, "local", filepath.Join(dir, "local"))
	rig.Syslog.Exactly(t, mark, 0, ours)

	mark = rig.Syslog.Mark()
	j.run(t, user, filepath.Join(dir, "allowed"))
	rig.Syslog.Exactly(t, mark, 1, ours)
	rig.Syslog.Exactly(t, mark, 1, `authorized .*account="`+user+`"`+ours)

	refused := filepath.Join(dir, "refused")
	j.submit(t, user, refused)
	rig.Revoke(t, user)
	mark = rig.Syslog.Mark()
	j.start(t)
	rig.Syslog.Exactly(t, mark, 1, `denied`+ours)
	if hasRun(refused, user) {
		t.Error("a job of somebody without a role ran")
	}
	return "runs"
}

// run submits a job, and waits until it has run.
func (j jobs) run(t *testing.T, user, file string) {
	t.Helper()
	j.submit(t, user, file)
	j.start(t)
	rig.Eventually(t, "the job of "+user+" has run", rig.Patience,
		func() bool { return hasRun(file, user) })
}

func hasRun(file, user string) bool {
	text, err := os.ReadFile(file)
	return err == nil && string(text) == user+"\n"
}

var cronJobs = jobs{
	service: "cron",
	submit: func(t *testing.T, user, file string) {
		tab := "/var/spool/cron/crontabs/" + user
		t.Cleanup(func() { os.Remove(tab) })
		if err := os.WriteFile(tab, []byte("@reboot id -un >"+file+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	},
	start: startCron,
}

var atJobs = jobs{
	service: "atd",
	submit: func(t *testing.T, user, file string) {
		out, status := rig.Command(t, "id -un >"+file+"\n", "runuser", "-u", user, "--", "sh",
			"-c", "cd / && at now")
		if status != 0 {
			t.Fatal(out)
		}
	},
	start: func(t *testing.T) { rig.Must(t, "atd", "-s") },
}

func TestCron(t *testing.T) { cronJobs.walk(t) }

func TestAt(t *testing.T) { atJobs.walk(t) }

// startCron replaces the running cron until the end of the test. cron ends at once while a job of
// the former one holds its lock, so it is started again until it has written its own pid.
func startCron(t *testing.T) {
	t.Helper()
	for _, link := range rig.PIDs(t, "cron") {
		rig.Command(t, "", "kill", strings.Split(link, "/")[2]) // it may have ended meanwhile
	}
	rig.Eventually(t, "cron has ended", rig.Patience,
		func() bool { return len(rig.PIDs(t, "cron")) == 0 })
	os.Remove("/run/crond.reboot") // this is the first start since the machine was booted
	var cron *exec.Cmd
	var ended chan error
	rig.Eventually(t, "cron runs", rig.Patience, func() bool {
		if cron == nil {
			cron, ended = exec.Command("cron", "-f"), make(chan error, 1)
			if err := cron.Start(); err != nil {
				t.Fatal(err)
			}
			go func(cron *exec.Cmd, ended chan error) { ended <- cron.Wait() }(cron, ended)
		}
		select {
		case <-ended:
			cron = nil
			return false
		default:
		}
		noted, _ := os.ReadFile("/run/crond.pid")
		return strings.TrimSpace(string(noted)) == fmt.Sprint(cron.Process.Pid)
	})
	t.Cleanup(func() {
		cron.Process.Kill()
		<-ended
	})
}

// The test runs polkit's helper as an authentication agent does: the cookie comes first, then the
// conversation, one line each. There is no polkitd here to report to, so the helper always ends
// with FAILURE. The log has the result.
func TestPolkit(t *testing.T) {
	rig.Stored(t, "user@contoso.example")
	for user, want := range map[string]string{
		"user@contoso.example":   "signed-in",
		"norole@contoso.example": "denied",
	} {
		mark := rig.Syslog.Mark()
		said := rig.PolkitHelper(t, user)
		rig.Syslog.Exactly(t, mark, 1, want+` .*service="polkit-1"`)
		denied := strings.Contains(said, "PAM_ERROR_MSG Access denied:  to sign-in")
		if denied != (want == "denied") || !strings.Contains(said, "FAILURE\n") {
			t.Errorf("%s: said %q", user, said)
		}
	}
}
