// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// PAM's return codes, by their numbers in _pam_types.h.
const (
	pamSuccess     = "0"
	pamServiceErr  = "3"
	pamSystemErr   = "4"
	pamPermDenied  = "6"
	pamAuthErr     = "7"
	pamUserUnknown = "10"
	pamConvErr     = "19"
)

var pamHost = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "host")
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "host"), os.Chmod(dir, 0o755)
})

// hostProgram is testdata/host.c, built.
func hostProgram(t *testing.T) string {
	t.Helper()
	program, err := pamHost()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		must(t, "gcc", "-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread", "-o", program, "testdata/host.c", "-lpam")
	}
	return program
}

// onlyOurs is a service directory for the host's word confdir=, whose one service, "vlock", is this module alone.
func onlyOurs(t *testing.T, arguments string) string {
	t.Helper()
	dir := t.TempDir()
	stack := fmt.Sprintf("auth required pam_aad.so %s\naccount required pam_aad.so %[1]s\n", arguments)
	if err := os.WriteFile(filepath.Join(dir, "vlock"), []byte(stack), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// unchanged waits for the end of a host, which says what has changed of it.
func (c *terminal) unchanged() {
	c.t.Helper()
	if changed := c.expect(`(?s)^(.*?)\bend\n`)[1]; strings.TrimSpace(changed) != "" {
		c.t.Errorf("of the host changed:\n%s", changed)
	}
}

// outcome is a way for a sign-in to end.
type outcome struct {
	name    string
	user    string
	config  func(string) []byte
	answer  func(*terminal)
	phases  []string // if not all
	results []string // of each phase
}

const ctrlD = "\x04" // the end of standard input, and so a conversation that fails

func outcomes() []outcome {
	const user = "user@contoso.example"
	typed := func(s string) func(*terminal) {
		return func(c *terminal) {
			c.expect(`ENTER when ready|assword`)
			c.pty.WriteString(s)
		}
	}
	return []outcome{
		{name: "signed in", user: user, answer: func(c *terminal) { c.signIn(user) }, results: []string{pamSuccess, pamSuccess, pamSuccess}},
		{name: "authorized", user: user, phases: []string{"acct_mgmt", "setcred"}, results: []string{pamSuccess, pamSuccess}},
		{name: "denied", user: "norole@contoso.example", answer: func(c *terminal) { c.signIn("norole@contoso.example") },
			results: []string{pamPermDenied}},
		{name: "unknown user", user: "nobody-knows", answer: typed("wrong\n"), results: []string{"[^0].*"}},
		{name: "broken configuration", user: user, config: func(string) []byte { return []byte("tenant_id = 1\n") },
			results: []string{pamServiceErr}},
		{name: "conversation failed", user: user, answer: typed(ctrlD), results: []string{pamConvErr}},
		{name: "declined", user: user, answer: func(c *terminal) {
			_, code := c.prompted()
			if err := entra.Decline(code); err != nil {
				c.t.Fatal(err)
			}
			c.typeLine("")
		}, results: []string{pamAuthErr}},
		{name: "worker killed", user: user, answer: func(c *terminal) {
			c.prompted()
			for _, pid := range workersOfHost(c.t, c.cmd.Process.Pid) {
				unix.Kill(pid, unix.SIGKILL)
			}
			c.typeLine("")
		}, results: []string{pamSystemErr}},
	}
}

// run plays an outcome through a host.
func (o outcome) run(t *testing.T, words ...string) {
	if o.config != nil {
		edit(t, configFile, o.config)
	}
	phases := o.phases
	if phases == nil {
		phases = []string{"authenticate", "acct_mgmt", "setcred"}
	}
	c := open(t, hostProgram(t), append(append(words, o.user), phases...)...)
	if o.answer != nil {
		o.answer(c)
	}
	for i, result := range o.results {
		c.expect(`result ` + phases[i] + ` ` + result + `\n`)
	}
	c.unchanged()
}

// Whatever becomes of a sign-in, its host keeps threads, signals, limits, descriptors, environment and all else it had.
// Through the service files of the programs that this machine has, and also in hosts that are odd in every way.
func TestHostsAreLeftAsTheyWere(t *testing.T) {
	stored(t, "user@contoso.example")
	for _, o := range outcomes() {
		t.Run("sudo "+o.name, func(t *testing.T) { o.run(t, "odd", "real=65534", "sudo") })
	}
	unseen := outcome{name: "refused unseen", user: "user@contoso.example", results: []string{pamAuthErr}}
	t.Run("cron "+unseen.name, func(t *testing.T) { unseen.run(t, "cron") })
	// Without those for which a browser has to be waited for.
	for _, words := range []string{"real=65534 su", "login", "sshd", "vlock", "polkit-1", "chld-ignored umask=0 sudo"} {
		for _, o := range outcomes() {
			if slices.Contains([]string{"authorized", "unknown user", "conversation failed"}, o.name) {
				t.Run(words+" "+o.name, func(t *testing.T) { o.run(t, strings.Fields(words)...) })
			}
		}
	}
}

// A caller says how slow their own program is to be, and on which processor; the worker is root's and everybody's.
func TestWorkersOfSlowCallers(t *testing.T) {
	stored(t, "user@contoso.example")
	c := open(t, "taskset", "-c", "0", "nice", "-n", "19", "chrt", "--idle", "0", "choom", "-n", "500", "--",
		hostProgram(t), "real=65534", "su", "user@contoso.example", "authenticate")
	c.prompted()
	host, worker := c.cmd.Process.Pid, workersOfHost(t, c.cmd.Process.Pid)[0]
	pace := func(pid int) string {
		stat, status := process(t, pid, "stat"), process(t, pid, "status")
		fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:]) // from the third on: proc(5)
		cpus := regexp.MustCompile(`(?m)^Cpus_allowed:\s+(.*)$`).FindStringSubmatch(status)[1]
		return fmt.Sprintf("nice %s, policy %s, processors %s", fields[19-3], fields[41-3], cpus)
	}
	if got, want := pace(worker), pace(os.Getpid()); got != want || pace(host) == want {
		t.Errorf("the worker has %s; this test %s, the host %s", got, want, pace(host))
	}
	if score := process(t, worker, "oom_score_adj"); score != "0\n" {
		t.Errorf("oom_score_adj %s", score)
	}
	c.pty.WriteString(ctrlD)
	c.expect(`result authenticate ` + pamConvErr + `\n`)
}

// process reads a file of /proc.
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
	for _, child := range children(pid) {
		all = append(all, behindGuard(child)...)
	}
	if len(all) == 0 {
		t.Fatal("no worker waits")
	}
	return all
}

// behindGuard is the worker that a guard has (pam/guard.c), or the process itself where there is none between.
func behindGuard(pid int) []int {
	if workers := children(pid); len(workers) > 0 {
		return workers
	}
	return []int{pid}
}

// children are the processes that a process's first thread has made.
func children(pid int) (all []int) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", pid))
	if err != nil {
		return nil // gone meanwhile
	}
	for _, field := range strings.Fields(string(text)) {
		var n int
		fmt.Sscan(field, &n)
		all = append(all, n)
	}
	return all
}
