// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package sudo

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// A user owns the session that sudo authenticates in: its environment, its descriptors, its
// terminal.

// session opens a user's shell over ssh.
func session(t *testing.T, name string) *rig.Terminal {
	t.Helper()
	c := rig.SSH(t, name)
	c.SignIn(name)
	c.Expect(`\$ `)
	return c
}

// sudoWorker returns the process in which sudo's sign-in waits: sudo's program, in a session of its
// own.
func sudoWorker(t *testing.T) int {
	t.Helper()
	for _, link := range rig.PIDs(t, "sudo") {
		pid := strings.Split(link, "/")[2]
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil {
			continue
		}
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if fields[3] == pid {
			n, _ := strconv.Atoi(pid)
			return n
		}
	}
	t.Fatal("no worker of sudo's")
	return 0
}

func TestUserCannotTouchTheWorker(t *testing.T) {
	const admin = "admin@contoso.example"
	attack := filepath.Join(filepath.Dir(rig.HostProgram(t)), "attack")
	rig.Must(t, "gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-o", attack, "testdata/attack.c")
	c := session(t, admin)
	c.TypeLine("sudo -k; setarch --addr-no-randomize --read-implies-exec sudo id -u")
	page, code := c.Prompted()
	worker := sudoWorker(t)
	if now := rig.Must(t, "cat", fmt.Sprintf("/proc/%d/personality", worker)); now != "00000000\n" {
		t.Errorf("the worker has the user's personality %s", now)
	}
	out := rig.Must(t, "runuser", "-u", admin, "--", attack, strconv.Itoa(worker))
	if out != "tried\n" {
		t.Errorf("the user's rights over the worker:\n%s", out)
	}
	rig.Browse(t, page, code, admin)
	c.TypeLine("")
	c.Expect(`\n0\n`)
}

// In any environment of sudo, the sign-in works and leaves only files that root alone may use.
// GOMEMLIMIT is a tripwire: with it in its environment, any Go program ends at once.
func TestSudoInAnyState(t *testing.T) {
	const admin = "admin@contoso.example"
	mine := t.TempDir()
	for _, d := range []string{filepath.Dir(filepath.Dir(mine)), filepath.Dir(mine), mine} {
		os.Chmod(d, 0o777)
	}
	c := session(t, admin)
	c.TypeLine("M=" + mine)
	for _, state := range []string{
		"mkdir $M/gone && cd $M/gone && rmdir $M/gone; umask 0; " +
			"trap '' HUP PIPE CHLD USR1; exec <&- >&- 2>&-",
		"mkdir -p $M/shut && cd $M/shut && chmod 0 .; umask 0777; exec <&-; " +
			"renice -n 19 $BASHPID; echo 1000 >/proc/self/oom_score_adj; " +
			"ulimit -S -n 16 -f 0 -u 1 -s 64",
		"export GOMEMLIMIT=mine GODEBUG=gctrace=1,netdns=cgo+2,http2debug=2 GOTRACEBACK=crash " +
			"GOGC=1 GOMAXPROCS=1 MALLOC_CHECK_=3 RES_OPTIONS=debug LOCALDOMAIN=mine.example " +
			"LD_DEBUG=all LC_ALL=C.UTF-8 HOME=$M TMPDIR=$M GOCOVERDIR=$M LOCPATH=$M " +
			"LD_LIBRARY_PATH=$M GCONV_PATH=$M XDG_CACHE_HOME=$M HOSTALIASES=$M/h NLSPATH=$M/n " +
			"LD_PRELOAD=$M/p LD_AUDIT=$M/a LD_DEBUG_OUTPUT=$M/o SSLKEYLOGFILE=$M/k",
	} {
		if err := os.RemoveAll("/var/cache/aad-login"); err != nil {
			t.Fatal(err)
		}
		c.TypeLine("sudo -k; (" + state + "; sudo sh -c 'echo done-as-$(id -u) >/dev/tty')")
		c.SignIn(admin)
		c.Expect(`\ndone-as-0\n`)
		c.Expect(`\$ `)
		open := rig.Must(t, "find", "/var/cache/aad-login", "/var/lib/aad-login/grants",
			"-perm", "/077")
		if open != "" {
			t.Errorf("%s: others have rights on:\n%s", state, open)
		}
		shut := rig.Must(t, "find", "/var/cache/aad-login", "/var/lib/aad-login/grants", "!",
			"-perm", "-600")
		if shut != "" {
			t.Errorf("%s: no rights for root on:\n%s", state, shut)
		}
	}
	rig.Must(t, "rmdir", filepath.Join(mine, "shut"))
	if left, _ := os.ReadDir(mine); len(left) > 0 {
		t.Errorf("left in the user's directory: %v", left)
	}
}
