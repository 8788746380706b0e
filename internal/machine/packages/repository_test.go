// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// An aptClient is apt with a state of its own. It knows one repository and the key in its file.
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
	options := []string{
		"--quiet", "--yes",
		"-oDir::Etc::sourcelist=" + c.dir + "/sources.list",
		"-oDir::Etc::sourceparts=/dev/null",
		"-oDir::State::lists=" + c.dir + "/lists",
		"-oDir::Cache=" + c.dir + "/cache",
		"-oAcquire::http::Proxy=DIRECT",
		"-oAPT::Sandbox::User=root",
	}
	run := exec.Command("apt-get", append(options, args...)...)
	run.Dir = c.dir
	out, _ := run.CombinedOutput()
	return string(out), run.ProcessState.ExitCode()
}

// apt gets from a repository what was published, and takes only what its key has signed.
func TestRepository(t *testing.T) {
	p, stranger := rig.NewPublisher(t), rig.NewPublisher(t)
	first, next := rig.DebianPackage(t), rig.AsVersion(t, "99.0.0")
	out, status := p.Publish("", first, next)
	if status != 0 || !strings.Contains(out, "without URL=") {
		t.Fatalf("exit status %d, said %s", status, out)
	}
	url, key := p.Serve("127.0.0.1"), filepath.Join(p.Dir, "aad-login.asc")
	mine := newAptClient(t, url, key)
	if out, status := mine.apt("update"); status != 0 {
		t.Fatal(out)
	}
	for file, version := range map[string]string{
		first: rig.Must(t, "dpkg-deb", "-f", first, "Version"),
		next:  "99.0.0",
	} {
		version = strings.TrimSpace(version)
		if out, status := mine.apt("download", "aad-login="+version); status != 0 {
			t.Fatal(out)
		}
		rig.Must(t, "cmp", file, mine.dir+"/aad-login_"+version+rig.Arch)
	}

	// This publisher has the same name but not the key.
	if out, status := stranger.Publish(url, first); status != 0 {
		t.Fatal(out)
	}
	refused(t, newAptClient(t, stranger.Serve("127.0.0.1"), key), "not signed", "update")

	// A package and a list were changed in their places.
	tamper(t, p.Dir+"/deb/pool/main/a/aad-login/aad-login_99.0.0"+rig.Arch)
	rig.Must(t, "rm", mine.dir+"/aad-login_99.0.0"+rig.Arch)
	refused(t, mine, "Hash Sum mismatch", "download", "aad-login=99.0.0")
	tamper(t, p.Dir+"/deb/dists/stable/InRelease")
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
	bad := bytes.Replace(text, []byte("aad-login"), []byte("bad-login"), 1)
	err = os.WriteFile(path, bad, 0o644)
	if err != nil {
		t.Fatal(err)
	}
}

// An obstacle to publishing is reported, and the published packages stay.
func TestRepositoryRefuses(t *testing.T) {
	p := rig.NewPublisher(t)
	out, status := p.Publish("https://packages.contoso.example/", rig.DebianPackage(t))
	if status != 0 {
		t.Fatal(out)
	}
	before := rig.Must(t, "sh", "-c", `cd "$0" && find . -type f | sort | xargs sha256sum`, p.Dir)
	sources := rig.Must(t, "cat", p.Dir+"/aad-login.sources")
	if !strings.Contains(sources, "URIs: https://packages.contoso.example/deb\n") {
		t.Error("aad-login.sources names another address")
	}
	dist, empty := t.TempDir(), t.TempDir()
	rig.Must(t, "cp", rig.DebianPackage(t), dist)
	changed := filepath.Join(t.TempDir(), filepath.Base(rig.DebianPackage(t)))
	rig.Must(t, "cp", rig.AsVersion(t, "99.0.0"), changed)
	rig.Must(t, "mkdir", empty+"/changed")
	rig.Must(t, "cp", changed, empty+"/changed")
	if out, status := p.Run("gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key",
		"other@contoso.example", "rsa2048", "sign", "never"); status != 0 {
		t.Fatal(out)
	}
	keys, _ := p.Run("gpg", "--batch", "--with-colons", "--list-secret-keys")
	fingerprints := regexp.MustCompile(`(?m)^fpr:+([0-9A-F]{40}):`).FindAllStringSubmatch(keys, -1)
	if len(fingerprints) != 2 {
		t.Fatal(keys)
	}
	for name, c := range map[string]struct {
		packages, KeyArgs, url, says string
	}{
		"no key":                  {dist, "", "", "KEY is missing"},
		"a key that is not there": {dist, "nobody@contoso.example", "", "gpg has no secret key"},
		"two keys of a name": {dist, "contoso.example", "",
			"one of " + fingerprints[0][1] + " " + fingerprints[1][1]},
		"no packages": {empty, rig.PublisherName, "", "there are no packages"},
		"an address of no kind": {dist, rig.PublisherName, "packages.contoso.example",
			"has to begin with https://"},
		"a version built anew": {empty + "/changed", rig.PublisherName, "",
			"is published already, and is another"},
		"programs that are absent": {dist, rig.PublisherName, "",
			"programs are missing: apt install"},
	} {
		args := []string{"../../../packaging/repository", c.packages, p.Dir, c.KeyArgs, c.url}
		if strings.HasPrefix(name, "programs") {
			args = append([]string{"env", "PATH=" + pathWithout(t, "apt-ftparchive")}, args...)
		}
		out, status := p.Run(args[0], args[1:]...)
		if status != 1 || !strings.Contains(out, "repository: ") || !strings.Contains(out, c.says) {
			t.Errorf("%s: exit status %d, said %s", name, status, out)
		}
	}
	after := rig.Must(t, "sh", "-c", `cd "$0" && find . -type f | sort | xargs sha256sum`, p.Dir)
	if after != before {
		t.Errorf("it was\n%sand is\n%s", before, after)
	}
}

// pathWithout returns a PATH without one program.
func pathWithout(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	rig.Must(t, "sh", "-c", `ln -s /usr/bin/* "$0"/ && rm "$0/$1"`, dir, name)
	return dir
}
