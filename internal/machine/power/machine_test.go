// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package power

import (
	"bufio"
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/emulator"
)

var (
	wanted = flag.Int("cuts", 0, "how many losses of power on each file system")
	seed   = flag.Uint64("seed", 0, "which ones; 0: others each time")
)

// patience is for one program. Nothing here takes a minute on a machine that does nothing else.
const patience = 10 * time.Minute

const tenant = "contoso.example"

// entra stands in for Entra ID, Azure Resource Manager and the metadata service.
var entra *emulator.Server

func startEntra(t *testing.T) {
	t.Helper()
	entra = &emulator.Server{EntraAddr: "127.0.0.1:8443", MetadataAddr: "127.0.0.1:8442"}
	if err := entra.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { entra.Close() })
	if err := os.WriteFile("/run/aad-emulator-ca.pem", entra.CA(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// employ gives people an account in the directory, and the role to sign in.
func employ(t *testing.T, names ...string) {
	t.Helper()
	err := entra.Update(func(d *emulator.Directory) {
		for _, name := range names {
			id := sha256.Sum256([]byte(name))
			oid := fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:16])
			d.Users = append(d.Users, emulator.User{Name: name, ObjectID: oid})
			d.Assignments = append(d.Assignments, emulator.Assignment{Principal: name,
				Role: userLogin, Scope: d.Machine.ResourceID})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// dismiss takes the role away, and hire gives it back.
func dismiss(t *testing.T, name string) { assign(t, name, "Reader") }
func hire(t *testing.T, name string)    { assign(t, name, userLogin) }

const userLogin = "Virtual Machine User Login"

func assign(t *testing.T, name, role string) {
	t.Helper()
	err := entra.Update(func(d *emulator.Directory) {
		for i := range d.Assignments {
			if d.Assignments[i].Principal == name {
				d.Assignments[i].Role = role
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

var code = regexp.MustCompile(`enter the code ([A-Z0-9]{9}) to`)

// signIn goes through the product's PAM stack with a browser, as sshd would.
func signIn(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "pamtester", "-I", "rhost=192.0.2.7", "sshd", name,
		"authenticate", "acct_mgmt")
	keys, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	screen, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return err
	}
	said, browsed := converse(screen, keys, name)
	if err := cmd.Wait(); err != nil || browsed != nil {
		return fmt.Errorf("%s: %v, %v: %s", name, err, browsed, said)
	}
	return nil
}

// converse reads until the program ends, and answers its prompt.
func converse(screen io.Reader, keys io.WriteCloser, name string) (said string, err error) {
	var text strings.Builder
	in := bufio.NewReader(screen)
	prompted := false
	for {
		b, end := in.ReadByte()
		if end != nil {
			return text.String(), err
		}
		text.WriteByte(b)
		if prompted || b != '.' {
			continue
		}
		if m := code.FindStringSubmatch(text.String()); m != nil &&
			strings.HasSuffix(text.String(), "when ready.") {
			prompted = true
			err = entra.SignIn(m[1], name)
			io.WriteString(keys, "\n")
		}
	}
}

// command runs a program to its end.
func command(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s %q: %w: %s", name, args, err, out)
	}
	return string(out), err
}

func must(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := command(name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
