// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package nss is the name service, libnss_aad.so.2: C that only reads.
//
// The library is plain C, built without Go from the .c files of this package, because every process
// that looks up a name loads it: a Go runtime in it would hang forked children and start threads in
// each of these processes. The library keeps no descriptor between calls, takes no lock and uses no
// network. It allocates only where glibc's contract lets it enlarge glibc's own array
// (initgroups.c). It keeps one mapping of the store, so that a successful lookup is no system call.
//
//	entry.c enumerate.c  entry points that glibc calls; errno and statuses
//	passwd.c group.c initgroups.c cursor.c  answers, on any store
//	preauth.c            the answer before the first sign-in
//	name.c id.c          names that are ours, and their ids
//	record.c cdb.c       the bytes, as documented in internal/account
//	store.c              the file
//	shared.c             the file between calls, for all threads at once
//	ours.c local.c aad.h questions of the PAM module
//
// The C is in kernel style, as pam/ is; internal/cstyle_test.go has the rules.
//
// The Go here is for tests and fuzzers, which drive the same C. There, buffers that C writes to are
// C's, allocated and freed within one call.
package nss

/*
#cgo CFLAGS: -std=gnu11 -O2 -Wall -Wextra -Wdeclaration-after-statement -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
#include <stdlib.h>
#include <string.h>
#include "aad.h"
#include "answer.h"
#include "preauth.h"
#include "store.h"
*/
import "C"

import "unsafe"

// result is enum aad_result.
type result int

const (
	ok      = result(C.AAD_OK)
	absent  = result(C.AAD_ABSENT)
	damaged = result(C.AAD_DAMAGED)
	small   = result(C.AAD_SMALL)
)

// resultOf returns AAD_ABSENT for AAD_FOREIGN, too: glibc gets one status for both.
func resultOf(r C.enum_aad_result) result {
	if r == C.AAD_FOREIGN {
		return absent
	}
	return result(r)
}

// store is a struct aad_store on bytes outside of Go's memory.
type store struct{ c *C.struct_aad_store }

// openStore returns false for bytes that are no store. Close frees the struct.
func openStore(data unsafe.Pointer, size int) (store, bool) {
	s := store{(*C.struct_aad_store)(C.malloc(C.sizeof_struct_aad_store))}
	if C.aad_store_init(data, C.size_t(size), s.c) != 0 {
		s.Close()
		return store{}, false
	}
	return s, true
}

func (s store) Close() { C.free(unsafe.Pointer(s.c)) }

// passwd is a struct passwd, its strings copied.
type passwd struct {
	name, password, gecos, home, shell string
	uid, gid                           uint32
}

type (
	passwdLookup func(*C.struct_passwd, *C.char, C.size_t) C.enum_aad_result
	groupLookup  func(*C.struct_group, *C.char, C.size_t) C.enum_aad_result
)

// filled runs a lookup with a buffer of size bytes.
func filled(size int, lookup passwdLookup) (p passwd, r result) {
	var pwd C.struct_passwd
	buf := (*C.char)(C.malloc(C.size_t(size)))
	defer C.free(unsafe.Pointer(buf))
	if r = resultOf(lookup(&pwd, buf, C.size_t(size))); r == ok {
		p = passwd{
			C.GoString(pwd.pw_name), C.GoString(pwd.pw_passwd),
			C.GoString(pwd.pw_gecos), C.GoString(pwd.pw_dir), C.GoString(pwd.pw_shell),
			uint32(pwd.pw_uid), uint32(pwd.pw_gid),
		}
	}
	return p, r
}

func (s store) passwdByName(name string, size int) (passwd, result) {
	n := C.CString(name)
	defer C.free(unsafe.Pointer(n))
	return filled(size, func(p *C.struct_passwd, buf *C.char, len C.size_t) C.enum_aad_result {
		return C.aad_passwd_by_name(s.c, n, p, buf, len)
	})
}

func (s store) passwdByUID(uid uint32, size int) (passwd, result) {
	return filled(size, func(p *C.struct_passwd, buf *C.char, len C.size_t) C.enum_aad_result {
		return C.aad_passwd_by_uid(s.c, C.uid_t(uid), p, buf, len)
	})
}

// had returns damaged if C cannot tell.
func (s store) had(name string, uid uint32) result {
	n := C.CString(name)
	defer C.free(unsafe.Pointer(n))
	return resultOf(C.aad_had(s.c, n, C.uint32_t(uid)))
}

// localLine reports whether a file in the format of passwd(5) has this name and uid.
func localLine(path, name string, uid uint32) bool {
	p, n := C.CString(path), C.CString(name)
	defer C.free(unsafe.Pointer(p))
	defer C.free(unsafe.Pointer(n))
	return C.aad_has_local_line(p, n, C.uint32_t(uid)) != 0
}

// all enumerates the accounts. If anew is set, it resumes before each one as if the file had been
// replaced.
func (s store) all(anew bool) (list []passwd) {
	var c C.struct_aad_cursor
	next := func(p *C.struct_passwd, buf *C.char, len C.size_t) C.enum_aad_result {
		e := (*C.struct_aad_entry)(C.malloc(C.sizeof_struct_aad_entry))
		defer C.free(unsafe.Pointer(e))
		if r := C.aad_next_entry(s.c, &c, e); r != C.AAD_OK {
			return r
		}
		return C.aad_passwd_fill(e, p, buf, len)
	}
	for {
		if anew {
			C.aad_resume(s.c, &c)
		}
		p, r := filled(1<<16, next)
		if r != ok {
			return list
		}
		list = append(list, p)
	}
}

// group is a struct group, its strings copied.
type group struct {
	name, password string
	gid            uint32
	members        []string
}

// filledGroup runs a lookup with a buffer of size bytes, which begins off bytes after an aligned
// address.
func filledGroup(size, off int, lookup groupLookup) (g group, r result) {
	var grp C.struct_group
	whole := C.malloc(C.size_t(size + off))
	defer C.free(whole)
	if r = resultOf(lookup(&grp, (*C.char)(unsafe.Add(whole, off)), C.size_t(size))); r == ok {
		g.name, g.password = C.GoString(grp.gr_name), C.GoString(grp.gr_passwd)
		g.gid = uint32(grp.gr_gid)
		for m := grp.gr_mem; *m != nil; {
			g.members = append(g.members, C.GoString(*m))
			m = (**C.char)(unsafe.Add(unsafe.Pointer(m), C.sizeof_uintptr_t))
		}
	}
	return g, r
}

func (s store) groupByName(name string, size, off int) (group, result) {
	n := C.CString(name)
	defer C.free(unsafe.Pointer(n))
	lookup := func(g *C.struct_group, buf *C.char, len C.size_t) C.enum_aad_result {
		return C.aad_group_by_name(s.c, n, g, buf, len)
	}
	return filledGroup(size, off, lookup)
}

func (s store) groupByGID(gid uint32, size int) (group, result) {
	lookup := func(g *C.struct_group, buf *C.char, len C.size_t) C.enum_aad_result {
		return C.aad_group_by_gid(s.c, C.gid_t(gid), g, buf, len)
	}
	return filledGroup(size, 0, lookup)
}

// initgroups runs a lookup with an array of the given size, which has the groups of other services.
func (s store) initgroups(
	user string, primary uint32, have []uint32, size, limit int,
) ([]uint32, result) {
	n := C.CString(user)
	defer C.free(unsafe.Pointer(n))
	list := (*C.struct_aad_gid_list)(C.malloc(C.sizeof_struct_aad_gid_list))
	defer C.free(unsafe.Pointer(list))
	long := (*[2]C.long)(C.malloc(2 * C.sizeof_long))
	defer C.free(unsafe.Pointer(long))
	groups := (**C.gid_t)(C.malloc(C.sizeof_uintptr_t))
	defer C.free(unsafe.Pointer(groups))
	*groups = (*C.gid_t)(C.malloc(C.size_t(size) * C.sizeof_gid_t))
	defer func() { C.free(unsafe.Pointer(*groups)) }()
	long[0], long[1] = C.long(len(have)), C.long(size)
	for i, g := range have {
		unsafe.Slice(*groups, size)[i] = C.gid_t(g)
	}
	*list = C.struct_aad_gid_list{
		skip:   C.gid_t(primary),
		start:  &long[0],
		size:   &long[1],
		groups: groups,
		limit:  C.long(limit),
	}
	r := resultOf(C.aad_initgroups(s.c, n, list))
	var got []uint32
	for _, g := range unsafe.Slice(*groups, long[0]) {
		got = append(got, uint32(g))
	}
	return got, r
}

// name parses a name. account is "" for a name that is not ours.
func (s store) name(typed string) (account, upn string, exact bool) {
	t := C.CString(typed)
	defer C.free(unsafe.Pointer(t))
	var n C.struct_aad_name
	if C.aad_name_parse(&s.c.rules, t, &n) != 0 {
		return "", "", false
	}
	upn = C.GoStringN(&n.upn[0], C.int(n.upn_len))
	return upn[:n.account_len], upn, C.aad_name_is(&n, t) != 0
}

// id computes the id of attempt k for a UPN, in any range.
func id(tenant, upn string, k int, low, high uint32) uint32 {
	r := (*C.struct_aad_rules)(C.calloc(1, C.sizeof_struct_aad_rules))
	defer C.free(unsafe.Pointer(r))
	n := (*C.struct_aad_name)(C.calloc(1, C.sizeof_struct_aad_name))
	defer C.free(unsafe.Pointer(n))
	r.tenant, r.low, r.high = C.CString(tenant), C.uint32_t(low), C.uint32_t(high)
	defer C.free(unsafe.Pointer(r.tenant))
	u := C.CString(upn)
	defer C.free(unsafe.Pointer(u))
	C.memcpy(unsafe.Pointer(&n.upn[0]), unsafe.Pointer(u), C.size_t(len(upn)))
	n.upn_len = C.uint32_t(len(upn))
	return uint32(C.aad_id(r, n, C.uint(k)))
}

// section returns the content of a section of the rules.
func (s store) section(tag uint16) ([]byte, bool) {
	content := (*C.struct_aad_bytes)(C.malloc(C.sizeof_struct_aad_bytes))
	defer C.free(unsafe.Pointer(content))
	if C.aad_rules_section(&s.c.rules, C.uint16_t(tag), content) != 0 {
		return nil, false
	}
	return C.GoBytes(unsafe.Pointer(content.at), C.int(content.len)), true
}

// lists reports whether the store lists a PAM service, and whether it has such a list.
func (s store) lists(service string) (listed, there bool) {
	n := C.CString(service)
	defer C.free(unsafe.Pointer(n))
	r := C.aad_rules_service(&s.c.rules, n)
	return r == C.AAD_OK, r == C.AAD_OK || r == C.AAD_ABSENT
}

// get looks up a key of at least one byte in any database. It returns nil if there is no such
// record.
func get(data unsafe.Pointer, size int, key []byte) ([]byte, result) {
	db := (*C.struct_aad_cdb)(C.malloc(C.sizeof_struct_aad_cdb))
	defer C.free(unsafe.Pointer(db))
	k := (*C.struct_aad_key)(C.malloc(C.sizeof_struct_aad_key))
	defer C.free(unsafe.Pointer(k))
	value := (*C.struct_aad_bytes)(C.malloc(C.sizeof_struct_aad_bytes))
	defer C.free(unsafe.Pointer(value))
	if C.aad_cdb_init(data, C.size_t(size), db) != 0 {
		return nil, damaged
	}
	rest := C.CBytes(key[1:])
	defer C.free(rest)
	*k = C.aad_key_of(C.char(key[0]), (*C.char)(rest), C.uint32_t(len(key)-1))
	r := resultOf(C.aad_cdb_get(db, k, value))
	if r != ok {
		return nil, r
	}
	return C.GoBytes(unsafe.Pointer(value.at), C.int(value.len)), ok
}
