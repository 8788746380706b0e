// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
)

func thisHost() host { return host{"/", runProgram, runtime.GOARCH} }

// minMemory stands for the preview's "at least 1 GB". A machine of that size reports less, since
// the kernel and the memory for crash dumps do not count: 913 MB on a Standard_B1s, and 160 to 192
// MB less with kdump. A machine of half the size has 512 MB.
const minMemory = 768 << 20

// suitable reports whether the package can be used on this machine, before anything changes.
// bin/handler has checked the processor already.
func (h host) suitable() (string, error) {
	d, err := h.distribution()
	if err != nil {
		return "", err
	}
	found, err := d.judge()
	if err != nil {
		return "", err
	}
	text, err := readSome(h.path("/proc/meminfo"))
	if err != nil {
		return "", err
	}
	memory, ok := parseMemory(text)
	if ok && memory < minMemory {
		return "", &failure{exitMissing,
			fmt.Sprintf("The machine has %d MB of memory; at least 1 GB is needed.", memory>>20),
			"Choose a larger size. Nothing has been changed."}
	}
	return fmt.Sprintf("%s, %s, %d MB of memory", found, h.arch, memory>>20), nil
}

// parseMemory reads MemTotal from /proc/meminfo, in bytes.
func parseMemory(text []byte) (int64, bool) {
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == "MemTotal:" && fields[2] == "kB" {
			kb, err := strconv.ParseInt(fields[1], 10, 64)
			return kb << 10, err == nil && kb < 1<<50 && kb > 0
		}
	}
	return 0, false
}
