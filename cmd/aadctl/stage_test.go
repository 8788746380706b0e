// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"

	"aadlogin/internal/account"
)

// These commands of scripts make what aadctl itself does not make: sign-ins and their sessions.

func stageStore(ts *testscript.TestScript) account.Store {
	return account.Store{Dir: ts.MkAbs("store"), RuntimeDir: ts.MkAbs("run")}
}

func stageUID(ts *testscript.TestScript, neg bool, args []string) uint32 {
	if neg || len(args) != 1 {
		ts.Fatalf("one uid is wanted")
	}
	uid, err := strconv.ParseUint(args[0], 10, 32)
	ts.Check(err)
	return uint32(uid)
}

func makeAdmin(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: admin NAME")
	}
	ts.Check(stageStore(ts).Update(func(e *account.Edit) error {
		a, err := e.ByName(args[0])
		if err != nil {
			return err
		}
		who := account.Identity{TenantID: e.Rules().TenantID, ObjectID: fmt.Sprint("oid-", a.UID),
			Name: a.Name, UPN: a.UPN}
		if a, err = e.Bind(who, a.UID); err != nil {
			return err
		}
		a.Admin = true
		return e.Put(a)
	}))
}

func storeAccount(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: stored NAME UID")
	}
	uid := stageUID(ts, false, args[1:])
	ts.Check(stageStore(ts).Update(func(e *account.Edit) error {
		return e.Put(account.Account{Name: args[0], UPN: args[0] + "@contoso.com", UID: uid,
			Home: "/home/x", Shell: "/bin/sh"})
	}))
}

func leaveGrant(ts *testscript.TestScript, neg bool, args []string) {
	s, uid := stageStore(ts), stageUID(ts, neg, args)
	ts.Check(s.RecordGrant(uid, account.Grant{ObjectID: "oid", Service: "sshd",
		RemoteHost: "192.0.2.7", Source: "check-access"}))
	ts.Check(os.MkdirAll(filepath.Dir(s.WindowsPath(uid)), 0o700))
	ts.Check(os.WriteFile(s.WindowsPath(uid), []byte("[]"), 0o600))
}

func startProcess(ts *testscript.TestScript, neg bool, args []string) {
	uid := stageUID(ts, neg, args)
	cmd := exec.Command("sleep", "1000")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	ts.Check(cmd.Start()) // returns when the process has these ids
	ts.Defer(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}
