// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// azOnPath returns a directory whose az is this test binary (see TestMain), and answers it for the
// length of the test.
func azOnPath(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// Without this, each az ends a second late under the race detector.
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, "az")); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Close()
		azTenant, azElsewhere = azRoles{}, map[string]string{}
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			azAnswer(c)
		}
	}()
	return dir
}

type azReply struct{ Out, Err string }

func azAnswer(c net.Conn) {
	defer c.Close()
	var args []string
	if json.NewDecoder(c).Decode(&args) != nil {
		return
	}
	var reply azReply
	out, err := az(args)
	if reply.Out = out; err != nil {
		reply.Err = err.Error()
	}
	json.NewEncoder(c).Encode(reply)
}

// azMain is the program az.
func azMain() int {
	self, err := exec.LookPath("az")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	c, err := net.Dial("unix", filepath.Join(filepath.Dir(self), "socket"))
	if err == nil {
		defer c.Close()
		err = json.NewEncoder(c).Encode(os.Args[1:])
	}
	var reply azReply
	if err == nil {
		err = json.NewDecoder(c).Decode(&reply)
	}
	if err == nil && reply.Err != "" {
		err = errors.New(reply.Err)
	}
	fmt.Print(reply.Out)
	if err != nil {
		fmt.Fprintln(os.Stderr, "ERROR:", err)
		return 1
	}
	return 0
}
