// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package token

import "testing"

func TestNameIsVerified(t *testing.T) {
	const alice = "alice@contoso.example"
	for _, test := range []struct {
		name, idp string
		want      bool
	}{
		{alice, "", true},
		{alice, "https://sts.windows.net/11111111-2222-3333-4444-555555555555/", true},
		{alice, "https://sts.windows.net/11111111-2222-3333-4444-555555555555", true},
		{alice, "https://sts.chinacloudapi.cn/11111111-2222-3333-4444-555555555555/", true},
		{alice, "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0", true},
		{alice, "https://sts.windows.net/9188040d-6c67-4c5b-b112-36a304b66dad/", false},
		{alice, "https://sts.windows.net/9188040D-6C67-4C5B-B112-36A304B66DAD/", false},
		{alice, "http://sts.windows.net/11111111-2222-3333-4444-555555555555/", false},
		{alice, "https://sts.windows.net/", false},
		{alice, "https://adfs.contoso.example/adfs/services/trust", false},
		{alice, "live.com", false},
		{alice, "google.com", false},
		{alice, "mail", false},
		{alice, "%", false},
		{"alice_outlook.com#EXT#@contoso.example", "live.com", true},
		{"alice#ext#@contoso.example", "live.com", true},
		{"alice#EXT#.example@contoso.example", "live.com", false},
	} {
		c := Claims{PreferredUsername: test.name, IdentityProvider: test.idp}
		if got := c.NameIsVerified(); got != test.want {
			t.Errorf("%s of %q: %v", test.name, test.idp, got)
		}
	}
}
