// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import "testing"

// Every mistake in a redemption has its own number. Only the two mistakes that say so use up the
// code.
func TestRedeemErrors(t *testing.T) {
	const webPage = "https://signin.contoso.example/web"
	for _, test := range []struct {
		name, page, origin string
		more               []string
		status             int
		error              string
		aadsts             float64
	}{
		{"SPA without a browser", spaPage, "", nil, 400, "invalid_request", 9002327},
		{"public client in a browser", publicPage, origin, nil, 400, "invalid_request", 9002326},
		{"public client with a secret", publicPage, "", []string{"client_secret", "x"}, 401,
			"invalid_client", 700025},
		{"Web without a secret", webPage, "", nil, 401, "invalid_client", 7000218},
		{"Web with a wrong one", webPage, "", []string{"client_secret", "x"}, 401,
			"invalid_client", 7000215},
		{"another verifier", spaPage, origin, []string{"code_verifier", challenge},
			400, "invalid_grant", 501481},
		{"no verifier", publicPage, "", []string{"code_verifier", ""}, 400, "invalid_grant", 50148},
		{"another address", publicPage, "", []string{"redirect_uri", spaPage}, 400,
			"invalid_client", 500112},
		{"no address", publicPage, "", []string{"redirect_uri", ""}, 400,
			"invalid_request", 900144},
		{"no code", publicPage, "", []string{"code", ""}, 400, "invalid_request", 900144},
		{"another code", publicPage, "", []string{"code", "1.Ax"}, 400, "invalid_grant", 70000},
		{"another client", publicPage, "", []string{"client_id", otherApp}, 400,
			"unauthorized_client", 700016},
		{"two resources", publicPage, "", []string{"scope", ownScope + " User.Read"}, 400,
			"invalid_request", 28000},
		{"unknown scope", publicPage, "", []string{"scope", "api://x/y"},
			400, "invalid_scope", 500011},
	} {
		w := newWorld(t)
		w.change(func(d *Directory) { d.Registration.Web = []string{webPage} })
		code := w.code(test.page)
		a := w.redeemCode(code, test.page, test.origin, test.more...)
		m := a.object(t)
		if a.status != test.status || m["error"] != test.error ||
			m["error_codes"].([]any)[0] != test.aadsts {
			t.Errorf("%s: %d %s", test.name, a.status, a.body)
		}
		if test.page == webPage {
			continue
		}
		from := map[string]string{spaPage: origin}[test.page]
		if a := w.redeemCode(code, test.page, from); a.status != 200 {
			t.Errorf("%s, then: %s", test.name, a.body)
		}
	}
	w := newWorld(t)
	late, expired := w.code(publicPage), w.code(publicPage)
	w.pass(codeLife - 1)
	if a := w.redeemCode(late, publicPage, ""); a.status != 200 {
		t.Errorf("after ten minutes: %s", a.body)
	}
	w.pass(1)
	a := w.redeemCode(expired, publicPage, "")
	if a.object(t)["error_codes"].([]any)[0] != 70008.0 {
		t.Errorf("later: %s", a.body)
	}
	early := w.code(publicPage)
	w.ExpireAuthorizations()
	if a := w.redeemCode(early, publicPage, ""); a.object(t)["error_codes"].([]any)[0] != 70008.0 {
		t.Errorf("expired on purpose: %s", a.body)
	}
	a = w.redeemCode(w.code(spaPage, "code_challenge", "", "code_challenge_method", ""),
		spaPage, origin)
	if a.object(t)["error_codes"].([]any)[0] != 9002325.0 {
		t.Errorf("without PKCE: %s", a.body)
	}
	a = w.redeemCode(w.code(publicPage, "code_challenge", verifier, "code_challenge_method",
		""), publicPage, "")
	if a.status != 200 {
		t.Errorf("plain: %s", a.body)
	}
}
