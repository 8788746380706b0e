// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package power

import (
	"slices"
	"sync"
)

const (
	blockSize  = 4096 // the unit in which a disk is kept here
	sectorSize = 512  // the unit in which a device writes: what is torn is torn between two
)

type block = [blockSize]byte

// A disk is the content of a device, in memory. Blocks are never changed, only replaced, so that
// disks share them.
type disk struct {
	mu     sync.Mutex
	blocks []*block // nil is a block of zeros
	log    *log     // what is written goes there, too; nil: nowhere
}

func newDisk(size int64) *disk { return &disk{blocks: make([]*block, size/blockSize)} }

func (d *disk) size() int64 { return int64(len(d.blocks)) * blockSize }

// clone returns a disk with the same content, which nobody records.
func (d *disk) clone() *disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	return &disk{blocks: slices.Clone(d.blocks)}
}

func (d *disk) read(to []byte, at int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(to) > 0 {
		within := at % blockSize
		n := min(int64(len(to)), blockSize-within)
		if b := d.blocks[at/blockSize]; b != nil {
			copy(to[:n], b[within:])
		} else {
			clear(to[:n])
		}
		to, at = to[n:], at+n
	}
}

// write keeps data, which must not be changed afterwards.
func (d *disk) write(data []byte, at int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.log != nil {
		d.log.add(event{kind: written, at: at, data: data})
	}
	for len(data) > 0 {
		i, within := at/blockSize, at%blockSize
		n := min(int64(len(data)), blockSize-within)
		if n == blockSize {
			d.blocks[i] = (*block)(data)
		} else {
			b := new(block)
			if d.blocks[i] != nil {
				*b = *d.blocks[i]
			}
			copy(b[within:], data[:n])
			d.blocks[i] = b
		}
		data, at = data[n:], at+n
	}
}

// flush is the device's promise that all it has confirmed survives the loss of power.
func (d *disk) flush() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.log != nil {
		d.log.add(event{kind: flushed})
	}
}
