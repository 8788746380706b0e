// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"fmt"
	"hash/fnv"
	"strings"
)

// attempts is how many ids are tried for a name. Go and C give up after the same number. In the
// default range the first try collides once in 268 million divided by the number of accounts.
const attempts = 256

// ID returns the id of attempt k for an account, the same on every machine. It uses only
// arithmetic, so that C can compute it while a process waits. upn is the full lower-case UPN, and
// high-low is at least 16.
func ID(tenant, upn string, k int, low, high uint32) uint32 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s\x00%s\x00%d", tenant, upn, k)
	return low + reserved + uint32(mix64(h.Sum64())%(uint64(high)-uint64(low)-reserved+1))
}

// mix64 is MurmurHash3's finaliser. With FNV alone, similar names would get neighbouring ids.
func mix64(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// expand fills in a template of home directories.
func expand(template string, n Name) string {
	fill := strings.NewReplacer("%u", n.Account, "%l", n.Local(), "%d", n.Domain(), "%%", "%")
	return fill.Replace(template)
}

func isTemplate(s string) bool {
	known := strings.NewReplacer("%u", "", "%l", "", "%d", "", "%%", "")
	return !strings.Contains(known.Replace(s), "%")
}
