// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package sshd reads the configuration that sshd reads, and matches names as sshd does.
//
// "sshd -T" prints the settings that are in force for one person. It does not tell in which file a
// setting is, nor how sshd reads a pattern. [Read] finds the lines, and [Version.User] and [Match]
// follow OpenSSH's match.c. Nothing here decides whether anybody gets in.
package sshd

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// A Line is one setting, with its file and line.
type Line struct {
	File    string // absolute
	Number  int    // from 1
	Keyword string // lower case
	Args    []string
	Text    string // as written
}

// A Config is every line of sshd's configuration in the order of reading, inside or outside of
// Match blocks.
type Config struct {
	Lines []Line
	Files []string // the files that were read, and the directories in which an Include looked for more
}

// mains are the paths of sshd_config. SUSE has its own below /usr, which counts if /etc has none.
var mains = []string{"/etc/ssh/sshd_config", "/usr/etc/ssh/sshd_config"}

// maxDepth is sshd's own limit (SERVCONF_MAX_DEPTH). maxFile is more than any configuration has.
const (
	maxDepth = 16
	maxFile  = 1 << 20
)

// Read reads sshd_config and everything that it includes below root. After an error, lines may be
// missing.
func Read(root fs.FS) (*Config, error) {
	var errs error
	for _, main := range mains {
		c := new(Config)
		err := c.read(root, main, 0)
		if err == nil {
			return c, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return c, err
		}
		errs = errors.Join(errs, err)
	}
	return new(Config), errs
}

func (c *Config) read(root fs.FS, file string, depth int) error {
	text, err := readFile(root, file)
	if err != nil {
		return err
	}
	c.Files = append(c.Files, file)
	number := 0
	for text := range strings.Lines(text) {
		number++
		keyword, args := split(text)
		if keyword == "" {
			continue
		}
		c.Lines = append(c.Lines, Line{file, number, keyword, args,
			strings.TrimRight(text, "\r\n")})
		if keyword == "include" && depth < maxDepth {
			if err := c.include(root, args, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func readFile(root fs.FS, file string) (string, error) {
	info, err := fs.Stat(root, file[1:])
	switch {
	case err != nil:
		return "", err
	case !info.Mode().IsRegular() || info.Size() > maxFile:
		return "", errors.New(file + ": is no configuration")
	}
	text, err := fs.ReadFile(root, file[1:])
	return string(text), err
}

// include reads the files that match glob(7) patterns, relative ones in /etc/ssh. A pattern without
// a match includes nothing.
func (c *Config) include(root fs.FS, patterns []string, depth int) error {
	for _, pattern := range patterns {
		if !strings.HasPrefix(pattern, "/") {
			pattern = "/etc/ssh/" + pattern
		}
		pattern = path.Clean(pattern)
		c.note(root, path.Dir(pattern))
		found, err := fs.Glob(root, pattern[1:])
		if err != nil {
			return err
		}
		for _, file := range found {
			if err := c.read(root, "/"+file, depth); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Config) note(root fs.FS, dir string) {
	if _, err := fs.Stat(root, dir[1:]); dir != "/" && err == nil &&
		!slices.Contains(c.Files, dir) {
		c.Files = append(c.Files, dir)
	}
}

// split returns a line's keyword in lower case and its arguments, in the way of sshd's strdelim()
// and argv_split().
func split(line string) (keyword string, args []string) {
	line = strings.TrimLeft(line, " \t")
	end := strings.IndexAny(line, " \t\r\n=")
	if end < 0 {
		end = len(line)
	}
	keyword, rest := strings.ToLower(line[:end]), strings.TrimLeft(line[end:], " \t")
	if strings.HasPrefix(keyword, "#") {
		return "", nil
	}
	return keyword, arguments(strings.TrimPrefix(rest, "="))
}

func arguments(text string) (args []string) {
	var word strings.Builder
	begun, quote := false, byte(0)
	end := func() {
		if begun {
			args = append(args, word.String())
		}
		word.Reset()
		begun = false
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text) && escapes(text[i+1], quote):
			i++
			word.WriteByte(text[i])
			begun = true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, begun = c, true
		case quote == 0 && strings.IndexByte(" \t\r\n", c) >= 0:
			end()
		case quote == 0 && c == '#' && !begun:
			return args
		default:
			word.WriteByte(c)
			begun = true
		}
	}
	end()
	return args
}

// escapes reports whether a backslash escapes the next character: a quote, a backslash or, outside
// of quotes, a blank.
func escapes(next, quote byte) bool {
	return next == '\'' || next == '"' || next == '\\' || quote == 0 && next == ' '
}

// With returns the lines with one of these keywords.
func (c *Config) With(keywords ...string) (lines []Line) {
	for _, line := range c.Lines {
		if slices.Contains(keywords, line.Keyword) {
			lines = append(lines, line)
		}
	}
	return lines
}

// Chroots reports whether a line makes sshd lock anybody into a directory. sshd does not look at
// the login shell of these accounts.
func (c *Config) Chroots() bool {
	return slices.ContainsFunc(c.With("chrootdirectory"), func(line Line) bool {
		return len(line.Args) == 0 || !strings.EqualFold(line.Args[0], "none")
	})
}

// NamesGroup reports whether a line lets in, keeps out or otherwise treats the members of one of
// these groups.
func (c *Config) NamesGroup(groups ...string) bool {
	for _, line := range c.With("allowgroups", "denygroups", "match") {
		patterns := line.Args
		if line.Keyword == "match" {
			patterns = matchGroups(line.Args)
		}
		for _, pattern := range patterns {
			if slices.ContainsFunc(groups, func(group string) bool {
				return Match(pattern, group)
			}) {
				return true
			}
		}
	}
	return false
}

// matchGroups returns the patterns behind Group in the arguments of Match. OpenSSH 9.9 and later
// also accept a = in front of them.
func matchGroups(args []string) (patterns []string) {
	for i := 0; i < len(args); i++ {
		criterion, value, together := strings.Cut(args[i], "=")
		switch criterion = strings.ToLower(criterion); {
		case slices.Contains([]string{"all", "canonical", "final", "invalid-user"}, criterion):
			continue
		case !together && i+1 < len(args):
			i++
			value = args[i]
		}
		if criterion == "group" {
			for pattern := range strings.SplitSeq(value, ",") {
				patterns = append(patterns, strings.TrimPrefix(pattern, "!"))
			}
		}
	}
	return patterns
}
