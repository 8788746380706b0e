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

// ParsePasswd reads accounts in the form of passwd(5), as the preview kept
// them in /etc/aadpasswd, to be given to Edit.Import. Ids are kept as they
// are: they own files. The first bad line is an error that names it.
func ParsePasswd(r io.Reader, rules Rules) ([]Account, error) {
	p := passwd{rules: rules, names: make(map[string]int), ids: make(map[uint32]int)}
	var accounts []Account
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if p.line++; strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		a, err := p.account(lines.Text())
		if err != nil {
			return nil, fmt.Errorf("account: line %d: %w", p.line, err)
		}
		accounts = append(accounts, a)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("account: line %d: %w", p.line+1, err)
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
		return Account{}, fmt.Errorf("has %d fields, not the 7 of passwd(5): name:password:uid:gid:gecos:home:shell", len(fields))
	}
	n, err := p.name(fields[0])
	if err != nil {
		return Account{}, err
	}
	switch fields[1] {
	case "", "x", "*", "!", "!!":
	default:
		return Account{}, errors.New("has a password, which nothing would ever ask for; replace it by *")
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
	switch {
	case errors.As(err, &spelling):
		return n, fmt.Errorf("name %q must be spelled %q", field, spelling.Right)
	case err != nil:
		return n, fmt.Errorf("name %q is not one of an accepted domain (%s)", field, strings.Join(p.rules.Domains, ", "))
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
		return 0, fmt.Errorf("gid %q differs from uid %s; every account here has a private group with its own number", gid, uid)
	case id < minID || id > maxID || id == 65534 || id == 65535:
		return 0, fmt.Errorf("uid %d is the system's", id)
	case id-p.rules.Low < reserved:
		return 0, fmt.Errorf("uid %d is a group's: the first %d of the id range are", id, reserved)
	case p.ids[id] != 0:
		return 0, fmt.Errorf("uid %d is on line %d already", id, p.ids[id])
	}
	return id, nil
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
