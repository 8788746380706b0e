// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"aadlogin/internal/emulator"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"aadctl": func() {
		o := &options{
			runtimeDir: os.Getenv("WORK") + "/run", storeDir: os.Getenv("WORK") + "/machine",
			root: os.Getenv("WORK") + "/root",
			now:  func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) },
		}
		os.Exit(run(o, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}})
}

// TestScripts runs testdata/script/*.txtar. They have an emulator: $ENTRA, with its certificate in
// ca.pem, and the metadata services $AZURE, $ARC and $UNIFORM, an instance of a uniform scale set.
// The file tomorrow is a store of a later version. Besides testscript's own commands there are:
//
//	config [LINE…]          write config.toml: the required keys, the LINEs,
//	                        and a store below $WORK
//	status N aadctl ARG…    run it and want exactly this exit status
//	masked FILE             compare standard output, in which DAY and TIME
//	                        stand for those of the run, with a file
//	admin NAME              bind an imported account and make it administrator
//	stored NAME UID         store an account, whatever else has its name or id
//	grant UID               leave what a sign-in leaves
//	running UID             start a process with this uid, until the end of the
//	                        script; no other script uses the uid
func TestScripts(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("config.toml must belong to root, so only root can test what reads it")
	}
	entra := emulated(t, emulator.Contoso().Machine.ResourceID)
	arc, uniform := emulated(t, arcID).MetadataURL(), emulated(t, uniformID).MetadataURL()
	testscript.Run(t, testscript.Params{
		Setup: func(env *testscript.Env) error {
			env.Setenv("AZURE", entra.MetadataURL())
			env.Setenv("ARC", arc)
			env.Setenv("UNIFORM", uniform)
			env.Setenv("ENTRA", entra.EntraURL())
			for name, text := range map[string][]byte{"tomorrow": storeOfTomorrow(t),
				"ca.pem": entra.CA()} {
				if err := os.WriteFile(env.WorkDir+"/"+name, text, 0o644); err != nil {
					return err
				}
			}
			// Otherwise each aadctl ends a second late under the race detector.
			env.Setenv("GORACE", "atexit_sleep_ms=0")
			return nil
		},
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"config":  writeConfig,
			"status":  wantStatus,
			"masked":  compareMasked,
			"admin":   makeAdmin,
			"stored":  storeAccount,
			"grant":   leaveGrant,
			"running": startProcess,
		},
	})
}

// storeOfTomorrow returns a store of a later version, made by package nss, without the bytes for
// its fuzzer.
func storeOfTomorrow(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile("../../testdata/stores/tomorrow")
	if err != nil {
		t.Fatal(err)
	}
	return data[:len(data)-5-int(data[len(data)-1])]
}

const arcID = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e/resourceGroups/demo/providers" +
	"/Microsoft.HybridCompute/machines/demo-arc"

const uniformID = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e/resourceGroups/demo/providers" +
	"/Microsoft.Compute/virtualMachineScaleSets/web/virtualMachines/3"

// emulated starts an emulator whose metadata names this machine.
func emulated(t *testing.T, id string) *emulator.Server {
	t.Helper()
	d := emulator.Contoso()
	d.Machine.ResourceID = id
	d.Elsewhere = map[string]string{"fabrikam.example": "99990000-1111-2222-3333-444455556666"}
	s := &emulator.Server{}
	s.SetDirectory(d)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func writeConfig(ts *testscript.TestScript, neg bool, lines []string) {
	if neg {
		ts.Fatalf("! config means nothing")
	}
	text := `tenant_id = "8a09f2d7-8415-4296-92b2-80bb4666c5fc"
client_id = "0b3f4a5e-1c2d-4e3f-8a9b-0c1d2e3f4a5b"
domains = ["contoso.com"]
accounts.directory = "` + ts.MkAbs("store") + `"
` + strings.Join(lines, "\n") + "\n"
	path := ts.MkAbs("config.toml")
	ts.Check(os.WriteFile(path, []byte(text), 0o644))
	ts.Check(os.Chmod(path, 0o644)) // independent of the umask
}

func wantStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N COMMAND ARG…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

var (
	times = regexp.MustCompile(`20\d{6}T\d{6}Z|20\d\d-\d\d-\d\dT[\d:.]+Z`)
	days  = regexp.MustCompile(`20\d\d-\d\d-\d\d`)
)

func compareMasked(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: masked FILE")
	}
	got := days.ReplaceAllString(times.ReplaceAllString(ts.ReadFile("stdout"), "TIME"), "DAY")
	got = strings.ReplaceAll(got, ts.Getenv("WORK"), "$WORK")
	if want := ts.ReadFile(args[0]); got != want {
		ts.Fatalf("got\n%swant\n%s", got, want)
	}
}

// A file that appears meanwhile stays, and no half-written file is left.
func TestWriteWholeReplacesNothing(t *testing.T) {
	dir := t.TempDir()
	file := dir + "/report.html"
	err := writeWhole(file, 0o600, false, func(io.Writer) error {
		return os.WriteFile(file, []byte("theirs"), 0o600)
	})
	if err == nil || err.Error() != file+": is there already" {
		t.Error(err)
	}
	err = writeWhole(file, 0o600, true, func(io.Writer) error { return errors.New("full") })
	if err == nil || err.Error() != "full" {
		t.Error(err)
	}
	text, _ := os.ReadFile(file)
	if left, _ := os.ReadDir(dir); string(text) != "theirs" || len(left) != 1 {
		t.Errorf("%q, %v", text, left)
	}
}
