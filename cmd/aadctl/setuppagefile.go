// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"aadlogin/internal/config"
	"aadlogin/internal/signin"
	signinpage "aadlogin/packaging/sign-in-page"
)

// A pageFile is the sign-in page that setup writes. The zero value writes none.
type pageFile struct {
	path         string
	before, text []byte // before is nil if there was no file
}

// newPageFile checks whether the page may be written, before anything changes.
func (w *wanted) newPageFile(ctx context.Context, c *config.Config, in io.Reader,
	out io.Writer) (p pageFile, err error) {
	switch {
	case w.pageFile == "":
		return p, nil
	case c.SignIn.Page == "":
		return p, &failure{exitUsage, "setup: --page-file is missing the page's address",
			"give it with --page"}
	}
	p.path = w.pageFile
	if p.text, err = pageText(ctx, c); err != nil {
		return p, &failure{exitUnreachable, "setup: " + p.path + " cannot be filled in: " +
			plain(err),
			"nothing was changed; run this once Entra ID can be asked, or on another machine"}
	}
	p.before, err = os.ReadFile(p.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return p, nil
	case err != nil:
		return p, err
	case bytes.Equal(p.before, p.text), w.force, isTerminal(in) &&
		agreed(in, out, p.path+" is another file. Replace it?"):
		return p, nil
	}
	return p, &failure{exitNo, "setup: " + p.path + " is there already, and is another file",
		"nothing was changed; name another file, or replace it with --force"}
}

func agreed(in io.Reader, out io.Writer, question string) bool {
	answer, _ := questions{bufio.NewReader(in), out}.once(question+" (yes or no)", "no")
	return strings.EqualFold(answer, "yes") || strings.EqualFold(answer, "y")
}

// pageText returns the page for this configuration.
func pageText(ctx context.Context, c *config.Config) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	probe, err := signin.NewProbe(ctx, c)
	if err != nil {
		return nil, err
	}
	if _, err := probe.OpenID(ctx); err != nil {
		return nil, err
	}
	page, err := probe.Page()
	if err != nil {
		return nil, err
	}
	return signinpage.Fill(signinpage.Settings{Tenant: c.TenantID, Client: c.ClientID,
		Authority: page.Authority, Issuer: page.Issuer, Scope: page.Scope})
}

// write writes the file completely or not at all. It replaces the file that was there if that is
// allowed, and none that has appeared since.
func (p pageFile) write() error {
	switch {
	case p.path == "" || bytes.Equal(p.before, p.text):
		return nil
	case p.before == nil:
		return create(p.path, p.text)
	}
	next := p.path + "." + rand.Text()
	if err := create(next, p.text); err != nil {
		return err
	}
	if err := os.Rename(next, p.path); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	return nil
}

// undo restores the file, because a command that fails has changed nothing.
func (p pageFile) undo() error {
	switch {
	case p.path == "":
		return nil
	case p.before == nil:
		return os.Remove(p.path)
	}
	return pageFile{p.path, p.text, p.before}.write()
}

// create makes a file that everybody may read, since somebody else may put the page online. It
// leaves no half-written file.
func create(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		os.Remove(path)
	}
	return err
}

// printPage says where to put the page.
func printPage(out io.Writer, c *config.Config, p pageFile) {
	again := fmt.Sprintf("aadctl setup --tenant %s --client %s --domain %s", c.TenantID, c.ClientID,
		strings.Join(c.Domains, ","))
	switch {
	case c.SignIn.Page == "":
		return
	case p.path == "":
		fmt.Fprintf(out,
			"\nThe sign-in page must be at %s. If it is not, this writes it:\n%s --page-file "+
				"index.html\n", c.SignIn.Page, again)
	default:
		fmt.Fprintf(out,
			"\nThe sign-in page is in %s. Put it, as it is, where browsers find it at\n%s\n"+
				"by https, on a host with nothing else. Whoever can change it there can sign in "+
				"as those who use it.\n", printable(p.path), c.SignIn.Page)
	}
	if c.SignIn.Flow != config.Browser {
		fmt.Fprintf(out, "\nUntil this is run, people are shown device codes:\n%s --flow browser\n",
			again)
	}
}
