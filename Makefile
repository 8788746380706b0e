# SPDX-FileCopyrightText: The aad-login authors
# SPDX-License-Identifier: Apache-2.0

# README.md documents the targets that a person types. The targets stage-* are for other targets.

VERSION := 0.1.0
DESTDIR :=
PREFIX  := /usr
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
PAMDIR  := /usr/lib/$(MULTIARCH)/security
NSSDIR  := /usr/lib/$(MULTIARCH)
ARCH    := $(shell dpkg --print-architecture 2>/dev/null)
ARCHES  := amd64 arm64
ON_THROWAWAY = $(if $(THROWAWAY_MACHINE),,internal/machine/throwaway)
# The address for questions about the packages, and the page with more about them. Whoever publishes
# the packages sets them (packaging/contact).
export CONTACT  ?=
export HOMEPAGE ?=
# The key that signs: an id, fingerprint or address of a key in the caller's gpg.
export KEY ?=
URL     :=
# The time of everything in a package, so that the same sources give the same bytes.
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

GO      := go
comma   := ,
CFLAGS  := -std=gnu11 -O2 -fPIC -fstack-protector-strong -D_FORTIFY_SOURCE=2 -Wall -Wextra -Werror \
           -Wdeclaration-after-statement
LDFLAGS := -Wl,-z,relro,-z,now,-z,noexecstack
GOFILES := $(shell find cmd internal nss pam packaging/sign-in-page -type f \
           -not -name '*_test.go' -not -path '*/testdata/*' -not -path 'internal/machine/*') \
           go.mod go.sum
B       := build
# For another architecture, packaging/portable sets these: the prefix of its binutils, and an aadctl
# that runs here.
export CROSS :=
AADCTL  := $(B)/aadctl

all: $(B)/pam_aad.so $(B)/libnss_aad.so.2 $(B)/aadctl $(B)/aad-emulator

# pam/threads.c stands between the module and these functions.
THREADS := $(addprefix -Wl$(comma)--wrap=,\
           $(shell sed -n 's/^.THROUGH.*, \(pthread_[a-z_]*\), .*/\1/p' pam/threads.c))

# The PAM module is an archive of Go and C, linked into a shared object that exports only pam_sm_*.
# A program that loads it does not start Go's runtime (pam/wake.c) and touches none of Go's data:
# pam/asleep.ld puts that data on pages of its own, and packaging/asleep takes its relocations away
# from the loader. -init names the only function that runs at load time. packaging/asleep runs on
# this machine, whatever it builds for. HTTP/2 stays out, which internal/azure does not speak: its
# types and tables would be copied into every worker. -nostartfiles leaves out what the compiler
# adds to a library for its start and end. For C it does nothing, but it has the loader search all
# libraries for three symbols that none of them has, and it writes to a page when the process ends.
$(B)/pam_aad.so: $(GOFILES) pam/asleep.ld $(wildcard packaging/asleep/*.go) Makefile \
    packaging/check-modules
	mkdir -p $(B)
	$(GO) build -buildvcs=false -buildmode=c-archive -tags netgo,osusergo,nethttpomithttp2 \
	    -trimpath -ldflags='-s -w' -o $(B)/pam_aad.a ./pam
	$(CC) -shared -o $@.new -Wl,--whole-archive $(B)/pam_aad.a -Wl,--no-whole-archive $(LDFLAGS) \
	    -Wl,-T,pam/asleep.ld -Wl,-z,nodelete -nostartfiles -Wl,-init=aad_note_store \
	    -Wl,--version-script=pam/module.map $(THREADS) -lpam
	GOARCH= CGO_ENABLED=0 $(GO) run -buildvcs=false ./packaging/asleep $@.new
	packaging/check-modules pam $@.new
	$(CROSS)strip --strip-unneeded $@.new
	mv $@.new $@

# The name service is in C. It is one translation unit, and no other library can replace its
# functions: so a lookup becomes one function, which takes a quarter less time. Every program that
# looks up a name maps the library. So it has one segment for code and constants, as the linker
# makes it on arm64 anyway, and no start files (see above).
$(B)/libnss_aad.so.2: INLINE := -O3 -fno-semantic-interposition
$(B)/libnss_aad.so.2: $(wildcard nss/*.[ch]) nss/module.map Makefile packaging/check-modules
	mkdir -p $(B)
	printf '#include "%s"\n' $(notdir $(wildcard nss/*.c)) | \
	    $(CC) $(CFLAGS) $(INLINE) -Inss -shared -o $@.new -x c - \
	    $(LDFLAGS) -Wl,-z,noseparate-code -nostartfiles -Wl,-soname,libnss_aad.so.2 \
	    -Wl,--version-script=nss/module.map
	packaging/check-modules nss $@.new
	$(CROSS)strip --strip-unneeded $@.new
	mv $@.new $@

# msteinert/pam needs RTLD_NEXT. Older headers define it only with GNU's extensions.
$(B)/aadctl: export CGO_CFLAGS := -O2 -fstack-protector-strong -D_GNU_SOURCE
$(B)/aadctl: $(GOFILES) Makefile
	$(GO) build -buildvcs=false -buildmode=pie -trimpath -o $@ \
	    -ldflags='-s -w -X main.version=$(VERSION) -linkmode=external -extldflags "-Wl,-z,relro,-z,now"' ./cmd/aadctl

$(B)/aad-emulator: $(GOFILES)
	CGO_ENABLED=0 $(GO) build -buildvcs=false -trimpath -ldflags='-s -w' -o $@ ./cmd/aad-emulator

install: $(B)/pam_aad.so $(B)/libnss_aad.so.2 $(B)/aadctl
	install -D -m 0644 $(B)/pam_aad.so $(DESTDIR)$(PAMDIR)/pam_aad.so
	install -D -m 0644 $(B)/libnss_aad.so.2 $(DESTDIR)$(NSSDIR)/libnss_aad.so.2
	install -D -m 0755 $(B)/aadctl $(DESTDIR)$(PREFIX)/sbin/aadctl
	install -D -m 0644 packaging/pam-configs/aad-login $(DESTDIR)$(PREFIX)/share/pam-configs/aad-login
	install -D -m 0644 packaging/sshd_config.d/40-aad-login.conf $(DESTDIR)/etc/ssh/sshd_config.d/40-aad-login.conf
	install -D -m 0644 packaging/sshd_config.d/name-spelling $(DESTDIR)$(PREFIX)/share/aad-login/name-spelling
	install -D -m 0440 packaging/sudoers.d/aad_admins $(DESTDIR)/etc/sudoers.d/aad_admins
	for page in $(notdir $(wildcard packaging/man/*)); do \
	    man=$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$$page; \
	    install -D -m 0644 packaging/man/$$page $$man && \
	    sed -i 's/^\.Os .*/& $(VERSION)/' $$man || exit 1; \
	done
	for shell in bash zsh fish; do \
	    $(AADCTL) completion $$shell > $(B)/aadctl.$$shell || exit 1; \
	done
	install -D -m 0644 $(B)/aadctl.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/aadctl
	install -D -m 0644 $(B)/aadctl.zsh $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions/_aadctl
	install -D -m 0644 $(B)/aadctl.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/aadctl.fish
	install -D -m 0644 packaging/tmpfiles.d/aad-login.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/aad-login.conf
	install -D -m 0644 packaging/apparmor/nameservice $(DESTDIR)$(PREFIX)/share/aad-login/apparmor-nameservice
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/aad-login packaging/selinux/*.cil
	install -D -m 0755 -t $(DESTDIR)$(PREFIX)/share/aad-login packaging/selinux/selinux-module
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/lib/systemd/system packaging/systemd/aad-login-labels.service
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system/multi-user.target.wants
	ln -sf ../aad-login-labels.service $(DESTDIR)$(PREFIX)/lib/systemd/system/multi-user.target.wants/
	install -D -m 0644 packaging/systemd/polkit-agent-helper.conf \
	    $(DESTDIR)$(PREFIX)/lib/systemd/system/polkit-agent-helper@.service.d/aad-login.conf
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/lib/systemd/system packaging/systemd/aad-login-metrics.*
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/doc/aad-login/examples packaging/watching/*
	GO=$(GO) packaging/copyright > $(B)/copyright
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/doc/aad-login $(B)/copyright
	test -e $(DESTDIR)/etc/aad-login/config.toml || \
	    install -D -m 0644 packaging/config.toml $(DESTDIR)/etc/aad-login/config.toml

# The packages in build/dist: the .deb for this machine's architecture, or every package for ARCHES.
# packaging/portable builds their content, with the targets stage-*, so that it also runs on older
# distributions.
deb: ARCHES := $(ARCH)
deb packages:
	$(ON_THROWAWAY) internal/machine/make/packages $@ $(VERSION) $(ARCHES)

# Everything that is published, in build/release: packages, sources, the list of their parts, sums,
# and with KEY a signature.
release:
	packaging/release sources "$(VERSION)" "$$KEY"
	$(MAKE) --no-print-directory packages VERSION="$(VERSION)"
	$(ON_THROWAWAY) \
	    sh -c 'internal/machine/install-packages rpm cpio unzip && exec packaging/release describe "$$0"' "$(VERSION)"
	packaging/release sign "$$KEY"

# The repositories that machines install from, in build/repository: they have the packages of
# build/dist and those that they had before.
repository:
	packaging/repository build/dist build/repository "$$KEY" "$(URL)"

stage-deb:
	rm -rf $(B)/deb
	$(MAKE) install DESTDIR=$(B)/deb
	packaging/debian/build $(B)/deb $(ARCH) $(VERSION) build/dist

stage-rpm:
	rm -rf $(B)/rpm
	$(MAKE) install DESTDIR=$(B)/rpm PAMDIR=/usr/lib64/security NSSDIR=/usr/lib64

# The tests of internal/machine/vm that run inside the machine that "make vm" boots.
stage-vm: export CGO_CFLAGS := -O2 -D_GNU_SOURCE
stage-vm:
	$(GO) test -c -buildvcs=false -o $(B)/vm.test ./internal/machine/vm

# A host program with fifty threads, for "make crowd".
$(B)/crowd: pam/testdata/crowd.c
	mkdir -p $(B)
	$(CC) $(CFLAGS) -o $@ $< -lpam -ldl -lpthread

demo test check fuzz hosts clients browsers nameservices cloud-init selinux vm rpm published \
    watching ansible:
	internal/machine/throwaway internal/machine/make/$@

# WORKERS are shared by the releases of Debian.
crowd: WORKERS := 10000
crowd:
	internal/machine/throwaway internal/machine/make/crowd $(WORKERS)

# Prints ratios to the figures of BASE, too (empty: none).
bench: BASE := e6c57e0
bench:
	internal/machine/make/bench $(BASE)

vm-arm64:
	internal/machine/throwaway internal/machine/make/vm arm64

# Losses of power on each file system. SEED repeats the moments of an earlier run, on a new
# recording.
vm-power: CUTS := 500
vm-power: SEED := 0
vm-power:
	internal/machine/throwaway internal/machine/make/vm-power $(CUTS) $(SEED)

# Its lines, in build/matrix, are for docs/support.md. PREVIOUS is the commit of the last release,
# from which each machine is upgraded. Before the first release, it is a state that people may have
# built.
matrix: PREVIOUS := 16cabd15bf4c
matrix:
	internal/machine/throwaway env PREVIOUS=$(PREVIOUS) internal/machine/make/matrix
	internal/machine/releases/support docs/support.md

# Simulates 10,000 machines divided by ONE_IN, with limits that are smaller in the same proportion.
fleet: ONE_IN := 10
fleet:
	internal/machine/throwaway \
	    go test -count=1 -timeout 60m -v -run 'TestFleet$$' ./internal/fleet -args -fleet $(ONE_IN)

# Takes the pictures of README.md again.
pictures:
	internal/machine/throwaway internal/machine/make/pictures
	install -D -m 0644 -t docs/pictures $(B)/pictures/*

# Walks through these targets as a person does who has just cloned the project: all but the longest,
# or TARGETS, as each of USERS.
walk: USERS := root newcomer
walk:
	internal/machine/throwaway env USERS="$(USERS)" internal/machine/make/walk $(TARGETS)

clean:
	rm -rf $(B)
	@echo "Go's caches stay, which other projects use, too: go clean -cache -modcache empties them"

.PHONY: all install deb packages release repository stage-deb stage-rpm stage-vm demo test check \
    bench fleet fuzz matrix hosts clients browsers crowd nameservices cloud-init selinux vm \
    vm-arm64 vm-power rpm published watching ansible pictures walk clean
