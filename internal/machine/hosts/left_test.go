// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"aadlogin/internal/machine/rig"
)

// onlyOurs returns a service directory for the host's word confdir=. Its only service, "vlock", has
// this module alone.
func onlyOurs(t *testing.T, arguments string) string {
	t.Helper()
	dir := t.TempDir()
	stack := fmt.Sprintf("auth required pam_aad.so %s\naccount required pam_aad.so %[1]s\n",
		arguments)
	if err := os.WriteFile(filepath.Join(dir, "vlock"), []byte(stack), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// unchanged waits for the end of a host, which reports its changes.
func unchanged(c *rig.Terminal) {
	c.T.Helper()
	if changed := c.Expect(`(?s)^(.*?)\bend\n`)[1]; strings.TrimSpace(changed) != "" {
		c.T.Errorf("of the host changed:\n%s", changed)
	}
}

// outcome is a way in which a sign-in ends.
type outcome struct {
	name    string
	user    string
	config  func(string) []byte
	answer  func(*rig.Terminal)
	phases  []string // if not all
	results []string // of each phase
}

const ctrlD = "\x04" // the end of standard input, and so a conversation that fails

func outcomes() []outcome {
	const user = "user@contoso.example"
	typed := func(s string) func(*rig.Terminal) {
		return func(c *rig.Terminal) {
			c.Expect(`ENTER when ready|assword`)
			c.PTY.WriteString(s)
		}
	}
	return []outcome{
		{name: "signed in", user: user, answer: func(c *rig.Terminal) { c.SignIn(user) },
			results: []string{rig.PAMSuccess, rig.PAMSuccess, rig.PAMSuccess}},
		{name: "authorized", user: user, phases: []string{"acct_mgmt", "setcred"},
			results: []string{rig.PAMSuccess, rig.PAMSuccess}},
		{name: "denied", user: "norole@contoso.example",
			answer:  func(c *rig.Terminal) { c.SignIn("norole@contoso.example") },
			results: []string{rig.PAMPermDenied}},
		{name: "unknown user", user: "nobody-knows", answer: typed("wrong\n"),
			results: []string{"[^0].*"}},
		{name: "broken configuration", user: user,
			config:  func(string) []byte { return []byte("tenant_id = 1\n") },
			results: []string{rig.PAMServiceErr}},
		{name: "conversation failed", user: user, answer: typed(ctrlD),
			results: []string{rig.PAMConvErr}},
		{name: "declined", user: user, answer: func(c *rig.Terminal) {
			_, code := c.Prompted()
			if err := rig.Entra.Decline(code); err != nil {
				c.T.Fatal(err)
			}
			c.TypeLine("")
		}, results: []string{rig.PAMAuthErr}},
		{name: "worker killed", user: user, answer: func(c *rig.Terminal) {
			c.Prompted()
			for _, pid := range workersOfHost(c.T, c.Cmd.Process.Pid) {
				unix.Kill(pid, unix.SIGKILL)
			}
			c.TypeLine("")
		}, results: []string{rig.PAMSystemErr}},
	}
}

// run runs an outcome through a host.
func (o outcome) run(t *testing.T, words ...string) {
	if o.config != nil {
		rig.Edit(t, rig.ConfigFile, o.config)
	}
	phases := o.phases
	if phases == nil {
		phases = []string{"authenticate", "acct_mgmt", "setcred"}
	}
	c := rig.Open(t, rig.HostProgram(t), append(append(words, o.user), phases...)...)
	if o.answer != nil {
		o.answer(c)
	}
	for i, result := range o.results {
		c.Expect(`result ` + phases[i] + ` ` + result + `\n`)
	}
	unchanged(c)
}

// However a sign-in ends, its host keeps its threads, signals, limits, descriptors, environment and
// everything else. This holds for the service files of this machine's programs, and for unusual
// hosts.
func TestHostsAreLeftAsTheyWere(t *testing.T) {
	rig.Stored(t, "user@contoso.example")
	for _, o := range outcomes() {
		t.Run("sudo "+o.name, func(t *testing.T) { o.run(t, "odd", "real=65534", "sudo") })
	}
	unseen := outcome{
		name: "refused unseen", user: "user@contoso.example", results: []string{rig.PAMAuthErr},
	}
	t.Run("cron "+unseen.name, func(t *testing.T) { unseen.run(t, "cron") })
	// The outcomes that wait for a browser are left out.
	for _, words := range []string{
		"real=65534 su", "login", "sshd", "vlock", "polkit-1", "chld-ignored umask=0 sudo",
	} {
		for _, o := range outcomes() {
			quick := []string{"authorized", "unknown user", "conversation failed"}
			if slices.Contains(quick, o.name) {
				t.Run(words+" "+o.name, func(t *testing.T) { o.run(t, strings.Fields(words)...) })
			}
		}
	}
}

// A caller may slow their own program down, and choose its processor. The worker belongs to root,
// and is scheduled as usual.
func TestWorkersOfSlowCallers(t *testing.T) {
	rig.Stored(t, "user@contoso.example")
	c := rig.Open(t, "taskset", "-c", "0", "nice", "-n", "19", "chrt", "--idle", "0",
		"choom", "-n", "500", "--",
		rig.HostProgram(t), "real=65534", "su", "user@contoso.example", "authenticate")
	c.Prompted()
	host, worker := c.Cmd.Process.Pid, workersOfHost(t, c.Cmd.Process.Pid)[0]
	pace := func(pid int) string {
		stat, status := process(t, pid, "stat"), process(t, pid, "status")
		// The fields begin with the third one, see proc(5).
		fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
		cpus := regexp.MustCompile(`(?m)^Cpus_allowed:\s+(.*)$`).FindStringSubmatch(status)[1]
		return fmt.Sprintf("nice %s, policy %s, processors %s", fields[19-3], fields[41-3], cpus)
	}
	own := pace(os.Getpid()) // somebody may have typed "nice make test"
	want := "nice 0, policy 0, " + own[strings.Index(own, "processors"):]
	if got := pace(worker); got != want || pace(host) == want {
		t.Errorf("the worker has %s, want %s; the host has %s", got, want, pace(host))
	}
	if score := process(t, worker, "oom_score_adj"); score != "0\n" {
		t.Errorf("oom_score_adj %s", score)
	}
	c.PTY.WriteString(ctrlD)
	c.Expect(`result authenticate ` + rig.PAMConvErr + `\n`)
}

// process reads a file of a process in /proc.
func process(t *testing.T, pid int, name string) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// workersOfHost lists the module's processes below a host.
func workersOfHost(t testing.TB, pid int) []int {
	t.Helper()
	var all []int
	for _, child := range rig.Children(pid) {
		all = append(all, rig.BehindGuard(child)...)
	}
	if len(all) == 0 {
		t.Fatal("no worker waits")
	}
	return all
}
