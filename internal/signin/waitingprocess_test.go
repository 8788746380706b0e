// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// Any number of people may come at once. The room is filled to its limits and no further.
func TestWaitingRoomTogether(t *testing.T) {
	for _, test := range []struct{ accounts, slots, want int }{
		{1, 6, perAddress}, {3, 6, 6}, {24, 1, 1}, {24, 64, 24},
	} {
		w := waitingRoom{Dir: t.TempDir(), Slots: test.slots}
		for range 20 {
			held := rush(t, w, 24, test.accounts)
			in := map[string]int{}
			for slot, account := range held {
				in[account]++
				slot.Close()
			}
			if len(held) != test.want {
				t.Errorf("%+v: %d got in", test, len(held))
			}
			for account, n := range in {
				if n > perAddress {
					t.Errorf("%+v: %d of %s got in", test, n, account)
				}
			}
		}
	}
}

// rush lets people enter at the same time, and returns those who got in.
func rush(t *testing.T, w waitingRoom, people, accounts int) map[io.Closer]string {
	var mu sync.Mutex
	held := map[io.Closer]string{}
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range people {
		account := fmt.Sprint("account-", i%accounts)
		all.Go(func() {
			<-start
			slot, err := w.Enter(t.Context(), visitor{account: account}, moment{Boot: "b"})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				held[slot] = account
			case errors.Is(err, errMachineFull), errors.Is(err, errAccountFull):
			default:
				t.Error(err)
			}
		})
	}
	close(start)
	all.Wait()
	return held
}

// roomOfHolder names the room in which this test binary, as a process of its own, holds a slot
// until it is killed.
const roomOfHolder = "AAD_LOGIN_TEST_WAITING_ROOM"

func TestMain(m *testing.M) {
	dir := os.Getenv(roomOfHolder)
	if dir == "" {
		// A sign-in mostly waits for its next poll, so many of them run side by side. On a busy
		// machine, more of them would not shake hands within TLS's time.
		flag.Parse()
		flag.Set("test.parallel", "12")
		os.Exit(m.Run())
	}
	_, err := waitingRoom{Dir: dir, Slots: 1}.Enter(context.Background(),
		visitor{account: "a"}, moment{Boot: "b"})
	fmt.Println("held:", err)
	io.Copy(io.Discard, os.Stdin) // until the end
}

func TestSlotOfKilledHolder(t *testing.T) {
	w := waitingRoom{Dir: t.TempDir(), Slots: 1}
	holder := exec.Command(os.Args[0])
	holder.Env = append(os.Environ(), roomOfHolder+"="+w.Dir)
	stdin, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	if line, _ := bufio.NewReader(stdout).ReadString('\n'); line != "held: <nil>\n" {
		t.Errorf("the other process says %q", line)
	}
	full(t, w, "a", errMachineFull)
	holder.Process.Kill()
	holder.Wait()
	enter(t, w, "a")
}

// A refusal leaves no descriptor behind, and so no lock.
func TestWaitingRoomKeepsNothingOpen(t *testing.T) {
	w := waitingRoom{Dir: t.TempDir(), Slots: 5}
	for range perAddress {
		enter(t, w, "a")
	}
	before := descriptors(t, w.Dir)
	for range 10 {
		full(t, w, "a", errAccountFull)
	}
	if after := descriptors(t, w.Dir); after != before {
		t.Errorf("%d files of the waiting room open, before %d", after, before)
	}
}

// descriptors counts the descriptors of this process below dir.
func descriptors(t *testing.T, dir string) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, fd := range fds {
		path, _ := os.Readlink("/proc/self/fd/" + fd.Name())
		if filepath.Dir(path) == dir {
			n++
		}
	}
	return n
}
