// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package power

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// person returns what is promised about one of them: the account and its grant.
func person(name string) func() state {
	return func() state {
		now := see(eachAccount).State
		entry, err := command("getent", "passwd", name)
		if err != nil {
			return state{name: err.Error()}
		}
		grant := "grant " + strings.Split(entry, ":")[2]
		return state{name: now[name], grant: now[grant]}
	}
}

func only(things ...string) func() state {
	return func() state {
		now, some := see(eachAccount).State, state{}
		for _, thing := range things {
			some[thing] = now[thing]
		}
		return some
	}
}

var lastUID = 20000

// importing imports an account with the next uid.
func importing(t *testing.T, name string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "passwd")
	line := fmt.Sprintf("%s:x:%d:%[2]d:Some Body:/home/%[1]s:/bin/bash\n", name, uid(name))
	if err := os.WriteFile(path, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := command("aadctl", "account", "import", path)
	report(t, err)
}

var uids sync.Map

func uid(name string) int {
	n, known := uids.LoadOrStore(name, 0)
	if !known {
		count := 0
		uids.Range(func(any, any) bool { count++; return true })
		n = lastUID + count
		uids.Store(name, n)
	}
	return n.(int)
}

// crowd changes the store from many sides at once: nobody waits for another but in the product.
func crowd(t *testing.T, p *promises) {
	var workers sync.WaitGroup
	stop := beside(t, storeDir+"/neighbour")
	workers.Go(func() {
		for i := range 16 {
			name := fmt.Sprintf("imported%d@%s", i, tenant)
			end := p.begin("import " + name)
			importing(t, name)
			end(only(name))
		}
	})
	workers.Go(func() {
		for i := range 16 {
			end := p.begin("account set")
			_, err := command("aadctl", "account", "set", "set@"+tenant, "--home",
				fmt.Sprintf("/srv/home%d", i))
			report(t, err)
			end(only("set@" + tenant))
		}
	})
	workers.Go(func() {
		for range 5 {
			end := p.begin("sign-in of user")
			report(t, signIn("user@"+tenant))
			end(person("user@" + tenant))
		}
	})
	workers.Go(func() {
		for round := range 3 {
			atOnce(t, p, round)
		}
	})
	workers.Wait()
	stop()
}

func report(t *testing.T, err error) {
	if err != nil {
		t.Error(err)
	}
}

// atOnce is the first sign-in of several people in the same moment, which is what group commit is
// for.
func atOnce(t *testing.T, p *promises, round int) {
	var people sync.WaitGroup
	for i := range 6 {
		name := fmt.Sprintf("first%d.%d@%s", round, i, tenant)
		people.Go(func() {
			end := p.begin("first sign-in of " + name)
			report(t, signIn(name))
			end(person(name))
		})
	}
	people.Wait()
}

// beside runs another program of the machine, that writes to the same file system: its calls of
// fsync write down what of ours nobody has asked for yet.
func beside(t *testing.T, path string) (stop func()) {
	cmd := exec.Command(os.Args[0], "neighbour", path)
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		stdin.Close()
		report(t, cmd.Wait())
	}
}

// neighbour is that program. It ends when its input does.
func neighbour(path string) error {
	done := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(done)
	}()
	every := time.NewTicker(15 * time.Millisecond)
	defer every.Stop()
	for {
		select {
		case <-done:
			return os.Remove(path)
		case <-every.C:
		}
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		_, err = f.WriteString("something\n")
		if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
			return err
		}
	}
}
