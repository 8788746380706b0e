// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// ParsePasswd reads accounts in the form of passwd(5), for Edit.Import. Ids are kept as they are,
// because they own files. The error joins one error for each bad line, and each names its line.
func ParsePasswd(r io.Reader, rules Rules) ([]Account, error) {
	return parsePasswd(r, rules, func(line string) string { return line })
}

// ParsePreview reads /etc/aadpasswd of the former Azure extension. There a name may be in any case,
// and the fields between gid and home may be missing.
func ParsePreview(r io.Reader, rules Rules) ([]Account, error) {
	return parsePasswd(r, rules, previewLine)
}

// previewLine turns a line of the preview's file into one of passwd(5).
func previewLine(line string) string {
	if strings.HasPrefix(line, "#") {
		return ""
	}
	fields := strings.Split(strings.TrimSpace(line), ":")
	n := len(fields)
	if n < 6 {
		return line
	}
	gecos := strings.Join(fields[4:n-2], " ")
	return strings.Join([]string{
		lower(fields[0]), "x", fields[2], fields[3], gecos, fields[n-2], fields[n-1],
	}, ":")
}

func parsePasswd(r io.Reader, rules Rules, form func(string) string) ([]Account, error) {
	var accounts []Account
	var bad []error
	p := passwd{rules: rules, names: make(map[string]int), ids: make(map[uint32]int)}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		p.line++
		line := form(lines.Text())
		if strings.TrimSpace(line) == "" {
			continue
		}
		a, err := p.account(line)
		if err != nil {
			bad = append(bad, fmt.Errorf("account: line %d: %w", p.line, err))
			continue
		}
		accounts = append(accounts, a)
	}
	if err := lines.Err(); err != nil {
		bad = append(bad, fmt.Errorf("account: line %d: %w", p.line+1, err))
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	return accounts, nil
}

type passwd struct {
	rules Rules
	line  int
	names map[string]int // lines they are on
	ids   map[uint32]int
}

func (p *passwd) account(line string) (Account, error) {
	fields := strings.Split(line, ":")
	if len(fields) != 7 {
		return Account{}, fmt.Errorf("has %d fields, not the 7 of passwd(5): "+
			"name:password:uid:gid:gecos:home:shell", len(fields))
	}
	n, err := p.name(fields[0])
	if err != nil {
		return Account{}, err
	}
	switch fields[1] {
	case "", "x", "*", "!", "!!":
	default:
		return Account{}, errors.New("has a password, which nothing would ever ask for; " +
			"replace it by *")
	}
	id, err := p.id(fields[2], fields[3])
	if err != nil {
		return Account{}, err
	}
	a := Account{
		Name: n.Account, UPN: n.UPN, UID: id,
		Gecos: orElse(fields[4], n.UPN), Home: fields[5], Shell: orElse(fields[6], p.rules.Shell),
	}
	if err := a.check(); err != nil {
		return Account{}, errors.New(strings.TrimPrefix(err.Error(), "account: "))
	}
	p.names[a.Name], p.ids[id] = p.line, p.line
	return a, nil
}

func (p *passwd) name(field string) (Name, error) {
	n, err := p.rules.Name(field)
	var spelling *SpellingError
	var short *ShortNameError
	switch {
	case errors.As(err, &spelling):
		return n, fmt.Errorf("name %q must be spelled %q", field, spelling.Right)
	case errors.As(err, &short):
		return n, fmt.Errorf("name %q would be %q here, which %s",
			field, short.Short, short.Problem)
	case err != nil:
		return n, fmt.Errorf("name %q is not one of an accepted domain (%s)",
			field, strings.Join(p.rules.Domains, ", "))
	case p.names[n.Account] != 0:
		return n, fmt.Errorf("name %q is on line %d already", field, p.names[n.Account])
	}
	return n, nil
}

func (p *passwd) id(uid, gid string) (uint32, error) {
	id, ok := parseUID(uid)
	switch {
	case !ok:
		return 0, fmt.Errorf("uid %q is not a number", uid)
	case gid != uid:
		return 0, otherGroup(uid, gid)
	case p.rules.reservedID(id) != "":
		return 0, fmt.Errorf("uid %d is %s", id, p.rules.reservedID(id))
	case p.ids[id] != 0:
		return 0, fmt.Errorf("uid %d is on line %d already", id, p.ids[id])
	}
	return id, nil
}

// otherGroup says how to bring over an account that useradd made, whose group has another number as
// soon as one was made by hand. Only the account's own files change their group: other users may be
// in that group, too.
func otherGroup(uid, gid string) error {
	err := fmt.Errorf("gid %q differs from uid %s; every account here has a private group with "+
		"its own number", gid, uid)
	if _, ok := parseUID(gid); !ok {
		return err
	}
	return fmt.Errorf("%w: write %[2]s for both and, once it is imported, hand over its files: "+
		"find / -xdev -uid %[2]s -gid %[3]s -exec chgrp -h %[2]s {} +",
		err, uid, gid)
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func parseUID(s string) (uint32, bool) {
	uid, err := strconv.ParseUint(s, 10, 32)
	return uint32(uid), err == nil && strconv.FormatUint(uid, 10) == s
}
