// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"context"
	"crypto/rsa"
	"sync"
	"time"

	"aadlogin/internal/foreign"
)

// Keys are the signing keys of one tenant. Several goroutines may use it: one may [Keys.Prepare]
// while the person is still in the browser.
type Keys struct {
	provider Provider
	metadata *Metadata
	location string

	mu      sync.Mutex
	set     keySet
	fetched time.Time
	inVain  time.Time // when this Keys last looked up an id in vain
}

// rest is how long no unknown id is looked up after one was not found.
const rest = time.Minute

// inVain names the cache's record of the last lookup in vain. A fragment is not part of any
// document's URL.
const inVain = "#in-vain"

// Keys returns the keys that m points to. It fetches nothing yet.
func (p Provider) Keys(m *Metadata) *Keys {
	return &Keys{provider: p, metadata: m, location: m.JWKSURI}
}

// Prepare fetches keys that are not in the cache, so that no token waits for the network. It leaves
// those in the cache where they are: they take more memory than the rest of a waiting sign-in's
// documents, and a millisecond to read.
func (k *Keys) Prepare(ctx context.Context) error {
	if k.provider.cache().Has(k.location, maxAge) {
		return nil
	}
	return k.Load(ctx)
}

// Load makes sure that the keys are in memory, from the cache or the network. An error is not
// remembered: the next call tries again.
func (k *Keys) Load(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.load(ctx)
}

// key returns the key with an id. For an unknown id it looks for newer keys, because the authority
// replaces them from time to time.
func (k *Keys) key(ctx context.Context, id string) (*rsa.PublicKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.load(ctx); err != nil {
		return nil, err
	}
	if k.set[id] == nil {
		if err := k.look(ctx, id); err != nil {
			return nil, err
		}
	}
	if key := k.set[id]; key != nil {
		return key, nil
	}
	return nil, invalid("kid", "%q is no key of this tenant", foreign.Clip(id))
}

// look takes the keys that another sign-in has fetched meanwhile, or else the authority's. Anybody
// can invent ids, so after a lookup in vain no sign-in that shares the cache makes another for a
// while.
func (k *Keys) look(ctx context.Context, id string) error {
	if k.reload(); k.set[id] != nil || k.resting() {
		return nil
	}
	if err := k.fetch(ctx); err != nil {
		return err
	}
	if k.set[id] == nil {
		k.inVain = k.provider.now()
		k.provider.cache().Put(k.location+inVain, nil)
	}
	return nil
}

func (k *Keys) resting() bool {
	since := k.inVain
	if _, last, ok := k.provider.cache().Get(k.location+inVain, maxAge); ok && last.After(since) {
		since = last
	}
	return k.provider.now().Sub(since) < rest
}

// load never accepts keys older than a day: a key that was withdrawn because it leaked must stop
// working.
func (k *Keys) load(ctx context.Context) error {
	if age := k.provider.now().Sub(k.fetched); k.set != nil && age < maxAge {
		return nil
	}
	k.set = nil
	if k.reload(); k.set != nil {
		return nil
	}
	return k.fetch(ctx)
}

// reload reads the cache, unless the keys in it are older than those in memory. The cache knows
// their age to the second.
func (k *Keys) reload() {
	body, fetched, ok := k.provider.cache().Get(k.location, maxAge)
	if !ok || k.set != nil && fetched.Unix() < k.fetched.Unix() {
		return
	}
	if set, err := parseKeys(body, k.metadata); err == nil {
		k.set, k.fetched = set, fetched
	}
}

func (k *Keys) fetch(ctx context.Context) error {
	body, err := k.provider.fetch(ctx, keysDocument, k.location)
	if err != nil {
		return err
	}
	set, err := parseKeys(body, k.metadata)
	if err != nil {
		return err
	}
	k.provider.cache().Put(k.location, body)
	k.set, k.fetched = set, k.provider.now()
	return nil
}
