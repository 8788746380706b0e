// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"net"
	"net/http"
	"path/filepath"
	"testing"
)

// A Publisher has a key, and a repository that it signs.
type Publisher struct {
	t    *testing.T
	home string // of gpg
	Dir  string // of the repository
}

// PublisherName is the name in the key that signs.
const PublisherName = "Contoso packages <linux@contoso.example>"

// NewPublisher makes a throw-away key of a kind that the rpm of RHEL 8 supports.
func NewPublisher(t *testing.T) *Publisher {
	t.Helper()
	p := &Publisher{t, t.TempDir(), filepath.Join(t.TempDir(), "repository")}
	t.Cleanup(func() { p.Run("gpgconf", "--kill", "all") })
	out, status := p.Run("gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key",
		PublisherName, "rsa2048", "sign", "never")
	if status != 0 {
		t.Fatal(out)
	}
	return p
}

// Run runs a command with the publisher's gpg.
func (p *Publisher) Run(name string, args ...string) (string, int) {
	p.t.Helper()
	return Command(p.t, "", "env", append([]string{"GNUPGHOME=" + p.home, name}, args...)...)
}

// Publish adds packages to the repository.
func (p *Publisher) Publish(url string, packages ...string) (string, int) {
	p.t.Helper()
	dist := p.t.TempDir()
	for _, file := range packages {
		Must(p.t, "cp", file, dist)
	}
	return p.Run("../../../packaging/repository", dist, p.Dir, "linux@contoso.example", url)
}

// Serve serves the repository on a port of an address, and returns its URL.
func (p *Publisher) Serve(address string) string {
	p.t.Helper()
	l, err := net.Listen("tcp", address+":0")
	if err != nil {
		p.t.Fatal(err)
	}
	server := &http.Server{Handler: http.FileServer(http.Dir(p.Dir))}
	go server.Serve(l)
	p.t.Cleanup(func() { server.Close() })
	return "http://" + l.Addr().String()
}

// AsVersion returns the package of this machine under another version, and otherwise the same.
func AsVersion(t *testing.T, version string) string {
	t.Helper()
	dir := t.TempDir()
	Must(t, "dpkg-deb", "--raw-extract", DebianPackage(t), dir+"/tree")
	Must(t, "sed", "-i", "s/^Version: .*/Version: "+version+"/", dir+"/tree/DEBIAN/control")
	file := dir + "/aad-login_" + version + Arch
	Must(t, "dpkg-deb", "--root-owner-group", "-Znone", "--build", dir+"/tree", file)
	return file
}
