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

// Keys are the signing keys of one tenant. It is safe for use by several
// goroutines: one may [Keys.Load] while the person is still in the browser.
type Keys struct {
	provider Provider
	metadata *Metadata
	location string

	mu      sync.Mutex
	set     keySet
	fetched time.Time
	inVain  time.Time // when this value last looked for an id that nobody has
}

// rest is how long unknown ids are not looked for after one was not found.
const rest = time.Minute

// inVain names the cache's record of the last such look: a fragment is not part
// of any document's URL.
const inVain = "#in-vain"

// Keys returns the keys that m points to. Nothing is fetched yet.
func (p Provider) Keys(m *Metadata) *Keys {
	return &Keys{provider: p, metadata: m, location: m.JWKSURI}
}

// Load makes sure that keys are at hand, from the cache or the network. An
// error is not remembered: the next need tries again.
func (k *Keys) Load(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.load(ctx)
}

// key returns the key called id. An unknown id is worth a look for newer keys,
// because the authority rolls them over.
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

// look takes the keys that another sign-in has fetched meanwhile, or else the
// authority's. Ids are free to invent, so a look in vain is the last for a
// while, of all sign-ins that share the cache.
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

// load never settles for keys older than a day: a key withdrawn because it
// leaked must stop working.
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

// reload reads the cache, unless it holds older keys than those at hand. It
// knows their age to the second.
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
