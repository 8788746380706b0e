// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package nss

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

var little = binary.LittleEndian

// refused is the result of a lookup in bytes that are no store.
const refused = result(-1)

// damage is a change that no writer makes and chance hardly ever, but a person can.
type damage struct {
	what  string
	key   string // of the record that it changes
	spoil func(b []byte, at layout)
	want  result // of the lookup of that record
}

func (d damage) slug() string { return strings.ReplaceAll(d.what, " ", "-") }

func (d damage) applied(sound []byte) []byte {
	b := bytes.Clone(sound)
	d.spoil(b, find(b, d.key))
	return b
}

// layout has the offsets of the parts of a record in a sound store.
type layout struct {
	head          int // of its table, in the header
	table, slots  int
	slot          int
	record, value int
	end           int // of all records
}

func find(b []byte, key string) layout {
	h := uint32(5381)
	for _, c := range []byte(key) {
		h = (h * 33) ^ uint32(c)
	}
	p := layout{head: int(h % 256 * 8), end: len(b)}
	p.table, p.slots = pair(b, p.head)
	for i := range 256 {
		pos, _ := pair(b, i*8)
		p.end = min(p.end, pos)
	}
	for i := range p.slots {
		at := p.table + 8*i
		slotHash, pos := pair(b, at)
		if uint32(slotHash) == h && bytes.HasPrefix(b[pos+8:], []byte(key)) {
			p.slot, p.record, p.value = at, pos, pos+8+len(key)
			return p
		}
	}
	panic("no record " + key)
}

func pair(b []byte, at int) (int, int) {
	return int(little.Uint32(b[at:])), int(little.Uint32(b[at+4:]))
}

func put(b []byte, at int, numbers ...uint32) {
	for i, n := range numbers {
		little.PutUint32(b[at+4*i:], n)
	}
}

const (
	alice    = "nalice@contoso.com"
	imported = "u0030cadf" // 3197663
	admins   = "gaad_admins"
	rules    = "r"
)

func damages() []damage {
	list := append(damagedTables(), damagedSlots()...)
	list = append(list, damagedLengths()...)
	list = append(list, damagedEntries()...)
	list = append(list, damagedMembers()...)
	return append(list, damagedRules()...)
}

func damagedTables() []damage {
	head := func(what string, want result, pos, slots func(b []byte, at layout) int) damage {
		return damage{what, alice, func(b []byte, at layout) {
			put(b, at.head, uint32(pos(b, at)), uint32(slots(b, at)))
		}, want}
	}
	is := func(n int) func([]byte, layout) int { return func([]byte, layout) int { return n } }
	same := func(_ []byte, at layout) int { return at.table }
	slots := func(_ []byte, at layout) int { return at.slots }
	size := func(b []byte, _ layout) int { return len(b) }
	return []damage{
		// 2^32 bytes, which 32 bits take for none
		head("table of 2^29 slots", refused, same, is(1<<29)),
		head("table of 2^32-1 slots", refused, same, is(1<<32-1)),
		head("table a slot too long", refused, same,
			func(b []byte, at layout) int { return (len(b)-at.table)/8 + 1 }),
		head("table at 4 GiB", refused, is(1<<32-8), slots),
		head("empty table at 4 GiB", refused, is(1<<32-1), is(0)),
		head("empty table at the end", absent, size, is(0)),
		head("empty table", absent, same, is(0)),
		head("table in the header", refused, is(0), slots),
		head("table over the records", refused, is(2048),
			func(b []byte, _ layout) int { return (len(b) - 2048) / 8 }),
		head("table half a slot off", absent, func(_ []byte, at layout) int {
			return at.table + 4
		}, func(_ []byte, at layout) int { return at.slots - 1 }),
		{"tables all the same", alice, func(b []byte, at layout) {
			for i := range 256 {
				put(b, i*8, uint32(at.end), uint32((len(b)-at.end)/8))
			}
		}, refused},
	}
}

func damagedSlots() []damage {
	to := func(what string, want result, pos func(b []byte, at layout) int) damage {
		return damage{what, alice, func(b []byte, at layout) {
			put(b, at.slot+4, uint32(pos(b, at)))
		}, want}
	}
	return []damage{
		to("slot at 4 GiB", damaged, func([]byte, layout) int { return 1<<32 - 1 }),
		to("slot near 4 GiB", damaged, func([]byte, layout) int { return 1<<32 - 8 }),
		to("slot in the header", damaged, func(_ []byte, at layout) int { return at.head }),
		to("slot in its own table", damaged, func(_ []byte, at layout) int { return at.table }),
		to("slot at the end of the records", damaged,
			func(_ []byte, at layout) int { return at.end }),
		to("slot just before the end of the records", damaged,
			func(_ []byte, at layout) int { return at.end - 7 }),
		to("slot at the end of the file", damaged, func(b []byte, _ layout) int { return len(b) }),
		to("slot of another record", absent, func(b []byte, _ layout) int {
			return find(b, "nadmin@contoso.com").record
		}),
		to("slot inside its record", damaged, func(_ []byte, at layout) int { return at.value }),
		// with no empty one to end the search
		{"slots of another record only", alice, func(b []byte, at layout) {
			h, _ := pair(b, at.slot)
			for i := range at.slots {
				put(b, at.table+8*i, uint32(h), uint32(find(b, "r").record))
			}
		}, absent},
		{"slots of other hashes only", alice, func(b []byte, at layout) {
			for i := range at.slots {
				put(b, at.table+8*i, 0xffffffff, 0xffffffff)
			}
		}, absent},
	}
}

func damagedLengths() []damage {
	is := func(what string, want result, lengths func(key, value uint32) (uint32, uint32)) damage {
		return damage{what, alice, func(b []byte, at layout) {
			key, value := pair(b, at.record)
			k, v := lengths(uint32(key), uint32(value))
			put(b, at.record, k, v)
		}, want}
	}
	return []damage{
		is("key of 4 GiB", damaged, func(_, v uint32) (uint32, uint32) { return 1<<32 - 1, v }),
		is("value of 4 GiB", damaged, func(k, _ uint32) (uint32, uint32) { return k, 1<<32 - 1 }),
		is("value before its record", damaged, func(k, _ uint32) (uint32, uint32) {
			return k, 1<<32 - 8 - k
		}),
		is("key and value of 8 GiB", damaged, func(uint32, uint32) (uint32, uint32) {
			return 1<<32 - 1, 1<<32 - 1
		}),
		is("lengths that are 0 in 32 bits", damaged, func(uint32, uint32) (uint32, uint32) {
			return 1 << 31, 1 << 31
		}),
		is("key a byte longer", absent, func(k, v uint32) (uint32, uint32) { return k + 1, v - 1 }),
		is("key a byte shorter", absent, func(k, v uint32) (uint32, uint32) {
			return k - 1, v + 1
		}),
		is("no key", absent, func(k, v uint32) (uint32, uint32) { return 0, k + v }),
		is("value a byte longer", damaged, func(k, v uint32) (uint32, uint32) { return k, v + 1 }),
		is("value a byte shorter", damaged, func(k, v uint32) (uint32, uint32) { return k, v - 1 }),
		is("no value", damaged, func(k, _ uint32) (uint32, uint32) { return k, 0 }),
	}
}

// setting writes a number of some bits at an offset in the value.
func setting(what, key string, want result, off, bits int, n uint32) damage {
	return damage{what, key, func(b []byte, at layout) {
		switch bits {
		case 8:
			b[at.value+off] = byte(n)
		case 16:
			little.PutUint16(b[at.value+off:], uint16(n))
		case 32:
			little.PutUint32(b[at.value+off:], n)
		}
	}, want}
}

// look asks for the record of a damage by its key.
func look(s store, key string) (any, result) {
	switch key[0] {
	case 'u':
		return two(s.passwdByUID(3197663, enough))
	case 'g':
		return two(s.groupByName(key[1:], enough, 0))
	}
	return two(s.passwdByName(alice[1:], enough))
}

func TestDamages(t *testing.T) {
	sound, _ := build(t, testRules(), people)
	for _, key := range []string{alice, imported, admins, rules} {
		if got, r := look(load(t, sound), key); r != ok {
			t.Fatalf("undamaged, %s: %+v, %v", key, got, r)
		}
	}
	g := guard(t, len(sound))
	for _, d := range damages() {
		got, r := any(nil), refused
		if s, isStore := openStore(g.put(d.applied(sound))); isStore {
			got, r = look(s, d.key)
			ask(t, s, alice[1:], 3197663)
			s.Close()
		}
		if r != d.want {
			t.Errorf("%s: %+v, %v; want %v", d.what, got, r, d.want)
		}
	}
}
