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

// processesOf returns the processes that have this uid as one of their four: real, effective,
// saved, file system (proc(5)). Root sees all processes in its own pid namespace and below.
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
			continue // the process has ended
		case err != nil:
			return nil, err
		}
		if slices.Contains(uidsOf(status), strconv.FormatUint(uint64(uid), 10)) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// uidsOf reads /proc/PID/status. It returns none for a zombie, which does nothing any more and
// stays until its parent collects it.
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
