// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Loglines is the system log of a demonstration: it prints pam_aad's lines and drops others. A
// message on /dev/log is "<PRIORITY>TIME TAG: MESSAGE".
package main

import (
	"fmt"
	"net"
	"os"
	"strings"
)

func main() {
	log, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "/dev/log", Net: "unixgram"})
	if err == nil {
		err = os.Chmod("/dev/log", 0o666)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "loglines:", err)
		os.Exit(1)
	}
	for b := make([]byte, 64<<10); ; {
		n, err := log.Read(b)
		if err != nil {
			fmt.Fprintln(os.Stderr, "loglines:", err)
			os.Exit(1)
		}
		if _, line, ok := strings.Cut(string(b[:n]), ": pam_aad("); ok {
			fmt.Println("  log: pam_aad(" + strings.TrimSpace(line))
		}
	}
}
