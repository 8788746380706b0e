// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package account holds the accounts of this machine: which names are ours,
// which ids they get, and the store that the name service reads.
//
// # The store
//
// accounts.cdb is a constant database (package cdb), replaced whole, never
// changed in place but for one byte, the mark. Readers need no lock: a file
// that is there is complete. One they have mapped they may read for as long as
// its mark stays what it was when they opened it.
// One writer at a time holds accounts.lock. Accounts are never dropped from it
// and ids never given twice: a removed account stays as a tombstone, and a
// name somebody had stays theirs.
//
// # The order of writes
//
// A change is a function, called in the turn of its process (turn.go), on top of
// the store and of the changes that wait to be written (queue.go). Then:
//
//  1. Its denials are written to grants/, each to a file of its own, which is
//     synced, renamed, and its directory synced. From then on a denial is there
//     whatever happens, and nobody else decides without having seen it.
//  2. The changes are written: accounts.cdb.new whole, and synced; accounts.lock
//     says which file it is; accounts.cdb becomes accounts.cdb.previous as well,
//     accounts.cdb.new becomes accounts.cdb, and the directory is synced. Killed
//     or without power before the last rename, it is the old store; after it, the
//     new one; in between there is nothing. What the file's sync is for: the name
//     never is that of a file whose bytes are not on disk.
//  3. The grants of the changes are written to grants/, if the store has the
//     account now as that of whom the grant is for, and nothing was decided later.
//  4. Who waited for one of these changes wakes up, syncs the grant, and only then
//     says that somebody may come in. A grant that is lost before is none: they
//     ask Azure.
//
// Who has others behind leaves 2 and 3 to the last of them, and puts the change,
// its grant included, into accounts.lock instead. Nothing there is synced, for
// nothing of it is promised to anybody yet.
//
// Before 2, the whole of the old store is checked, since a damaged one must not
// become the base of a new one; but not if its bytes still have the sum that
// accounts.lock has kept of them from when they were written.
//
// # The records
//
// The C name service in package nss reads the same bytes, and refuses a store
// of another Format, as this package does. Numbers are little-endian, strings
// end in NUL. Records, in this order:
//
//	"r"             the rules, below
//	per account, in the order the accounts came to be:
//	"u" uid         the entry, below
//	"n" name        the same entry
//	"n" former name the same entry with the former name in it, marked retired;
//	                its uid says whose name it is
//	"a" uid         what the name service does not need: JSON
//	"o" tid "/" oid uid
//	for an id that an account had before: "u" and "a" alone, retired
//	at the end:
//	"gaad_admins"   members: u32 count, then the names
//
// What else may be there is in the section on later versions.
//
// A uid in a key or value is eight hexadecimal digits. The entry of an account is twice in
// the file so that a hit is one lookup, and its text is laid out so that the
// answer is one copy:
//
//	0   u32 uid, which is also the gid of the account's private group
//	4   u16 flags: 1 retired (removed, or a former name), 2 administrator, unknown ones
//	6   u16 number of groups
//	8   u16 length of name, gecos, home, shell (four numbers), without NUL
//	16  u32 groups: aad_users, aad_admins for an administrator, the others
//	    then name NUL "*" NUL gecos NUL home NUL shell NUL, sections
//
// The rules are what the name service needs of the configuration:
//
//	0   "aad", u8 Format
//	4   u8 mark: any number, another one once the file has been replaced
//	5   u8 flags: 1 short names, unknown ones
//	6   u16 number of domains, u16 number of services, u16 0
//	12  u32 low, u32 high: the id range
//	20  tenant NUL home NUL shell NUL, the domains, the services, sections:
//	    1: sign_in.services, each with its NUL
//
// # Later versions
//
// A version reads and writes the store of a later one: after a downgrade, and
// in processes that have loaded the C before an upgrade. So this is a promise:
//
//   - A record whose key is of no kind above is skipped by readers, and copied
//     by writers as it is, in its place among the others.
//   - So are flags that are not above, members of an "a" record, and sections.
//     An account's are kept with it, whatever else changes, also its uid, and are
//     the same in every copy of its entry. The rules' are kept when others are
//     applied.
//   - Sections are what rules, entries and the members may end with. Each is a
//     u16 tag, the u16 length of what follows, and that. Tags go up; each stands
//     once. A reader finds its own by tag (sections here, aad_rules_section in
//     nss/record.h) and takes a missing one for the default.
//   - What stands above stays: no field moves, changes its meaning or goes.
//   - Format changes only for what a reader of before would get wrong: it
//     refuses the store then, and with it everybody. So it is the last resort.
//
// Whoever adds a section or a flag adds it to Rules or Account, writes and reads
// it in record or entry, and takes it out of what is kept unread (later). Tags
// and flags are given once. testdata/stores/tomorrow is a store with one of each
// addition; tomorrow_test.go, here and in packages nss, signin and aadctl, holds
// the promise.
package account

// Format is the version of the store's layout.
const Format = 1

// The two groups every machine has, and the room kept for more of them at the
// beginning of the id range.
const (
	UsersGroup  = "aad_users"  // gid low
	AdminsGroup = "aad_admins" // gid low + 1

	reserved = 16
)

// minID is the lowest id ever given or answered: below it are the system's.
const minID = 1000

// maxID leaves out (uid_t)-1, which is no id to the kernel.
const maxID = 1<<32 - 2
