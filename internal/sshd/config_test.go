// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package sshd

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func tree(files map[string]string) fstest.MapFS {
	root := fstest.MapFS{}
	for name, text := range files {
		root[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return root
}

func told(c *Config) (lines []string) {
	for _, l := range c.Lines {
		lines = append(lines, fmt.Sprintf("%s:%d %s %q", l.File[strings.LastIndex(l.File, "/")+1:],
			l.Number, l.Keyword, l.Args))
	}
	return lines
}

func TestRead(t *testing.T) {
	c, err := Read(tree(map[string]string{
		"etc/ssh/sshd_config": "# Include nothing\nInclude /etc/ssh/sshd_config.d/*.conf " +
			"more.conf /none/*.conf\n\n" +
			"  UsePAM=yes # yes\nAllowUsers = bob \"a b\" 'c#d' e\\ f #g\nMATCH Group " +
			"devs\r\n\tChrootDirectory\t/srv\n",
		"etc/ssh/sshd_config.d/20-b.conf": "AllowGroups b#x\n",
		"etc/ssh/sshd_config.d/10-a.conf": "allowgroups a\n",
		"etc/ssh/sshd_config.d/10-a.bak":  "allowgroups old\n",
		"etc/ssh/more.conf":               "X11Forwarding no",
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`sshd_config:2 include ["/etc/ssh/sshd_config.d/*.conf" "more.conf" "/none/*.conf"]`,
		`10-a.conf:1 allowgroups ["a"]`, `20-b.conf:1 allowgroups ["b#x"]`,
		`more.conf:1 x11forwarding ["no"]`,
		`sshd_config:4 usepam ["yes"]`, `sshd_config:5 allowusers ["bob" "a b" "c#d" "e f"]`,
		`sshd_config:6 match ["Group" "devs"]`, `sshd_config:7 chrootdirectory ["/srv"]`,
	}
	if got := told(c); !slices.Equal(got, want) {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
	files := []string{"/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d",
		"/etc/ssh/sshd_config.d/10-a.conf",
		"/etc/ssh/sshd_config.d/20-b.conf", "/etc/ssh", "/etc/ssh/more.conf"}
	if !slices.Equal(c.Files, files) {
		t.Errorf("%q", c.Files)
	}
}

func TestReadElsewhere(t *testing.T) {
	c, err := Read(tree(map[string]string{"usr/etc/ssh/sshd_config": "UsePAM yes\n"}))
	if err != nil || len(c.Lines) != 1 {
		t.Errorf("%v, %v", c.Lines, err)
	}
	if _, err := Read(fstest.MapFS{}); err == nil {
		t.Error("there is no configuration, and no error")
	}
	if _, err := Read(tree(map[string]string{"etc/ssh/sshd_config/x": ""})); err == nil {
		t.Error("a directory is read, and no error")
	}
	loop, err := Read(tree(map[string]string{"etc/ssh/sshd_config": "Include " +
		"sshd_config\nUsePAM yes\n"}))
	if n := len(loop.With("usepam")); err != nil || n != maxDepth+1 {
		t.Errorf("%d, %v", n, err)
	}
}

func TestNamesGroup(t *testing.T) {
	for line, want := range map[string]bool{
		"AllowGroups wheel aad_admins": true, "DenyGroups aad_*": true,
		"AllowGroups aad_users": false, "": false,
		"Match Group aad_admins": true, "Match User x Group !dev?,x": true,
		"Match Group=devs": true, "Match all": false,
		"Match User devs": false, "Match user=devs group \"a,devs\"": true, "Match Group": false,
		"ForceCommand devs":  false,
		"Match invalid-user": false, "Match final Group devs": true,
	} {
		c, err := Read(tree(map[string]string{"etc/ssh/sshd_config": line + "\n"}))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.NamesGroup("aad_admins", "devs"); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}

// Reading ends whatever the file contains, and each word comes from its line.
func FuzzRead(f *testing.F) {
	f.Add("Include x\nAllowUsers 'a b' \"c\\\" d\" e\\ f#g #h\nMatch Group=devs,!x User y\n")
	f.Add("MAtCh \x90=")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Read(tree(map[string]string{"etc/ssh/sshd_config": text}))
		if err != nil {
			return
		}
		c.NamesGroup("devs")
		lines := strings.Split(text, "\n")
		for _, l := range c.Lines {
			for _, word := range l.Args {
				if l.Number > len(lines) || len(word) > len(lines[l.Number-1]) {
					t.Errorf("%+v", l)
				}
			}
			if slices.Contains([]string{"allowusers", "denyusers"}, l.Keyword) {
				for _, pattern := range l.Args {
					(Version{9, 2}).User(pattern, "alice@contoso.com")
				}
			}
		}
	})
}

// Every pattern matches itself. A match stays one with * around the pattern and text around the
// string.
func FuzzMatch(f *testing.F) {
	f.Add("alice?contoso.com", "alice@contoso.com")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if Match(pattern, s) && !Match("*"+pattern+"*", "x"+s+"y") {
			t.Errorf("%q matches %q, and does not when both are longer", pattern, s)
		}
		if !Match(pattern, pattern) {
			t.Errorf("%q does not match itself", pattern)
		}
	})
}
