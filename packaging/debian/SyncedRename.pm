# SPDX-FileCopyrightText: The aad-login authors
# SPDX-License-Identifier: Apache-2.0

package SyncedRename;

# For pam-auth-update, which puts a file in the place of /etc/pam.d/common-auth that may not be on the disk yet: after a power cut it
# can be empty, and nobody comes in any more. With PERL5OPT='-I/usr/share/aad-login -MSyncedRename', rename in a program of perl
# syncs the file before and the directory after. What cannot be synced is renamed as without this.
use strict;
use warnings;
use IO::Handle;

sub sync_path {
	my ($path) = @_;
	open(my $file, '<', $path) or return;
	$file->sync;
	close $file;
}

BEGIN {
	*CORE::GLOBAL::rename = sub ($$) {
		my ($from, $to) = @_;
		sync_path($from);
		my $renamed = CORE::rename($from, $to);
		my $error = $!;
		my ($directory) = $to =~ m{^(.*/)};
		sync_path(defined $directory ? $directory : '.');
		$! = $error;
		return $renamed;
	};
}

1;
