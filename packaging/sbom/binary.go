// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
)

// A binary is the information in an ELF file about how it was made.
type binary struct {
	goVersion string            // "go1.26.0"; empty if it contains no Go
	modules   []*debug.Module   // linked into it
	libraries map[string]string // needed at run time, by name, with the newest version that it names
	compilers []string          // that compiled the C in it
}

var errNotELF = errors.New("not an ELF file")

func readBinary(content []byte) (binary, error) {
	if !bytes.HasPrefix(content, []byte(elf.ELFMAG)) {
		return binary{}, errNotELF
	}
	file, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		return binary{}, err
	}
	b := binary{libraries: map[string]string{}}
	if info, err := buildinfo.Read(bytes.NewReader(content)); err == nil {
		b.goVersion, b.modules = info.GoVersion, linked(info.Deps)
	} else if file.Section(".go.buildinfo") != nil {
		return binary{}, err
	}
	names, err := file.ImportedLibraries()
	if err != nil {
		return binary{}, err
	}
	for _, name := range names {
		b.libraries[name] = ""
	}
	needs, err := file.DynamicVersionNeeds()
	if err != nil && !errors.Is(err, elf.ErrNoSymbols) {
		return binary{}, err
	}
	for _, need := range needs {
		for _, version := range need.Needs {
			b.libraries[need.Name] = newest(b.libraries[need.Name], version.Dep)
		}
	}
	b.compilers = compilers(file)
	return b, nil
}

// linked returns the modules that were linked. A replaced module is represented by its replacement.
func linked(modules []*debug.Module) (all []*debug.Module) {
	for _, m := range modules {
		if m.Replace != nil {
			m = m.Replace
		}
		all = append(all, m)
	}
	return all
}

// newest compares versions such as GLIBC_2.25 by their numbers. GLIBC_PRIVATE and similar names
// come before all numbers.
func newest(a, b string) string {
	if slices.Compare(numbers(a), numbers(b)) < 0 {
		return b
	}
	return a
}

func numbers(version string) (all []int) {
	_, digits, _ := strings.Cut(version, "_")
	for _, part := range strings.Split(digits, ".") {
		var n int
		if _, err := fmt.Sscan(part, &n); err != nil {
			return nil
		}
		all = append(all, n)
	}
	return all
}

// compilers returns the compilers that left their names in the section .comment, such as "GCC:
// (Debian 10.2.1-6) 10.2.1 20210110".
func compilers(file *elf.File) (all []string) {
	section := file.Section(".comment")
	if section == nil {
		return nil
	}
	data, err := section.Data()
	if err != nil {
		return nil
	}
	for _, name := range strings.Split(string(data), "\x00") {
		if name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}
