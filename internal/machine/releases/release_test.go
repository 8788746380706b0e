// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package releases

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

// A release is a whole machine with another Debian. The script "matrix" makes its root.
// systemd-nspawn boots it as a neighbour, so that ssh comes to it from outside. Entra ID and Azure
// are here, metadata has Azure's address, and there is no other network.
type release struct {
	t       *testing.T // as long as it lives
	root    string
	network rig.Neighbour
	console *rig.Terminal // the machine's own, on which root can log in
	leader  string        // the machine's first process
}

// releaseRoot names the root that the script has made. It is empty on the throw-away machine of all
// other tests.
func releaseRoot() string { return os.Getenv("MATRIX_ROOT") }

// newRelease boots the root, and starts the emulator.
func newRelease(t *testing.T) *release {
	t.Helper()
	r := &release{t: t, root: releaseRoot(), network: rig.NewNeighbour(t)}
	rig.Must(t, "ip", "address", "add", rig.MetadataAddress+"/32", "dev", "toward")
	rig.Must(t, "nsenter", r.network.In("ip", "link", "set", "lo", "up")...)
	rig.Must(t, "nsenter", r.network.In("ip", "route", "add", "default", "via", rig.Here)...)
	rig.Entra = &emulator.Server{
		EntraAddr: rig.Here + ":8443", MetadataAddr: rig.MetadataAddress + ":80",
	}
	if err := rig.Entra.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rig.Entra.Close() })
	err := os.WriteFile(filepath.Join(r.root, "etc/emulator-ca.pem"), rig.Entra.CA(), 0o644)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", "1") // the newest systemd knows no other
	r.boot(t)
	return r
}

// boot starts the machine, and waits until it is up.
func (r *release) boot(t *testing.T) {
	t.Helper()
	r.console = rig.Open(r.t, "systemd-nspawn", "--boot", "--directory="+r.root,
		"--machine="+filepath.Base(r.root),
		"--register=no", "--keep-unit", "--settings=no", "--link-journal=no",
		"--resolv-conf=off", "--timezone=off",
		"--network-namespace-path=/proc/"+r.network.Pid+"/ns/net")
	r.console.T = t
	r.console.Expect(` login: `)
	r.leader = strings.TrimSpace(rig.Must(t, "pgrep", "-P", fmt.Sprint(r.console.Cmd.Process.Pid)))
	state := strings.TrimSpace(r.must(t, "systemctl", "is-system-running", "--wait"))
	if state != "running" {
		t.Errorf("booted, and %s", state)
	}
}

// off ends the machine in a given way, and waits until it has ended.
func (r *release) off(t *testing.T, how string) {
	t.Helper()
	// The status is 133 if the machine is to be started again.
	want := map[string]int{"poweroff": 0, "reboot": 133}[how]
	r.must(t, "systemctl", "--no-block", how)
	if status, _ := r.console.End(); status != want {
		t.Errorf("%s: systemd-nspawn: exit status %d", how, status)
	}
}

// in returns the arguments of nsenter that run a program on the machine, as root.
func (r *release) in(args ...string) []string {
	enter := []string{
		"--target", r.leader, "--all", "--root", "--wd",
		"env", "-i", "LC_ALL=C.UTF-8", "HOME=/root", "TERM=dumb",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"DEBIAN_FRONTEND=noninteractive",
	}
	return append(enter, args...)
}

func (r *release) command(t *testing.T, args ...string) (string, int) {
	t.Helper()
	return rig.Command(t, "", "nsenter", r.in(args...)...)
}

func (r *release) must(t *testing.T, args ...string) string {
	t.Helper()
	return rig.Must(t, "nsenter", r.in(args...)...)
}

// write writes a file on the machine.
func (r *release) write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := rig.ReplaceFile(filepath.Join(r.root, path), []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// ssh runs "ssh NAME@machine [COMMAND]" from outside, with a terminal at both ends.
func (r *release) ssh(t *testing.T, name string, command ...string) *rig.Terminal {
	t.Helper()
	return r.sshWith(t, nil, name, command...)
}

func (r *release) sshWith(
	t *testing.T, options []string, name string, command ...string,
) *rig.Terminal {
	t.Helper()
	args := append([]string{"-p", "22", "-tt"}, options...)
	return rig.Open(t, "ssh",
		append(append(args, rig.SSHArgs(name+"@"+rig.Near)...), command...)...)
}

// log returns the module's lines in the machine's journal that match, since the last boot.
func (r *release) log(t *testing.T, pattern string) string {
	t.Helper()
	out, _ := r.command(t, "journalctl", "--boot", "--quiet", "--output=cat",
		"--grep", "pam_aad.*"+pattern)
	return out
}
