// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package power

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// person returns what is promised about one of them: the account and its grant.
func person(name string) func() state {
	return func() state {
		now := eachAccount()
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
		now, some := eachAccount(), state{}
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
	done := make(chan struct{})
	var neighbour, workers sync.WaitGroup
	neighbour.Go(func() { syncsAllTheTime(t, storeDir+"/neighbour", done) })
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
			_, err := command("aadctl", "account", "set", "set@"+tenant, "--home", fmt.Sprintf("/srv/home%d", i))
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
	close(done)
	neighbour.Wait()
}

func report(t *testing.T, err error) {
	if err != nil {
		t.Error(err)
	}
}

// atOnce is the first sign-in of several people in the same moment, which is what group commit is for.
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

// syncsAllTheTime is another program of the machine that writes to the same file system: its calls
// of fsync write down what of ours nobody has asked for yet.
func syncsAllTheTime(t *testing.T, path string, done chan struct{}) {
	defer os.Remove(path)
	every := time.NewTicker(15 * time.Millisecond)
	defer every.Stop()
	for {
		select {
		case <-done:
			return
		case <-every.C:
		}
		f, err := os.Create(path)
		if err != nil {
			t.Error(err)
			return
		}
		f.WriteString("something\n")
		f.Sync()
		f.Close()
	}
}
