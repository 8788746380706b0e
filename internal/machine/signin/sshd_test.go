// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

func TestAdministratorSignsIn(t *testing.T) {
	c := rig.SSH(t, "admin@contoso.example")
	c.Expect(`Signing in to \S+ as admin@contoso\.example \(sshd, from 127\.0\.0\.1\)\. \n`)
	c.SignIn("admin@contoso.example")
	c.Expect(`\$ `)
	c.TypeLine("id; pwd; stat -c '%U %G %a' .; exit")
	id := c.Expect(`uid=(\d+)\(admin@contoso\.example\) gid=(\d+)\(admin@contoso\.example\) groups=(.*)\n`)
	if id[1] != id[2] {
		t.Errorf("uid %s, gid %s", id[1], id[2])
	}
	for _, group := range []string{"(aad_users)", "(aad_admins)"} {
		if !strings.Contains(id[3], group) {
			t.Errorf("groups %s lack %s", id[3], group)
		}
	}
	c.Expect(`/home/admin@contoso\.example\nadmin@contoso\.example admin@contoso\.example 700\n`)
	if status, _ := c.End(); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

func TestUserIsNoAdministrator(t *testing.T) {
	c := rig.SSH(t, "user@contoso.example", "id -Gn; sudo id")
	c.SignIn("user@contoso.example")
	groups := c.Expect(`user@contoso\.example aad_users\n`)[0]
	if strings.Contains(groups, "aad_admins") {
		t.Errorf("groups %q", groups)
	}
	c.SignIn("user@contoso.example")
	c.Expect(`user@contoso\.example is not in the sudoers file`)
	if status, _ := c.End(); status != 1 {
		t.Errorf("exit status %d", status)
	}
}

func TestNoRoleIsDeniedAndClosed(t *testing.T) {
	mark := rig.Syslog.Mark()
	c := rig.SSH(t, "norole@contoso.example")
	c.SignIn("norole@contoso.example")
	c.Expect(rig.DeniedSentence + "\nScope: /subscriptions/\\S+\n" +
		"Object ID: eeeeeeee-4444-5555-6666-ffffffffffff\nCorrelation ID: [0-9a-f-]{36}\n")
	status, rest := c.End()
	if status != 255 || strings.Contains(rest, "To sign in") {
		t.Errorf("not closed: exit status %d, said %q", status, rest)
	}
	rig.Syslog.Exactly(t, mark, 1,
		`denied reason="no-role" account="norole@contoso.example" .*fix="az role assignment create --assignee-object-id eeeeeeee`)
	out, status := rig.Command(t, "", "getent", "passwd", "norole@contoso.example")
	if status != 2 {
		t.Errorf("a denied person has an account: %s", out)
	}
}

func TestWrongAccountInTheBrowser(t *testing.T) {
	// This client shows only prompts.
	c := rig.Open(t, "ssh",
		rig.SSHArgs("-q", "-tt", "admin@contoso.example@127.0.0.1", "id -un")...)
	c.SignIn("user@contoso.example")
	c.Expect(`This sign-in is for admin@contoso\.example, but user@contoso\.example signed in with the browser\. [^\n]* \nSigning in to`)
	c.SignIn("admin@contoso.example") // the same connection asks again
	c.Expect(`\nadmin@contoso\.example\n`)
}

func TestUpperCaseIsToldTheRightSpelling(t *testing.T) {
	before := rig.Requests("devicecode")
	c := rig.SSH(t, "Admin@Contoso.Example")
	c.Expect(`This account is spelled admin@contoso\.example on this machine\. Connect again with exactly that name\.`)
	if status, rest := c.End(); status != 255 || strings.Contains(rest, "To sign in") {
		t.Errorf("exit status %d, said %q", status, rest)
	}
	if n := rig.Requests("devicecode") - before; n != 0 {
		t.Errorf("%d device codes for a name that cannot sign in", n)
	}
}

func TestEarlyEnterWaits(t *testing.T) {
	before := rig.Requests("devicecode")
	c := rig.SSH(t, "user@contoso.example", "id -un")
	page, code := c.Prompted()
	c.TypeLine("")
	rig.Polled(t) // ENTER is long past
	rig.Browse(t, page, code, "user@contoso.example")
	c.Expect(`\nuser@contoso\.example\n`)
	if n := rig.Requests("devicecode") - before; n != 1 {
		t.Errorf("%d device codes for one attempt", n)
	}
}

func TestDeclinedAndExpired(t *testing.T) {
	for _, end := range []struct {
		how  func(string) error
		says string
	}{
		{rig.Entra.Decline, `The sign-in was declined in the browser\.`},
		{rig.Entra.Expire, `code expired|not finished in the browser in time`},
	} {
		c := rig.SSH(t, "user@contoso.example")
		_, code := c.Prompted()
		if err := end.how(code); err != nil {
			t.Fatal(err)
		}
		c.TypeLine("")
		c.Expect(end.says)
		c.Prompted() // a fresh one, for who wants to try again
		c.Cmd.Process.Kill()
	}
}

func TestEntraUnreachable(t *testing.T) {
	rig.Entra.Fail(emulator.Fault{Endpoint: "devicecode", Reset: true}) // for good
	defer rig.Entra.Heal()
	c := rig.SSH(t, "user@contoso.example")
	c.Expect(`The sign-in service cannot be reached\.`)
	if status, rest := c.End(); status != 255 || strings.Contains(rest, "assword") {
		t.Errorf("no network, and a password prompt: exit status %d, said %q", status, rest)
	}
}

// If an administrator has left sshd's password authentication on, it can show no code. It must not
// wait for one either.
func TestPasswordAuthenticationIsRefusedAtOnce(t *testing.T) {
	c := byPassword(t, "user@contoso.example")
	c.Expect(`password: `)
	polls := rig.Requests("token")
	c.TypeLine("anything")
	c.Expect(`Permission denied`)
	if n := rig.Requests("token") - polls; n != 0 {
		t.Errorf("%d polls for a code that nobody has seen", n)
	}
}

// byPassword connects to an sshd without the package's drop-in, for password authentication.
func byPassword(t *testing.T, name string) *rig.Terminal {
	t.Helper()
	return rig.Open(t, "ssh", append(rig.PasswordArgs(t), name+"@127.0.0.1")...)
}

// A killed client leaves nothing of its attempt behind: no worker and no child of sshd.
func TestKilledClientLeavesNothing(t *testing.T) {
	alone := func() bool { return rig.SSHDProcesses(t) == 1 } // the listener
	rig.Eventually(t, "sshd is done with the tests before", rig.Patience, alone)
	c := rig.SSH(t, "user@contoso.example")
	c.Prompted()
	// These are the listener, two for the connection, PAM's and the worker.
	if n := rig.SSHDProcesses(t); n < 4 {
		t.Fatalf("%d sshd processes while a sign-in waits", n)
	}
	c.Cmd.Process.Kill()
	rig.Eventually(t, "no process of the attempt is left", 2*time.Second, alone)
}

// A socket of systemd may serve both families at once. Then sshd reports its client's address in
// another form.
func TestClientOfBothFamiliesIsMissed(t *testing.T) {
	const user = "user@contoso.example"
	rig.Stored(t, user)
	rig.NobodyWaits(t)
	both, err := net.Listen("tcp", "[::]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer both.Close()
	_, port, _ := net.SplitHostPort(both.Addr().String())
	mark := rig.Syslog.Mark()
	c := rig.Open(t, "ssh", append([]string{"-p", port}, rig.SSHArgs(user+"@127.0.0.1")...)...)
	serve(t, both)
	c.Prompted()
	c.TypeLine("") // early: from here on the module waits, not the person
	rig.Polled(t)
	c.Cmd.Process.Kill()
	line := rig.OneLine(t, mark, `failed reason="interrupted"`)
	if !strings.Contains(line, ` rhost="127.0.0.1" `) {
		t.Error(line)
	}
	rig.NobodyWaits(t)
}

// serve hands the next connection to an sshd of its own, as inetd and systemd do.
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

// Strangers hold all connections of an account. Its owner can still use sudo.
func TestStrangersDoNotBlockLocalSignIns(t *testing.T) {
	rig.Stored(t, "user@contoso.example")
	for range 4 {
		rig.SSH(t, "user@contoso.example").Prompted()
	}
	rig.SSH(t, "user@contoso.example").Expect(`Too many sign-ins are waiting for this account`)
	c := rig.Open(t, "pamtester", "sudo", "user@contoso.example", "authenticate")
	c.SignIn("user@contoso.example")
	c.Expect("successfully authenticated")
}

// sshd evaluates AllowGroups before anybody has signed in, even for a new name.
func TestAllowGroupsAtFirstLogin(t *testing.T) {
	const port, name = "2223", "first@contoso.example"
	err := rig.Entra.Update(func(d *emulator.Directory) {
		d.Users = append(d.Users,
			emulator.User{Name: name, ObjectID: "abababab-1111-1111-1111-111111111111"})
		d.Assignments = append(d.Assignments, emulator.Assignment{
			Principal: name, Role: "Virtual Machine User Login", Scope: d.Machine.ResourceID,
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	sshd, err := rig.StartSSHD(port, "-o", "AllowGroups=aad_users")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		sshd.Process.Kill()
		sshd.Wait()
	}()
	// The first -p counts.
	c := rig.Open(t, "ssh",
		append([]string{"-p", port, "-tt"}, rig.SSHArgs(name+"@127.0.0.1", "id -un")...)...)
	c.SignIn(name)
	c.Expect(`\nfirst@contoso\.example\n`)
	if status, _ := c.End(); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

func TestTwentyAtOnce(t *testing.T) {
	err := rig.Entra.Update(func(d *emulator.Directory) {
		for i := range 20 {
			name := fmt.Sprintf("crowd%d@contoso.example", i)
			d.Users = append(d.Users, emulator.User{
				Name: name, ObjectID: fmt.Sprintf("abababab-0000-0000-0000-%012d", i),
			})
			d.Assignments = append(d.Assignments, emulator.Assignment{
				Principal: name, Role: "Virtual Machine User Login", Scope: d.Machine.ResourceID,
			})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []*rig.Terminal
	for i := range 20 {
		from := fmt.Sprintf("127.0.0.%d", 2+i%4) // one address gets 8 of 64 places
		name := fmt.Sprintf("crowd%d@contoso.example@127.0.0.1", i)
		all = append(all, rig.Open(t, "ssh", rig.SSHArgs("-tt", "-b", from, name, "id -un")...))
	}
	for i, c := range all {
		c.SignIn(fmt.Sprintf("crowd%d@contoso.example", i))
	}
	for i, c := range all {
		c.Expect(fmt.Sprintf(`\ncrowd%d@contoso\.example\n`, i))
		if status, _ := c.End(); status != 0 {
			t.Errorf("crowd%d: exit status %d", i, status)
		}
	}
	uids := map[string]bool{}
	for i := range 20 {
		uids[rig.Must(t, "id", "-u", fmt.Sprintf("crowd%d@contoso.example", i))] = true
	}
	if len(uids) != 20 {
		t.Errorf("%d different uids for 20 accounts", len(uids))
	}
}
