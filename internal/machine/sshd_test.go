// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/emulator"
)

// The preview's sentence, to the letter: users and runbooks know it.
const deniedSentence = "Access denied:  to sign-in you be assigned a role with action 'Microsoft.Compute/virtualMachines/login/action', " +
	"for example 'Virtual Machine User Login'"

func TestAdministratorSignsIn(t *testing.T) {
	c := ssh(t, "admin@contoso.example")
	c.expect(`Signing in to \S+ as admin@contoso\.example \(sshd, from 127\.0\.0\.1\)\. \n`)
	c.signIn("admin@contoso.example")
	c.expect(`\$ `)
	c.typeLine("id; pwd; stat -c '%U %G %a' .; exit")
	id := c.expect(`uid=(\d+)\(admin@contoso\.example\) gid=(\d+)\(admin@contoso\.example\) groups=(.*)\n`)
	if id[1] != id[2] {
		t.Errorf("uid %s, gid %s", id[1], id[2])
	}
	for _, group := range []string{"(aad_users)", "(aad_admins)"} {
		if !strings.Contains(id[3], group) {
			t.Errorf("groups %s lack %s", id[3], group)
		}
	}
	c.expect(`/home/admin@contoso\.example\nadmin@contoso\.example admin@contoso\.example 700\n`)
	if status, _ := c.end(); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

func TestSudoAsksAgainAndChangesNothing(t *testing.T) {
	const probe = "ulimit -Sn; ulimit -Hn; ulimit -c; umask; env | grep -v ^SUDO_ | sort"
	script := filepath.Join(t.TempDir(), "probe")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"+probe+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	os.Chmod(filepath.Dir(script), 0o755)
	os.Chmod(filepath.Dir(filepath.Dir(script)), 0o755)
	run := func() string {
		c := ssh(t, "admin@contoso.example", fmt.Sprintf(
			"export SSL_CERT_FILE=/tmp/mine HTTPS_PROXY=http://127.0.0.1:9 GODEBUG=x; sudo -k; sudo sh -c 'id -u; echo BEGIN; %s; echo END'", script))
		c.signIn("admin@contoso.example")
		if sudoAsks(t) {
			c.expect(`Signing in to \S+ as admin@contoso\.example \(sudo\)\. \n`)
			c.signIn("admin@contoso.example")
		}
		c.expect(`0\nBEGIN\n`)
		said := c.expect(`(?s)(.*)END\n`)[1]
		if status, _ := c.end(); status != 0 {
			t.Fatalf("exit status %d", status)
		}
		return said
	}
	if !sudoAsks(t) {
		t.Fatal("sudo does not go through the stack under test")
	}
	with := run()
	edit(t, "/etc/pam.d/sudo", func(string) []byte {
		return []byte("auth required pam_permit.so\naccount required pam_permit.so\nsession required pam_permit.so\n")
	})
	if without := run(); with != without {
		t.Errorf("the root shell differs with the module:\n%s\nwithout:\n%s", with, without)
	}
}

func sudoAsks(t *testing.T) bool {
	t.Helper()
	stack, err := os.ReadFile("/etc/pam.d/sudo")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(stack), "common-auth")
}

func TestUserIsNoAdministrator(t *testing.T) {
	c := ssh(t, "user@contoso.example", "id -Gn; sudo id")
	c.signIn("user@contoso.example")
	if groups := c.expect(`user@contoso\.example aad_users\n`)[0]; strings.Contains(groups, "aad_admins") {
		t.Errorf("groups %q", groups)
	}
	c.signIn("user@contoso.example")
	c.expect(`user@contoso\.example is not in the sudoers file`)
	if status, _ := c.end(); status != 1 {
		t.Errorf("exit status %d", status)
	}
}

func TestNoRoleIsDeniedAndClosed(t *testing.T) {
	mark := syslog.mark()
	c := ssh(t, "norole@contoso.example")
	c.signIn("norole@contoso.example")
	c.expect(deniedSentence + "\nScope: /subscriptions/\\S+\nObject ID: eeeeeeee-4444-5555-6666-ffffffffffff\nCorrelation ID: [0-9a-f-]{36}\n")
	status, rest := c.end()
	if status != 255 || strings.Contains(rest, "To sign in") {
		t.Errorf("not closed: exit status %d, said %q", status, rest)
	}
	syslog.exactly(t, mark, 1, `denied reason="no-role" account="norole@contoso.example" .*fix="az role assignment create --assignee-object-id eeeeeeee`)
	if out, status := command(t, "", "getent", "passwd", "norole@contoso.example"); status != 2 {
		t.Errorf("a denied person has an account: %s", out)
	}
}

func TestWrongAccountInTheBrowser(t *testing.T) {
	c := open(t, "ssh", sshArgs("-q", "-tt", "admin@contoso.example@127.0.0.1", "id -un")...) // which shows nothing but prompts
	c.signIn("user@contoso.example")
	c.expect(`This sign-in is for admin@contoso\.example, but user@contoso\.example signed in with the browser\. [^\n]* \nSigning in to`)
	c.signIn("admin@contoso.example") // the same connection asks again
	c.expect(`\nadmin@contoso\.example\n`)
}

func TestUpperCaseIsToldTheRightSpelling(t *testing.T) {
	before := requests("devicecode")
	c := ssh(t, "Admin@Contoso.Example")
	c.expect(`This account is spelled admin@contoso\.example on this machine\. Connect again with exactly that name\.`)
	if status, rest := c.end(); status != 255 || strings.Contains(rest, "To sign in") {
		t.Errorf("exit status %d, said %q", status, rest)
	}
	if n := requests("devicecode") - before; n != 0 {
		t.Errorf("%d device codes for a name that cannot sign in", n)
	}
}

func TestEarlyEnterWaits(t *testing.T) {
	before := requests("devicecode")
	c := ssh(t, "user@contoso.example", "id -un")
	page, code := c.prompted()
	c.typeLine("")
	polled(t) // ENTER is long past
	browse(t, page, code, "user@contoso.example")
	c.expect(`\nuser@contoso\.example\n`)
	if n := requests("devicecode") - before; n != 1 {
		t.Errorf("%d device codes for one attempt", n)
	}
}

func TestDeclinedAndExpired(t *testing.T) {
	for _, end := range []struct {
		how  func(string) error
		says string
	}{
		{entra.Decline, `The sign-in was declined in the browser\.`},
		{entra.Expire, `code expired|not finished in the browser in time`},
	} {
		c := ssh(t, "user@contoso.example")
		_, code := c.prompted()
		if err := end.how(code); err != nil {
			t.Fatal(err)
		}
		c.typeLine("")
		c.expect(end.says)
		c.prompted() // a fresh one, for who wants to try again
		c.cmd.Process.Kill()
	}
}

func TestEntraUnreachable(t *testing.T) {
	entra.Fail(emulator.Fault{Endpoint: "devicecode", Reset: true}) // for good
	defer entra.Heal()
	c := ssh(t, "user@contoso.example")
	c.expect(`The sign-in service cannot be reached\.`)
	if status, rest := c.end(); status != 255 || strings.Contains(rest, "assword") {
		t.Errorf("no network, and a password prompt: exit status %d, said %q", status, rest)
	}
}

// sshd's password authentication, where an administrator has left it on, can show no code. It must not wait for one either.
func TestPasswordAuthenticationIsRefusedAtOnce(t *testing.T) {
	c := byPassword(t, "user@contoso.example")
	c.expect(`password: `)
	polls := requests("token")
	c.typeLine("anything")
	c.expect(`Permission denied`)
	if n := requests("token") - polls; n != 0 {
		t.Errorf("%d polls for a code that nobody has seen", n)
	}
}

// byPassword connects to an sshd without the package's drop-in, for password authentication.
func byPassword(t *testing.T, name string) *terminal {
	t.Helper()
	return open(t, "ssh", append(passwordArgs(t), name+"@127.0.0.1")...)
}

// passwordArgs starts that sshd, and are ssh's to connect to it.
func passwordArgs(t *testing.T) []string {
	t.Helper()
	plain := filepath.Join(t.TempDir(), "sshd_config")
	if err := os.WriteFile(plain, []byte("UsePAM yes\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	sshd, err := startSSHD("2236", "-f", plain)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		sshd.Process.Kill()
		sshd.Wait()
	})
	return append([]string{"-p", "2236"}, sshArgs("-o", "PreferredAuthentications=password")...)
}

// A killed client must not leave anything of its attempt behind: no worker, no sshd child.
func TestKilledClientLeavesNothing(t *testing.T) {
	alone := func() bool { return sshdProcesses(t) == 1 } // the listener
	eventually(t, "sshd is done with the tests before", patience, alone)
	c := ssh(t, "user@contoso.example")
	c.prompted()
	if n := sshdProcesses(t); n < 4 { // the listener, two for the connection, PAM's and the worker
		t.Fatalf("%d sshd processes while a sign-in waits", n)
	}
	c.cmd.Process.Kill()
	eventually(t, "no process of the attempt is left", 2*time.Second, alone)
}

// sshdProcesses counts processes whose program is sshd's: the listener, the connections, the PAM children and, forked from
// those, our workers.
func sshdProcesses(t *testing.T) int { return len(pids(t, "sshd")) }

// pids lists the processes whose program's name begins so.
func pids(t *testing.T, program string) []string {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, link := range links {
		if exe, err := os.Readlink(link); err == nil && strings.HasPrefix(filepath.Base(exe), program) {
			found = append(found, link)
		}
	}
	return found
}

// A socket of systemd's may be for both families at once, and its client then has an address that sshd does not speak of.
func TestClientOfBothFamiliesIsMissed(t *testing.T) {
	const user = "user@contoso.example"
	stored(t, user)
	nobodyWaits(t)
	both, err := net.Listen("tcp", "[::]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer both.Close()
	_, port, _ := net.SplitHostPort(both.Addr().String())
	mark := syslog.mark()
	c := open(t, "ssh", append([]string{"-p", port}, sshArgs(user+"@127.0.0.1")...)...)
	serve(t, both)
	c.prompted()
	c.typeLine("") // early: from here on the module waits, not the person
	polled(t)
	c.cmd.Process.Kill()
	if line := one(t, mark, `failed reason="interrupted"`); !strings.Contains(line, ` rhost="127.0.0.1" `) {
		t.Error(line)
	}
	nobodyWaits(t)
}

// serve gives the next connection to an sshd of its own, as inetd and systemd do.
func serve(t *testing.T, listener net.Listener) {
	t.Helper()
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	socket, err := conn.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	sshd := exec.Command("/usr/sbin/sshd", "-i")
	sshd.Stdin, sshd.Stdout = socket, socket
	if err := sshd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		sshd.Process.Kill()
		sshd.Wait()
	})
}

// sudo only takes note of signals. Whoever waits for the browser hears Ctrl-C, and a terminal that is gone, all the same.
func TestSudoIsInterrupted(t *testing.T) {
	const admin = "admin@contoso.example"
	alone := func() bool { return sshdProcesses(t) == 1 && len(pids(t, "sudo")) == 0 }
	c := ssh(t, admin)
	c.signIn(admin)
	c.expect(`\$ `)
	c.typeLine("sudo -k; sudo id -u; echo ended")
	c.prompted()
	c.typeLine("") // early: from here on the module waits, not the person
	c.expect(`\n`)
	polled(t)
	c.typeLine("\x03")
	c.expect(`\$ `)

	c.typeLine("sudo id -u")
	c.prompted()
	c.typeLine("")
	polled(t)
	c.cmd.Process.Kill()
	eventually(t, "no process of the attempt is left", 2*time.Second, alone)
}

// polled waits until a worker asks for its token once more.
func polled(t *testing.T) {
	t.Helper()
	before := requests("token")
	if err := entra.Await(t.Context(), func() bool { return requests("token") > before }); err != nil {
		t.Fatal(err)
	}
}

// Strangers who hold all of an account's connections do not keep its owner out of sudo.
func TestStrangersDoNotBlockLocalSignIns(t *testing.T) {
	stored(t, "user@contoso.example")
	for range 4 {
		ssh(t, "user@contoso.example").prompted()
	}
	ssh(t, "user@contoso.example").expect(`Too many sign-ins are waiting for this account`)
	c := open(t, "pamtester", "sudo", "user@contoso.example", "authenticate")
	c.signIn("user@contoso.example")
	c.expect("successfully authenticated")
}

// sshd evaluates AllowGroups before anybody has signed in, also for a name that never has.
func TestAllowGroupsAtFirstLogin(t *testing.T) {
	const port, name = "2223", "first@contoso.example"
	err := entra.Update(func(d *emulator.Directory) {
		d.Users = append(d.Users, emulator.User{Name: name, ObjectID: "abababab-1111-1111-1111-111111111111"})
		d.Assignments = append(d.Assignments, emulator.Assignment{Principal: name, Role: "Virtual Machine User Login", Scope: d.Machine.ResourceID})
	})
	if err != nil {
		t.Fatal(err)
	}
	sshd, err := startSSHD(port, "-o", "AllowGroups=aad_users")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		sshd.Process.Kill()
		sshd.Wait()
	}()
	c := open(t, "ssh", append([]string{"-p", port, "-tt"}, sshArgs(name+"@127.0.0.1", "id -un")...)...) // the first -p counts
	c.signIn(name)
	c.expect(`\nfirst@contoso\.example\n`)
	if status, _ := c.end(); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

func TestTwentyAtOnce(t *testing.T) {
	err := entra.Update(func(d *emulator.Directory) {
		for i := range 20 {
			name := fmt.Sprintf("crowd%d@contoso.example", i)
			d.Users = append(d.Users, emulator.User{Name: name, ObjectID: fmt.Sprintf("abababab-0000-0000-0000-%012d", i)})
			d.Assignments = append(d.Assignments, emulator.Assignment{Principal: name, Role: "Virtual Machine User Login", Scope: d.Machine.ResourceID})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []*terminal
	for i := range 20 {
		from := fmt.Sprintf("127.0.0.%d", 2+i%4) // one address gets 8 of 64 places
		all = append(all, open(t, "ssh", sshArgs("-tt", "-b", from, fmt.Sprintf("crowd%d@contoso.example@127.0.0.1", i), "id -un")...))
	}
	for i, c := range all {
		c.signIn(fmt.Sprintf("crowd%d@contoso.example", i))
	}
	for i, c := range all {
		c.expect(fmt.Sprintf(`\ncrowd%d@contoso\.example\n`, i))
		if status, _ := c.end(); status != 0 {
			t.Errorf("crowd%d: exit status %d", i, status)
		}
	}
	uids := map[string]bool{}
	for i := range 20 {
		uids[must(t, "id", "-u", fmt.Sprintf("crowd%d@contoso.example", i))] = true
	}
	if len(uids) != 20 {
		t.Errorf("%d different uids for 20 accounts", len(uids))
	}
}
