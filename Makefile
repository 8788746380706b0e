# SPDX-FileCopyrightText: The aad-login authors
# SPDX-License-Identifier: Apache-2.0

# The targets a person types are documented in README.md: all, demo, test, check, bench, fleet, fuzz, matrix, hosts, clients, browsers, crowd,
# nameservices, cloud-init, selinux, vm, vm-arm64, vm-power, rpm, published, watching, ansible, install, deb, packages, release, repository, pictures, walk, clean.

VERSION := 0.1.0
DESTDIR :=
PREFIX  := /usr
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
PAMDIR  := /usr/lib/$(MULTIARCH)/security
NSSDIR  := /usr/lib/$(MULTIARCH)
ARCH    := $(shell dpkg --print-architecture 2>/dev/null)
ARCHES  := amd64 arm64
ON_THROWAWAY = $(if $(THROWAWAY_MACHINE),,internal/machine/throwaway)
# Whom people write to about the packages, and where they read more: for whoever publishes them (packaging/contact).
export CONTACT  ?=
export HOMEPAGE ?=
# What signs: an id, fingerprint or address of a key in the gpg of who types this.
export KEY ?=
URL     :=
# The time of all that is in a package: of the same sources, the same bytes.
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

GO      := go
comma   := ,
CFLAGS  := -std=gnu11 -O2 -fPIC -fstack-protector-strong -D_FORTIFY_SOURCE=2 -Wall -Wextra -Werror \
           -Wdeclaration-after-statement
LDFLAGS := -Wl,-z,relro,-z,now,-z,noexecstack
GOFILES := $(shell find cmd internal nss pam packaging/sign-in-page -type f -not -name '*_test.go' -not -path '*/testdata/*' -not -path 'internal/machine/*') go.mod go.sum
B       := build
# For another architecture, as packaging/portable has it: the prefix of its binutils, and an aadctl that runs here.
export CROSS :=
AADCTL  := $(B)/aadctl

all: $(B)/pam_aad.so $(B)/libnss_aad.so.2 $(B)/aadctl $(B)/aad-emulator

# pam/threads.c stands between the module and these functions.
THREADS := $(addprefix -Wl$(comma)--wrap=,$(shell sed -n 's/^.THROUGH.*, \(pthread_[a-z_]*\), .*/\1/p' pam/threads.c))

# The PAM module: an archive of Go and C, linked into a shared object that exports pam_sm_* only. Loading it starts nothing of Go's
# (pam/wake.c) and touches nothing of it: pam/asleep.ld puts Go's data on pages of its own, packaging/asleep takes its relocations away
# from the loader. -init names the one function that does run at load time. packaging/asleep runs here, whatever it builds for.
$(B)/pam_aad.so: $(GOFILES) pam/asleep.ld $(wildcard packaging/asleep/*.go) Makefile packaging/check-modules
	mkdir -p $(B)
	$(GO) build -buildvcs=false -buildmode=c-archive -tags netgo,osusergo -trimpath -ldflags='-s -w' -o $(B)/pam_aad.a ./pam
	$(CC) -shared -o $@.new -Wl,--whole-archive $(B)/pam_aad.a -Wl,--no-whole-archive $(LDFLAGS) -Wl,-T,pam/asleep.ld \
	    -Wl,-z,nodelete -Wl,-init=aad_note_store -Wl,--version-script=pam/module.map $(THREADS) -lpam
	GOARCH= CGO_ENABLED=0 $(GO) run -buildvcs=false ./packaging/asleep $@.new
	packaging/check-modules pam $@.new
	$(CROSS)strip --strip-unneeded $@.new
	mv $@.new $@

# The name service, in C. One translation unit, of which nothing can be interposed: a lookup becomes one function, which saves
# it a quarter of its time.
$(B)/libnss_aad.so.2: INLINE := -O3 -fno-semantic-interposition
$(B)/libnss_aad.so.2: $(wildcard nss/*.[ch]) nss/module.map Makefile packaging/check-modules
	mkdir -p $(B)
	printf '#include "%s"\n' $(notdir $(wildcard nss/*.c)) | $(CC) $(CFLAGS) $(INLINE) -Inss -shared -o $@.new -x c - \
	    $(LDFLAGS) -Wl,-soname,libnss_aad.so.2 -Wl,--version-script=nss/module.map
	packaging/check-modules nss $@.new
	$(CROSS)strip --strip-unneeded $@.new
	mv $@.new $@

# msteinert/pam looks for RTLD_NEXT, which older headers show to those who ask for GNU's extensions only.
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
	    install -D -m 0644 packaging/man/$$page $$man && sed -i 's/^\.Os .*/& $(VERSION)/' $$man || exit 1; \
	done
	for shell in bash zsh fish; do $(AADCTL) completion $$shell > $(B)/aadctl.$$shell || exit 1; done
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

# The packages, into build/dist: the .deb of this machine's architecture, or all there are for ARCHES. What is in them is built by
# packaging/portable, as the next two targets, to run on older distributions too.
deb: ARCHES := $(ARCH)
deb packages:
	$(ON_THROWAWAY) \
	    env SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) CONTACT="$$CONTACT" HOMEPAGE="$$HOMEPAGE" \
	    internal/machine/make/packages $@ $(VERSION) $(ARCHES)

# What is published, into build/release: packages, sources, what they are made of, sums, and with KEY a signature.
release:
	packaging/release sources "$(VERSION)" "$$KEY"
	$(MAKE) --no-print-directory packages VERSION="$(VERSION)"
	$(ON_THROWAWAY) env SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) CONTACT="$$CONTACT" \
	    sh -c 'internal/machine/install-packages rpm cpio unzip && exec packaging/release describe "$$0"' "$(VERSION)"
	packaging/release sign "$$KEY"

# What machines install from, in build/repository, of the packages in build/dist and those that are there already.
repository:
	packaging/repository build/dist build/repository "$$KEY" "$(URL)"

stage-deb:
	rm -rf $(B)/deb
	$(MAKE) install DESTDIR=$(B)/deb
	packaging/debian/build $(B)/deb $(ARCH) $(VERSION) build/dist

stage-rpm:
	rm -rf $(B)/rpm
	$(MAKE) install DESTDIR=$(B)/rpm PAMDIR=/usr/lib64/security NSSDIR=/usr/lib64

# The tests of internal/machine/vm that run inside of what "make vm" boots.
stage-vm: export CGO_CFLAGS := -O2 -D_GNU_SOURCE
stage-vm:
	$(GO) test -c -buildvcs=false -o $(B)/vm.test ./internal/machine/vm

# A host of fifty threads, for make crowd.
$(B)/crowd: pam/testdata/crowd.c
	mkdir -p $(B)
	$(CC) $(CFLAGS) -o $@ $< -lpam -ldl -lpthread

demo test check fuzz hosts clients browsers crowd nameservices cloud-init selinux vm rpm published watching ansible:
	internal/machine/throwaway internal/machine/make/$@

# Also as ratios to the figures of BASE (empty: of none).
bench: BASE := e6c57e0
bench:
	internal/machine/make/bench $(BASE)

vm-arm64:
	internal/machine/throwaway internal/machine/make/vm arm64

# Losses of power on each file system; SEED has the moments of an earlier run, of another recording.
vm-power: CUTS := 500
vm-power: SEED := 0
vm-power:
	internal/machine/throwaway internal/machine/make/vm-power $(CUTS) $(SEED)

# What it has met goes into the page. PREVIOUS is the commit of the last release, from which each machine is upgraded; before the first,
# of a state that people may have built.
matrix: PREVIOUS := 16cabd15bf4c
matrix:
	internal/machine/throwaway env PREVIOUS=$(PREVIOUS) internal/machine/make/matrix
	internal/machine/releases/support docs/support.md

# One in so many of 10,000 machines, against limits as much smaller.
fleet: ONE_IN := 10
fleet:
	$(GO) test -count=1 -timeout 60m -v -run 'TestFleet$$' ./internal/fleet -args -fleet $(ONE_IN)

# What README.md shows, taken anew.
pictures:
	internal/machine/throwaway internal/machine/make/pictures
	install -D -m 0644 -t docs/pictures $(B)/pictures/*

# Each of these, as somebody meets it who has just cloned the project: all but the longest, or TARGETS, as each of USERS.
walk: USERS := root newcomer
walk:
	internal/machine/throwaway env USERS="$(USERS)" internal/machine/make/walk $(TARGETS)

clean:
	rm -rf $(B)
	@echo "Go's caches stay, which other projects use, too: go clean -cache -modcache empties them"

.PHONY: all install deb packages release repository stage-deb stage-rpm stage-vm demo test check bench fleet fuzz matrix hosts clients browsers crowd nameservices cloud-init selinux vm vm-arm64 vm-power rpm published watching ansible pictures walk clean
