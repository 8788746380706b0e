// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
)

// A dynamic is the dynamic section, which the loader reads.
type dynamic struct {
	file  *elf.File
	image []byte
	tags  map[elf.DynTag][]byte // the eight bytes of each value
}

// foreign are tags of other relocations. Each of them could point into Go's data unseen.
var foreign = []elf.DynTag{elf.DT_REL, relr, elf.DT_TEXTREL}

const relr elf.DynTag = 36 // DT_RELR, which debug/elf does not know

func readDynamic(file *elf.File, image []byte) (*dynamic, error) {
	s := file.SectionByType(elf.SHT_DYNAMIC)
	if s == nil {
		return nil, errors.New("has no dynamic section")
	}
	d := &dynamic{file, image, map[elf.DynTag][]byte{}}
	for entry := image[s.Offset : s.Offset+s.Size]; len(entry) >= 16; entry = entry[16:] {
		tag := elf.DynTag(binary.LittleEndian.Uint64(entry))
		if tag == elf.DT_NULL {
			break
		}
		if _, twice := d.tags[tag]; twice && tag != elf.DT_NEEDED {
			return nil, fmt.Errorf("has %v twice", tag)
		}
		d.tags[tag] = entry[8:16]
	}
	for _, tag := range foreign {
		if d.tags[tag] != nil {
			return nil, fmt.Errorf("has relocations of a kind that is not understood here: %v", tag)
		}
	}
	return d, nil
}

func (d *dynamic) get(tag elf.DynTag) uint64 {
	if d.tags[tag] == nil {
		return 0
	}
	return binary.LittleEndian.Uint64(d.tags[tag])
}

func (d *dynamic) set(tag elf.DynTag, value uint64) {
	binary.LittleEndian.PutUint64(d.tags[tag], value)
}

// table returns .rela.dyn. It is an error if the loader reads other relocations.
func (d *dynamic) table() (relocations, error) {
	s := d.file.Section(".rela.dyn")
	switch {
	case s == nil || s.Addr != d.get(elf.DT_RELA) || s.Size != d.get(elf.DT_RELASZ):
		return relocations{},
			errors.New("DT_RELA and DT_RELASZ are not those of .rela.dyn: was this module " +
				"edited before?")
	case d.get(elf.DT_RELAENT) != entrySize || s.Size%entrySize != 0 ||
		d.tags[elf.DT_RELACOUNT] == nil:
		return relocations{}, errors.New(".rela.dyn has entries of another size, or no count")
	}
	return relocations{s.Addr, d.image[s.Offset : s.Offset+s.Size]}, nil
}

// links returns .rela.plt, the table of the procedure linkage, which must follow .rela.dyn. The
// loader applies all of its entries, so none may be in Go's data.
func (d *dynamic) links(behind relocations, goData []extent) ([]byte, error) {
	size := d.get(elf.DT_PLTRELSZ)
	if size == 0 {
		return nil, nil
	}
	s := d.file.Section(".rela.plt")
	if s == nil || s.Addr != d.get(elf.DT_JMPREL) || s.Size != size || size%entrySize != 0 ||
		d.get(elf.DT_PLTREL) != uint64(elf.DT_RELA) {
		return nil, errors.New("DT_JMPREL and DT_PLTRELSZ are not those of .rela.plt")
	}
	if s.Addr != behind.address+uint64(len(behind.data)) {
		return nil, errors.New(".rela.plt does not follow .rela.dyn")
	}
	table := bytes.Clone(d.image[s.Offset : s.Offset+s.Size])
	for at := 0; at < len(table); at += entrySize {
		offset := binary.LittleEndian.Uint64(table[at:])
		if inside, err := within(offset, goData); err != nil || inside {
			return nil, fmt.Errorf("the linkage at %#x is in Go's data", offset)
		}
	}
	return table, nil
}
