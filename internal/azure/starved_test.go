// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// starved makes this test binary a process that connects with no descriptor left.
const starved = "AAD_LOGIN_TEST_STARVED"

func TestMain(m *testing.M) {
	if at := os.Getenv(starved); at != "" {
		os.Stdout.WriteString(askStarved(at) + "\n")
		return
	}
	os.Exit(m.Run())
}

func askStarved(at string) string {
	c, err := NewClient(Options{})
	if err != nil {
		return err.Error()
	}
	few := syscall.Rlimit{Cur: 32, Max: 32}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few); err != nil {
		return err.Error()
	}
	var held []*os.File
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			break
		}
		held = append(held, f)
	}
	err = ask(context.Background(), c, at)
	for _, f := range held {
		f.Close()
	}
	var local *LocalError
	if errors.As(err, &local) && !Outage(err) {
		return local.Problem
	}
	return "other: " + err.Error()
}

// The process really has no descriptors: neither the resolver nor the dialer gets one.
func TestNoDescriptors(t *testing.T) {
	for _, at := range []string{"http://127.0.0.1:9", "http://host.example"} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), starved+"="+at)
		out, err := cmd.StdoutPipe()
		if err != nil || cmd.Start() != nil {
			t.Fatal(err)
		}
		line, _ := bufio.NewReader(out).ReadString('\n')
		if cmd.Wait(); line != "is out of file descriptors\n" {
			t.Errorf("%s: %q", at, line)
		}
	}
}
