// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package nss

func damagedEntries() []damage {
	const text = 16 + 4                     // behind one group
	const name = len(alice) - 1             // as long as gecos
	const home = text + name + 3 + name + 1 // /home/ and the name
	const shell = home + 6 + name + 1
	return []damage{
		setting("uid 0", alice, damaged, 0, 32, 0),
		setting("uid 999", alice, damaged, 0, 32, 999),
		setting("uid that is none", alice, damaged, 0, 32, 1<<32-1),
		setting("uid 0 by uid", imported, damaged, 0, 32, 0),
		setting("uid of another by uid", imported, damaged, 0, 32, 3197662),
		setting("retired", alice, absent, 4, 16, 1),
		setting("no group", alice, damaged, 6, 16, 0),
		// the group's bytes would be those of the name
		{"no group but a longer name", imported, func(b []byte, at layout) {
			put(b, at.value+6, uint32(little.Uint16(b[at.value+8:])+4)<<16)
		}, damaged},
		setting("65535 groups", alice, damaged, 6, 16, 1<<16-1),
		setting("no name", alice, damaged, 8, 16, 0),
		setting("name of 65535 bytes", alice, damaged, 8, 16, 1<<16-1),
		setting("gecos of 65535 bytes", alice, damaged, 10, 16, 1<<16-1),
		setting("home of 65535 bytes", alice, damaged, 12, 16, 1<<16-1),
		setting("shell of 65535 bytes", alice, damaged, 14, 16, 1<<16-1),
		setting("name of another", alice, damaged, text, 8, 'b'),
		setting("name that ends early", alice, damaged, text+3, 8, 0),
		setting("name that ends early by uid", imported, damaged, text+3, 8, 0),
		setting("name that does not end", alice, damaged, text+name, 8, 'x'),
		setting("password", alice, damaged, text+name+1, 8, 'x'),
		setting("password that does not end", alice, damaged, text+name+2, 8, 'x'),
		setting("gecos that does not end", alice, damaged, home-1, 8, 'x'),
		setting("home that does not end", alice, damaged, shell-1, 8, 'x'),
		setting("shell that does not end", alice, damaged, shell+len("/bin/bash"), 8, 'x'),
	}
}

func damagedMembers() []damage {
	return []damage{
		setting("no members counted", admins, damaged, 0, 32, 0),
		setting("a member too few", admins, damaged, 0, 32, 1),
		setting("a member too many", admins, damaged, 0, 32, 3),
		setting("2^32-1 members", admins, damaged, 0, 32, 1<<32-1),
		{"member that does not end", admins, func(b []byte, at layout) {
			_, size := pair(b, at.record)
			b[at.value+size-1] = 'x'
		}, damaged},
	}
}

func damagedRules() []damage {
	low := testRules().Low
	return []damage{
		setting("another magic", rules, refused, 2, 8, 'D'),
		setting("format 0", rules, refused, 3, 8, 0),
		setting("format 2", rules, refused, 3, 8, 2),
		setting("no domain", rules, refused, 6, 16, 0),
		setting("65535 domains", rules, refused, 6, 16, 1<<16-1),
		setting("65535 services", rules, refused, 8, 16, 1<<16-1),
		setting("a service too few", rules, refused, 8, 16, 1),
		setting("range from 0", rules, refused, 12, 32, 0),
		setting("range from 999", rules, refused, 12, 32, 999),
		setting("range to what is no id", rules, refused, 16, 32, 1<<32-1),
		setting("range backwards", rules, refused, 16, 32, low-1),
		setting("range of groups only", rules, refused, 16, 32, low+15),
		{"last service does not end", rules, func(b []byte, at layout) {
			_, size := pair(b, at.record)
			b[at.value+size-1] = 'x'
		}, refused},
	}
}
