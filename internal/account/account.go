// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxText is the longest gecos, home or shell.
const maxText = 1024

// Account is one account of this machine.
type Account struct {
	Name     string // what is typed and listed
	UPN      string // lower case; for a short name more than Name
	UID      uint32 // also the gid of the private group
	Gecos    string // the UPN unless imported
	Home     string
	Shell    string
	TenantID string // with ObjectID the owner; both empty until an imported account's first sign-in
	ObjectID string
	Admin    bool     // member of aad_admins: the last authorization said administrator
	Groups   []uint32 // further local groups, sorted
	Former   []string // names that it had; no other account gets them
	Created  time.Time
	Locked   time.Time // zero unless locked; then nobody signs in, and files keep their owner
	Removed  time.Time // zero unless removed; then name and id stay taken and nothing answers
	MovedTo  uint32    // not 0: this is only an id that an account had before, kept so that no other gets it
	MovedOf  string    // with MovedTo: the object id of whoever the account was of then, who alone may have it back

	later later // what a later version has stored with the account
}

var (
	// ErrUnknown is returned by lookups that find nothing.
	ErrUnknown = errors.New("account: no such account")

	// ErrRemoved is returned together with an account that has been removed.
	ErrRemoved = errors.New("account: the account has been removed from this machine")

	// ErrLocked is returned by Bind for an account that an administrator of this machine has
	// locked.
	ErrLocked = errors.New("account: the account has been locked on this machine")

	// ErrOtherObject is returned for a name that belongs to another object of the directory: a UPN
	// given to another person does not give the account.
	ErrOtherObject = errors.New("account: the name belongs to another object of the directory")

	// ErrNoID is returned when every id tried for a name is taken.
	ErrNoID = errors.New("account: no free id for the name; widen accounts.id_range")
)

// normal returns the account as the store keeps it.
func (a Account) normal() Account {
	a.Groups = slices.Compact(slices.Sorted(slices.Values(a.Groups)))
	for _, t := range []*time.Time{&a.Created, &a.Locked, &a.Removed} {
		*t = t.UTC().Truncate(time.Second)
	}
	return a
}

func (a Account) equal(b Account) bool {
	return a.Name == b.Name && a.UPN == b.UPN && a.UID == b.UID &&
		a.Gecos == b.Gecos && a.Home == b.Home && a.Shell == b.Shell &&
		a.TenantID == b.TenantID && a.ObjectID == b.ObjectID && a.Admin == b.Admin &&
		slices.Equal(a.Groups, b.Groups) && slices.Equal(a.Former, b.Former) &&
		a.Created.Equal(b.Created) && a.Locked.Equal(b.Locked) && a.Removed.Equal(b.Removed) &&
		a.MovedTo == b.MovedTo && a.MovedOf == b.MovedOf
}

// check refuses what no account may have, whoever asks for it.
func (a Account) check() error {
	switch {
	case !validName(a.Name):
		return fmt.Errorf("account: name %q cannot be an account's", a.Name)
	case a.UID < minID || a.UID > maxID:
		return fmt.Errorf("account: %s: id %d is the system's", a.Name, a.UID)
	case !isPath(a.Home):
		return fmt.Errorf("account: %s: home %q is no absolute path", a.Name, a.Home)
	case !isPath(a.Shell):
		return fmt.Errorf("account: %s: shell %q is no absolute path", a.Name, a.Shell)
	case len(a.Gecos) > maxText || !plain(a.Gecos):
		return fmt.Errorf("account: %s: gecos %q is not one field of text", a.Name, a.Gecos)
	case !isIdentifier(a.UPN) || !isIdentifier(a.TenantID) || !isIdentifier(a.ObjectID):
		return fmt.Errorf("account: %s: identity %q of %q is not text",
			a.Name, a.ObjectID, a.TenantID)
	case (a.TenantID == "") != (a.ObjectID == ""):
		return fmt.Errorf("account: %s: half an identity", a.Name)
	case a.Admin && !a.Locked.IsZero():
		return fmt.Errorf("account: %s: locked, and yet an administrator", a.Name)
	case !isIdentifier(a.MovedOf) || a.MovedOf != "" && a.MovedTo == 0:
		return fmt.Errorf("account: %s: id %d has not moved, and yet was of %q",
			a.Name, a.UID, a.MovedOf)
	case a.MovedTo != 0 && (a.Removed.IsZero() || a.ObjectID != "" || len(a.Former) > 0):
		return fmt.Errorf("account: %s: id %d has moved, and yet is an account", a.Name, a.UID)
	case len(a.Groups) > 1000 || len(a.Groups) > 0 && a.Groups[0] == 0:
		return fmt.Errorf("account: %s: groups %v", a.Name, a.Groups)
	}
	return nil
}

// isIdentifier reports whether s fits into a key of the store and passes through JSON unchanged.
func isIdentifier(s string) bool {
	return len(s) <= maxText && !strings.ContainsFunc(s, func(c rune) bool {
		return c <= ' ' || c > '~' || c == '/'
	})
}
