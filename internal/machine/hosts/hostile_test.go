// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"aadlogin/internal/machine/rig"
)

// The host has threads that take the locks of the C library again and again, even while it forks,
// and it calls PAM from a thread with little stack.
func TestThreadsOfTheHost(t *testing.T) {
	const times = 40
	rig.Stored(t, "user@contoso.example")
	c := rig.Open(t, rig.HostProgram(t), "crowd", "thread", "times="+strconv.Itoa(times), "sudo",
		"user@contoso.example", "acct_mgmt")
	for range times {
		c.Expect(`result acct_mgmt 0\n`)
	}
	c.Expect(`end\n`)
}

// sudo authenticates under its user's limits. The worker has its own limits, and the host keeps
// its.
func TestLimitsOfTheUser(t *testing.T) {
	rig.Stored(t, "user@contoso.example")
	stack := onlyOurs(t, "")
	var core unix.Rlimit // for one, sudo sets it to 0, and in a container nobody can raise it
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &core); err != nil {
		t.Fatal(err)
	}
	for _, limits := range []string{
		"--as=67108864:", "--stack=65536", "--stack=unlimited", "--stack=1099511627776",
		"--fsize=0:", "--nproc=1:",
		"--nofile=12",
		"--cpu=30 --data=67108864: --memlock=0 --sigpending=0 --rtprio=0 --msgqueue=0 --locks=0 " +
			fmt.Sprintf("--core=%d", core.Max),
	} {
		t.Run(limits, func(t *testing.T) {
			args := append(strings.Fields(limits), "--", rig.HostProgram(t), "odd",
				"real=65534", "confdir="+stack,
				"vlock", "user@contoso.example", "acct_mgmt")
			c := rig.Open(t, "prlimit", args...)
			c.Expect(`result acct_mgmt 0\n`)
			unchanged(c)
		})
	}
}

// Root in a container cannot raise these limits. They may stop a worker, but never let anybody in.
func TestHardLimitsFailClosed(t *testing.T) {
	stack := onlyOurs(t, "")
	for _, limits := range []string{"--as=67108864", "--fsize=0", "--nofile=5"} {
		host := []string{
			"--", rig.HostProgram(t), "confdir=" + stack,
			"vlock", "norole@contoso.example", "acct_mgmt",
		}
		c := rig.Open(t, "prlimit", append(strings.Fields(limits), host...)...)
		if result := c.Expect(`result acct_mgmt (\d+)\n`)[1]; result == rig.PAMSuccess {
			t.Errorf("%s: let in", limits)
		}
		c.End()
	}
}

// Root in a container cannot raise this memory limit. A worker that would die of it is not started,
// and the log names the limit.
func TestMemoryLimitOfTheHost(t *testing.T) {
	rig.Stored(t, "user@contoso.example")
	stack := onlyOurs(t, "")
	for limit, want := range map[string]string{"--as=209715200": "200", "--data=104857600": "100"} {
		mark := rig.Syslog.Mark()
		c := rig.Open(t, "setpriv", "--bounding-set", "-sys_resource", "prlimit", limit, "--",
			rig.HostProgram(t), "confdir="+stack,
			"vlock", "user@contoso.example", "authenticate")
		c.Expect(`Something went wrong on this machine, and nobody was signed in\. [^\n]*\nCorrelation ID: \S+\nresult authenticate ` + rig.PAMSystemErr)
		c.End()
		rig.Syslog.Exactly(t, mark, 1,
			`failed reason="memory-limit" account="user@contoso\.example" .*error="memory limit `+
				want+` MB of the host"`)
	}
}
