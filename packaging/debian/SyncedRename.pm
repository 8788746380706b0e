# SPDX-FileCopyrightText: The aad-login authors
# SPDX-License-Identifier: Apache-2.0

package SyncedRename;

# This is for pam-auth-update. It replaces /etc/pam.d/common-auth with a file that may not be on the
# disk yet. After a power cut the file can be empty, and nobody can sign in. With
# PERL5OPT='-I/usr/share/aad-login -MSyncedRename', rename in a perl program syncs the file before
# and the directory after. What cannot be synced is renamed as usual.
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
