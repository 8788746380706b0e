// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"debug/elf"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// binaries are the three of each package: what they export, load and need of glibc. Every process
// loads the name service, so it must work with the oldest glibc.
var binaries = map[string]struct {
	exports string
	needs   []string
	glibc   int // the minor version
	flags   elf.DynFlag1
}{
	"pam_aad.so": {`^pam_sm_[a-z_]+$`, []string{"libc.so.6", "libpam.so.0"}, 25,
		elf.DF_1_NOW | elf.DF_1_NODELETE},
	"libnss_aad.so.2": {`^_nss_aad_[a-z_]+$`, []string{"libc.so.6"}, 17, elf.DF_1_NOW},
	"aadctl": {`^(_cgo_|x_cgo_|_?crosscall|cbPAMConv$)`, []string{"libc.so.6", "libdl.so.2",
		"libpam.so.0", "libpthread.so.0",
		"libresolv.so.2"}, 25, elf.DF_1_NOW | elf.DF_1_PIE},
}

// The binaries that ship start on the oldest distribution that has a package, and are hardened. The
// test takes each binary from each package that has been built, for any machine.
func TestShippedBinaries(t *testing.T) {
	rig.DebianPackage(t) // the tested binary is the shipped one
	debs, _ := filepath.Glob("../../../build/dist/*.deb")
	rpms, _ := filepath.Glob("../../../build/dist/*.rpm")
	for _, path := range append(debs, rpms...) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			machine, seen := elf.EM_X86_64, 0
			if regexp.MustCompile("arm64|aarch64").MatchString(path) {
				machine = elf.EM_AARCH64
			}
			root := unpacked(t, path)
			filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
				if err != nil || !entry.Type().IsRegular() {
					return err
				}
				f, err := elf.Open(path)
				if err != nil {
					return nil // no binary
				}
				defer f.Close()
				seen++
				if f.Machine != machine {
					t.Errorf("%s is for %v", path, f.Machine)
				}
				t.Run(entry.Name(), func(t *testing.T) { checkBinary(t, entry.Name(), f) })
				return nil
			})
			if seen != len(binaries) {
				t.Errorf("%d binaries", seen)
			}
		})
	}
}

// unpacked returns a directory with the files of a .deb or .rpm.
func unpacked(t *testing.T, path string) string {
	t.Helper()
	root := t.TempDir()
	if strings.HasSuffix(path, ".deb") {
		rig.Must(t, "dpkg-deb", "--extract", path, root)
	} else {
		rig.Must(t, "sh", "-c", `rpm2cpio "$0" | cpio --quiet -idm -D "$1"`, path, root)
	}
	return root
}

func checkBinary(t *testing.T, name string, f *elf.File) {
	want, known := binaries[name]
	if !known {
		t.Fatal("nobody knows it")
	}
	imported, err := f.ImportedSymbols()
	if err != nil {
		t.Fatal(err)
	}
	highest := 0
	for _, s := range imported {
		minor, isGlibc := strings.CutPrefix(s.Version, "GLIBC_2.")
		if n, err := strconv.Atoi(strings.Split(minor, ".")[0]); isGlibc && err == nil {
			highest = max(highest, n)
			if n > want.glibc {
				t.Errorf("%s is of GLIBC_2.%s", s.Name, minor)
			}
		} else if !slices.Contains([]string{"", "LIBPAM_1.0", "LIBPAM_EXTENSION_1.0",
			"LIBPAM_EXTENSION_1.1"}, s.Version) {
			t.Errorf("%s is of %q", s.Name, s.Version)
		}
	}
	t.Logf("needs GLIBC_2.%d", highest)
	libraries, err := f.ImportedLibraries()
	// glibc's own
	libraries = slices.DeleteFunc(libraries, func(l string) bool {
		return strings.HasPrefix(l, "ld-linux-")
	})
	if slices.Sort(libraries); err != nil || !slices.Equal(libraries, want.needs) {
		t.Errorf("loads %q, %v", libraries, err)
	}
	symbols, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range symbols {
		if s.Section != elf.SHN_UNDEF && elf.ST_TYPE(s.Info) != elf.STT_SECTION &&
			!regexp.MustCompile(want.exports).MatchString(s.Name) {
			t.Errorf("exports %s", s.Name)
		}
	}
	checkHardening(t, f, want.flags)
}

func checkHardening(t *testing.T, f *elf.File, flags elf.DynFlag1) {
	got, err := f.DynValue(elf.DT_FLAGS_1)
	if err != nil || len(got) != 1 || elf.DynFlag1(got[0])&flags != flags {
		t.Errorf("flags %v, not %v, %v", got, flags, err)
	}
	for _, tag := range []elf.DynTag{elf.DT_RPATH, elf.DT_RUNPATH, elf.DT_TEXTREL} {
		if got, err := f.DynValue(tag); err != nil || len(got) != 0 {
			t.Errorf("%v: %v, %v", tag, got, err)
		}
	}
	segments := map[elf.ProgType]elf.ProgFlag{}
	for _, p := range f.Progs {
		segments[p.Type] = p.Flags
		if p.Type == elf.PT_LOAD && p.Flags&(elf.PF_W|elf.PF_X) == elf.PF_W|elf.PF_X {
			t.Error("holds memory that can be written and run")
		}
	}
	if _, relro := segments[elf.PT_GNU_RELRO]; !relro {
		t.Error("no RELRO")
	}
	if stack, there := segments[elf.PT_GNU_STACK]; !there || stack&elf.PF_X != 0 {
		t.Error("the stack can be run")
	}
}
