#!/bin/bash
# SPDX-FileCopyrightText: The aad-login authors
# SPDX-License-Identifier: Apache-2.0

# Software:  PuTTY's plink 0.78, as Debian 12 has it
# Surprise:  plink breaks a line of a keyboard-interactive prompt after 77 characters (behind a mark
#            of two), even inside a word and on a wider terminal. It prints "> " before each further
#            row. An address in a prompt that a person selects with the mouse therefore contains a
#            line break, a ">" and a blank. A browser's address bar drops the break and keeps the
#            other two.
# Matters:   A page whose address is shown in a prompt must be able to remove these characters, so
#            no value in the address may need them.
# Seen:      2026-11, with the server below, on a terminal of 200 columns.
#
# The Debian package is only unpacked. The terminal is Python's pty.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq putty-tools=0.78-2+deb12u2 2>/dev/null
dpkg -x ./*.deb root
cat >main.go <<'GO'
package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"

	"golang.org/x/crypto/ssh"
)

func main() {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		panic(err)
	}
	config := &ssh.ServerConfig{}
	config.KeyboardInteractiveCallback = func(
		_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
		address := "https://example.com/" + strings.Repeat("0123456789", 15)
		ask("", "", []string{address + "\nQuestion: "}, []bool{true})
		return nil, errors.New("enough")
	}
	config.AddHostKey(signer)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port, ssh.FingerprintSHA256(signer.PublicKey()))
	conn, err := listener.Accept()
	if err != nil {
		panic(err)
	}
	ssh.NewServerConn(conn, config) // ends in "enough", or with the client
}
GO
cat >screen.py <<'PY'
import fcntl, os, pty, struct, sys, termios

pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 200, 0, 0))
    os.execv(sys.argv[1], sys.argv[1:])
seen = b""
while b"Question: " not in seen:
    seen += os.read(terminal, 4096)
os.kill(pid, 9)
sys.stdout.write(seen.decode().replace("\r", ""))
print()
PY
go mod init finding >/dev/null 2>&1
go get golang.org/x/crypto@v0.48.0 >/dev/null 2>&1
go build -o server .
./server >server.out &
until [ -s server.out ]; do sleep 0.1; done
read -r port fingerprint <server.out
HOME=$PWD timeout 60 python3 screen.py root/usr/bin/plink -P "$port" -hostkey "$fingerprint" \
	-no-antispoof user@127.0.0.1 >seen
ls -- *.deb
cat seen
rows=$(grep -E '^[|>] (https|[0-9])' seen |
	awk '{print substr($0, 1, 1) length($0) - 2}' |
	head -n 2 |
	xargs)
[ "$rows" = '|77 >77' ] || { echo "changed: $rows"; exit 1; }
