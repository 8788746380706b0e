// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// crash is a running harness: testdata/crash.c.
type crash struct {
	in  io.WriteCloser
	out *bufio.Reader
}

func newCrash(t testing.TB) *crash {
	t.Helper()
	cmd := exec.Command(harness(t, "crash"))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("crash: %v\n%s", err, &stderr)
		}
	})
	return &crash{in, bufio.NewReader(out)}
}

// read returns what the log gets of a text on standard error.
func (c *crash) read(t testing.TB, text string) (cause, stack string) {
	t.Helper()
	_, err := c.in.Write(append(binary.NativeEndian.AppendUint32(nil, uint32(len(text))), text...))
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []*string{&cause, &stack} {
		line, err := c.out.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		bytes, err := hex.DecodeString(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		*to = string(bytes)
	}
	return cause, stack
}

// dying is a program that dies in each way that a Go program can.
const dying = `package main

import (
	"errors"
	"os"
	"runtime/debug"
	"sync"
)

type person struct{ token string }

//go:noinline
func (p *person) fail(how, secret string) {
	switch how {
	case "index":
		println(p.token[len(secret)+100:])
	case "nil":
		var q *person
		println(q.token)
	case "value":
		panic("secret " + secret)
	case "lines":
		panic(secret + "\n\ngoroutine 7 [running]:\nmain.secret(0x1)\n\tsecret.go:1 +0x2\n")
	case "error":
		panic(errors.New(secret))
	case "again":
		defer func() { panic(recover()) }()
		panic(secret)
	case "map":
		debug.SetPanicOnFault(true)
		m := map[string]int{}
		for range 8 {
			go func() {
				for i := 0; ; i++ {
					m[secret] = i
				}
			}()
		}
		select {}
	case "deadlock":
		var mu sync.Mutex
		mu.Lock()
		mu.Lock()
	}
}

func main() {
	done := make(chan bool)
	go func() { (&person{os.Args[2]}).fail(os.Args[1], os.Args[2]); close(done) }()
	if os.Args[1] != "deadlock" {
		<-done
	}
	(&person{os.Args[2]}).fail(os.Args[1], os.Args[2])
}
`

// The log gets the runtime's words and the functions of a crash, and no argument of them.
func TestCrash(t *testing.T) {
	dir := t.TempDir()
	source, program := filepath.Join(dir, "dying.go"), filepath.Join(dir, "dying")
	if err := os.WriteFile(source, []byte(dying), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program,
		source).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const secret = "eyJhbGciOiJSUzI1NiJ9"
	c := newCrash(t)
	for how, want := range map[string][2]string{
		"index": {`^panic: runtime error: slice bounds out of range`,
			`^main\.\(\*person\)\.fail dying\.go:\d+ < main\.main\.func1 dying\.go:\d+$`},
		"nil": {`^panic: runtime error: invalid memory address`,
			`^main\.\(\*person\)\.fail dying\.go:\d+ < main\.main\.func1 `},
		"value": {`^panic$`, `^main\.\(\*person\)\.fail dying\.go:\d+ < main\.main\.func1 `},
		"lines": {`^panic$`, `^main\.\(\*person\)\.fail dying\.go:\d+ < main\.main\.func1 `},
		"error": {`^panic$`, `^main\.\(\*person\)\.fail dying\.go:\d+ < main\.main\.func1 `},
		"again": {`^panic$`,
			`^main\.\(\*person\)\.fail\.func\d+ dying\.go:\d+ < main\.\(\*person\)\.fail dying\.go:\d+ < main\.main\.func1 `},
		"map": {`^fatal error: concurrent map writes$`, `^(internal/runtime/maps|main)?\S* ?`},
		"deadlock": {`^fatal error: all goroutines are asleep - deadlock!$`,
			`main\.\(\*person\)\.fail dying\.go:\d+ < main\.main`},
	} {
		cmd := exec.Command(program, how, secret)
		cmd.Env = []string{}
		out, err := cmd.CombinedOutput()
		if err == nil {
			t.Fatalf("%s: it did not die", how)
		}
		cause, stack := c.read(t, string(out))
		if !regexp.MustCompile(want[0]).MatchString(cause) ||
			!regexp.MustCompile(want[1]).MatchString(stack) {
			t.Errorf("%s: %q, %q of\n%s", how, cause, stack, out)
		}
		if strings.Contains(cause+stack, secret) || strings.Contains(cause+stack, "secret") ||
			strings.Contains(stack, "0x") {
			t.Errorf("%s: %q, %q", how, cause, stack)
		}
	}
	for text, want := range map[string]string{
		"free(): invalid pointer\n": "",
		"runtime/cgo: pthread_create failed: Resource temporarily unavailable\nSIGABRT: " +
			"abort\nPC=0x1\n": "runtime/cgo: pthread_create failed: Resource temporarily " +
			"unavailable",
		"SIGSEGV: segmentation violation\nPC=0x46 m=0 sigcode=0\n": "SIGSEGV: segmentation " +
			"violation",
		"": "",
	} {
		if cause, stack := c.read(t, text); cause != want || stack != "" {
			t.Errorf("%q, %q, want %q", cause, stack, want)
		}
	}
}

// For any text on standard error no sanitizer reports an error, and the result is bounded and one
// line.
func FuzzCrash(f *testing.F) {
	f.Add("panic: secret\n\ngoroutine 1 [running, locked to thread]:\na/b.(*T).f(0x1, {0x2, " +
		"0x3}, ...)\n\ta/b/c.go:12 +0x34\n")
	f.Add("fatal error: all goroutines are asleep\ngoroutine [\n\t\n(\n\t")
	f.Add(strings.Repeat("goroutine 1 [x]:\nf(\n\tx.go:1\n", 2000))
	f.Add("SIG" + strings.Repeat("x", 9000))
	c := newCrash(f)
	f.Fuzz(func(t *testing.T, text string) {
		cause, stack := c.read(t, text)
		if len(cause) > 255 || len(stack) > 999 || strings.Contains(cause+stack, "\n") {
			t.Errorf("%q, %q", cause, stack)
		}
	})
}
