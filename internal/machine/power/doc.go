// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package power is the loss of power while the product writes: "make vm-power".
//
// A device is a file of a file system of our own (FUSE), under a loop device of the kernel. So each
// write to it comes by here, and each flush as an fsync, which package power records in their
// order; barriers (FUA, preflush) the kernel makes of these two. On the device is ext4, xfs or
// btrfs, and on that what the product must not lose: its store and configuration, or a whole Debian
// into which the package is installed. Programs work there, and between the device's commands the
// record has marks: this change has begun, this one was reported as done.
//
// A cut is a moment in the record. What a device may hold then is all writes up to the last flush,
// and of those after it: all, none, some, or some of which one ended at a sector. Such a device is
// mounted, and looked at: the store verifies, is sealed, and has what was reported as done; the
// rest is as before or as after, nothing between; the next sign-in works, and leaves nothing of
// what was cut short. Devices are kept in memory and share blocks, so a cut costs what the look
// does.
//
// That a look sees what it is for, controls show: products with a fault, made of a changed copy of
// the source, which must fail it on each file system.
//
// File systems are those of the kernel that this runs on. What it cannot show: a device that lies
// about its flushes, or tears a sector.
package power
