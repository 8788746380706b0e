// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package accounts

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/msteinert/pam/v2"

	"aadlogin/internal/account"
	"aadlogin/internal/machine/rig"
)

// killedAt runs a program, and kills all of its threads at once when they have entered and left the
// kernel that many times together (0: never). It returns the number of times.
func killedAt(t *testing.T, n int, program string, args ...string) (stops int) {
	t.Helper()
	runtime.LockOSThread() // ptrace(2) obeys the thread that began
	defer runtime.UnlockOSThread()
	cmd := exec.Command(program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	defer cmd.Process.Release()
	const syscallStop = syscall.SIGTRAP | 0x80
	begun := false
	for {
		var status syscall.WaitStatus
		thread, err := syscall.Wait4(-1, &status, syscall.WALL, nil)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			t.Fatal(err)
		case status.Exited() || status.Signaled():
			if thread == pid {
				return stops
			}
			continue
		}
		if !begun {
			begun = true
			// PTRACE_O_EXITKILL
			const options = syscall.PTRACE_O_TRACECLONE | syscall.PTRACE_O_TRACESYSGOOD | 0x100000
			if err := syscall.PtraceSetOptions(pid, options); err != nil {
				t.Fatal(err)
			}
		}
		signal := status.StopSignal()
		switch signal {
		case syscallStop:
			if stops++; stops == n {
				syscall.Kill(pid, syscall.SIGKILL)
			}
			signal = 0
		case syscall.SIGTRAP, syscall.SIGSTOP: // of ptrace itself
			signal = 0
		}
		syscall.PtraceSyscall(thread, int(signal)) // fails for who has been killed meanwhile
	}
}

// accountNames reads the whole store, and fails the test if any of it is damaged.
func accountNames(t *testing.T) map[string]bool {
	t.Helper()
	s, err := account.Store{}.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for a := range s.All() {
		names[a.Name] = true
	}
	return names
}

// Whenever a change of the store is killed, the old store or the new one is there and complete. At
// most one unfinished file is left beside it, and the next change and sign-in work.
func TestKilledChange(t *testing.T) {
	const user = "user@contoso.example"
	rig.Stored(t, user)
	importing := func() (name string, args []string) {
		var uid int
		// A machine may be kept between runs.
		for known := accountNames(t); name == "" || known[name]; {
			name, uid = rig.NextImport()
		}
		return name, []string{"account", "import", rig.PasswdFile(t, name, uid)}
	}
	_, args := importing()
	total := killedAt(t, 0, "aadctl", args...)
	opened, changed := 0, 0
	for range 200 {
		before := accountNames(t)
		name, args := importing()
		// The start of the runtime is a third of all stops, and their number varies a little.
		killedAt(t, total/3+rand.N(total*2/3), "aadctl", args...)
		after := accountNames(t)
		if after[name] {
			changed++
			delete(after, name)
		}
		if len(after) != len(before) {
			t.Fatalf("%d accounts, %d before", len(after), len(before))
		}
		for name := range before {
			if !after[name] {
				t.Fatalf("%s is lost", name)
			}
		}
		for _, path := range leftovers(t) {
			opened++
			base := filepath.Base(path)
			if base != "accounts.cdb.new" && base != "accounts.cdb.previous.new" {
				t.Fatalf("left behind: %s", path)
			}
		}
		if got := rig.Must(t, "getent", "passwd", user); !strings.HasPrefix(got, user+":") {
			t.Fatalf("getent says %q", got)
		}
	}
	t.Logf("%d stops; of 200 changes killed, %d had happened, %d left a file",
		total, changed, opened)
	if changed == 0 || changed == 200 || opened == 0 {
		t.Errorf("of 200 changes killed, %d had happened, %d left a file: the moments were not "+
			"those of a change", changed, opened)
	}
	h := rig.NewHost(t, user, "")
	h.Prompt = rig.As(user)
	if err := h.Tx.Authenticate(0); err != nil {
		t.Errorf("next sign-in: %v", err)
	}
	rig.Must(t, "getent", "passwd", rig.Imported(t))
	if left := leftovers(t); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
	needSealing(t)
	for _, path := range []string{rig.StoreFile, rig.StoreFile + ".previous"} {
		info, err := os.Stat(path)
		if err != nil || info.Mode() != 0o444 || !rig.Immutable(t, path) {
			t.Errorf("%s: %v, %v, immutable %v", path, info.Mode(), err, rig.Immutable(t, path))
		}
	}
}

// leftovers returns files beside the store that belong to no finished change.
func leftovers(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Dir(rig.StoreFile) + "/*")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(paths, func(path string) bool {
		return slices.Contains(
			[]string{"accounts.cdb", "accounts.cdb.previous", "accounts.lock", "backups", "grants"},
			filepath.Base(path))
	})
}

// The disk is full after any number of blocks that the store needs, or read-only. Nobody new is let
// in, known accounts stay known, and with space again everything works.
func TestNoSpace(t *testing.T) {
	const known = "user@contoso.example"
	unknown := fmt.Sprintf("late%d@contoso.example", os.Getpid())
	rig.Stored(t, known)
	employ(t, unknown)
	dir := filepath.Dir(rig.StoreFile)
	copied := filepath.Join(t.TempDir(), "store")
	rig.Must(t, "cp", "-r", dir, copied)
	rig.Must(t, "mount", "-t", "tmpfs", "-o", "size=512k,mode=755", "small", dir)
	defer rig.Must(t, "umount", "--lazy", dir) // processes have the store mapped
	rig.Must(t, "sh", "-c",
		fmt.Sprintf("cp -r %s/. %s && chmod 644 %[2]s/accounts.cdb*", copied, dir))

	refused := func(what string, want error, told string) {
		t.Helper()
		h := rig.NewHost(t, unknown, "")
		h.Prompt = rig.As(unknown)
		err := h.Tx.Authenticate(0)
		if !errors.Is(err, want) || !strings.Contains(strings.Join(h.Told, "\n"), told) {
			t.Errorf("%s: %v, told %q", what, err, h.Told)
		}
		if out, status := rig.Command(t, "", "getent", "passwd", unknown); status != 2 {
			t.Errorf("%s: stored: %s", what, out)
		}
		if accountNames(t)[unknown] ||
			!strings.HasPrefix(rig.Must(t, "getent", "passwd", known), known+":") {
			t.Errorf("%s: the store is not what it was", what)
		}
	}
	info, err := os.Stat(rig.StoreFile)
	if err != nil {
		t.Fatal(err)
	}
	// The size is that of the present store. With one account more the store is not smaller.
	needed := int(info.Size()+4095) / 4096
	filler := filepath.Join(dir, "filler")
	for _, blocks := range slices.Compact([]int{0, needed / 2, needed - 1}) {
		rig.Command(t, "", "sh", "-c", "cat /dev/zero >"+filler) // until there is no space
		rig.Must(t, "truncate", "-s", fmt.Sprintf("-%d", blocks*4096), filler)
		refused(fmt.Sprintf("%d blocks are free", blocks), pam.ErrSystem,
			"could not be stored, so nobody was signed in")
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
	}
	rig.Must(t, "mount", "-o", "remount,ro", dir)
	refused("read-only", pam.ErrService, "may not write where sign-ins are kept")
	rig.Must(t, "mount", "-o", "remount,rw", dir)
	h := rig.NewHost(t, unknown, "")
	h.Prompt = rig.As(unknown)
	if err := h.Tx.Authenticate(0); err != nil || !accountNames(t)[unknown] {
		t.Errorf("with space: %v, told %q", err, h.Told)
	}
}
