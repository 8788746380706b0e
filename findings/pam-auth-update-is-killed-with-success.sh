#!/bin/bash
# SPDX-FileCopyrightText: The aad-login authors
# SPDX-License-Identifier: Apache-2.0

# Software:  pam-auth-update of libpam-runtime 1.5.2-6+deb12u3 with debconf 1.5.82, as Debian 12 has
#            them
# Surprise:  If pam-auth-update is killed, its exit status is 0: it runs below debconf's frontend,
#            which takes death by a signal for success. Killed after it has replaced a stack and
#            before it has replaced its own record of that stack, it takes its own lines for an edit
#            by hand. From then on it changes no stack, and its exit status is 0 again.
# Matters:   dpkg goes on as if the stacks were written. All later profiles, of other packages, too,
#            have no effect until somebody runs "pam-auth-update --force". A package has to look
#            into the stacks itself, and to finish the second rename after a power cut.
# Seen:      2026-11
#
# The Debian packages are only unpacked. They have a root and a debconf database of their own. Needs
# perl, and runs debconf's frontend of this machine.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq libpam-runtime=1.5.2-6+deb12u3 debconf=1.5.82 2>/dev/null
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
update() { perl root/usr/sbin/pam-auth-update --root "$PWD/root" --package "$@"; }
update --force
sed 's/^Name: .*/Name: Another/; s/256/512/; s/pam_unix\.so/pam_localuser.so/' \
	root/usr/share/pam-configs/local >root/usr/share/pam-configs/another
# The first rename is that of the stack for auth.
cat >Killed.pm <<'MODULE'
package Killed;
my $renames = 0;
BEGIN {
	*CORE::GLOBAL::rename = sub ($$) {
		kill 9, $$ if $_[0] =~ /auth(\.pam-new|\.new)$/ && ++$renames == 2;
		return CORE::rename($_[0], $_[1]);
	};
}
1;
MODULE
status=0
PERL5OPT="-I$PWD -MKilled" update || status=$?
ls -- *.deb
stack=etc/pam.d/common record=var/lib/pam
has() { grep -c pam_localuser.so "root/$1" || :; }
cat >seen <<SEEN
exit status when killed: $status
lines of the new profile in the stack, in the record: $(has $stack-auth), $(has $record/auth)
SEEN
status=0
update 2>said || status=$?
cat >>seen <<SEEN
exit status of the next run: $status; it says: $(grep -o 'Local modifications' said)
lines of the new profile in the stack for account: $(has $stack-account)
SEEN
cat seen
diff - seen <<SEEN || { echo "changed"; exit 1; }
exit status when killed: 0
lines of the new profile in the stack, in the record: 1, 0
exit status of the next run: 0; it says: Local modifications
lines of the new profile in the stack for account: 0
SEEN
