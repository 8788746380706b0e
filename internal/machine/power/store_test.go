// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package power

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"aadlogin/internal/account"
)

// Where the product keeps what it must not lose. Both are on the device that loses power.
const (
	storeDir  = "/var/lib/aad-login"
	configDir = "/etc/aad-login"
)

// open mounts a device with the product's directories.
func (f filesystem) open(t *testing.T, s *shelf, d *disk, options, dir string) (*mounted, error) {
	t.Helper()
	m, err := f.mount(t, s, d, options, dir)
	if err == nil {
		m.bind(t, "lib", storeDir)
		m.bind(t, "etc", configDir)
	}
	return m, err
}

// record has a workload run, and returns what came of it.
func (f filesystem) record(t *testing.T, options string, w workload) *recording {
	t.Helper()
	s, d, dir := newShelf(t), newDisk(f.size), t.TempDir()
	f.format(t, s, d)
	m, err := f.mount(t, s, d, options, dir)
	if err != nil {
		t.Fatal(err)
	}
	mkdir(t, dir+"/lib", 0o755)
	must(t, "cp", "-a", configDir, dir+"/etc")
	m.bind(t, "lib", storeDir)
	m.bind(t, "etc", configDir)
	must(t, "aadctl", "config", "apply")
	for _, name := range w.begin {
		importing(t, name)
	}
	before := w.see()
	m.unmount(t)
	r := &recording{fs: f, options: options, shelf: s, image: d.clone(), log: &log{}}
	r.told = newPromises(r.log, before)
	d.log = r.log
	if m, err = f.open(t, s, d, options, dir); err != nil {
		t.Fatal(err)
	}
	w.work(t, r.told)
	r.log.mark("end") // what unmounting writes is no matter of ours
	end := r.log.length()
	m.unmount(t)
	r.log.events = r.log.events[:end]
	return r
}

// eachAccount returns what is promised about, with every account a thing of its own.
func eachAccount() state {
	found := others()
	for _, line := range stored(account.Store{}.Open()) {
		found[line.thing] = line.text
	}
	return found
}

// allInOne returns it with the store as one thing.
func allInOne() state {
	found := others()
	found["store"] = contents(account.Store{}.Open())
	return found
}

// A line is of an account, or of the rules.
type line struct {
	thing, text string
	uid         uint32 // 0: nobody has this account now
}

// stored reads a store through. One that cannot be read has one line, which nobody has promised.
func stored(s *account.Snapshot, err error) (lines []line) {
	if err == nil {
		defer s.Close()
		err = s.Check()
	}
	if err != nil {
		return []line{{thing: "store", text: err.Error()}}
	}
	lines = []line{{thing: "rules", text: fmt.Sprintf("%+v", s.Rules())}}
	for a := range s.All() {
		of := line{thing: a.Name, text: fmt.Sprintf("%+v", a), uid: a.UID}
		if a.MovedTo != 0 {
			of.thing = fmt.Sprintf("uid %d", a.UID)
		}
		if !a.Removed.IsZero() {
			of.uid = 0
		}
		lines = append(lines, of)
	}
	return lines
}

func contents(s *account.Snapshot, err error) string {
	var text strings.Builder
	for _, line := range stored(s, err) {
		text.WriteString(line.text + "\n")
	}
	return text.String()
}

// others are the configuration, the grants, and the backups.
func others() state {
	found := state{}
	if text, err := os.ReadFile(configDir + "/config.toml"); err == nil {
		found["config"] = string(text)
	}
	grants, _ := filepath.Glob(storeDir + "/grants/*")
	for _, path := range grants {
		if text, err := os.ReadFile(path); err == nil && filepath.Ext(path) != ".new" {
			found["grant "+filepath.Base(path)] = string(text)
		}
	}
	backups, _ := filepath.Glob(storeDir + "/backups/*")
	for _, path := range backups {
		found["backup "+filepath.Base(path)] = contents(account.Store{}.OpenCopy(path))
	}
	return found
}

// sealing is the mode of the store and of the one before, and whether each is immutable.
func sealing() (text string) {
	for _, path := range []string{storeDir + "/accounts.cdb", storeDir + "/accounts.cdb.previous"} {
		f, err := os.Open(path)
		if err != nil {
			text += err.Error()
			continue
		}
		defer f.Close()
		info, _ := f.Stat()
		flags, _ := unix.IoctlGetUint32(int(f.Fd()), unix.FS_IOC_GETFLAGS)
		text += fmt.Sprintf(" %#o %v", info.Mode().Perm(), flags&unix.STATX_ATTR_IMMUTABLE != 0)
	}
	return text
}

const sealed = " 0444 true 0444 true"

// leftovers are the files of no finished change.
func leftovers() (left []string) {
	for _, pattern := range []string{"/*.new", "/grants/*.new"} {
		paths, _ := filepath.Glob(storeDir + pattern)
		left = append(left, paths...)
	}
	return left
}

// A look is what a machine is looked at by that came back after a cut.
type look struct {
	see      func() state
	sealings map[string]int // at once, before anybody signs in
	dir      string
}

func (l *look) at(t *testing.T, r *recording, d *disk, c cut) (problems []string) {
	t.Helper()
	m, err := r.fs.open(t, r.shelf, d, r.options, l.dir)
	if err != nil {
		return []string{err.Error()}
	}
	defer m.unmount(t)
	problems = verified()
	found := l.see()
	problems = append(problems, r.told.broken(c.position, found)...)
	problems = append(problems, looksUp()...)
	l.sealings[sealing()]++
	return append(problems, l.signsIn(found, c)...)
}

// verified is what "aadctl store verify" finds, of the backups too.
func verified() []string {
	out, err := command("aadctl", "store", "verify")
	if err != nil || strings.Contains(out, "damaged") {
		return []string{fmt.Sprintf("store verify: %v: %s", err, out)}
	}
	return nil
}

// looksUp asks the name service about everybody.
func looksUp() (problems []string) {
	var names []string
	uids := map[string]uint32{}
	for _, line := range stored(account.Store{}.Open()) {
		if line.uid != 0 {
			names = append(names, line.thing)
			uids[line.thing] = line.uid
		}
	}
	if len(names) == 0 {
		return nil
	}
	out, err := command("getent", append([]string{"passwd"}, names...)...)
	if err != nil {
		problems = append(problems, err.Error())
	}
	for _, name := range names {
		if !strings.Contains("\n"+out, fmt.Sprintf("\n%s:*:%d:", name, uids[name])) {
			problems = append(problems, fmt.Sprintf("getent does not know %s as %d", name, uids[name]))
		}
	}
	return problems
}

const late = "late@" + tenant

// signsIn has somebody new sign in, without a hand laid on, and looks again.
func (l *look) signsIn(found state, c cut) (problems []string) {
	if err := signIn(late); err != nil {
		return []string{"next sign-in: " + err.Error()}
	}
	if is := sealing(); is != sealed {
		problems = append(problems, "after the next sign-in the store is not sealed:"+is)
	}
	if left := leftovers(); len(left) > 0 {
		problems = append(problems, fmt.Sprintf("after the next sign-in there is %q", left))
	}
	now := l.see() // which reads the store through
	for thing, value := range found {
		if thing != "store" && !strings.HasPrefix(thing, "backup ") && now[thing] != value {
			problems = append(problems, fmt.Sprintf("%s: the next sign-in made %q of %q", thing, now[thing], value))
		}
	}
	return problems
}
