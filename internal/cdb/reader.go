// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package cdb

import (
	"bytes"
	"iter"
)

// Reader looks up keys in the bytes of a database, which may be a mapping and may be hostile: it
// never reads outside of them, and no lookup visits more slots than one table has.
type Reader struct {
	data []byte
	end  uint32 // of the records, where the first table begins
}

// New checks the header: every table must lie inside the data, behind the records.
func New(data []byte) (*Reader, error) {
	if len(data) < HeaderSize || len(data) > maxSize {
		return nil, ErrDamaged
	}
	end := uint32(len(data))
	for i := uint32(0); i < tables; i++ {
		pos, slots := pair(data, i*8)
		if pos < HeaderSize || uint64(pos)+uint64(slots)*slotSize > uint64(len(data)) {
			return nil, ErrDamaged
		}
		end = min(end, pos)
	}
	return &Reader{data: data, end: end}, nil
}

// Get returns the value of the first record with this key, nil when there is none. The value is
// part of the reader's data.
func (r *Reader) Get(key []byte) ([]byte, error) {
	value, _, err := r.find(key, 0)
	return value, err
}

// find looks for the record of a key, at position at unless that is 0.
func (r *Reader) find(key []byte, at uint32) (value []byte, pos uint32, err error) {
	h := hash(key)
	table, slots := pair(r.data, h%tables*8)
	if slots == 0 {
		return nil, 0, nil
	}
	i := (h >> 8) % slots
	for range slots {
		slotHash, pos := pair(r.data, table+i*slotSize)
		if pos == 0 {
			return nil, 0, nil
		}
		if slotHash == h && (at == 0 || at == pos) {
			k, v, _, ok := r.record(pos)
			if !ok {
				return nil, 0, ErrDamaged
			}
			if bytes.Equal(k, key) {
				return v, pos, nil
			}
		}
		if i++; i == slots {
			i = 0
		}
	}
	return nil, 0, nil
}

// record returns the record at pos and where the next one begins.
func (r *Reader) record(pos uint32) (key, value []byte, next uint32, ok bool) {
	if pos < HeaderSize || uint64(pos)+8 > uint64(r.end) {
		return nil, nil, 0, false
	}
	keyLen, valueLen := pair(r.data, pos)
	from := uint64(pos) + 8
	middle, to := from+uint64(keyLen), from+uint64(keyLen)+uint64(valueLen)
	if to > uint64(r.end) {
		return nil, nil, 0, false
	}
	return r.data[from:middle:middle], r.data[middle:to:to], uint32(to), true
}

// All yields the records in the order in which they were added. It stops at the first damaged one:
// call Check before where that matters.
func (r *Reader) All() iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		for pos := uint32(HeaderSize); pos < r.end; {
			key, value, next, ok := r.record(pos)
			if !ok || !yield(key, value) {
				return
			}
			pos = next
		}
	}
}

// Check reads the whole database. The records must fill their space exactly, each must be found by
// its key, and the tables must hold nothing else.
func (r *Reader) Check() error {
	var records, used uint64
	for pos := uint32(HeaderSize); pos < r.end; records++ {
		key, _, next, ok := r.record(pos)
		if !ok {
			return ErrDamaged
		}
		if _, at, err := r.find(key, pos); err != nil || at != pos {
			return ErrDamaged
		}
		pos = next
	}
	for i := uint32(0); i < tables; i++ {
		table, slots := pair(r.data, i*8)
		for s := range slots {
			if _, pos := pair(r.data, table+s*slotSize); pos != 0 {
				used++
			}
		}
	}
	if used != records {
		return ErrDamaged
	}
	return nil
}
