// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"aadlogin/internal/shell"
)

// HomeError is returned for a home that belongs to somebody else. The owner could make the person
// run any program.
type HomeError struct {
	Account Account
	Owner   string // "joe (uid 1002)"
}

func (e *HomeError) Error() string {
	return fmt.Sprintf("account: %s: home %s belongs to %s",
		e.Account.Name, e.Account.Home, e.Owner)
}

// Fix says what to do, with the command.
func (e *HomeError) Fix() string {
	return fmt.Sprintf("if its files are this person's: chown -hR %d:%[1]d %s; if not, change "+
		"accounts.home, or the account's own: aadctl account set %s --home DIRECTORY",
		e.Account.UID, shell.Word(e.Account.Home), shell.Word(e.Account.Name))
}

// homeLimit is how long to wait for the server that a home is on.
const homeLimit = 2 * time.Second

// overflowUID stands for an owner that the kernel or a file server cannot name.
const overflowUID = 65534

// Home refuses, with *HomeError, a home that exists and belongs neither to the account nor to root.
// It looks at a link and at what the link leads to. A home that cannot be looked at, or not soon,
// is no reason to keep anybody out.
func (l *Locals) Home(a Account) error {
	if uid, _ := soon(func() uint32 { return foreignOwner(a) }); uid != 0 {
		return &HomeError{a, l.describe(uid)}
	}
	return nil
}

// foreignOwner returns the uid of the home's owner if that is neither the account nor root, and
// else 0.
func foreignOwner(a Account) uint32 {
	// "/." leads to the directory that a login would use: mounted, and behind links.
	for _, path := range []string{a.Home, a.Home + "/."} {
		info, err := os.Lstat(path)
		if err != nil {
			return 0
		}
		switch uid := info.Sys().(*syscall.Stat_t).Uid; uid {
		case 0, a.UID, overflowUID:
		default:
			return uid
		}
	}
	return 0
}

func (l *Locals) describe(uid uint32) string {
	names := l.users[uid]
	if l.Besides != nil && len(names) == 0 {
		if name, ok := l.Besides.User(uid); ok {
			names = []string{name}
		}
	}
	if len(names) == 0 {
		return fmt.Sprintf("uid %d", uid)
	}
	return fmt.Sprintf("%s (uid %d)", names[0], uid)
}

// SharedHome is the home of a local user that the template could also give to an account.
type SharedHome struct{ Home, User, Account string }

func (s SharedHome) String() string {
	return fmt.Sprintf("%s of %s, for %s", s.Home, s.User, s.Account)
}

// SharedHomes returns the homes of users in /etc/passwd that these rules could give to an account,
// in the order of their paths.
func (l *Locals) SharedHomes(r Rules) (shared []SharedHome) {
	pattern := r.homePattern()
	for user, home := range l.homes {
		n, ok := r.livesIn(pattern, home)
		if ok && n.Account != user { // a name that is taken gets no home
			shared = append(shared, SharedHome{home, user, n.Account})
		}
	}
	slices.SortFunc(shared, func(a, b SharedHome) int {
		return strings.Compare(a.Home+a.User, b.Home+b.User)
	})
	return shared
}

// homePattern matches the homes that the template makes. Its first group is the part before the @.
func (r Rules) homePattern() *regexp.Regexp {
	var domains []string
	for _, d := range r.Domains {
		domains = append(domains, regexp.QuoteMeta(d))
	}
	domain := "(?:" + strings.Join(domains, "|") + ")"
	return regexp.MustCompile("^" + strings.NewReplacer(
		"%%", "%", "%u", "([^/@]+)(?:@"+domain+")?", "%l", "([^/@]+)", "%d", domain,
	).Replace(regexp.QuoteMeta(r.Home)) + "$")
}

// livesIn finds a name that gets this home.
func (r Rules) livesIn(pattern *regexp.Regexp, home string) (Name, bool) {
	match := pattern.FindStringSubmatch(home)
	if len(match) < 2 {
		return Name{}, false
	}
	for _, domain := range r.Domains {
		n, err := r.FromUPN(match[1] + "@" + domain)
		if err == nil && expand(r.Home, n) == home {
			return n, true
		}
	}
	return Name{}, false
}
