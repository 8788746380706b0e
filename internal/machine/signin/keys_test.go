// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/msteinert/pam/v2"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

// Every sign-in is a process of its own. The first one that meets a new key finds it. Of unknown
// key ids, only the first causes a request.
func TestKeyRotation(t *testing.T) {
	const user = "user@contoso.example"
	rig.Stored(t, user)
	forget := func() { // other tests bring keys of their own, and look for keys in vain
		files, err := filepath.Glob("/var/cache/aad-login/*.json")
		if err != nil || len(files) == 0 {
			t.Errorf("no cache: %v", err)
		}
		for _, file := range files {
			os.Remove(file)
		}
	}
	forget()
	t.Cleanup(forget)
	signIn := func(asked int, want error) {
		t.Helper()
		before := rig.Requests("keys")
		h := rig.NewHost(t, user, "")
		h.Prompt = rig.As(user)
		if err := h.Tx.Authenticate(0); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%v, want %v; told %q", err, want, h.Told)
		}
		if n := rig.Requests("keys") - before; n != asked {
			t.Errorf("keys were asked for %d times, want %d", n, asked)
		}
	}
	defer rig.Entra.Forge(nil)
	signIn(1, nil) // there is nothing in the cache
	rig.Entra.RotateKey()
	signIn(1, nil)
	for i := range 2 {
		rig.Entra.Forge(&emulator.Forgery{
			Sign: emulator.Stranger, Header: map[string]any{"kid": fmt.Sprint("forged-", i)},
		})
		signIn(max(0, 1-i), pam.ErrAuth)
	}
	rig.Entra.Forge(nil)
	signIn(0, nil)
}
