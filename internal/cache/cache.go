// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package cache keeps documents from the network for a while, in a directory that sign-ins share.
// Each sign-in is a process of its own.
//
// Whatever is wrong with the cache, the answer is "not cached", and the network is asked. So all of
// it may be deleted at any time.
package cache

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// maxEntry bounds a file; the largest honest document has 20 KiB.
const maxEntry = 2 << 20

// Dir is a cache. The zero value keeps nothing.
type Dir struct {
	Path string // made if missing, 0700
	Now  func() time.Time
}

// entry is a cached document. The key is inside, so that a file renamed by hand is not taken for
// another tenant's.
type entry struct {
	Key     string `json:"key"`
	Fetched int64  `json:"fetched"` // seconds since 1970
	Body    string `json:"body"`
}

// Get returns a document that is younger than maxAge, and when it was put.
func (d Dir) Get(key string, maxAge time.Duration) (body []byte, fetched time.Time, ok bool) {
	if d.Path == "" || !private(os.Lstat(d.Path)) {
		return nil, time.Time{}, false
	}
	text, err := readPrivate(d.file(key))
	if err != nil {
		return nil, time.Time{}, false
	}
	var e entry
	if json.Unmarshal(text, &e) != nil || e.Key != key {
		return nil, time.Time{}, false
	}
	fetched = time.Unix(e.Fetched, 0)
	if !d.young(fetched, maxAge) {
		return nil, time.Time{}, false
	}
	return []byte(e.Body), fetched, true
}

// Has reports whether there seems to be a document that is younger than maxAge. It does not read
// it.
func (d Dir) Has(key string, maxAge time.Duration) bool {
	if d.Path == "" {
		return false
	}
	if !private(os.Lstat(d.Path)) {
		return false
	}
	info, err := os.Lstat(d.file(key))
	if !private(info, err) || !info.Mode().IsRegular() || info.Size() == 0 {
		return false
	}
	return d.young(info.ModTime(), maxAge)
}

// young returns false for a date in the future, too: the clock was stepped back, and the age is
// unknown.
func (d Dir) young(date time.Time, maxAge time.Duration) bool {
	age := d.now().Sub(date)
	return age >= -time.Second && age < maxAge
}

// Put keeps a document that has been validated. A failure only costs a round trip next time, so it
// is not reported.
func (d Dir) Put(key string, body []byte) {
	if d.Path == "" || !makePrivate(d.Path) {
		return
	}
	text, err := json.Marshal(entry{key, d.now().Unix(), string(body)})
	if err != nil {
		return
	}
	_ = replaceFile(d.file(key), text)
}

func (d Dir) now() time.Time {
	if d.Now == nil {
		return time.Now()
	}
	return d.Now()
}

func (d Dir) file(key string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(d.Path, hex.EncodeToString(sum[:16])+".json")
}

// private reports whether only the effective user, which for a sign-in is root, may read and write.
// Anybody else who could write here could name the keys that vouch for a token.
func private(info fs.FileInfo, err error) bool {
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// makePrivate creates dir if it is missing. It sets the mode again, because a host's umask may be
// anything.
func makePrivate(dir string) bool {
	if os.Mkdir(dir, 0o700) == nil && os.Chmod(dir, 0o700) != nil {
		return false
	}
	info, err := os.Lstat(dir)
	return private(info, err) && info.IsDir()
}

// readPrivate does not follow a symbolic link, and does not wait for the other end of a FIFO.
func readPrivate(file string) ([]byte, error) {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if !private(info, err) || !info.Mode().IsRegular() {
		return nil, fs.ErrPermission
	}
	text := bytes.NewBuffer(make([]byte, 0, min(info.Size(), maxEntry)+bytes.MinRead))
	_, err = text.ReadFrom(io.LimitReader(f, maxEntry))
	return text.Bytes(), err
}

// replaceFile lets a reader see the old content or the new one. There is no fsync: an empty file
// after a power cut reads as not cached. A writer that is killed leaves a file, which the next
// process with its number overwrites, so that strangers who hang up do not fill the disk.
func replaceFile(file string, text []byte) error {
	temporary := fmt.Sprintf("%s.%d", file, os.Getpid())
	f, err := os.OpenFile(temporary,
		os.O_WRONLY|os.O_CREATE|os.O_TRUNC|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(temporary) // fails once the rename has been done
	_, err = f.Write(text)
	if e := f.Chmod(0o600); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(temporary, file)
}
