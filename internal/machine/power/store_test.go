// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package power

import (
	"encoding/json"
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
	before := see(w.see).State
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

// A sight is what is seen of the product's directories.
type sight struct {
	State state
	Names []string // beginnings of the entries that the name service has to answer with
}

const (
	eachAccount = "each account" // with every account a thing of its own
	allInOne    = "all in one"   // with the store as one thing
)

// see has a process of its own look. The store is mapped, and whoever waits here for a page of it
// would keep the rest of this process, which has the device, from running.
func see(how string) (seen sight) {
	out, err := command(os.Args[0], "see", how)
	if err == nil {
		err = json.Unmarshal([]byte(out), &seen)
	}
	if err != nil {
		seen.State = state{"see": err.Error()}
	}
	return seen
}

func TestMain(m *testing.M) {
	var err error
	switch {
	case len(os.Args) == 3 && os.Args[1] == "see":
		err = json.NewEncoder(os.Stdout).Encode(look(os.Args[2]))
	case len(os.Args) == 3 && os.Args[1] == "neighbour":
		err = neighbour(os.Args[2])
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func look(how string) sight {
	seen := sight{State: others()}
	var all strings.Builder
	for _, line := range stored(account.Store{}.Open()) {
		if all.WriteString(line.text + "\n"); how == eachAccount {
			seen.State[line.thing] = line.text
		}
		if line.uid != 0 {
			seen.Names = append(seen.Names, fmt.Sprintf("%s:*:%d:", line.thing, line.uid))
		}
	}
	if how == allInOne {
		seen.State["store"] = all.String()
	}
	return seen
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
		// One that nobody can read is none: whoever it was for has not been told that they are in.
		if text, err := os.ReadFile(path); err == nil && filepath.Ext(path) != ".new" &&
			json.Valid(text) {
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

// leftovers are the files of no finished change. What is left of a grant goes with the next grant
// of that account.
func leftovers() (left []string) {
	left, _ = filepath.Glob(storeDir + "/*.new")
	return left
}

// An inspection is of machines that came back after a cut.
type inspection struct {
	see      string
	sealings map[string]int // at once, before anybody signs in
	dir      string
}

// at returns what is wrong, and err if the file system itself is.
func (l *inspection) at(t *testing.T, r *recording, d *disk, c cut) (problems []string, err error) {
	t.Helper()
	m, err := r.fs.open(t, r.shelf, d, r.options, l.dir)
	if err != nil {
		return nil, err
	}
	defer m.unmount(t)
	problems = verified()
	seen := see(l.see)
	problems = append(problems, r.told.broken(c.position, seen.State)...)
	problems = append(problems, looksUp(seen.Names)...)
	l.sealings[sealing()]++
	return append(problems, l.signsIn(seen.State)...), nil
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
func looksUp(entries []string) (problems []string) {
	if len(entries) == 0 {
		return nil
	}
	args := []string{"passwd"}
	for _, entry := range entries {
		name, _, _ := strings.Cut(entry, ":")
		args = append(args, name)
	}
	out, err := command("getent", args...)
	if err != nil {
		problems = append(problems, err.Error())
	}
	for _, entry := range entries {
		if !strings.Contains("\n"+out, "\n"+entry) {
			problems = append(problems, "getent does not know "+entry)
		}
	}
	return problems
}

const late = "late@" + tenant

// signsIn has somebody new sign in, without a hand laid on, and looks again.
func (l *inspection) signsIn(found state) (problems []string) {
	if err := signIn(late); err != nil {
		return []string{"next sign-in: " + err.Error()}
	}
	if is := sealing(); is != sealed {
		problems = append(problems, "after the next sign-in the store is not sealed:"+is)
	}
	if left := leftovers(); len(left) > 0 {
		problems = append(problems, fmt.Sprintf("after the next sign-in there is %q", left))
	}
	now := see(l.see).State // which reads the store through
	for thing, value := range found {
		if thing != "store" && !strings.HasPrefix(thing, "backup ") && now[thing] != value {
			problems = append(problems, fmt.Sprintf("%s: the next sign-in made %q of %q",
				thing, now[thing], value))
		}
	}
	return problems
}
