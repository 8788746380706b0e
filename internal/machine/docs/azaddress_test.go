// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"

	"aadlogin/internal/emulator"
)

// This file is the part of the stand-in for the Azure CLI that knows the redirect addresses of the
// application.

// azPlatforms returns the lists of redirect addresses by Graph's names of the platforms.
func azPlatforms(r *emulator.Registration) map[string]*[]string {
	return map[string]*[]string{"spa": &r.SPA, "publicClient": &r.PublicClient, "web": &r.Web}
}

// azAddresses is a platform in a PATCH: its complete list. A list that is absent stays as it is.
type azAddresses struct {
	RedirectURIs []string `json:"redirectUris"`
}

// replaceAddresses refuses an address on two platforms (MicrosoftDocs/azure-docs, issue 89929), and
// an address without https, except on loopback.
func replaceAddresses(r *emulator.Registration, after map[string]*azAddresses) error {
	all := map[string]string{}
	for platform, list := range azPlatforms(r) {
		now := *list
		if after[platform] != nil {
			now = after[platform].RedirectURIs
		}
		for _, address := range now {
			if all[address] != "" {
				return errors.New("Redirect URIs must have distinct values.")
			}
			all[address] = platform
			u, err := url.Parse(address)
			if err != nil || u.Fragment != "" ||
				u.Scheme != "https" && u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1" {
				return fmt.Errorf("%q is no redirect address of %s", address, platform)
			}
		}
	}
	for platform, list := range azPlatforms(r) {
		if after[platform] != nil {
			*list = after[platform].RedirectURIs
		}
	}
	return nil
}

// These are the forms of JMESPath for addresses: those of one platform, those of two, and those of
// one with another address added.
var (
	azOfOne   = regexp.MustCompile(`^([A-Za-z]+)\.redirectUris\[\]$`)
	azOfTwo   = regexp.MustCompile(`^\[([A-Za-z]+)\.redirectUris, ([A-Za-z]+)\.redirectUris\]\[\]$`)
	azOneMore = regexp.MustCompile("^\\{([A-Za-z]+): \\{redirectUris: " +
		"\\[([A-Za-z]+)\\.redirectUris \\|\\| `\\[\\]`, `(\\[\"[^\"`]+\"\\])`\\]\\[\\]\\}\\}$")
)

func azAddressQuery(result any, query string) (found any, is bool, err error) {
	all := []any{}
	of := func(platform string) {
		list, no := azQuery(result, platform+".redirectUris")
		addresses, _ := list.([]any)
		all, err = append(all, addresses...), errors.Join(err, no)
	}
	if m := azOfOne.FindStringSubmatch(query); m != nil {
		of(m[1])
		return all, true, err
	}
	if m := azOfTwo.FindStringSubmatch(query); m != nil {
		of(m[1])
		of(m[2])
		return all, true, err
	}
	m := azOneMore.FindStringSubmatch(query)
	if m == nil {
		return nil, false, nil
	}
	var added []any
	if of(m[2]); m[1] != m[2] {
		err = errors.New("one list would replace another")
	}
	err = errors.Join(err, json.Unmarshal([]byte(m[3]), &added))
	return map[string]any{m[1]: map[string]any{"redirectUris": append(all, added...)}}, true, err
}
