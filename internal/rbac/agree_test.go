// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"aadlogin/internal/emulator"
)

// chance makes directories, the same for the same seed.
type chance struct{ *rand.Rand }

func pick[T any](c chance, from ...T) T { return from[c.IntN(len(from))] }

func some[T any](c chance, most int, from ...T) []T {
	var all []T
	for range c.IntN(most + 1) {
		all = append(all, pick(c, from...))
	}
	return all
}

// patterns returns patterns of actions. Some of them nearly match.
func (c chance) patterns(least int) []string {
	all := some(c, 2, "*", "*/action", "Microsoft.Compute/*",
		"microsoft.compute/VIRTUALMACHINES/login/action", "*/loginAsAdmin/*",
		"*/login*/action", "Microsoft.Compute/virtualMachines/login", "Microsoft.HybridCompute/*",
		"*/read", "*Machines/login/*")
	if len(all) < least {
		all = append(all, pick(c, "*", "*/login/action", "Microsoft.Compute/*/action"))
	}
	return all
}

func (c chance) scope() string {
	return scopes.Replace(pick(c, "$vm", "$vm", "$VM", "$vm/", "$rg", "$RG", "$sub", "/",
		"$mg/contoso-root", "$mg/other", "$vm2", "$rg2", "$vm/extensions/x"))
}

// directory returns any directory in which the machine may ask. The share decides how much of it
// the sources see differently.
func (c chance) directory(share float64) *emulator.Directory {
	d := bare(emulatedVM)
	groups := []string{"a", "b", "c", "d"}
	for i, name := range groups {
		d.Groups = append(d.Groups, emulator.Group{
			Name: name, ObjectID: id(100 + i),
			Members: some(c, 2, append(groups, person, other)...),
		})
	}
	roles := []string{"Virtual Machine User Login", "Virtual Machine Administrator Login", "Owner"}
	for i := range 4 {
		r := emulator.Role{
			ID: id(200 + i), Name: fmt.Sprint("role", i), DataActions: c.patterns(1),
			Actions: c.patterns(0),
		}
		if c.IntN(3) == 0 {
			r.NotDataActions = c.patterns(0)
		}
		d.Roles = append(d.Roles, r)
		roles = append(roles, r.Name)
	}
	for range 2 + c.IntN(5) {
		a := emulator.Assignment{
			Principal: pick(c, append(groups, person, person, other)...), Role: pick(c, roles...),
			Scope: c.scope(),
		}
		if c.Float64() < share {
			a.Condition = "@Resource[x] StringEquals 'y'"
		}
		d.Assignments = append(d.Assignments, a)
	}
	for c.Float64() < share {
		principals := append(some(c, 1, append(groups, person, other)...),
			pick(c, append(groups, "everyone", person, other)...))
		excluded := append(some(c, 1, append(groups, person, other)...), "demo-vm")
		d.Denies = append(d.Denies, emulator.Deny{
			Name:       fmt.Sprint("deny", len(d.Denies)),
			Principals: principals, Exclude: excluded,
			Actions: c.patterns(0), DataActions: c.patterns(1), NotDataActions: c.patterns(0),
			Scope: c.scope(), DoNotApplyToChildScopes: c.IntN(4) == 0,
		})
	}
	return d
}

// For any directory, Azure's own decision, the decision of this package on its lists and the view
// of the person agree. The only exceptions are those of the package's documentation.
func TestSourcesAgree(t *testing.T) {
	azure := newEmulated(t)
	sources := azure.sources()
	outcomes := map[string]int{}
	for seed := range uint64(700) {
		c := chance{rand.New(rand.NewPCG(seed, 0))}
		d := c.directory([]float64{0, 0.5}[seed%2])
		azure.holds(d)
		decision := azure.decides(sources["check-access"], emulatedVM)
		lists := azure.decides(sources["role-assignments"], emulatedVM)
		seen := azure.decides(sources["permissions"], emulatedVM)

		outcomes[word(decision)]++
		if lists.Scope != decision.Scope && word(lists) == word(decision) {
			t.Errorf("seed %d: granted at %q and at %q", seed, decision.Scope, lists.Scope)
		}
		if word(lists) != word(decision) {
			outcomes["a group denied"]++
			if !groupDenied(d) || lists.Login && !decision.Login || lists.Admin && !decision.Admin {
				t.Errorf("seed %d: check-access %s (%s), role-assignments %s (%s)", seed,
					word(decision), decision.Reason, word(lists), lists.Reason)
			}
		}
		if word(seen) != word(decision) {
			outcomes["not shown"]++
			azure.holds(shown(d))
			decision = azure.decides(sources["check-access"], emulatedVM)
			if word(seen) != word(decision) {
				t.Errorf("seed %d: check-access %s (%s), permissions %s (%s)", seed, word(decision),
					decision.Reason, word(seen), seen.Reason)
			}
		}
	}
	t.Log(outcomes)
	for _, what := range []string{"admin", "login", "no", "a group denied", "not shown"} {
		if outcomes[what] < 5 {
			t.Errorf("%s: %d times: the directories test nothing", what, outcomes[what])
		}
	}
}

// groupDenied reports whether a deny assignment names or excludes a group.
func groupDenied(d *emulator.Directory) bool {
	return slices.ContainsFunc(d.Denies, func(y emulator.Deny) bool {
		return slices.ContainsFunc(append(y.Principals, y.Exclude...), func(who string) bool {
			return slices.ContainsFunc(d.Groups,
				func(g emulator.Group) bool { return g.Name == who })
		})
	})
}

// shown returns the view of the permissions operation on a directory.
func shown(d *emulator.Directory) *emulator.Directory {
	less := *d
	less.Denies = nil
	less.Assignments = slices.Clone(d.Assignments)
	for i := range less.Assignments {
		less.Assignments[i].Condition = ""
	}
	return &less
}
