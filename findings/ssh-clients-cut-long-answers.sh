#!/bin/bash
# SPDX-FileCopyrightText: The aad-login authors
# SPDX-License-Identifier: Apache-2.0

# Software:  OpenSSH's ssh 9.2p1, PuTTY's plink 0.78 and Dropbear's dbclient 2022.83, as Debian 12
#            has them
# Surprise:  The client decides how much of an answer to a keyboard-interactive question (RFC 4256)
#            reaches the server, and no client says when it drops some. ssh sends 1,023 characters,
#            with echo or without. dbclient sends all of a hidden answer and 1,023 characters of an
#            echoed one. plink sends all of both. The protocol has no limit below 4 GiB.
# Matters:   A program that wants a long text pasted at a prompt must cut it into parts of at most
#            1,023 characters. Each part must show where it ends. The server may see a whole answer
#            where the person pasted more than that.
# Seen:      2026-11, with the server below, which asks twice and counts. 3,000 characters were
#            pasted.
#
# The Debian packages are only unpacked. The terminal is Python's pty. The script writes to it when
# the prompt is there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq openssh-client=1:9.2p1-2+deb12u10 putty-tools=0.78-2+deb12u2 \
	dropbear-bin=2022.83-1+deb12u3 libtommath1=1.2.0-6+deb12u1 libtomcrypt1=1.18.2-6 2>/dev/null
for package in ./*.deb; do
	dpkg -x "$package" root
done
cat >main.go <<'GO'
package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net"

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
	config := &ssh.ServerConfig{MaxAuthTries: 1}
	config.KeyboardInteractiveCallback = func(
		_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
		for _, echo := range []bool{false, true} {
			answers, err := ask("", "", []string{"Question: "}, []bool{echo})
			if err != nil {
				return nil, err
			}
			fmt.Println(len(answers[0]))
		}
		return nil, errors.New("enough")
	}
	config.AddHostKey(signer)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port, ssh.FingerprintSHA256(signer.PublicKey()))
	for {
		conn, err := listener.Accept()
		if err != nil {
			panic(err)
		}
		ssh.NewServerConn(conn, config) // always ends in "enough"
		conn.Close()
	}
}
GO
cat >paste.py <<'PY'
import os, pty, sys

pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
seen = b""
for _ in range(2):
    while b"Question: " not in seen:
        seen += os.read(terminal, 4096)
    seen = b""
    os.write(terminal, b"x" * 3000 + b"\r")
try:
    while os.read(terminal, 4096):
        pass
except OSError:
    pass
os.waitpid(pid, 0)
PY
go mod init finding >/dev/null 2>&1
go get golang.org/x/crypto@v0.48.0 >/dev/null 2>&1
go build -o server .
./server >server.out &
server=$!
trap 'kill "$server"; rm -rf "$folder"' EXIT
until [ -s server.out ]; do sleep 0.1; done
read -r port fingerprint <server.out
LD_LIBRARY_PATH=$(find "$PWD/root" -name 'libtom*.so.*' -printf '%h\n' | head -n 1)
export LD_LIBRARY_PATH HOME=$PWD
try() { timeout 60 python3 paste.py "$@" || true; }
try root/usr/bin/ssh -F none -p "$port" -o StrictHostKeyChecking=no \
	-o UserKnownHostsFile=/dev/null -o PreferredAuthentications=keyboard-interactive user@127.0.0.1
try root/usr/bin/plink -P "$port" -hostkey "$fingerprint" -no-antispoof user@127.0.0.1
try root/usr/bin/dbclient -p "$port" -y -y user@127.0.0.1
ls -- *.deb
tail -n +2 server.out |
	paste -d ' ' <(printf '%s\n' 'ssh, hidden:' 'ssh, echoed:' 'plink, hidden:' 'plink, echoed:' \
		'dbclient, hidden:' 'dbclient, echoed:') - >seen
cat seen
[ "$(cut -d ' ' -f 3 seen | xargs)" = '1023 1023 3000 3000 3000 1023' ] ||
	{ echo "changed"; exit 1; }
