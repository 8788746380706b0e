// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"aadlogin/internal/account"
	"aadlogin/internal/config"
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

// TestScripts runs testdata/script/*.txtar. Besides testscript's own commands
// there are the following, the file tomorrow, a store of a later version, and
// an emulator: $ENTRA, vouched for by ca.pem, with the metadata services $AZURE,
// $ARC and $UNIFORM, an instance of a uniform scale set:
//
//	config [LINE…]          write config.toml: the required keys, the LINEs,
//	                        and a store below $WORK
//	status N aadctl ARG…    run it and want exactly this exit status
//	masked FILE             compare standard output, in which DAY and TIME
//	                        stand for those of the run, with a file
//	admin NAME              bind an imported account and make it administrator
//	stored NAME UID         store an account, whatever else has its name or id
//	grant UID               leave behind what a sign-in does
//	running UID             start a process with this uid, to the end of the
//	                        script; one that no other script uses
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
			// else each aadctl ends a second late under the race detector
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

// storeOfTomorrow is a store that a later version has written, as package nss
// makes it, without what a fuzzer asks of it.
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
	ts.Check(os.Chmod(path, 0o644)) // whatever the umask
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

// Scripts branch on the exit code, so each kind of error must keep its own.
func TestExplain(t *testing.T) {
	denied := &fs.PathError{Op: "open", Path: "/var/lib/aad-login/accounts.lock",
		Err: fs.ErrPermission}
	cases := []struct {
		err  error
		code int
		want string
	}{
		{nil, exitOK, ""},
		{usage("flag needed"), exitUsage,
			"aadctl: flag needed\naadctl: hint: aadctl --help lists commands and flags\n"},
		{&config.Error{File: "c.toml", Line: 3, Key: "cloud", Problem: "is odd", Fix: "even it"},
			exitConfiguration,
			"aadctl: c.toml:3: cloud: is odd\naadctl: hint: even it\n"},
		{inStore(fmt.Errorf("account: lock: %w", denied)), exitStore,
			"aadctl: lock: open /var/lib/aad-login/accounts.lock: permission denied\naadctl: " +
				"hint: run this as root\n"},
		{denied, exitNo,
			"aadctl: open /var/lib/aad-login/accounts.lock: permission denied\naadctl: hint: run " +
				"this as root\n"},
		{inStore(&account.DamagedError{File: "/s/accounts.cdb", Problem: "is truncated"}),
			exitStore,
			"aadctl: /s/accounts.cdb: is truncated\naadctl: hint: nothing was changed; restore " +
				"it from a backup: aadctl store restore FILE\n"},
		{&account.VersionError{File: "/s/accounts.cdb", Format: 9}, exitStore,
			"aadctl: /s/accounts.cdb: has format 9, this version reads 1\naadctl: hint: install " +
				"the version of aad-login that wrote it\n"},
		{account.ErrMissing, exitStore,
			"aadctl: there is no store yet\naadctl: hint: run: aadctl config apply\n"},
		{inStore(refused("p", errors.New("account: x: y"))), exitNo,
			"aadctl: p: x: y\naadctl: hint: nothing was imported; correct the line and import " +
				"the file again\n"},
		{inStore(errors.New("account: write the store: no space left on device")), exitStore,
			"aadctl: write the store: no space left on device\n"},
		{errors.New("anything else"), exitNo, "aadctl: anything else\n"},
	}
	for _, c := range cases {
		var out bytes.Buffer
		if code := complain(&out, c.err); code != c.code || out.String() != c.want {
			t.Errorf("complain(%v) = %d, want %d\ngot  %s\nwant %s", c.err, code,
				c.code, out.String(), c.want)
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// A list cut short must not look complete to the script that reads it.
func TestOutputThatCannotBeWritten(t *testing.T) {
	var errout bytes.Buffer
	if code := run(new(options), []string{"version"}, nil, fullDisk{}, &errout); code != exitNo {
		t.Errorf("exit status %d, want %d", code, exitNo)
	}
	if want := "aadctl: no space left on device\n"; errout.String() != want {
		t.Errorf("got %q, want %q", errout.String(), want)
	}
}

// A name or home in a store must not drive the terminal.
func TestTable(t *testing.T) {
	var out bytes.Buffer
	table := newTable(&out, "NAME", "HOME")
	rows := [][]string{table.head, {"zoë", "/home/zoë"}, {"x\x1b[2J", "/"}, {"\xff", ""}}
	for _, pass := range []func(...string){table.measure, table.print} {
		for _, row := range rows {
			pass(row...)
		}
	}
	table.flush()
	want := "NAME        HOME\n" +
		"zoë         /home/zoë\n" +
		`"x\x1b[2J"  /` + "\n" +
		`"\xff"` + "\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

// A name is never cut: where a row is too long for the terminal, the name has a line of its own.
func TestTableInANarrowTerminal(t *testing.T) {
	var out bytes.Buffer
	table := newTable(&out, "NAME", "UID", "STATE")
	rows := [][]string{table.head, {"alice@contoso.com", "2027764255", "admin"},
		{"a@contoso.com", "2027764256", "imported"}}
	for _, pass := range []func(...string){table.measure, table.print} {
		table.fit(36)
		for _, row := range rows {
			pass(row...)
		}
	}
	table.flush()
	want := "NAME            UID         STATE\n" +
		"alice@contoso.com\n" +
		"                2027764255  admin\n" +
		"a@contoso.com   2027764256  imported\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

// Whoever takes the name meanwhile keeps it, and no half of a file stays.
func TestWriteWholeReplacesNothing(t *testing.T) {
	dir := t.TempDir()
	file := dir + "/report.html"
	err := writeWhole(file, 0o600, false, func(io.Writer) error {
		return os.WriteFile(file, []byte("theirs"), 0o600)
	})
	if err == nil || err.Error() != file+": is there already" {
		t.Error(err)
	}
	if err := writeWhole(file, 0o600, true,
		func(io.Writer) error { return errors.New("full") }); err == nil || err.Error() != "full" {
		t.Error(err)
	}
	text, _ := os.ReadFile(file)
	if left, _ := os.ReadDir(dir); string(text) != "theirs" || len(left) != 1 {
		t.Errorf("%q, %v", text, left)
	}
}

func TestDescribe(t *testing.T) {
	built := &debug.BuildInfo{Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "abc123"}, {Key: "vcs.modified", Value: "true"},
	}}
	cases := []struct {
		version string
		info    *debug.BuildInfo
		want    string
	}{
		{"", nil, "aadctl unreleased ("},
		{"1.2.3", nil, "aadctl 1.2.3 ("},
		{"1.2.3", built, "aadctl 1.2.3, commit abc123 with changes ("},
		{"", &debug.BuildInfo{Main: debug.Module{Version: "v0.1.0"}}, "aadctl v0.1.0 ("},
		{"", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, "aadctl unreleased ("},
	}
	for _, c := range cases {
		if got := describe(c.version, c.info); !strings.HasPrefix(got, c.want) {
			t.Errorf("describe = %q, want it to begin with %q", got, c.want)
		}
	}
}

// A file may be called anything.
func TestComplaintIsPrintable(t *testing.T) {
	var said strings.Builder
	complain(&said, no("open \x1b[2J\u202e: no such file", "see \x1b[2J\n"))
	if want := "aadctl: \"open \\x1b[2J\\u202e: no such file\"\naadctl: hint: \"see \\x1b[2J\\n\"\n"; said.String() != want {
		t.Errorf("got  %q\nwant %q", said.String(), want)
	}
}
