// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// processesOf are the processes with this uid as any of their four: real,
// effective, saved, of the file system (proc(5)). Root sees all that are in
// its own pid namespace or below it.
func processesOf(uid uint32) ([]int, error) {
	dirs, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, dir := range dirs {
		pid, err := strconv.Atoi(dir.Name())
		if err != nil {
			continue
		}
		status, err := os.ReadFile("/proc/" + dir.Name() + "/status")
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ESRCH):
			continue // it has ended
		case err != nil:
			return nil, err
		}
		if slices.Contains(uidsOf(status), strconv.FormatUint(uint64(uid), 10)) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// uidsOf reads /proc/PID/status. A zombie has none: it does nothing any more,
// and stays for as long as its parent likes.
func uidsOf(status []byte) []string {
	field := func(name string) []string {
		_, rest, _ := bytes.Cut(status, []byte("\n"+name+":"))
		line, _, _ := bytes.Cut(rest, []byte("\n"))
		return strings.Fields(string(line))
	}
	if slices.Contains(field("State"), "Z") {
		return nil
	}
	return field("Uid")
}
