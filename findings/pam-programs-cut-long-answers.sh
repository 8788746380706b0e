#!/bin/bash
# SPDX-FileCopyrightText: The aad-login authors
# SPDX-License-Identifier: Apache-2.0

# Software:  sudo 1.9.13p3, util-linux's su 2.38.1 and opendoas 6.8.2 with Linux-PAM 1.5.2, as
#            Debian 12 has them
# Surprise:  One PAM module asks one hidden question, and three programs treat a long answer in
#            three ways. su (misc_conv of libpam_misc) passes on everything that the terminal does,
#            4,095 characters. doas passes on the first 511 characters and drops the rest without a
#            word. sudo passes on up to 511 characters; for a longer answer the module gets
#            PAM_CONV_ERR and nothing else, and the person sees no message. PAM_MAX_RESP_SIZE of the
#            headers is 512.
# Matters:   A module cannot tell an answer that doas has cut from a whole one. Nor can it tell a
#            long answer in sudo from a broken terminal. It must ask for at most 511 characters at
#            once, and the answer itself must show where it ends.
# Seen:      2026-11. The programs run in a root of their own as an ordinary user, on Python's pty.
#
# Needs root (for chroot and sudo's owner), cc and python3.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
apt-get download -qq libc6=2.36-9+deb12u14 \
	libpam0g=1.5.2-6+deb12u3 libpam0g-dev=1.5.2-6+deb12u3 libpam-modules=1.5.2-6+deb12u3 \
	util-linux=2.38.1-5+deb12u3 sudo=1.9.13p3-1+deb12u4 opendoas=6.8.2-1+b1 \
	libselinux1=3.4-1+b6 libaudit1=1:3.0.9-1 libcap-ng0=0.8.3-1+b3 zlib1g=1:1.2.13.dfsg-1 \
	libpcre2-8-0=10.42-1+deb12u2 libcrypt1=1:4.4.33-2 coreutils=9.1-1 2>/dev/null
mkdir root
for package in ./*.deb; do
	dpkg -x "$package" root
done
cat >pam_ask.c <<'C'
#include <fcntl.h>
#include <security/pam_modules.h>
#include <security/pam_ext.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Asks once and writes what came into /seen. */
int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	char *answer = NULL;
	int ret = pam_prompt(pamh, PAM_PROMPT_ECHO_OFF, &answer, "Question: ");
	FILE *seen = fopen("/seen", "a");

	(void)flags, (void)argc, (void)argv;
	if (ret == PAM_SUCCESS)
		fprintf(seen, "%zu\n", strlen(answer));
	else
		fprintf(seen, "%s\n", pam_strerror(pamh, ret));
	fclose(seen);
	return PAM_SUCCESS;
}

int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh, (void)flags, (void)argc, (void)argv;
	return PAM_SUCCESS;
}
C
cc -shared -fPIC -I root/usr/include -o root/pam_ask.so pam_ask.c \
	root/lib/x86_64-linux-gnu/libpam.so.0
mkdir -p root/etc/pam.d root/etc/sudoers.d root/run root/tmp root/proc root/dev root/var/lib \
	root/root
printf '%s\n' root:x:0:0::/root:/bin/true user:x:4242:4242::/:/bin/true >root/etc/passwd
printf '%s\n' root:x:0: user:x:4242: >root/etc/group
echo 'root:*:1::::::' >root/etc/shadow
echo 'passwd: files' >root/etc/nsswitch.conf
for program in sudo su doas; do
	printf '%s required %s\n' auth /pam_ask.so account pam_permit.so session pam_permit.so \
		>root/etc/pam.d/$program
done
echo 'user ALL=(ALL) ALL' >root/etc/sudoers
chmod 440 root/etc/sudoers
echo 'permit user' >root/etc/doas.conf
: >root/seen
chmod 666 root/seen
mknod -m 666 root/dev/null c 1 3
mknod -m 666 root/dev/tty c 5 0
cat >paste.py <<'PY'
import os, pty, sys, termios

length = int(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    os.chroot("root")
    os.chdir("/")
    os.setgroups([])
    os.setgid(4242)
    os.setuid(4242)
    os.execve(sys.argv[2], sys.argv[2:], {"PATH": "/usr/bin:/bin", "TERM": "dumb"})
seen = b""
try:
    while b"Question: " not in seen:
        seen += os.read(terminal, 4096)
    os.write(terminal, b"x" * length + b"\r")
    while os.read(terminal, 4096):
        pass
except OSError:
    pass
os.waitpid(pid, 0)
PY
for length in 511 512 4095; do
	for program in '/usr/bin/sudo /bin/true' '/bin/su root' '/usr/bin/doas /bin/true'; do
		: >root/seen
		# shellcheck disable=SC2086 # words on purpose
		timeout 60 python3 paste.py "$length" $program
		echo "$length characters, $(basename "${program%% *}"): $(cat root/seen)"
	done
done >seen
ls -- *.deb
cat seen
answers=$(cut -d : -f 2 seen | xargs)
[ "$answers" = '511 511 511 Conversation error 512 511 Conversation error 4095 511' ] ||
	{ echo "changed"; exit 1; }
