#!/bin/bash
# SPDX-FileCopyrightText: The aad-login authors
# SPDX-License-Identifier: Apache-2.0

# Software:  pam-auth-update of libpam-runtime 1.5.2-6+deb12u3 with debconf 1.5.82, as Debian 12 has
#            them
# Surprise:  pam-auth-update writes a new file for each /etc/pam.d/common-* and renames it to that
#            name. It syncs neither the files nor the directory. In the same run debconf syncs its
#            cache, which holds the answers to installers' questions.
# Matters:   Every package with a profile in /usr/share/pam-configs runs pam-auth-update. The power
#            may fail before the kernel has written the data. A file system that does not order data
#            before a rename then has the new name for a file without content. With an empty
#            common-auth nobody can sign in, root included. Packages must make the renames durable
#            themselves.
# Seen:      2026-11, in the system calls. The empty files were also seen, with recorded writes of
#            which the end was cut off.
#
# The Debian packages are only unpacked. They have a root and a debconf database of their own. Needs
# perl.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq libpam-runtime=1.5.2-6+deb12u3 debconf=1.5.82 \
	strace=6.1-0.1 libunwind8=1.6.2-3 2>/dev/null
for package in ./*.deb; do
	dpkg -x "$package" root
done
mkdir -p root/var/lib/pam root/usr/share/pam-configs
cat >root/usr/share/pam-configs/local <<'PROFILE'
Name: Local accounts
Default: yes
Priority: 256
Auth-Type: Primary
Auth:
	[success=end default=ignore] pam_unix.so
Account-Type: Primary
Account:
	[success=end default=ignore] pam_unix.so
Session-Type: Additional
Session:
	required pam_unix.so
Password-Type: Primary
Password:
	[success=end default=ignore] pam_unix.so
PROFILE
cat >debconf.conf <<CONF
Config: answers
Templates: questions

Name: answers
Driver: File
Filename: $PWD/answers.dat

Name: questions
Driver: File
Filename: $PWD/questions.dat
CONF
export DEBCONF_SYSTEMRC=$PWD/debconf.conf DEBIAN_FRONTEND=noninteractive
export PERL5LIB=$PWD/root/usr/share/perl5
LD_LIBRARY_PATH=root/usr/lib/x86_64-linux-gnu root/usr/bin/strace -f -y -o trace \
	-e trace=rename,renameat,renameat2,fsync,fdatasync,sync,syncfs \
	perl root/usr/sbin/pam-auth-update --root "$PWD/root" --force --package
ls -- *.deb
count() { grep -cE "$1" trace || :; }
cat >seen <<SEEN
stacks renamed into their places: $(count 'rename\(.*/etc/pam\.d/common-')
syncs of anything below etc/pam.d, or of all: $(count '(fsync|fdatasync)\([^)]*/etc/pam\.d|^[0-9]+ +(sync|syncfs)\(')
syncs by debconf: $(count 'fsync\([^)]*(answers|questions)\.dat')
SEEN
cat seen
[ "$(cut -d : -f 2 seen | xargs)" = '5 0 2' ] || { echo "changed"; exit 1; }
