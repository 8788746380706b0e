// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rbac

// A Permission is one block of a role definition or of a deny assignment, as far as it is about
// data. Control actions (Owner's "*") are left out, because none of them is a login.
type Permission struct {
	DataActions    []string `json:"dataActions"`
	NotDataActions []string `json:"notDataActions"`
	Condition      string   `json:"condition"` // since 2022-05-01-preview a role may bring its own
}

// covers reports whether the block's actions, without its notActions, include the action.
func (p Permission) covers(action string) bool {
	return anyMatches(p.DataActions, action) && !anyMatches(p.NotDataActions, action)
}

func anyMatches(patterns []string, action string) bool {
	for _, p := range patterns {
		if matches(p, action) {
			return true
		}
	}
	return false
}

// A reach is how far blocks go towards allowing an action.
type reach int

const (
	none        reach = iota
	conditional       // allowed if a condition holds, which cannot be evaluated here
	full
)

// reachOf adds blocks up: what one of them excludes, another may allow.
func reachOf(blocks []Permission, action string) reach {
	best := none
	for _, b := range blocks {
		switch {
		case !b.covers(action):
		case b.Condition == "":
			return full
		default:
			best = conditional
		}
	}
	return best
}

// why returns the reason that goes with less than full reach.
func (r reach) why() string {
	if r == conditional {
		return "the role has a condition, which is not evaluated here"
	}
	return "no role grants it"
}

// matches compares an action with a pattern, in which * stands for any run of characters, also
// slashes. Case is ignored for ASCII letters only: Unicode would also take the Kelvin sign for a k.
//
// If the text after a star does not fit, the star takes one character more. An earlier star need
// not, because a later one can take whatever it could.
func matches(pattern, action string) bool {
	p, a := 0, 0
	star, taken := -1, 0
	for a < len(action) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, taken = p, a
			p++
		case p < len(pattern) && lower(pattern[p]) == lower(action[a]):
			p, a = p+1, a+1
		case star >= 0:
			taken++
			p, a = star+1, taken
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
