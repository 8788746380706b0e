// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package cdb

import (
	"bufio"
	"fmt"
	"io"
)

// Writer writes one database. It needs 8 bytes of memory for each record.
type Writer struct {
	file    io.WriteSeeker
	out     *bufio.Writer
	pos     uint64
	entries [tables][]entry
	records uint64
}

type entry struct{ hash, pos uint32 }

// NewWriter starts a database at the beginning of file, which should be empty.
func NewWriter(file io.WriteSeeker) (*Writer, error) {
	if _, err := file.Seek(HeaderSize, io.SeekStart); err != nil {
		return nil, fmt.Errorf("cdb: seek: %w", err)
	}
	return &Writer{file: file, out: bufio.NewWriterSize(file, 1<<16), pos: HeaderSize}, nil
}

// Add appends a record. If several records have one key, lookups find the first.
func (w *Writer) Add(key, value []byte) error {
	next := w.pos + 8 + uint64(len(key)) + uint64(len(value))
	// Each record costs two slots at the end.
	if next+(w.records+1)*2*slotSize > maxSize {
		return ErrTooLarge
	}
	h := hash(key)
	w.entries[h%tables] = append(w.entries[h%tables], entry{h, uint32(w.pos)})
	w.pos = next
	w.records++
	var head [8]byte
	w.out.Write(appendPair(head[:0], uint32(len(key)), uint32(len(value))))
	w.out.Write(key)
	if _, err := w.out.Write(value); err != nil { // bufio keeps the first error
		return fmt.Errorf("cdb: write: %w", err)
	}
	return nil
}

// Close writes the tables and the header. It does not close the file.
func (w *Writer) Close() error {
	header := make([]byte, 0, HeaderSize)
	for _, table := range w.entries {
		slots := 2 * len(table)
		header = appendPair(header, uint32(w.pos), uint32(slots))
		w.out.Write(tableOf(table))
		w.pos += uint64(slots) * slotSize
	}
	if err := w.out.Flush(); err != nil {
		return fmt.Errorf("cdb: write: %w", err)
	}
	if _, err := w.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("cdb: seek: %w", err)
	}
	if _, err := w.file.Write(header); err != nil {
		return fmt.Errorf("cdb: write: %w", err)
	}
	return nil
}

// tableOf puts entries into twice as many slots, by linear probing.
func tableOf(entries []entry) []byte {
	slots := make([]entry, 2*len(entries))
	for _, e := range entries {
		i := int(e.hash>>8) % len(slots)
		for slots[i].pos != 0 {
			i = (i + 1) % len(slots)
		}
		slots[i] = e
	}
	b := make([]byte, 0, len(slots)*slotSize)
	for _, e := range slots {
		b = appendPair(b, e.hash, e.pos)
	}
	return b
}
