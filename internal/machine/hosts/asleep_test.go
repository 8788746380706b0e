// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// Go's data in the host stays unwritten when the module is loaded, asked and used in a session. In
// the worker, constant data cannot be written.
func TestGoSleepsInTheHost(t *testing.T) {
	const user = "user@contoso.example"
	rig.Stored(t, user)
	c := rig.Open(t, "pamtester", "sshd", user, "authenticate")
	c.Prompted()
	host := mapped(t, c.Cmd.Process.Pid)
	worker := mapped(t, workersOfHost(t, c.Cmd.Process.Pid)[0])
	for section, want := range map[string]string{"go_relro": "r--p", "go_data": "rw-p"} {
		if n := host.copied(section); n != 0 {
			t.Errorf("the host has %d pages of its own in %s", n, section)
		}
		if worker.copied(section) == 0 {
			t.Errorf("the worker has no page of its own in %s: this test sees nothing", section)
		}
		if got := worker.rights(section); got != want {
			t.Errorf("the worker's %s is %s, want %s", section, got, want)
		}
	}

	s := rig.SSH(t, user, "echo began; read end")
	s.SignIn(user)
	s.Expect("began")
	sessions := 0
	for _, link := range rig.PIDs(t, "sshd") {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(link)))
		if !strings.Contains(process(t, pid, "maps"), "/pam_aad.so") {
			continue
		}
		sessions++
		for _, section := range goData {
			if n := mapped(t, pid).copied(section); n != 0 {
				t.Errorf("sshd of a session has %d pages of its own in %s", n, section)
			}
		}
	}
	if sessions == 0 {
		t.Error("no sshd has the module")
	}
	s.TypeLine("")
}

// goData are the sections of Go's data in the module that ships.
var goData = []string{"go_relro", "go_data"}

// A module is pam_aad.so in the memory of a process.
type module struct {
	t    *testing.T
	pid  int
	base uint64
	file *elf.File
}

func mapped(t *testing.T, pid int) module {
	t.Helper()
	for line := range strings.Lines(process(t, pid, "maps")) {
		fields := strings.Fields(line)
		// The first mapping begins where the file does.
		if len(fields) == 6 && strings.HasSuffix(fields[5], "/pam_aad.so") {
			from, _, _ := strings.Cut(fields[0], "-")
			base, err := strconv.ParseUint(from, 16, 64)
			if err != nil {
				t.Fatal(err)
			}
			file, err := elf.Open(rig.FileAt(t, "/usr/lib/*/security/pam_aad.so"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { file.Close() })
			return module{t, pid, base, file}
		}
	}
	t.Fatalf("process %d has no pam_aad.so", pid)
	return module{}
}

// extent returns the addresses of a section in the process.
func (m module) extent(section string) (from, to uint64) {
	m.t.Helper()
	s := m.file.Section(section)
	if s == nil {
		m.t.Fatalf("pam_aad.so has no section %s", section)
	}
	return m.base + s.Addr, m.base + s.Addr + s.Size
}

// copied returns the number of pages of a section that the process has copied by writing to them.
// In pagemap (see the kernel's documentation) each page has eight bytes. Bit 63 is set if the page
// is in memory, bit 62 if it is in swap, and bit 61 if it is still the file's.
func (m module) copied(section string) (n int) {
	m.t.Helper()
	from, to := m.extent(section)
	file, err := os.Open(fmt.Sprintf("/proc/%d/pagemap", m.pid))
	if err != nil {
		m.t.Fatal(err)
	}
	defer file.Close()
	size := uint64(os.Getpagesize())
	for page := from / size; page < to/size; page++ {
		var entry [8]byte
		if _, err := file.ReadAt(entry[:], int64(page*8)); err != nil {
			m.t.Fatal(err)
		}
		const resident, swapped, ofFile = 1 << 63, 1 << 62, 1 << 61
		bits := binary.LittleEndian.Uint64(entry[:])
		if bits&(resident|swapped) != 0 && bits&ofFile == 0 {
			n++
		}
	}
	return n
}

// rights returns the permissions of the process on a section that has mappings of its own.
func (m module) rights(section string) string {
	m.t.Helper()
	from, to := m.extent(section)
	for line := range strings.Lines(process(m.t, m.pid, "maps")) {
		var first, last uint64
		var rights string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &first, &last, &rights); err != nil {
			m.t.Fatal(err)
		}
		if first <= from && to <= last {
			return rights
		}
	}
	return "in parts"
}
