// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"io/fs"
	"strconv"
	"strings"
	"syscall"
	"time"

	"aadlogin/internal/sshd"
)

// reloaded finds files that have changed since the running sshd read them. sshd -T shows the files
// as they are now. sshd writes its PidFile right after it has read them, at its start and at each
// reload.
func (h *Host) reloaded(set map[string][]string, lines *sshd.Config) []Finding {
	file := strings.Join(set["pidfile"], " ")
	read, running := h.readAt(file)
	if !running {
		return nil // no sshd listens, or systemd starts one for each connection
	}
	for _, file := range lines.Files {
		if changed, err := h.changedAt(file); err == nil && changed.After(read) {
			found := file + " has changed since sshd read it (" + read.UTC().Format(time.RFC3339) +
				"), so what is said of sshd here is not yet in force"
			return []Finding{failed(Machine, found).run("sshd -t && systemctl reload ssh")}
		}
	}
	return nil
}

// readAt returns when the sshd with this PidFile read its configuration. If the clock was set
// later, the time of the file may be too early. The start of the process is a second estimate. The
// later one counts: it is better to miss a change than to report one that did not happen.
func (h *Host) readAt(pidFile string) (time.Time, bool) {
	if !strings.HasPrefix(pidFile, "/") {
		return time.Time{}, false
	}
	info, err := fs.Stat(h.Files, pidFile[1:])
	pid, errPid := h.read(pidFile)
	pid = strings.TrimSpace(pid)
	if _, number := strconv.ParseUint(pid, 10, 31); err != nil || errPid != nil || number != nil {
		return time.Time{}, false
	}
	comm, _ := h.read("proc/" + pid + "/comm")
	if strings.TrimSpace(comm) != "sshd" {
		return time.Time{}, false
	}
	read := info.ModTime()
	if began, ok := h.beganAt(pid); ok && began.After(read) {
		read = began
	}
	return read, true
}

// beganAt returns when a process started, from starttime of proc(5), in ticks of 1/100 s since the
// boot.
func (h *Host) beganAt(pid string) (time.Time, bool) {
	stat, _ := h.read("proc/" + pid + "/stat")
	_, stat, _ = strings.Cut(stat, ") ") // what follows the name
	fields := strings.Fields(stat)
	machine, _ := h.read("proc/stat")
	_, boot, _ := strings.Cut(machine, "\nbtime ")
	boot, _, _ = strings.Cut(boot, "\n")
	seconds, err := strconv.ParseInt(boot, 10, 64)
	if err != nil || len(fields) < 20 {
		return time.Time{}, false
	}
	ticks, err := strconv.ParseInt(fields[19], 10, 64)
	return time.Unix(seconds, 0).Add(time.Duration(ticks) * (time.Second / 100)), err == nil
}

// changedAt returns the later of a file's two times. A file that was moved or copied with its old
// time has a new inode change time.
func (h *Host) changedAt(file string) (time.Time, error) {
	info, err := fs.Stat(h.Files, file[1:])
	if err != nil {
		return time.Time{}, err
	}
	changed := info.ModTime()
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		if inode := time.Unix(stat.Ctim.Unix()); inode.After(changed) {
			changed = inode
		}
	}
	return changed, nil
}
