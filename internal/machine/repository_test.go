// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A publisher has a key, and a repository that it signs.
type publisher struct {
	t    *testing.T
	home string // of gpg
	dir  string // of the repository
}

const publisherName = "Contoso packages <linux@contoso.example>"

// newPublisher makes a throw-away key, of a kind that the rpm of RHEL 8 knows.
func newPublisher(t *testing.T) *publisher {
	t.Helper()
	p := &publisher{t, t.TempDir(), filepath.Join(t.TempDir(), "repository")}
	t.Cleanup(func() { p.run("gpgconf", "--kill", "all") })
	if out, status := p.run("gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key", publisherName, "rsa2048", "sign", "never"); status != 0 {
		t.Fatal(out)
	}
	return p
}

func (p *publisher) run(name string, args ...string) (string, int) {
	p.t.Helper()
	return command(p.t, "", "env", append([]string{"GNUPGHOME=" + p.home, name}, args...)...)
}

// publish adds packages to the repository.
func (p *publisher) publish(url string, packages ...string) (string, int) {
	p.t.Helper()
	dist := p.t.TempDir()
	for _, file := range packages {
		must(p.t, "cp", file, dist)
	}
	return p.run("../../packaging/repository", dist, p.dir, "linux@contoso.example", url)
}

// serve has the repository on a port of an address, and says where.
func (p *publisher) serve(address string) string {
	p.t.Helper()
	l, err := net.Listen("tcp", address+":0")
	if err != nil {
		p.t.Fatal(err)
	}
	server := &http.Server{Handler: http.FileServer(http.Dir(p.dir))}
	go server.Serve(l)
	p.t.Cleanup(func() { server.Close() })
	return "http://" + l.Addr().String()
}

// asVersion is the package of this machine, as another version of which nothing else is another.
func asVersion(t *testing.T, version string) string {
	t.Helper()
	dir := t.TempDir()
	must(t, "dpkg-deb", "--raw-extract", debian(t), dir+"/tree")
	must(t, "sed", "-i", "s/^Version: .*/Version: "+version+"/", dir+"/tree/DEBIAN/control")
	file := dir + "/aad-login_" + version + arch
	must(t, "dpkg-deb", "--root-owner-group", "-Znone", "--build", dir+"/tree", file)
	return file
}

// An aptClient is apt with state of its own, that knows one repository and the key in its file.
type aptClient struct {
	t   *testing.T
	dir string
}

func newAptClient(t *testing.T, url, key string) *aptClient {
	t.Helper()
	c := &aptClient{t, t.TempDir()}
	for _, dir := range []string{"/lists/partial", "/cache/archives/partial"} {
		if err := os.MkdirAll(c.dir+dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	source := "deb [signed-by=" + key + "] " + url + "/deb stable main\n"
	if err := os.WriteFile(c.dir+"/sources.list", []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *aptClient) apt(args ...string) (string, int) {
	c.t.Helper()
	run := exec.Command("apt-get", append([]string{"--quiet", "--yes",
		"-oDir::Etc::sourcelist=" + c.dir + "/sources.list", "-oDir::Etc::sourceparts=/dev/null", "-oDir::State::lists=" + c.dir + "/lists",
		"-oDir::Cache=" + c.dir + "/cache", "-oAcquire::http::Proxy=DIRECT", "-oAPT::Sandbox::User=root"}, args...)...)
	run.Dir = c.dir
	out, _ := run.CombinedOutput()
	return string(out), run.ProcessState.ExitCode()
}

// What apt is given by a repository is what was published, and nothing is taken that its key has not signed.
func TestRepository(t *testing.T) {
	p, stranger := newPublisher(t), newPublisher(t)
	first, next := debian(t), asVersion(t, "99.0.0")
	if out, status := p.publish("", first, next); status != 0 || !strings.Contains(out, "without URL=") {
		t.Fatalf("exit status %d, said %s", status, out)
	}
	url, key := p.serve("127.0.0.1"), filepath.Join(p.dir, "aad-login.asc")
	mine := newAptClient(t, url, key)
	if out, status := mine.apt("update"); status != 0 {
		t.Fatal(out)
	}
	for file, version := range map[string]string{first: must(t, "dpkg-deb", "-f", first, "Version"), next: "99.0.0"} {
		version = strings.TrimSpace(version)
		if out, status := mine.apt("download", "aad-login="+version); status != 0 {
			t.Fatal(out)
		}
		must(t, "cmp", file, mine.dir+"/aad-login_"+version+arch)
	}

	// Another with the same name, but not the key.
	if out, status := stranger.publish(url, first); status != 0 {
		t.Fatal(out)
	}
	refused(t, newAptClient(t, stranger.serve("127.0.0.1"), key), "not signed", "update")

	// A package and a list that were changed where they lie.
	tamper(t, p.dir+"/deb/pool/main/a/aad-login/aad-login_99.0.0"+arch)
	must(t, "rm", mine.dir+"/aad-login_99.0.0"+arch)
	refused(t, mine, "Hash Sum mismatch", "download", "aad-login=99.0.0")
	tamper(t, p.dir+"/deb/dists/stable/InRelease")
	refused(t, newAptClient(t, url, key), "not signed", "update")
}

func refused(t *testing.T, c *aptClient, why string, args ...string) {
	t.Helper()
	if out, status := c.apt(args...); status == 0 || !strings.Contains(out, why) {
		t.Errorf("apt %v: exit status %d, said %s", args, status, out)
	}
}

// tamper changes a letter of a file, and not its length.
func tamper(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Replace(text, []byte("aad-login"), []byte("bad-login"), 1), 0o644); err != nil {
		t.Fatal(err)
	}
}

// What stands in the way of publishing is said, and what is published stays.
func TestRepositoryRefuses(t *testing.T) {
	p := newPublisher(t)
	if out, status := p.publish("https://packages.contoso.example/", debian(t)); status != 0 {
		t.Fatal(out)
	}
	before := must(t, "sh", "-c", `cd "$0" && find . -type f | sort | xargs sha256sum`, p.dir)
	if !strings.Contains(must(t, "cat", p.dir+"/aad-login.sources"), "URIs: https://packages.contoso.example/deb\n") {
		t.Error("aad-login.sources names another address")
	}
	dist, empty := t.TempDir(), t.TempDir()
	must(t, "cp", debian(t), dist)
	changed := filepath.Join(t.TempDir(), filepath.Base(debian(t)))
	must(t, "cp", asVersion(t, "99.0.0"), changed)
	must(t, "mkdir", empty+"/changed")
	must(t, "cp", changed, empty+"/changed")
	for name, c := range map[string]struct {
		packages, key, url, says string
	}{
		"no key":                   {dist, "", "", "KEY is missing"},
		"a key that is not there":  {dist, "nobody@contoso.example", "", "gpg has no secret key"},
		"no packages":              {empty, publisherName, "", "there are no packages"},
		"an address of no kind":    {dist, publisherName, "packages.contoso.example", "has to begin with https://"},
		"a version built anew":     {empty + "/changed", publisherName, "", "is published already, and is another"},
		"programs that are absent": {dist, publisherName, "", "programs are missing: apt install"},
	} {
		args := []string{"../../packaging/repository", c.packages, p.dir, c.key, c.url}
		if strings.HasPrefix(name, "programs") {
			args = append([]string{"env", "PATH=" + pathWithout(t, "apt-ftparchive")}, args...)
		}
		if out, status := p.run(args[0], args[1:]...); status != 1 || !strings.Contains(out, "repository: ") || !strings.Contains(out, c.says) {
			t.Errorf("%s: exit status %d, said %s", name, status, out)
		}
	}
	if after := must(t, "sh", "-c", `cd "$0" && find . -type f | sort | xargs sha256sum`, p.dir); after != before {
		t.Errorf("it was\n%sand is\n%s", before, after)
	}
}

// pathWithout is a PATH on which one program is not.
func pathWithout(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	must(t, "sh", "-c", `ln -s /usr/bin/* "$0"/ && rm "$0/$1"`, dir, name)
	return dir
}
