// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package power

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// A shelf is a directory with the disks as files, by FUSE (linux/fuse.h): the kernel's loop devices
// make block devices of them, and so every write, and every flush as fsync, comes by here.
type shelf struct {
	fd  int
	dir string

	mu    sync.Mutex
	disks map[uint64]*disk // by node
	last  uint64
}

const (
	rootNode = 1
	maxWrite = 1 << 20
)

// Of fuse_opcode; what is not here is answered with ENOSYS.
const (
	opLookup      = 1
	opForget      = 2
	opGetattr     = 3
	opOpen        = 14
	opRead        = 15
	opWrite       = 16
	opRelease     = 18
	opFsync       = 20
	opFlush       = 25
	opInit        = 26
	opBatchForget = 42
)

type (
	inHeader struct {
		Len, Opcode  uint32
		Unique, Node uint64
		_            [16]byte
	}
	outHeader struct {
		Len    uint32
		Error  int32
		Unique uint64
	}
	initIn  struct{ Major, Minor, Readahead, Flags uint32 }
	initOut struct {
		Major, Minor, Readahead, Flags uint32
		Background, Congestion         uint16
		MaxWrite, Granularity          uint32
		MaxPages, _                    uint16
		_                              [32]byte
	}
	attr struct {
		Inode, Size, Blocks uint64
		_                   [36]byte // times
		Mode, Links         uint32
		_                   [12]byte // owner, device
		BlockSize, _        uint32
	}
	entryOut struct {
		Node uint64
		_    [32]byte // valid for no time
		Attr attr
	}
	attrOut struct {
		_    [16]byte
		Attr attr
	}
	openOut struct {
		Handle   uint64
		Flags, _ uint32
	}
	transfer struct { // of fuse_read_in and fuse_write_in
		_    uint64
		At   uint64
		Size uint32
		_    [20]byte
	}
	writeOut struct{ Size, _ uint32 }
)

var native = binary.NativeEndian

func newShelf(t *testing.T) *shelf {
	t.Helper()
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("/dev/fuse: %v", err)
	}
	s := &shelf{fd: fd, dir: t.TempDir(), disks: map[uint64]*disk{}, last: rootNode}
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", fd)
	if err := unix.Mount("power", s.dir, "fuse", unix.MS_NOSUID|unix.MS_NODEV,
		options); err != nil {
		t.Fatalf("mount a file system of our own (FUSE): %v", err)
	}
	var servers sync.WaitGroup
	for range 4 {
		servers.Go(s.serve)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(s.dir, 0); err != nil {
			t.Errorf("unmount %s: %v", s.dir, err)
			unix.Unmount(s.dir, unix.MNT_DETACH)
			return
		}
		servers.Wait()
		unix.Close(fd)
	})
	return s
}

// put makes a file of a disk.
func (s *shelf) put(d *disk) (path string, node uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	s.disks[s.last] = d
	return filepath.Join(s.dir, strconv.FormatUint(s.last, 10)), s.last
}

func (s *shelf) take(node uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.disks, node)
}

func (s *shelf) disk(node uint64) *disk {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.disks[node]
}

// serve answers until the directory is unmounted. A write is in the log before the kernel hears
// that it is done, so a flush that comes after it is behind it there.
func (s *shelf) serve() {
	buffer := make([]byte, maxWrite+blockSize)
	for {
		n, err := unix.Read(s.fd, buffer)
		switch {
		case err == unix.EINTR, err == unix.EAGAIN, err == unix.ENOENT: // ENOENT: taken back
			continue
		case err != nil: // ENODEV: unmounted
			return
		}
		var head inHeader
		size, _ := binary.Decode(buffer[:n], native, &head)
		if head.Opcode == opForget || head.Opcode == opBatchForget {
			continue
		}
		answer, err := s.answer(head, buffer[size:n])
		s.reply(head.Unique, answer, err)
	}
}

func (s *shelf) reply(unique uint64, answer any, err error) {
	var out bytes.Buffer
	head := outHeader{Unique: unique}
	var errno unix.Errno
	if errors.As(err, &errno) {
		head.Error = -int32(errno)
		answer = nil
	}
	size := binary.Size(head)
	if answer != nil {
		size += binary.Size(answer)
	}
	head.Len = uint32(size)
	_ = binary.Write(&out, native, head)
	if answer != nil {
		_ = binary.Write(&out, native, answer)
	}
	_, _ = unix.Write(s.fd, out.Bytes()) // ENOENT: who asked is gone
}

func (s *shelf) answer(head inHeader, body []byte) (any, error) {
	if head.Opcode == opInit {
		return agree(body), nil
	}
	if head.Opcode == opLookup {
		node, _ := strconv.ParseUint(string(bytes.TrimRight(body, "\x00")), 10, 64)
		d := s.disk(node)
		if d == nil {
			return nil, unix.ENOENT
		}
		return entryOut{Node: node, Attr: attributes(node, d)}, nil
	}
	d := s.disk(head.Node)
	switch {
	case head.Opcode == opGetattr && head.Node == rootNode:
		return attrOut{Attr: attr{Inode: rootNode, Mode: unix.S_IFDIR | 0o700, Links: 2}}, nil
	case head.Opcode == opRelease, head.Opcode == opFlush:
		return nil, nil
	case d == nil:
		return nil, unix.ENOSYS
	}
	return d.answer(head, body)
}

// agree is about the protocol: writes of up to 1 MiB.
func agree(body []byte) initOut {
	const bigWrites, maxPages = 1 << 5, 1 << 22
	var in initIn
	_, _ = binary.Decode(body, native, &in)
	return initOut{Major: 7, Minor: 31, Readahead: in.Readahead,
		Flags:      in.Flags & (bigWrites | maxPages),
		Background: 64, Congestion: 48, MaxWrite: maxWrite, Granularity: 1,
		MaxPages: maxWrite / blockSize}
}

func attributes(node uint64, d *disk) attr {
	return attr{Inode: node, Size: uint64(d.size()), Blocks: uint64(d.size() / 512),
		Mode: unix.S_IFREG | 0o600, Links: 1, BlockSize: blockSize}
}

func (d *disk) answer(head inHeader, body []byte) (any, error) {
	var asked transfer
	switch head.Opcode {
	case opGetattr:
		return attrOut{Attr: attributes(head.Node, d)}, nil
	case opOpen:
		const directIO = 1 << 0
		return openOut{Flags: directIO}, nil
	case opRead:
		_, _ = binary.Decode(body, native, &asked)
		data := make([]byte, max(0, min(int64(asked.Size), d.size()-int64(asked.At))))
		d.read(data, int64(asked.At))
		return data, nil
	case opWrite:
		size, _ := binary.Decode(body, native, &asked)
		data := bytes.Clone(body[size : size+int(asked.Size)])
		if int64(asked.At)+int64(len(data)) > d.size() {
			return nil, unix.ENOSPC
		}
		d.write(data, int64(asked.At))
		return writeOut{Size: asked.Size}, nil
	case opFsync:
		d.flush()
		return nil, nil
	}
	return nil, unix.ENOSYS
}
