// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"hash/crc32"
	"io"

	"aadlogin/internal/cdb"
)

// state tells one store from another.
type state struct {
	Inode    uint64
	Modified int64
	Sum      uint64 // of its bytes when they were checked, or written; or 0
}

func (s state) same(t state) bool { return s.Inode == t.Inode && s.Modified == t.Modified }

// state returns the state of the store as it is now, without its sum.
func (s Store) state() (now state) {
	now.Inode, now.Modified = s.Stamp()
	return now
}

// crc returns the table of CRC-32C. Only a process that writes the store needs it, and it takes
// 0.2 ms to make.
func crc() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) } // made once

// sum returns the sum of a store in the order in which it is written: the header comes last.
func (s *Snapshot) sum() uint64 {
	var sum summed
	sum.add(s.data[cdb.HeaderSize:])
	sum.add(s.data[:cdb.HeaderSize])
	return sum.sum()
}

// summed computes the sum of what is written through it.
type summed struct {
	io.WriteSeeker
	size uint64
	crc  uint32
}

func (s *summed) Write(b []byte) (int, error) {
	s.add(b)
	return s.WriteSeeker.Write(b)
}

func (s *summed) add(b []byte) {
	s.size += uint64(len(b))
	s.crc = crc32.Update(s.crc, crc(), b)
}

// sum is never 0, because there is always a header.
func (s *summed) sum() uint64 { return s.size<<32 | uint64(s.crc) }
