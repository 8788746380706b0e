// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A redemption is an authorization code with the request that it answers.
type redemption struct {
	authorizing
	code     string
	account  string
	expires  time.Time
	redeemed bool
}

// codeLife is the life of a code.
const codeLife = 10 * time.Minute

// issueAuthorizationCode issues a code. The caller holds the mutex.
func (s *Server) issueAuthorizationCode(a authorizing, u User) string {
	now := s.now()
	// The complete codes of 2025 and 2026 in public logs have these lengths.
	length := orDefault(s.dir.CodeLength, 1500+rand.IntN(151))
	text := opaque(length)
	g := &redemption{authorizing: a, code: s.issue(("1.A" + text[:60] + "." + text[60:])[:length]),
		account: u.Name, expires: now.Add(codeLife)}
	s.redemptions = slices.DeleteFunc(s.redemptions,
		func(old *redemption) bool { return now.Sub(old.expires) > time.Hour })
	s.redemptions = append(s.redemptions, g)
	return g.code
}

// ExpireAuthorizations expires all authorization codes that were issued so far.
func (s *Server) ExpireAuthorizations() {
	defer s.lock()()
	for _, g := range s.redemptions {
		g.expires = s.now()
	}
}

// authorizationCode answers an access token request with a code. RFC 6749,
// Section 4.1.3; RFC 7636, Section 4.5.
func (x *exchange) authorizationCode() {
	if !x.formComplete("code", "redirect_uri") || !x.clientKnown() || x.entraThrottled() {
		return
	}
	g, no := x.s.redeem(x)
	if no != nil {
		x.refuse(*no)
		return
	}
	scopes, problem := x.dir.parseScope(g.scope, g.host)
	u, ok := x.dir.user(g.account)
	switch {
	case problem != nil:
		x.refuse(refusal{word: "invalid_scope", aadsts: problem.aadsts, text: problem.text})
	case !ok:
		x.refuse(noAccount(g.account))
	default:
		x.sendTokens(u, scopes, g.nonce)
	}
}

// redeem decides about a code: nil means the tokens, once. A client that may not redeem the code
// does not use it up. Neither does a wrong verifier, which is inferred.
func (s *Server) redeem(x *exchange) (redemption, *refusal) {
	f := x.r.PostForm
	defer s.lock()()
	i := slices.IndexFunc(s.redemptions,
		func(g *redemption) bool { return g.code == f.Get("code") })
	if i < 0 {
		return redemption{}, &refusal{word: "invalid_grant", aadsts: 70000,
			text: "The provided value for the 'code' parameter is not valid."}
	}
	g := *s.redemptions[i]
	if f.Get("scope") != "" {
		g.scope = f.Get("scope")
	}
	for _, no := range []*refusal{g.strangeClient(x.r), g.over(x.now), g.unproven(x.r),
		redeemable(g.scope, g.host, x.dir), s.unasked(g, x.dir)} {
		if no != nil {
			return g, no
		}
	}
	s.redemptions[i].redeemed = true
	return g, nil
}

// strangeClient returns why a client of this kind may not redeem a code that was sent to this kind
// of address.
func (g redemption) strangeClient(r *http.Request) *refusal {
	origin := r.Header.Get("Origin")
	secret := r.PostForm.Has("client_secret") || r.PostForm.Has("client_assertion") ||
		r.Header.Get("Authorization") != ""
	switch {
	case g.platform == spa && origin == "":
		return &refusal{word: "invalid_request", aadsts: 9002327,
			text: "Tokens issued for the 'Single-Page Application' client-type may only be " +
				"redeemed via cross-origin requests."}
	case g.platform != spa && origin != "":
		return &refusal{word: "invalid_request", aadsts: 9002326,
			text: "Cross-origin token redemption is permitted only for the 'Single-Page " +
				"Application' client-type. Request origin: '" + origin + "'."}
	case g.platform == spa && g.challenge == "":
		return &refusal{word: "invalid_request", aadsts: 9002325,
			text: "Proof Key for Code Exchange is required for cross-origin authorization code " +
				"redemption."}
	case g.platform == web && secret:
		return &refusal{word: "invalid_client", status: http.StatusUnauthorized, aadsts: 7000215,
			text: "Invalid client secret provided."}
	case g.platform == web:
		return &refusal{word: "invalid_client", aadsts: 7000218, text: noSecret}
	case secret:
		return &refusal{word: "invalid_client", aadsts: 700025,
			text: "Client is public so neither 'client_assertion' nor 'client_secret' should be " +
				"presented."}
	}
	return nil
}

// over returns why a code is no longer valid.
func (g redemption) over(now time.Time) *refusal {
	switch {
	case g.redeemed:
		return &refusal{word: "invalid_grant", aadsts: 54005,
			text: "OAuth2 Authorization code was already redeemed, please retry with a new valid " +
				"code or use an existing refresh token."}
	case !now.Before(g.expires):
		return &refusal{word: "invalid_grant", aadsts: 70008,
			text: "The provided authorization code or refresh token has expired due to " +
				"inactivity. Send a new interactive authorization request for this user and " +
				"resource."}
	}
	return nil
}

// unproven returns why the redeeming client is not the one that asked for the code.
func (g redemption) unproven(r *http.Request) *refusal {
	verifier := r.PostForm.Get("code_verifier")
	sum := sha256.Sum256([]byte(verifier))
	proof := map[string]string{"": "", "plain": verifier,
		"S256": base64.RawURLEncoding.EncodeToString(sum[:])}[g.method]
	switch {
	case r.PostForm.Get("redirect_uri") != g.redirect:
		return &refusal{word: "invalid_client", aadsts: 500112, text: "The reply address '" +
			r.PostForm.Get("redirect_uri") + "' does not match the reply address '" + g.redirect +
			"' provided when requesting Authorization code."}
	case g.method != "" && verifier == "":
		return &refusal{word: "invalid_grant", aadsts: 50148,
			text: "The code_verifier does not match the code_challenge supplied in the " +
				"authorization request for PKCE."}
	case subtle.ConstantTimeCompare([]byte(proof), []byte(g.challenge)) == 0:
		return &refusal{word: "invalid_grant", aadsts: 501481,
			text: "The Code_Verifier does not match the code_challenge supplied in the " +
				"authorization request."}
	}
	return nil
}

// unasked returns why a scope is refused that only the redemption asks for: the person could not
// consent to it.
func (s *Server) unasked(g redemption, d *Directory) *refusal {
	u, _ := d.user(g.account)
	scopes, _ := d.parseScope(g.scope, g.host)
	if len(d.unconsented(scopes, s.consented[u.ObjectID])) > 0 {
		return &refusal{word: "invalid_grant", aadsts: 65001, suberror: "consent_required",
			text: refusedTexts[65001]}
	}
	return nil
}

// shareAcrossOrigins lets a page's script read the answer, even an error about its registration.
// https://github.com/Azure-Samples/ms-identity-javascript-angular-tutorial/issues/37
func (x *exchange) shareAcrossOrigins() {
	if x.r.Header.Get("Origin") != "" &&
		!strings.Contains(x.r.PostForm.Get("grant_type"), "device_code") {
		x.Header().Set("Access-Control-Allow-Origin", "*")
	}
}
