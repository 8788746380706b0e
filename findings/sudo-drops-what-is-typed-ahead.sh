#!/bin/bash
# SPDX-FileCopyrightText: The aad-login authors
# SPDX-License-Identifier: Apache-2.0

# Software:  sudo 1.9.13p3-1+deb12u4 with the sudoers file that Debian 12 ships ("Defaults use_pty")
# Surprise:  A line that is typed while sudo's command runs is lost, even if that command reads
#            nothing. With use_pty the command has a terminal of its own. sudo hands over to it all
#            that is typed, and what is left there when the command ends goes with it. It is echoed,
#            too, so the screen shows a command that no shell ever reads. Without use_pty, or with
#            su(1), the shell reads the line afterwards.
# Matters:   A program that drives a terminal (expect, a test) must await the shell's prompt behind
#            sudo, not the output of sudo's command. A person who types ahead loses the line.
# Seen:      2026-12
#
# The Debian package is only unpacked. In a mount namespace, it is laid over a view of this machine
# that can only be read. Needs root for that.
set -euo pipefail
[ "${1:-}" = --inside ] || exec unshare --mount "$0" --inside
folder=$(mktemp -d)
mount -t tmpfs none "$folder" # a layer of the overlay must not lie in another
trap 'cd / && umount -R "$folder" && rmdir "$folder"' EXIT
cd "$folder"
apt-get download -qq sudo=1.9.13p3-1+deb12u4 2>/dev/null
dpkg -x sudo_*.deb package
rm -rf package/lib # of systemd; it would hide this machine's link
ls -- *.deb
mkdir view
mount -t overlay -o "lowerdir=$PWD/package:/" overlay view
for d in proc dev; do mount --rbind /$d view/$d; done
for d in run tmp; do mount -t tmpfs none view/$d; done

typed_ahead() { # prints how many times a shell has read the line
	rm -f keys
	mkfifo keys
	chroot view env PS1= script -qc 'bash --norc --noediting -i' /dev/null <keys >screen &
	exec 3>keys
	echo 'sudo sh -c "echo command \$((1 + 1)) runs; sleep 2"' >&3
	for _ in {1..100}; do
		grep -q 'command 2 runs' screen && break
		sleep 0.1
	done
	echo 'echo read $((2 + 3)) times 7' >&3
	sleep 4
	echo exit >&3
	exec 3>&-
	wait
	grep -c 'read 5 times 7' screen || :
}

grep '^Defaults.*use_pty' package/etc/sudoers
with=$(typed_ahead)
sed '/^Defaults.*use_pty/d' package/etc/sudoers >sudoers
chmod 0440 sudoers
mount --bind sudoers view/etc/sudoers
without=$(typed_ahead)
echo "times that the shell has read the line: $with with use_pty, $without without"
[ "$with" = 0 ] && [ "$without" = 1 ] || { echo "changed"; exit 1; }
