#!/bin/bash
# SPDX-FileCopyrightText: The aad-login authors
# SPDX-License-Identifier: Apache-2.0

# Software:  Linux-PAM's misc_conv(3) of Debian 12 (libpam0g 1.5.2), under pamtester 0.1.2
# Surprise:  PAM_TEXT_INFO goes to standard output, PAM_ERROR_MSG to standard error. su, login, doas
#            and many other programs use misc_conv. So with "su -c COMMAND >file" everything that a
#            module says as information is in the file, and the person reads none of it.
# Matters:   What a person must read (a page, a code) belongs in a prompt or an error message, never
#            in PAM_TEXT_INFO.
# Seen:      2026-11, with pam_echo, which uses PAM_TEXT_INFO: the text was on standard output only.
#
# The Debian packages are only unpacked. pam_wrapper makes libpam read the stack from the temporary
# folder, so the script needs no root.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq pamtester=0.1.2-4 libpam-wrapper=1.1.4-1+b2 \
	libpam-modules=1.5.2-6+deb12u3 libpam0g=1.5.2-6+deb12u3 2>/dev/null
for package in ./*.deb; do
	dpkg -x "$package" root
done
library=$(find "$PWD/root" -name 'libpam.so.0' -printf '%h\n' | head -n 1)
modules=$(find "$PWD/root" -name pam_echo.so -printf '%h\n')
mkdir pam.d
printf 'auth required %s/pam_echo.so the words of a module\nauth required %s/pam_permit.so\n' \
	"$modules" "$modules" >pam.d/finding
PAM_WRAPPER=1 PAM_WRAPPER_SERVICE_DIR=$PWD/pam.d LD_LIBRARY_PATH=$library \
	LD_PRELOAD=$(find "$PWD/root" -name 'libpam_wrapper.so*' -type f | head -n 1) \
	root/usr/bin/pamtester finding root authenticate >out 2>err
ls -- *.deb
echo "standard output: $(head -n 1 out)"
echo "standard error: $(head -n 1 err)"
grep -q 'the words of a module' out && ! grep -q 'the words of a module' err ||
	{ echo "changed"; exit 1; }
