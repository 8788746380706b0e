// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package account holds the accounts of this machine: which names are ours, which ids they get, and
// the store that the name service reads.
//
// # The store
//
// accounts.cdb is a constant database (package cdb). It is replaced as a whole and never changed in
// place but for one byte, the mark. Readers need no lock: a file that is there is complete. A
// reader may use a file that it has mapped as long as its mark stays what it was when the reader
// opened it.
//
// One writer at a time holds accounts.lock. Accounts are never dropped, and no id is given twice: a
// removed account stays as a tombstone, and a name that somebody had stays theirs.
//
// # The order of writes
//
// A change is a function. Its process calls it in its turn (turn.go), on top of the store and of
// the changes that wait to be written (queue.go). Then:
//
//  1. Its denials are written to grants/, each to a file of its own. The file is synced and
//     renamed, and its directory synced. From then on the denial holds whatever happens, and
//     everybody who decides later sees it.
//  2. The changes are written. accounts.cdb.new is written whole, and synced. accounts.lock says
//     which file it is. accounts.cdb gets the second name accounts.cdb.previous, accounts.cdb.new
//     becomes accounts.cdb, and the directory is synced. If the process is killed or the power
//     fails before the last rename, the old store is there; after it, the new one. The file is
//     synced first so that the name never leads to a file whose bytes are not on disk.
//  3. The grants of the changes are written to grants/. A grant is left out if the account in the
//     store is not that of the grant's person, or if something was decided later.
//  4. Each process that waits for one of these changes wakes up, syncs its grant, and only then
//     says that somebody may come in. If a grant is lost before, there is none, and Azure is asked.
//
// A process that has others behind it leaves 2 and 3 to the last of them, and appends its change,
// with its grant, to accounts.lock instead. That is not synced, because nothing of it is promised
// to anybody yet.
//
// Before 2 the old store is checked as a whole, because a damaged store must not become the base of
// a new one. The check is left out if the store's bytes still have the sum that accounts.lock has
// kept since they were written.
//
// # After a power cut
//
// "make vm-power" cuts recorded writes on ext4, xfs and btrfs, and finds this each time:
//
//   - accounts.cdb is the old store or the new one, whole, and has every change that was reported
//     as done. Its data is synced before the file gets the name, and the directory after that.
//   - accounts.cdb.previous and the backups are second names of files that were accounts.cdb, so
//     they are whole. The name of a backup is synced before the store is replaced.
//   - grants/: a denial is there before the change that it belongs to. A grant is there before its
//     person comes in. A grant that replaces another is synced before it does, so one of the two is
//     there. A grant that was withdrawn does not come back.
//   - accounts.lock may hold anything. It counts for nothing, because nobody waits any more.
//   - accounts.cdb.new may be left over, and the next change removes it. A .new in grants/ goes
//     with the next grant of that account.
//   - The seal may be missing: a store is unsealed before it is replaced, the new one is sealed
//     afterwards, and its mode and its attribute are two writes. The next change seals it.
//
// The windows of sign_in.reuse_window are in /run and do not survive a boot.
//
// # The records
//
// The C name service in package nss reads the same bytes. Like this package, it refuses a store of
// another Format. Numbers are little-endian, and strings end in NUL. The records, in this order:
//
//	"r"             the rules, below
//	for each account, in the order in which they were added:
//	"u" uid         the entry, below
//	"n" name        the same entry
//	"n" former name the same entry with the former name in it, marked retired;
//	                its uid says which account had the name
//	"a" uid         what the name service does not need: JSON
//	"o" tid "/" oid uid
//	for an id that an account had before: "u" and "a" alone, retired
//	at the end:
//	"gaad_admins"   members: u32 count, then the names
//
// The section on later versions says what else may be there.
//
// A uid in a key or value has eight hexadecimal digits. The entry of an account is in the file
// twice, so that a hit is one lookup, and its text is laid out so that the answer is one copy:
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
// A version reads and writes the store of a later one: after a downgrade, and in processes that
// have loaded the C before an upgrade. So this is a promise:
//
//   - Readers skip a record whose key is of no kind above. Writers copy it as it is, in its place
//     among the others.
//   - The same holds for flags that are not above, members of an "a" record, and sections. Those of
//     an account are kept with it, whatever else changes, also if its uid does, and are the same in
//     every copy of its entry. Those of the rules are kept when other rules are applied.
//   - Sections are what rules, entries and the members may end with. Each is a u16 tag, the u16
//     length of what follows, and that. Tags ascend, and each stands once. A reader finds its own
//     by tag (sections here, aad_rules_section in nss/record.h) and takes the default for a missing
//     one.
//   - What stands above stays: no field moves, changes its meaning or goes.
//   - Format changes only for what an earlier reader would get wrong. That reader then refuses the
//     store, and with it every account, so it is the last resort.
//
// A new section or flag is added to Rules or Account, written and read in record or entry, and
// taken out of what is kept unread (later). Tags and flags are given once. testdata/stores/tomorrow
// is a store with one of each addition. tomorrow_test.go, here and in packages nss, signin and
// aadctl, tests the promise.
package account

// Format is the version of the store's layout.
const Format = 1

// The two groups that every machine has, and the number of ids that are kept for groups at the
// beginning of the range.
const (
	UsersGroup  = "aad_users"  // gid low
	AdminsGroup = "aad_admins" // gid low + 1

	reserved = 16
)

// minID is the lowest id that is ever given or answered. Ids below it are the system's.
const minID = 1000

// maxID leaves out (uid_t)-1, which is no id to the kernel.
const maxID = 1<<32 - 2
