// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"aadlogin/internal/emulator"
)

// Directory changes the emulator's directory for the rest of the test.
func Directory(t *testing.T, change func(*emulator.Directory)) {
	t.Helper()
	var before emulator.Directory
	if err := Entra.Update(func(d *emulator.Directory) { before = *d }); err != nil {
		t.Fatal(err)
	}
	if err := Entra.Update(change); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := Entra.Update(func(d *emulator.Directory) { *d = before }); err != nil {
			t.Fatal(err)
		}
	})
}

// Entra is the only stand-in: Entra ID, Azure Resource Manager and the metadata service.
var Entra *emulator.Server

// StartEntra starts Entra where the configuration of install-product expects it.
func StartEntra() error {
	Entra = &emulator.Server{EntraAddr: "127.0.0.1:8443", MetadataAddr: "127.0.0.1:8442"}
	if err := Entra.Start(); err != nil {
		return err
	}
	return os.WriteFile(CAFile, Entra.CA(), 0o644)
}

// Browse signs an account in with a code on the device page.
func Browse(t testing.TB, page, code, as string) {
	t.Helper()
	const done = "You have signed in to the Microsoft Azure Linux Virtual Machine Sign-In " +
		"application on your device."
	answer := submit(t, page, url.Values{"code": {code}, "account": {as}})
	if !strings.Contains(answer, done) {
		t.Fatalf("the device page did not sign %s in:\n%s", as, answer)
	}
}

func submit(t testing.TB, page string, form url.Values) string {
	t.Helper()
	resp, err := http.PostForm(page, form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// Requests counts the answers of an endpoint of the emulator.
func Requests(endpoint string) int {
	n := 0
	for _, r := range Entra.Requests() {
		if r.Endpoint == endpoint {
			n++
		}
	}
	return n
}

// Revoke removes all roles of an account for the rest of the test.
func Revoke(t *testing.T, user string) {
	t.Helper()
	var before []emulator.Assignment
	err := Entra.Update(func(d *emulator.Directory) {
		before = d.Assignments
		var kept []emulator.Assignment
		for _, a := range d.Assignments {
			if a.Principal != user {
				kept = append(kept, a)
			}
		}
		d.Assignments = kept
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := Entra.Update(func(d *emulator.Directory) { d.Assignments = before }); err != nil {
			t.Fatal(err)
		}
	})
}

// Hire adds a person with a role to the directory, or gives a person another role.
func Hire(t *testing.T, name, role string) {
	t.Helper()
	err := Entra.Update(func(d *emulator.Directory) {
		if !slices.ContainsFunc(d.Users, func(u emulator.User) bool { return u.Name == name }) {
			d.Users = append(d.Users, emulator.User{
				Name: name, ObjectID: fmt.Sprintf("cdcdcdcd-0000-0000-0000-%x", name[:6]),
			})
		}
		d.Assignments = slices.DeleteFunc(d.Assignments, func(a emulator.Assignment) bool {
			return a.Principal == name
		})
		if role != "" {
			d.Assignments = append(d.Assignments, emulator.Assignment{
				Principal: name, Role: role, Scope: d.Machine.ResourceID,
			})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// These roles let a person in.
const (
	LoginRole = "Virtual Machine User Login"
	AdminRole = "Virtual Machine Administrator Login"
)

// OwnScope is the scope that the application of the emulator's directory exposes.
var OwnScope = emulator.Contoso().ClientID + "/sign-in"
