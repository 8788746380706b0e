// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package power

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A diary is of changes one after the other, each of which may change everything.
type diary struct {
	t    *testing.T
	p    *promises
	last state
}

func (d *diary) step(what string, do func() error) {
	end := d.p.begin(what)
	if err := do(); err != nil {
		d.t.Errorf("%s: %v", what, err)
	}
	end(func() state {
		now := see(allInOne).State
		all := maps.Clone(now)
		for thing := range d.last {
			all[thing] = now[thing] // also if it is gone
		}
		d.last = now
		return all
	})
}

func (d *diary) aadctl(args ...string) {
	d.step(strings.Join(args, " "), func() error {
		_, err := command("aadctl", args...)
		return err
	})
}

// oneByOne makes every kind of change, each when the one before is done.
func oneByOne(t *testing.T, p *promises) {
	d := &diary{t: t, p: p, last: see(allInOne).State}
	for i := range 2 {
		someone := func(who string) string { return fmt.Sprintf("%s%d@%s", who, i, tenant) }
		d.step("first import", func() error { importing(t, someone("first")); return nil })
		d.step("first sign-in", func() error { return signIn(someone("employed")) })
		d.step("next sign-in", func() error { return signIn(someone("employed")) })
		d.step("import", func() error { importing(t, someone("second")); return nil })
		d.aadctl("account", "set", someone("second"), "--uid", fmt.Sprint(30000+i))
		d.aadctl("account", "lock", someone("employed"))
		d.aadctl("account", "unlock", someone("employed"))
		d.aadctl("account", "remove", someone("first"))
		d.aadctl("account", "restore", someone("first"))
		d.aadctl("account", "rename", someone("second"), someone("renamed"))
		d.aadctl("config", "add-service", fmt.Sprintf("service%d", i))
		hire(t, someone("fired"))
		d.step("first sign-in", func() error { return signIn(someone("fired")) })
		dismiss(t, someone("fired"))
		d.step("refusal", func() error { return refused(someone("fired")) })
		d.step("a day goes by", aDayGoesBy)
		d.step("import", func() error { importing(t, someone("third")); return nil })
		d.step("next sign-in", func() error { return signIn(someone("employed")) })
		d.aadctl("store", "restore", "--force", newestBackup())
		d.step("next sign-in", func() error { return signIn(someone("employed")) })
		d.aadctl("store", "generalize")
		d.step("refusal", func() error { return refused(someone("fired")) })
		d.aadctl("account", "set", someone("employed"), "--home", fmt.Sprintf("/srv/home%d", i))
	}
}

// hired are those of whom oneByOne has sign in.
func hired() (names []string) {
	for i := range 2 {
		names = append(names, fmt.Sprintf("employed%d@%s", i, tenant),
			fmt.Sprintf("fired%d@%s", i, tenant))
	}
	return names
}

func refused(name string) error {
	if signIn(name) == nil {
		return errors.New(name + " has been let in")
	}
	return nil
}

func newestBackup() string {
	all, _ := filepath.Glob(storeDir + "/backups/*")
	if len(all) == 0 {
		return "no backup"
	}
	return all[len(all)-1]
}

// aDayGoesBy gives backups the names that they would have if they were as much older, so that the
// next change makes another.
func aDayGoesBy() error {
	all, _ := filepath.Glob(storeDir + "/backups/*")
	const layout = "20060102T150405Z"
	for _, path := range all {
		made, err := time.Parse(layout, strings.TrimPrefix(filepath.Ext(path), "."))
		if err != nil {
			return err
		}
		older := strings.TrimSuffix(path, filepath.Ext(path)) + "." +
			made.Add(-25*time.Hour).Format(layout)
		if _, err := command("sh", "-c",
			fmt.Sprintf("chattr -i %[1]s && mv %[1]s %[2]s && chattr +i %[2]s",
				path, older)); err != nil {
			return err
		}
	}
	_, err := command("sync", "-f", storeDir)
	return err
}
