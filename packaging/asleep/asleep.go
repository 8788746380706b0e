// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Command asleep edits a linked pam_aad.so: it hides the relocations of Go's data from the dynamic
// loader. It moves them behind all others in .rela.dyn and .rela.plt, says so in the dynamic
// section, and writes the position of the hidden ones into the first words of Go's data. A process
// that loads the module then leaves Go's data alone, and pam/wake.c relocates it in the worker. The
// loader finds all that it reads on the first few pages. Anything that this program does not expect
// ends the build: a relocation that nobody applies would be a wild pointer in a root process.
package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: asleep MODULE.so")
		os.Exit(2)
	}
	if err := edit(os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "asleep: %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}

func edit(path string) error {
	image, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := putToSleep(image); err != nil {
		return err
	}
	return os.WriteFile(path, image, 0o755)
}

// relative is the kind of relocation that adds the address of the module, by architecture. wake.c
// supports no other kind.
var relative = map[elf.Machine]uint32{
	elf.EM_X86_64:  uint32(elf.R_X86_64_RELATIVE),
	elf.EM_AARCH64: uint32(elf.R_AARCH64_RELATIVE),
}

// sections are the sections of Go's data, as pam/asleep.ld names them.
var sections = []string{"go_relro", "go_data"}

// putToSleep edits the image of a module in place. After an error the image must not be used.
func putToSleep(image []byte) error {
	file, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return err
	}
	kind, known := relative[file.Machine]
	if !known || file.Class != elf.ELFCLASS64 || file.ByteOrder != binary.LittleEndian ||
		file.Type != elf.ET_DYN {
		return fmt.Errorf("is no shared object of amd64 or arm64: %v, %v, %v",
			file.Machine, file.Class, file.Type)
	}
	goData, err := goData(file)
	if err != nil {
		return err
	}
	loader, err := readDynamic(file, image)
	if err != nil {
		return err
	}
	table, err := loader.table()
	if err != nil {
		return err
	}
	sorted, err := sortRelocations(table, kind, goData)
	if err != nil {
		return err
	}
	links, err := loader.links(table, goData)
	if err != nil {
		return err
	}
	note, err := noteOf(file, image)
	if err != nil {
		return err
	}
	awake := uint64(len(sorted.relative)+len(sorted.others)) * entrySize
	all := slices.Concat(sorted.relative, sorted.others, [][]byte{links}, sorted.asleep)
	copy(table.data[:len(table.data)+len(links)], bytes.Join(all, nil))
	loader.set(elf.DT_RELASZ, awake)
	loader.set(elf.DT_RELACOUNT, uint64(len(sorted.relative)))
	if len(links) > 0 {
		loader.set(elf.DT_JMPREL, table.address+awake)
	}
	binary.LittleEndian.PutUint64(note, table.address+awake+uint64(len(links)))
	binary.LittleEndian.PutUint64(note[8:], uint64(len(sorted.asleep)))
	return nil
}

// An extent is a range of addresses of the module.
type extent struct{ from, to uint64 }

func (e extent) holds(address uint64) bool { return e.from <= address && address < e.to }

func goData(file *elf.File) (all []extent, err error) {
	for _, name := range sections {
		s := file.Section(name)
		if s == nil || s.Type == elf.SHT_NOBITS || s.Size == 0 {
			return nil, fmt.Errorf("has no section %s: was it linked with pam/asleep.ld?", name)
		}
		all = append(all, extent{s.Addr, s.Addr + s.Size})
	}
	return all, nil
}

// A relocations is the table .rela.dyn: its address, and its part of the image.
type relocations struct {
	address uint64
	data    []byte
}

// entrySize is the size of an Elf64_Rela: offset, kind and symbol, addend.
const entrySize = 24

// sorted holds the entries of a table, grouped by the code that applies them. The loader needs the
// relative ones first, and their number.
type sorted struct{ relative, others, asleep [][]byte }

func sortRelocations(table relocations, kind uint32, goData []extent) (s sorted, err error) {
	for at := 0; at < len(table.data); at += entrySize {
		entry := bytes.Clone(table.data[at : at+entrySize])
		offset, info := binary.LittleEndian.Uint64(entry), binary.LittleEndian.Uint64(entry[8:])
		isRelative := info == uint64(kind) // and for no symbol
		switch inside, err := within(offset, goData); {
		case err != nil:
			return s, err
		case inside && !isRelative:
			return s, fmt.Errorf("the relocation at %#x is in Go's data and not relative: kind "+
				"%d, symbol %d", offset, uint32(info), info>>32)
		case inside:
			s.asleep = append(s.asleep, entry)
		case isRelative:
			s.relative = append(s.relative, entry)
		default:
			s.others = append(s.others, entry)
		}
	}
	if len(s.asleep) == 0 {
		return s, errors.New("no relocation is in Go's data: was this module edited before?")
	}
	return s, nil
}

// within reports whether the eight bytes at offset belong to Go's data. It is an error if only some
// of them do.
func within(offset uint64, goData []extent) (bool, error) {
	for _, e := range goData {
		switch first, last := e.holds(offset), e.holds(offset+7); {
		case first && last:
			return true, nil
		case first != last:
			return false, fmt.Errorf("the relocation at %#x is at an edge of Go's data", offset)
		}
	}
	return false, nil
}

// noteOf returns the two words at the beginning of Go's data, which are still 0.
func noteOf(file *elf.File, image []byte) ([]byte, error) {
	at := file.Section(sections[0]).Offset
	note := image[at : at+16]
	if !bytes.Equal(note, make([]byte, len(note))) {
		return nil, fmt.Errorf("%s begins with something else than two words of 0: was this "+
			"module edited before?", sections[0])
	}
	return note, nil
}
