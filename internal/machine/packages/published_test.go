// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// slow marks tests that "make test" has no time for.
var slow = flag.Bool("published", false, "all tests of what is published")

func slowly(t *testing.T) {
	t.Helper()
	if !*slow {
		t.Skip("run by: make published")
	}
}

// On a machine with accounts, apt upgrades, downgrades and holds the package.
func TestPublishedForApt(t *testing.T) {
	slowly(t)
	const name = "user@contoso.example"
	rig.Stored(t, name)
	entry := rig.Must(t, "getent", "passwd", name)
	p := rig.NewPublisher(t)
	first := strings.TrimSpace(rig.Must(t, "dpkg-deb", "-f", rig.DebianPackage(t), "Version"))
	if out, status := p.Publish("", rig.DebianPackage(t)); status != 0 {
		t.Fatal(out)
	}
	c := newAptClient(t, p.Serve("127.0.0.1"), filepath.Join(p.Dir, "aad-login.asc"))
	step := func(version string, args ...string) {
		t.Helper()
		out, status := c.apt(append([]string{"-oDpkg::Options::=--force-confold"}, args...)...)
		if status != 0 {
			t.Fatalf("apt %v: %s", args, out)
		}
		got := rig.Must(t, "dpkg-query", "-W", "-f", "${Version} ${db:Status-Abbrev}", "aad-login")
		if got != version+" ii " {
			t.Errorf("after apt %v: %s", args, got)
		}
		if got := rig.Must(t, "getent", "passwd", name); got != entry {
			t.Errorf("after apt %v: %q, was %q", args, got, entry)
		}
	}
	step(first, "update")
	step(first, "install", "--reinstall", "aad-login")
	// This version stands beside the first.
	out, status := p.Publish("", rig.AsVersion(t, "99.0.0~rc1"), rig.AsVersion(t, "99.0.0"))
	if status != 0 {
		t.Fatal(out)
	}
	step(first, "update")
	step("99.0.0", "upgrade")
	step(first, "install", "--allow-downgrades", "aad-login="+first)
	rig.Put(t, "/etc/apt/preferences.d/aad-login", "Package: aad-login\nPin: version "+
		first+"\nPin-Priority: 1001\n")
	step(first, "upgrade")
	rig.Put(t, "/etc/apt/preferences.d/aad-login",
		"Package: aad-login\nPin: version 99.0.0~rc1\nPin-Priority: 1001\n")
	step("99.0.0~rc1", "upgrade")
	step(first, "install", "--allow-downgrades", "-oDir::Etc::preferencesparts=/dev/null",
		"aad-login="+first)
}

// A dnfRoot is an empty machine with a dnf that knows one repository and the distribution that the
// package needs.
type dnfRoot struct {
	t         *testing.T
	root, dir string
}

func newDNFRoot(t *testing.T, p *rig.Publisher, url string) *dnfRoot {
	t.Helper()
	d := &dnfRoot{t, t.TempDir(), t.TempDir()}
	rig.Must(t, "mkdir", d.dir+"/repos")
	rig.Must(t, "cp", distribution(t), d.dir)
	rig.Must(t, "createrepo_c", "--quiet", d.dir)
	repo := "[distribution]\nname=distribution\nbaseurl=file://" + d.dir + "\ngpgcheck=0\n" +
		rig.Must(t, "cat", filepath.Join(p.Dir, "aad-login.repo"))
	for _, file := range []struct{ path, text string }{
		{d.dir + "/repos/all.repo", strings.ReplaceAll(repo, "https://packages.contoso.example",
			url)},
		{d.dir + "/dnf.conf", "[main]\nreposdir=" + d.dir + "/repos\ncachedir=" + d.dir +
			"/cache\npersistdir=" + d.dir + "/state\nproxy=\ntsflags=noscripts\n"},
	} {
		if err := os.WriteFile(file.path, []byte(file.text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// distribution is one package that provides everything that ours needs.
func distribution(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	spec := "Name: distribution\nVersion: 1\nRelease: 1\nSummary: all of it\nLicense: " +
		"none\nBuildArch: noarch\n"
	for line := range strings.Lines(rig.Query(t, rig.RPMOf(t, "1.2.3"), "[%{REQUIRES}\n]")) {
		if name := strings.TrimSpace(line); !strings.HasPrefix(name, "rpmlib(") {
			spec += "Provides: " + name + "\n"
		}
	}
	err := os.WriteFile(dir+"/distribution.spec",
		[]byte(spec+"%description\nall of it\n%files\n"), 0o644)
	if err != nil {
		t.Fatal(err)
	}
	rig.Must(t, "rpmbuild", "-bb", "--quiet", "--define", "_topdir "+dir, dir+"/distribution.spec")
	return dir + "/RPMS/noarch/distribution-1-1.noarch.rpm"
}

func (d *dnfRoot) dnf(args ...string) (string, int) {
	d.t.Helper()
	options := []string{
		"--config=" + d.dir + "/dnf.conf", "--installroot=" + d.root,
		"--releasever=1", "--forcearch=x86_64", "--assumeyes", "--refresh",
	}
	run := exec.Command("dnf", append(options, args...)...)
	out, _ := run.CombinedOutput()
	return string(out), run.ProcessState.ExitCode()
}

// dnf does the same as far as it can on Debian: into an empty root, without the package's scripts.
// "make rpm" runs those.
func TestPublishedForDNF(t *testing.T) {
	slowly(t)
	p, stranger := rig.NewPublisher(t), rig.NewPublisher(t)
	const url = "https://packages.contoso.example"
	for _, by := range []*rig.Publisher{p, stranger} {
		if out, status := by.Publish(url, rig.RPMOf(t, "1.2.3")); status != 0 {
			t.Fatal(out)
		}
	}
	at := p.Serve("127.0.0.1")
	d := newDNFRoot(t, p, at)
	step := func(version string, args ...string) {
		t.Helper()
		if out, status := d.dnf(args...); status != 0 {
			t.Fatalf("dnf %v: %s", args, out)
		}
		got, _ := rig.Command(t, "", "rpm", "--root", d.root, "-q", "--qf",
			"%{VERSION} %{RSAHEADER:pgpsig}", "aad-login")
		if !strings.HasPrefix(got, version+" RSA/SHA256, ") {
			t.Errorf("after dnf %v: %s", args, got)
		}
	}
	step("1.2.3", "install", "aad-login")
	if out, status := p.Publish(url, rig.RPMOf(t, "1.2.4")); status != 0 {
		t.Fatal(out)
	}
	step("1.2.4", "upgrade")
	step("1.2.3", "downgrade", "aad-login")
	step("1.2.3", "upgrade", "--exclude=aad-login")

	// The packages are another publisher's, at the right address and with the right lists; then the
	// lists are.
	other := newDNFRoot(t, p, at)
	rig.Must(t, "sh", "-c",
		`cp "$0"/rpm/x86_64/*1.2.3* "$1"/rpm/x86_64/ && rm -f "$1"/rpm/x86_64/*1.2.4* && createrepo_c --quiet --no-database "$1"/rpm/x86_64`, stranger.Dir, p.Dir)
	repomd := p.Dir + "/rpm/x86_64/repodata/repomd.xml"
	for _, c := range []struct {
		listsBy *rig.Publisher
		says    string
	}{{p, "GPG check FAILED"}, {stranger, "signature verification error"}} {
		out, status := c.listsBy.Run("gpg", "--batch", "--yes", "--armor", "--detach-sign",
			"--output", repomd+".asc", repomd)
		if status != 0 {
			t.Fatal(out)
		}
		out, status = other.dnf("install", "aad-login")
		_, err := os.Stat(other.root + "/usr/sbin/aadctl")
		if status == 0 || err == nil || !strings.Contains(out, c.says) {
			t.Errorf("not %q: exit status %d, said %s", c.says, status, out)
		}
	}
}
