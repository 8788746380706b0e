// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Command aad-emulator stands in for Entra ID, Azure Resource Manager and the instance metadata
// service on loopback, for the tests and the demonstration. It is never packaged, because it asks
// for no password.
//
//	aad-emulator [-listen ADDR] [-metadata ADDR] [-ca FILE] [-config FILE] [-page FILE] [-quiet]
//
// It prints the accounts, and "ready" on a line of its own once both addresses accept connections.
// Then it prints a line for each request, unless -quiet is given. SIGTERM and SIGINT end it. The
// documentation of internal/emulator says how a test drives it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"text/tabwriter"
	"time"

	"aadlogin/internal/emulator"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "aad-emulator: %s\n", strings.TrimPrefix(err.Error(), "emulator: "))
		os.Exit(1)
	}
}

// options are the flags of the command line.
type options struct {
	listen, metadata, ca, config, page string
	quiet                              bool
}

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("aad-emulator", flag.ContinueOnError)
	f.StringVar(&o.listen, "listen", "127.0.0.1:8443",
		"serve Entra ID and Resource Manager on this `address` (https)")
	f.StringVar(&o.metadata, "metadata", "127.0.0.1:8442",
		"serve metadata and the device page on this `address` (http)")
	f.StringVar(&o.ca, "ca", "", "write the certificate to trust to this `file` (PEM)")
	f.StringVar(&o.config, "config", "", "directory `file` (default: the contoso directory)")
	f.StringVar(&o.page, "page", "",
		"serve this `file` as the sign-in page, below /sign-in/ of the metadata's address")
	f.BoolVar(&o.quiet, "quiet", false, "print no line per request")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	return o, nil
}

// run serves until ctx ends.
func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	d := emulator.Contoso()
	if o.config != "" {
		if d, err = emulator.Load(o.config); err != nil {
			return err
		}
	}
	out = &lines{w: out}
	s := &emulator.Server{Directory: d, EntraAddr: o.listen,
		MetadataAddr: o.metadata, PageFile: o.page}
	if !o.quiet {
		s.Trace = func(r emulator.Request) { trace(out, r) }
	}
	if err := s.Start(); err != nil {
		return err
	}
	defer s.Close()
	if o.ca != "" {
		if err := replace(o.ca, s.CA()); err != nil {
			return err
		}
	}
	introduce(out, s, d, o)
	<-ctx.Done()
	grace, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := s.Shutdown(grace); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil // Close ends the connections that are left
}

// introduce prints the addresses, the accounts and "ready" in one write.
func introduce(out io.Writer, s *emulator.Server, d *emulator.Directory, o options) {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	fmt.Fprintf(t, "Entra ID and Resource Manager\t%s\n", s.EntraURL())
	fmt.Fprintf(t, "metadata\t%s\n", s.MetadataURL())
	fmt.Fprintf(t, "device page\t%s\n", s.VerificationURI())
	if o.ca != "" {
		fmt.Fprintf(t, "certificate to trust\t%s\n", o.ca)
	}
	fmt.Fprintf(t, "tenant\t%s\nclient\t%s\n", d.TenantID, d.ClientID)
	for _, u := range d.Users {
		fmt.Fprintf(t, "account %s\t%s\n", u.Name, d.Access(u))
	}
	t.Flush()
	fmt.Fprintln(&b, "ready")
	io.WriteString(out, b.String())
}

// trace prints a line about a request that has been answered.
func trace(out io.Writer, r emulator.Request) {
	line := fmt.Sprintf("%s %-11s %s %q %d", r.Time.Format("15:04:05.000"), r.Endpoint,
		r.Method, r.Path, r.Status)
	if r.Error != "" {
		line += fmt.Sprintf(" %q", r.Error) // may contain what a person typed
	}
	io.WriteString(out, line+"\n")
}

// lines keeps the writes of several goroutines apart.
type lines struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// replace writes a file so that a reader finds either the old content or all of the new one.
func replace(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".aad-emulator-*")
	if err != nil {
		return fmt.Errorf("write certificate: %w", err)
	}
	defer os.Remove(f.Name()) // does nothing after a success
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write certificate: %w", err)
	}
	return nil
}
