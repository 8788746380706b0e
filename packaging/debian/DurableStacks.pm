# SPDX-FileCopyrightText: The aad-login authors
# SPDX-License-Identifier: Apache-2.0

package DurableStacks;

# This is for pam-auth-update, by PERL5OPT='-I/usr/share/aad-login -MDurableStacks'. It first writes
# /var/lib/pam/seen. Then it replaces each stack, such as /etc/pam.d/common-auth, and after the
# stack its record of what it wrote there, /var/lib/pam/auth. It syncs nothing. A power cut could
# leave:
#
#   - A stack that is empty. Then nobody can sign in. So a file is synced before it replaces another
#     one, and the directory afterwards. What cannot be synced is renamed as usual.
#   - A new stack with the old record. pam-auth-update would see in it an edit by hand, and leave
#     the stack alone from then on. So the next run first does the second rename.
#   - An empty "seen". Then pam-auth-update would enable each profile again that an administrator
#     had disabled. So its old text is kept until the end of the run.
use strict;
use warnings;
use IO::Handle;

my @types   = qw(auth account password session session-noninteractive);
my $stacks  = '/etc/pam.d';
my $records = '/var/lib/pam';
my $seen    = "$records/seen";
my $kept    = '/var/lib/aad-login/profiles-seen'; # as long as a run has not ended

sub sync_path {
	my ($path) = @_;
	open(my $file, '<', $path) or return;
	$file->sync;
	close $file;
}

sub directory {
	my ($path) = @_;
	return $path =~ m{^(.*/)} ? $1 : '.';
}

sub durable_rename ($$) {
	my ($from, $to) = @_;
	sync_path($from);
	if ($to =~ m{^\Q$stacks\E/common-(.*)}) {
		sync_path($_) for "$records/$1.new", $seen, $records;
	}
	my $renamed = CORE::rename($from, $to);
	my $error = $!;
	sync_path(directory($to));
	$! = $error;
	return $renamed;
}

# text returns the text of a file, or nothing if there is no such file.
sub text {
	my ($path) = @_;
	open(my $file, '<', $path) or return;
	local $/;
	return scalar <$file>;
}

sub has_our_module { return (text($_[0]) // '') =~ /pam_aad\.so/ ? 1 : 0 }

# finish_renames does the second rename where a run was cut short between the two. A stack whose new
# text is still there was not replaced.
sub finish_renames {
	for my $type (@types) {
		my ($stack, $new) = ("$stacks/common-$type", "$records/$type.new");
		next if !-s $new || -e "$stack.pam-new" || has_our_module($stack) != has_our_module($new);
		durable_rename($new, "$records/$type");
	}
}

# keep_seen keeps the names of the profiles that an administrator has seen. If the run before was
# cut short, it first adds those that are missing since.
sub keep_seen {
	my @names = split /\n/, text($seen) // '';
	my %there = map { $_ => 1 } @names;
	if (my @lost = grep { !$there{$_} } split /\n/, text($kept) // '') {
		open(my $file, '>>', $seen) or return;
		print $file "\n$_\n" for @lost;
		close $file;
		push @names, @lost;
	}
	open(my $file, '>', "$kept.new") or return;
	print $file "$_\n" for @names;
	close $file and durable_rename("$kept.new", $kept);
}

BEGIN { *CORE::GLOBAL::rename = \&durable_rename }

# pam-auth-update runs itself again below debconf, which is a perl program, too.
my $begins = $0 =~ /pam-auth-update$/ && $ENV{DEBIAN_HAS_FRONTEND};
if ($begins) {
	finish_renames() if -e $kept;
	keep_seen();
}

END {
	if ($begins && $? == 0) {
		sync_path($seen);
		unlink $kept;
		sync_path(directory($kept));
	}
}

1;
