// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Homes is what one look has found: the accounts that have a home by the template, whether they are
// in a store or not, with the id of its owner. The homes of local accounts are not among them.
type Homes struct {
	Accounts []Account

	locals  *Locals
	rules   Rules
	parents map[string]parent // as they were before the look; nil: too new to tell
	late    bool              // nobody knows soon enough
}

// A parent is a directory that homes are in. It is another one, or was modified, after a home has
// come.
type parent struct {
	device, inode uint64
	modified      int64
}

// tick is more than the time in which the kernel may write the same time of modification twice.
const tick = 20 * time.Millisecond

// Homes looks for homes.
func (l *Locals) Homes(r Rules) *Homes {
	if h, ok := soon(func() *Homes { return l.lookForHomes(r) }); ok {
		return h
	}
	return &Homes{late: true}
}

// Unclaimed refuses, with *LeftIDError, an account that is not stored yet, and would get the id of
// a home that has the name of another account. Homes that cannot be looked at, or not soon, are no
// reason to keep anybody out.
func (h *Homes) Unclaimed(a Account) error { return unclaimed(h.Accounts, a) }

func unclaimed(homes []Account, a Account) error {
	for _, left := range homes {
		if left.UID == a.UID && left.Name != a.Name {
			return &LeftIDError{a, left}
		}
	}
	return nil
}

// UnclaimedNow is Unclaimed for a caller that has the store's lock. It looks again only if a home
// may have come since, and only at homes whose owner has the account's id: with many homes, a whole
// look takes as long as a change, and homes come all the time while many people sign in first.
func (h *Homes) UnclaimedNow(a Account) error {
	if h.isCurrent() {
		return h.Unclaimed(a)
	}
	homes, _ := soon(func() []Account {
		return h.locals.homesOwned(h.rules, func(owner uint32) bool { return owner == a.UID })
	})
	return unclaimed(homes, a)
}

func (h *Homes) isCurrent() bool {
	if h.late {
		return true // who waited once does not wait again while others wait
	}
	now, ok := soon(func() map[string]parent { return parents(h.rules.homeGlob()) })
	return !ok || h.parents != nil && maps.Equal(now, h.parents)
}

// parents returns the directories that homes are in, and the directories that these are in: a
// template with a domain has several of them.
func parents(glob string) map[string]parent {
	all := make(map[string]parent)
	for dir := filepath.Dir(glob); ; dir = filepath.Dir(dir) {
		paths, _ := filepath.Glob(dir) // an error says that no path matches
		for _, path := range paths {
			if info, err := os.Stat(path); err == nil {
				stat := info.Sys().(*syscall.Stat_t)
				all[path] = parent{uint64(stat.Dev), stat.Ino, info.ModTime().UnixNano()}
			}
		}
		if !strings.Contains(strings.NewReplacer(`\\`, "", `\*`, "").Replace(dir), "*") {
			return all
		}
	}
}

// settled returns nil if a home could still come without a trace: in the tick in which another did.
func settled(all map[string]parent, now time.Time) map[string]parent {
	for _, p := range all {
		if p.modified > now.Add(-tick).UnixNano() {
			return nil
		}
	}
	return all
}

// homeGlob matches the homes that the template makes, and more.
func (r Rules) homeGlob() string {
	return strings.NewReplacer("%%", "%", "%u", "*", "%l", "*", "%d", "*",
		`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(r.Home)
}

func (l *Locals) lookForHomes(r Rules) *Homes {
	h := &Homes{locals: l, rules: r, parents: settled(parents(r.homeGlob()), time.Now())}
	h.Accounts = l.homesOwned(r, func(uint32) bool { return true })
	return h
}

// homesOwned returns the accounts that have a home whose owner is asked for.
func (l *Locals) homesOwned(r Rules, asked func(owner uint32) bool) (all []Account) {
	paths, _ := filepath.Glob(r.homeGlob())
	if len(paths) == 0 {
		return nil
	}
	pattern := r.homePattern()
	for _, path := range paths {
		info, err := os.Lstat(path)
		if err != nil || !info.IsDir() {
			continue
		}
		uid := info.Sys().(*syscall.Stat_t).Uid
		if !asked(uid) || uid < minID || uid == overflowUID || uid > maxID ||
			len(l.users[uid]) > 0 {
			continue
		}
		n, ok := r.livesIn(pattern, path)
		if _, local := l.uids[n.Account]; ok && !local {
			all = append(all, r.account(n, uid)) // its home is path
		}
	}
	return all
}

// soon returns what a function does, or false if it takes too long. The function may hang for good:
// a file server can be gone.
func soon[T any](look func() T) (seen T, ok bool) {
	done := make(chan T, 1)
	go func() { done <- look() }()
	select {
	case seen = <-done:
		return seen, true
	case <-time.After(homeLimit):
		return seen, false
	}
}
