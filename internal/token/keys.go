// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"context"
	"crypto/rsa"
	"sync"
	"time"
)

// Keys are the signing keys of one tenant. It is safe for use by several
// goroutines: one may [Keys.Load] while the person is still in the browser.
type Keys struct {
	source   Source
	location string
	issuer   string
	tenant   string

	mu        sync.Mutex
	set       keySet
	fetched   time.Time
	refreshed bool
}

// Keys returns the keys that m points to. Nothing is fetched yet.
func (s Source) Keys(m *Metadata) *Keys {
	return &Keys{source: s, location: m.JWKSURI, issuer: m.Issuer, tenant: m.TenantID}
}

// Load makes sure that keys are at hand, from the cache or the network. An
// error is not remembered: the next need tries again.
func (k *Keys) Load(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.load(ctx)
}

// key returns the key called id. An unknown id is worth one look at the
// network, because the authority rolls its keys over; one for the life of
// this value, because ids are free to invent.
func (k *Keys) key(ctx context.Context, id string) (*rsa.PublicKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.load(ctx); err != nil {
		return nil, err
	}
	if key := k.set[id]; key != nil {
		return key, nil
	}
	if !k.refreshed {
		if err := k.fetch(ctx); err != nil {
			return nil, err
		}
		k.refreshed = true
	}
	if key := k.set[id]; key != nil {
		return key, nil
	}
	return nil, invalid("kid", "%q is no key of this tenant", clip(id))
}

// load never settles for keys older than a day: a key withdrawn because it
// leaked must stop working.
func (k *Keys) load(ctx context.Context) error {
	if age := k.source.now().Sub(k.fetched); k.set != nil && age < maxAge {
		return nil
	}
	if body, fetched, ok := k.source.cached(k.location); ok {
		if set, err := parseKeys(body, k.issuer, k.tenant); err == nil {
			k.set, k.fetched = set, fetched
			return nil
		}
	}
	return k.fetch(ctx)
}

func (k *Keys) fetch(ctx context.Context) error {
	body, err := k.source.fetch(ctx, keysDocument, k.location)
	if err != nil {
		return err
	}
	set, err := parseKeys(body, k.issuer, k.tenant)
	if err != nil {
		return err
	}
	k.source.remember(k.location, body)
	k.set, k.fetched = set, k.source.now()
	return nil
}
