// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/msteinert/pam/v2"

	"aadlogin/internal/machine/rig"
)

// libpam itself tells the result for a name at each entry point of the module, under each control
// that administrators write, in every state of the machine. Every line of the module has a line of
// pam_permit.so behind it for the rest of the stack. That line lets in everybody whom our line does
// not stop.

// calls are the calls that libpam makes to a module. setcred comes twice: with authenticate before
// it, as in sudo, and without, as behind a key.
var calls = []struct {
	name  string
	after bool // on a handle that has authenticated
	call  func(*pam.Transaction) error
}{
	{"setcred alone", false,
		func(tx *pam.Transaction) error { return tx.SetCred(pam.EstablishCred) }},
	{"authenticate", false, func(tx *pam.Transaction) error { return tx.Authenticate(0) }},
	{"setcred", true, func(tx *pam.Transaction) error { return tx.SetCred(pam.EstablishCred) }},
	{"acct_mgmt", false, func(tx *pam.Transaction) error { return tx.AcctMgmt(0) }},
	{"open_session", false, func(tx *pam.Transaction) error { return tx.OpenSession(0) }},
	{"close_session", false, func(tx *pam.Transaction) error { return tx.CloseSession(0) }},
	{"chauthtok", false, func(tx *pam.Transaction) error { return tx.ChangeAuthTok(0) }},
}

// letter is a result in the tables below.
func letter(err error) string {
	switch err {
	case nil:
		return "."
	case pam.ErrUserUnknown:
		return "u"
	case pam.ErrPermDenied:
		return "d"
	case pam.ErrService:
		return "s"
	}
	return "(" + err.Error() + ")"
}

const (
	own    = "[success=done user_unknown=ignore default=die]" // as in the package's auth line, written everywhere
	either = "[success=1 default=ignore]"                     // Debian's for pam_unix.so
)

// packaged has the controls of the package's own lines, of its three types.
func packaged(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../../packaging/pam-configs/aad-login")
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]string{"password": "optional"} // has none
	for _, m := range regexp.MustCompile(`(?m)^(Auth|Account|Session):\n\s+(\[.*?\]|\w+)\s+pam_aad\.so$`).FindAllStringSubmatch(string(text), -1) {
		lines[strings.ToLower(m[1])] = strings.ReplaceAll(m[2], "success=end", "success=done")
	}
	if len(lines) != 4 {
		t.Fatalf("%q", lines)
	}
	return lines
}

// everywhere returns one control for every type.
func everywhere(control string) map[string]string {
	return map[string]string{
		"auth":     control,
		"account":  control,
		"session":  control,
		"password": control,
	}
}

// under returns a service directory in which the module's lines have these controls.
func under(t *testing.T, controls map[string]string) string {
	t.Helper()
	var text strings.Builder
	for kind, control := range controls {
		fmt.Fprintf(&text, "%s %s pam_aad.so\n", kind, control)
		// The second line is for a jump.
		fmt.Fprintf(&text, "%s required pam_permit.so\n%[1]s required pam_permit.so\n", kind)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "vlock"), []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// through makes every call, and returns the letters of the results.
func through(t *testing.T, dir, user string, prompt func(string) error) (results string) {
	t.Helper()
	var tx *pam.Transaction
	for _, c := range calls {
		if !c.after {
			h := &rig.Host{T: t, Prompt: prompt}
			var err error
			if tx, err = pam.StartConfDir("vlock", user, h, dir); err != nil {
				t.Fatal(err)
			}
			defer tx.End()
		}
		results += letter(c.call(tx))
	}
	return results
}

// These are the states of a machine.
var states = map[string]func(*testing.T){
	"in order": func(*testing.T) {},
	"store damaged": func(t *testing.T) {
		rig.Edit(t, rig.StoreFile, func(s string) []byte { return []byte(s[:len(s)/2]) })
	},
	"no configuration": func(t *testing.T) {
		rig.Edit(t, rig.ConfigFile, func(string) []byte { return nil })
	},
	"neither": func(t *testing.T) {
		rig.Edit(t, rig.StoreFile, func(s string) []byte { return []byte(s[:len(s)/2]) })
		rig.Edit(t, rig.ConfigFile, func(string) []byte { return nil })
	},
}

// A line that leaves unknown names to the rest of the stack shuts no local user out, whatever the
// state of the module. Neither do our own lines. PAM itself refuses an unknown name under
// "required" and similar controls (pam.conf(5)), and a line with default=die and without ignore=
// dies of PAM_IGNORE. aadctl check reports both as failures.
func TestControlsAndLocalUsers(t *testing.T) {
	rig.LocalUser(t)
	for state, be := range states {
		t.Run(state, func(t *testing.T) {
			be(t)
			for _, user := range []string{"root", "local"} {
				for control, want := range map[string]string{
					"sufficient": ".......",
					"optional":   ".......",
					either:       ".......",
					own:          "...dddd",
					"required":   "uuu....",
					"requisite":  "uuu....",
				} {
					if got := through(t, under(t, everywhere(control)), user, nil); got != want {
						t.Errorf("%s, %s: %s, want %s", user, control, got, want)
					}
				}
				if got := through(t, under(t, packaged(t)), user, nil); got != "......." {
					t.Errorf("%s, the package's lines: %s", user, got)
				}
			}
		})
	}
}

// An account of ours is let in under every control. A refusal by the module stops it wherever the
// control lets it count.
func TestControlsAndOurAccounts(t *testing.T) {
	const user, norole = "user@contoso.example", "norole@contoso.example"
	rig.Stored(t, user)
	for _, test := range []struct {
		state, user string
		want        map[string]string // of each control
	}{
		{"in order", user, map[string]string{"required": "......d", "requisite": "......d",
			"sufficient": ".......", "optional": ".......", either: ".......", own: "......d"}},
		{"in order", norole, map[string]string{"required": ".ddd..d",
			"requisite": ".ddd..d", own: ".ddd..d"}},
		{"store damaged", user, map[string]string{"required": ".sss..d",
			"requisite": ".sss..d", own: ".sss..d"}},
		{"no configuration", user, map[string]string{"required": ".sss..d",
			"requisite": ".sss..d", own: ".sss..d"}},
	} {
		t.Run(test.user+" "+test.state, func(t *testing.T) {
			states[test.state](t)
			for control, want := range test.want {
				got := through(t, under(t, everywhere(control)), test.user, rig.As(test.user))
				if got != want {
					t.Errorf("%s: %s, want %s", control, got, want)
				}
			}
			ours := packaged(t)
			delete(ours, "password")
			got, want := through(t, under(t, ours), test.user, rig.As(test.user))[:6],
				test.want["required"][:6]
			if got != want {
				t.Errorf("the package's lines: %s, want %s", got, want)
			}
		})
	}
}

// shipped are the shared stacks of distributions with our package's lines.
func shippedStacks(t *testing.T) map[string]string {
	t.Helper()
	printed := func(kind string) string {
		return rig.Must(t, "../../../packaging/wiring/pam-stack", "print", kind)
	}
	redHat := filepath.Join(t.TempDir(), "password-auth")
	text := "auth required pam_env.so\n" +
		"auth [default=1 ignore=ignore success=ok] pam_usertype.so isregular\n" +
		"auth [default=1 ignore=ignore success=ok] pam_localuser.so\n" +
		"auth sufficient pam_unix.so nodelay\n" +
		"auth required pam_deny.so\n" +
		"account required pam_unix.so\n" +
		"account sufficient pam_localuser.so\n" +
		"account sufficient pam_usertype.so issystem\n" +
		"account required pam_permit.so\n"
	if err := os.WriteFile(redHat, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	rig.Must(t, "../../../packaging/wiring/pam-stack", "add", redHat)
	wired, err := os.ReadFile(redHat)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{
		"Red Hat": string(wired),
		"SUSE": "auth optional pam_env.so\n" + printed("auth") +
			"auth required pam_env.so\nauth required pam_unix.so nodelay\n" +
			printed("account") + "account required pam_unix.so try_first_pass\n",
		"Debian": "@include common-auth\n@include common-account\n",
	}
	for name, text := range all { // its path is the rpm's
		all[name] = strings.ReplaceAll(text, "/usr/lib64/security/pam_aad.so", "pam_aad.so")
	}
	return all
}

// A local user's right password and key are accepted by the stacks that the package leaves behind,
// and a wrong password is not.
func TestShippedStacksAndLocalUsers(t *testing.T) {
	rig.LocalUser(t)
	for name, stack := range shippedStacks(t) {
		dir := t.TempDir()
		rig.Must(t, "sh", "-c", `cp /etc/pam.d/common-* "$0"`, dir)
		if err := os.WriteFile(filepath.Join(dir, "machine"), []byte(stack), 0o644); err != nil {
			t.Fatal(err)
		}
		for state, be := range states {
			t.Run(name+", "+state, func(t *testing.T) {
				be(t)
				start := func(password string) *pam.Transaction {
					tx, err := pam.StartConfDir("machine", "local",
						pam.ConversationFunc(func(pam.Style, string) (string, error) {
							return password, nil
						}), dir)
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { tx.End() })
					return tx
				}
				// Otherwise it takes two seconds. TestLocalUserWithWrongPassword covers it.
				if strings.Contains(stack, "nodelay") {
					if err := start("wrong").Authenticate(0); err == nil {
						t.Error("let in with a wrong password")
					}
				}
				whole, behindKey := start(rig.LocalPassword), start("")
				for what, err := range map[string]error{
					"authenticate":  whole.Authenticate(0),
					"acct_mgmt":     whole.AcctMgmt(0),
					"setcred":       whole.SetCred(pam.EstablishCred),
					"a key":         behindKey.AcctMgmt(0),
					"setcred alone": behindKey.SetCred(pam.EstablishCred),
				} {
					if err != nil {
						t.Errorf("%s: %v", what, err)
					}
				}
			})
		}
	}
}
