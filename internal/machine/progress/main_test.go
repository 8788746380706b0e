// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// "go test -json" writes this about a package whose tests pass, one with a failure, and one that is
// not built.
const recorded = `{"Action":"start","Package":"aadlogin/internal/qr"}
{"Action":"run","Package":"aadlogin/internal/qr","Test":"TestGood"}
{"Action":"output","Package":"aadlogin/internal/qr","Test":"TestGood","Output":"=== RUN   TestGood\n"}
{"Action":"pass","Package":"aadlogin/internal/qr","Test":"TestGood","Elapsed":0.1}
{"Action":"output","Package":"aadlogin/internal/qr","Output":"ok  \taadlogin/internal/qr\t0.1s\n"}
{"Action":"pass","Package":"aadlogin/internal/qr","Elapsed":0.1}
{"Action":"run","Package":"aadlogin/internal/cdb","Test":"TestBad"}
{"Action":"run","Package":"aadlogin/internal/cdb","Test":"TestBad/part"}
{"Action":"output","Package":"aadlogin/internal/cdb","Test":"TestBad/part","Output":"    cdb_test.go:7: 1, want 2\n"}
{"Action":"fail","Package":"aadlogin/internal/cdb","Test":"TestBad/part","Elapsed":0}
{"Action":"fail","Package":"aadlogin/internal/cdb","Test":"TestBad","Elapsed":0}
{"Action":"output","Package":"aadlogin/internal/cdb","Output":"FAIL\n"}
{"Action":"fail","Package":"aadlogin/internal/cdb","Elapsed":2}
{"ImportPath":"aadlogin/nss","Action":"build-output","Output":"nss/nss.go:3: syntax error\n"}
{"ImportPath":"aadlogin/nss","Action":"build-fail"}
not json
`

func TestProgress(t *testing.T) {
	cmd := exec.Command("go", "run", ".")
	cmd.Stdin = strings.NewReader(recorded)
	var out bytes.Buffer
	cmd.Stdout = &out
	const want = `ok      0.1 s  internal/qr
    cdb_test.go:7: 1, want 2
FAIL
FAIL    2.0 s  internal/cdb
nss/nss.go:3: syntax error
not json
`
	if err := cmd.Run(); err == nil || out.String() != want {
		t.Errorf("%v\n%s\nwant\n%s", err, out.String(), want)
	}
	cmd = exec.Command("go", "run", ".")
	cmd.Stdin = strings.NewReader(
		recorded[:strings.Index(recorded, `{"Action":"run","Package":"aadlogin/internal/cdb"`)])
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestStill(t *testing.T) {
	var out bytes.Buffer
	now := time.Now()
	r := &run{out: &out, running: map[string]time.Time{
		"internal/cdb TestBad":      now,
		"internal/cdb TestBad/part": now,
		"nss TestOther":             now.Add(time.Second),
	}}
	r.line([]byte(`{"Action":"run","Package":"aadlogin/nss","Test":"TestPaused"}`), now)
	r.line([]byte(`{"Action":"pause","Package":"aadlogin/nss","Test":"TestPaused"}`), now)
	r.still(now.Add(40 * time.Second))
	if want := "…    internal/cdb TestBad (40 s), nss TestOther (39 s)\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
