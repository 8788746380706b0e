// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package cdb reads and writes constant databases in the format of https://cr.yp.to/cdb/cdb.txt, so
// that any cdb tool can look into a store.
//
// A database is written once, in order, and never changed:
//
//	0     256 × (position, slots) of the hash tables
//	2048  records: key length, data length, key, data
//	then  the 256 hash tables: slots of (hash, position of the record)
//
// Every number has 32 bits, little-endian, so a database is smaller than 4 GiB. A lookup reads one
// table pointer, on average two slots, and the record.
//
// The standard library has no cdb, and the format is a page long, so no dependency is needed.
package cdb

import (
	"encoding/binary"
	"errors"
)

// HeaderSize is where the first record is.
const HeaderSize = tables * 8

const (
	tables   = 256
	slotSize = 8
	maxSize  = 1<<32 - 1
)

var (
	// ErrDamaged is returned for bytes that no cdb writer produces.
	ErrDamaged = errors.New("cdb: damaged")

	// ErrTooLarge is returned by a Writer before it would pass 4 GiB.
	ErrTooLarge = errors.New("cdb: database would pass 4 GiB")
)

// hash is the format's own function: h = (h·33) xor c, from 5381.
func hash(key []byte) uint32 {
	h := uint32(5381)
	for _, c := range key {
		h = (h<<5 + h) ^ uint32(c)
	}
	return h
}

// pair reads two numbers at p. The caller has checked that they are there.
func pair(data []byte, p uint32) (uint32, uint32) {
	return binary.LittleEndian.Uint32(data[p:]), binary.LittleEndian.Uint32(data[p+4:])
}

func appendPair(b []byte, x, y uint32) []byte {
	b = binary.LittleEndian.AppendUint32(b, x)
	return binary.LittleEndian.AppendUint32(b, y)
}
