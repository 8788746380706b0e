// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// goPart stands for Go's object: constants and data with pointers, and an initialiser.
const goPart = `
static char text[] = "text";
static void start(void) {}
void *const constant[] __attribute__((section(".data.rel.ro"))) = { text, start };
void *data[] __attribute__((section(".data"))) = { text, &data, start };
__attribute__((section(".init_array"), used)) static void (*const first)(void) = start;
`

// door stands for the C part, whose pointers the loader relocates. probe relocates as pam/wake.c
// does.
const door = `
#include <elf.h>
#include <stdint.h>
#include <unistd.h>
extern void *const constant[], *data[];
extern const char __ehdr_start[];
extern struct { uint64_t offset, count; } aad_go_relro;
static char own[] = "own";
void *of_c[] = { own, of_c };
int probe(int wake)
{
	uintptr_t base = (uintptr_t)__ehdr_start;
	const Elf64_Rela *r = (const Elf64_Rela *)(base + aad_go_relro.offset);

	for (uint64_t i = 0; wake && i < aad_go_relro.count; i++)
		*(uintptr_t *)(base + r[i].r_offset) = base + r[i].r_addend;
	return getpid() > 0 && of_c[1] == of_c && (data[1] == &data) == wake &&
	    (constant[0] == data[0]);
}
`

const host = `
#include <dlfcn.h>
int main(int argc, char **argv)
{
	void *module = dlopen(argv[1], RTLD_NOW);
	int (*probe)(int) = module ? (int (*)(int))dlsym(module, "probe") : 0;

	return argc == 2 && probe && probe(0) && probe(1) ? 0 : 1;
}
`

// link builds a module of the two parts. The linker script takes Go's part from go.o of an archive.
func link(t *testing.T, goPart string, flags ...string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.c": goPart, "door.c": door, "host.c": host} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	script, err := filepath.Abs("../../pam/asleep.ld")
	if err != nil {
		t.Fatal(err)
	}
	run(t, dir, "cc", "-fPIC", "-fno-common", "-c", "go.c", "door.c")
	run(t, dir, "ar", "rcs", "both.a", "go.o", "door.o")
	run(t, dir, "cc", "-o", "host", "host.c", "-ldl")
	args := []string{"-shared", "-o", "module.so", "-Wl,--whole-archive", "both.a",
		"-Wl,--no-whole-archive", "-Wl,-z,relro,-z,now", "-Wl,-Bsymbolic"}
	if flags == nil {
		flags = []string{"-Wl,-T," + script}
	}
	for i, f := range flags {
		flags[i] = strings.ReplaceAll(f, "SCRIPT", script)
	}
	run(t, dir, "cc", append(args, flags...)...)
	return filepath.Join(dir, "module.so")
}

func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", cmd, err, out)
	}
}

// The pointers of the module's Go part are not set before it wakes, and are set afterwards. Those
// of the C part always are.
func TestPutToSleep(t *testing.T) {
	module := link(t, goPart)
	if err := edit(module); err != nil {
		t.Fatal(err)
	}
	run(t, ".", filepath.Join(filepath.Dir(module), "host"), module)

	image, err := os.ReadFile(module)
	if err != nil {
		t.Fatal(err)
	}
	file, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		t.Fatal(err)
	}
	// The loader's two tables come first, so that it reads no page between those that sleep.
	size := uint64(0)
	for _, tag := range []elf.DynTag{elf.DT_RELASZ, elf.DT_PLTRELSZ} {
		size += value(t, file, tag)
	}
	if links := value(t, file, elf.DT_JMPREL); links !=
		value(t, file, elf.DT_RELA)+value(t, file, elf.DT_RELASZ) || size > 1000 {
		t.Errorf("the linkage is at %#x, and the loader's tables have %d bytes", links, size)
	}
	at := file.Section("go_relro").Offset
	if n := binary.LittleEndian.Uint64(image[at+8:]); n != 6 { // of constant, data and first
		t.Errorf("%d relocations sleep, want 6", n)
	}
	if err := edit(module); err == nil || !strings.Contains(err.Error(), "edited before") {
		t.Errorf("a second time: %v", err)
	}
}

// value returns the value of a tag of the dynamic section.
func value(t *testing.T, file *elf.File, tag elf.DynTag) uint64 {
	t.Helper()
	all, err := file.DynValue(tag)
	if err != nil || len(all) != 1 {
		t.Fatalf("%v: %v, %v", tag, all, err)
	}
	return all[0]
}

// An unexpected module is refused, and stays unchanged.
func TestRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		goPart, says string
		flags        []string
	}{
		"no script": {goPart, "no section go_relro", []string{"-Wl,-Bsymbolic"}},
		"another's symbol": {goPart +
			"extern char **environ; void *foreign __attribute__((section(\".data\"))) = &environ;",
			"not relative", nil},
		"relocations in another form": {goPart, "not understood",
			[]string{"-Wl,-T,SCRIPT", "-Wl,-z,pack-relative-relocs"}},
		"nothing that points": {"const long constant[] " +
			"__attribute__((section(\".data.rel.ro\"))) = { 1 }; long data[] = { 1, 2 };",
			"no relocation", nil},
	} {
		t.Run(name, func(t *testing.T) {
			module := link(t, test.goPart, test.flags...)
			before, err := os.ReadFile(module)
			if err != nil {
				t.Fatal(err)
			}
			if err := edit(module); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, want %q", err, test.says)
			}
			if after, err := os.ReadFile(module); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the module has changed, %v", err)
			}
		})
	}
	if err := putToSleep([]byte("no module")); err == nil {
		t.Error("a text is a module")
	}
}

// A pointer is in Go's data, or it is not.
func TestWithin(t *testing.T) {
	data := []extent{{0x1000, 0x2000}, {0x3000, 0x4000}}
	for offset, want := range map[uint64]string{
		0xff8: "no", 0xff9: "edge", 0xfff: "edge", 0x1000: "yes", 0x1ff8: "yes", 0x1ff9: "edge",
		0x2000: "no", 0x3008: "yes", 0x3ff9: "edge", 0x4000: "no",
	} {
		got := "no"
		if inside, err := within(offset, data); err != nil {
			got = "edge"
		} else if inside {
			got = "yes"
		}
		if got != want {
			t.Errorf("%#x: %s, want %s", offset, got, want)
		}
	}
}
