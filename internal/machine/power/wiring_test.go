// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package power

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var rootTar = flag.String("root", "", "root of a Debian with sshd, as a tar file")

// everybody are the files by which everybody signs in, and that the package or its scripts change.
var everybody = []string{"etc/nsswitch.conf", "etc/ssh/sshd_config", "etc/ssh/sshd_config.d/*",
	"etc/sudoers", "etc/sudoers.d/*", "etc/pam.d/*"}

// wiring returns what everybody signs in by.
func (c *chroot) wiring() state {
	found := state{}
	for _, pattern := range everybody {
		paths, _ := filepath.Glob(filepath.Join(c.dir, pattern))
		for _, path := range paths {
			if read(path) {
				text, err := os.ReadFile(path)
				if err != nil {
					text = []byte(err.Error())
				}
				found[strings.TrimPrefix(path, c.dir)] = string(text)
			}
		}
	}
	return found
}

// read is whether a name in one of these directories is read by anybody. PAM, sudo and sshd skip
// these.
func read(path string) bool {
	name := filepath.Base(path)
	for _, suffix := range []string{".new", ".aad-login", ".pam-new", ".pam-old"} {
		if strings.HasSuffix(name, suffix) {
			return false
		}
	}
	return !strings.HasPrefix(name, ".aad-login")
}

// resumes has dpkg go on with what was cut short, and looks again. removing is whether the package
// has been removed before the cut, or was just being removed.
func (c *chroot) resumes(deb string, removing bool) (problems []string) {
	if _, err := c.run("", "dpkg", "--configure", "-a"); err != nil && !c.incomplete(err) {
		problems = append(problems, err.Error())
	}
	problems = append(problems, c.localLogins()...)
	if c.status() == "install ok installed" && !(removing && c.forgotten()) {
		return append(problems, c.wired(true)...)
	}
	if _, err := c.run("", "dpkg", "-i", deb); err != nil {
		problems = append(problems, err.Error())
	}
	return slices.Concat(problems, c.wired(true), c.damaged(), c.localLogins())
}

// damaged returns the files of the package that are not what it brought, but for its configuration.
// After an upgrade on btrfs they may be those of the former version, until the package is installed
// again.
func (c *chroot) damaged() (problems []string) {
	out, _ := c.run("", "dpkg", "--verify", "aad-login")
	for line := range strings.Lines(out) {
		if !strings.Contains(line, " c /") {
			problems = append(problems, "dpkg --verify: "+line)
		}
	}
	return problems
}

func (c *chroot) status() string {
	out, _ := c.run("", "dpkg-query", "-W", "-f", "${Status}", "aad-login")
	return out
}

// incomplete is whether dpkg wants the package unpacked again, or should. If it was cut short while
// it unpacked, it says so itself. But it does not sync the directories of what it unpacks, so on
// btrfs the state "unpacked" may last longer than the files.
func (c *chroot) incomplete(said error) bool {
	out, _ := c.run("", "dpkg", "--verify", "aad-login")
	return strings.Contains(out, "missing") ||
		strings.Contains(said.Error(), "reinstall it before attempting configuration") ||
		strings.Contains(said.Error(), "is empty or missing, as after a power cut")
}

// forgotten is whether dpkg has forgotten that it had begun to remove the package. Our own note of
// that is synced. What dpkg says of itself is not, on btrfs.
func (c *chroot) forgotten() bool {
	_, err := os.Stat(filepath.Join(c.dir, "var/lib/aad-login/install-pending"))
	return err == nil
}

// wired returns what is missing of the package's wiring, or left of it.
func (c *chroot) wired(there bool) (problems []string) {
	now := c.wiring()
	for path, part := range map[string]string{
		"/etc/nsswitch.conf": " aad", "/etc/pam.d/common-auth": "pam_aad.so",
		"/etc/pam.d/common-account": "pam_aad.so",
		"/etc/pam.d/common-session": "pam_aad.so", "/etc/ssh/sshd_config.d/40-aad-login.conf": "\n",
		"/etc/sudoers.d/aad_admins": "\n",
	} {
		if strings.Contains(now[path], part) != there {
			problems = append(problems, fmt.Sprintf("%s has %q in it: %v; the package is %q",
				path, part, !there, c.status()))
		}
	}
	if strings.Contains(now["/etc/pam.d/common-session"], disabled) {
		problems = append(problems, "a profile that was disabled is enabled")
	}
	return problems
}

// next makes another version of a package, whose files for sshd and sudo are others.
func next(t *testing.T, deb string) string {
	t.Helper()
	dir := t.TempDir()
	must(t, "dpkg-deb", "-R", deb, dir+"/tree")
	must(t, "sh", "-c",
		`sed -i '/^Version:/s/$/+next/' "$1/DEBIAN/control" && for file in 40-aad-login.conf 40-aad-login.conf.before-8.7 aad_admins; do
		echo "# next" >>"$1/usr/share/aad-login/$file"; done && cd "$1" && find usr -type f | sort | xargs md5sum >DEBIAN/md5sums`, "sh", dir+"/tree")
	must(t, "dpkg-deb", "-Znone", "-b", dir+"/tree", dir+"/next.deb")
	return dir + "/next.deb"
}

// recordWiring has the package come, be upgraded and go.
func (f filesystem) recordWiring(t *testing.T, options, deb, newer string) *recording {
	t.Helper()
	s, d, dir := newShelf(t), newDisk(f.size), t.TempDir()
	f.format(t, s, d)
	mkdir(t, dir, 0o755)
	m, err := f.mount(t, s, d, options, dir)
	if err != nil {
		t.Fatal(err)
	}
	c := &chroot{m, t}
	c.furnish(deb, newer)
	m.unmount(t)
	r := &recording{fs: f, options: options, shelf: s, image: d.clone(), log: &log{}}
	d.log = r.log
	if c, err = f.chrooted(t, s, d, options, dir); err != nil {
		t.Fatal(err)
	}
	r.told = newPromises(r.log, c.wiring())
	stop := beside(t, filepath.Join(dir, "neighbour"))
	for _, args := range [][]string{{"-i", inside(deb)}, {"-i", inside(newer)}, {"-r", "aad-login"},
		{"-i", inside(newer)}, {"-P", "aad-login"}} {
		if args[0] == "-r" {
			r.removing = r.log.length()
		}
		before := c.wiring()
		end := r.told.begin("dpkg " + strings.Join(args, " "))
		c.must("", "dpkg", args...)
		end(func() state {
			after := c.wiring()
			for path := range before {
				after[path] += "" // also what is gone
			}
			return after
		})
	}
	stop()
	end := r.log.length()
	c.unmount(t)
	r.log.events = r.log.events[:end]
	return r
}

func inside(deb string) string { return "/root/" + filepath.Base(deb) }

// TestWiring cuts the installation, upgrade and removal of the package.
func TestWiring(t *testing.T) {
	if *wanted == 0 {
		t.Skip("it takes a quarter of an hour; run: make vm-power")
	}
	debs, _ := filepath.Glob(root + "/build/dist/aad-login_*_amd64.deb")
	if len(debs) != 1 || *rootTar == "" {
		t.Fatalf("packages: %q, root: %q", debs, *rootTar)
	}
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("seed %d", *seed)
	newer := next(t, debs[0])
	for _, fs := range chosen() {
		t.Run(fs.name, func(t *testing.T) {
			fs.size = 1 << 30
			r := fs.recordWiring(t, fs.options[0], debs[0], newer)
			dir := t.TempDir()
			wrong, cuts := 0, r.cuts((*wanted+9)/10, *seed)
			for _, c := range cuts {
				if problems := r.lookAtWiring(t, c, dir, inside(newer)); len(problems) > 0 {
					wrong++
					t.Errorf("%v, with %d promises: %.3000q", c, r.told.reached(c.position),
						problems)
				}
			}
			t.Logf("%s -o %q: %d events; %d cuts, %d wrong", fs.name, r.options,
				len(r.log.events), len(cuts), wrong)
		})
	}
}

func (r *recording) lookAtWiring(t *testing.T, cut cut, dir, deb string) (problems []string) {
	t.Helper()
	c, err := r.fs.chrooted(t, r.shelf, r.after(cut), r.options, dir)
	if err != nil {
		return []string{err.Error()}
	}
	defer c.unmount(t)
	problems = r.told.broken(cut.position, c.wiring())
	problems = append(problems, c.localLogins()...)
	return slices.Concat(problems, c.resumes(deb, cut.position >= r.removing))
}
