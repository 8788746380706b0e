// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// deviceCode answers a device authorization request. RFC 8628, Section 3.2.
func (x *exchange) deviceCode() {
	if !x.tenantKnown() || !x.formComplete("client_id", "scope") ||
		!x.clientKnown() || x.entraThrottled() {
		return
	}
	life := orDefault(x.dir.ExpiresIn, 900)
	interval := orDefault(x.dir.Interval, 5)
	c := x.s.issueCode(x.r.PostForm.Get("scope"), x.r.Host, x.now, time.Duration(life)*time.Second,
		time.Duration(interval)*time.Second)
	x.noteSignIn(c.user)
	uri := x.s.VerificationURI()
	answer := struct {
		UserCode   string `json:"user_code"`
		DeviceCode string `json:"device_code"`
		URI        string `json:"verification_uri"`
		Complete   string `json:"verification_uri_complete,omitempty"`
		ExpiresIn  int    `json:"expires_in"`
		Interval   int    `json:"interval"`
		Message    string `json:"message"`
	}{
		c.user, c.device, uri, "", life, interval,
		fmt.Sprintf("To sign in, use a web browser to open the page %s and enter the code %s to "+
			"authenticate.", uri, c.user),
	}
	if x.dir.VerificationURIComplete {
		answer.Complete = uri + "?code=" + url.QueryEscape(c.user)
	}
	x.json(http.StatusOK, answer)
}

// noteSignIn connects a request with its sign-in in the log.
func (x *exchange) noteSignIn(userCode string) {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	x.note.UserCode = userCode
}

// token answers an access token request. Entra ID also accepts the older spelling of the device
// grant's name, which MSAL Go sends.
func (x *exchange) token() {
	x.shareAcrossOrigins()
	if !x.tenantKnown() || !x.formComplete("grant_type", "client_id") {
		return
	}
	switch g := x.r.PostForm.Get("grant_type"); g {
	case "urn:ietf:params:oauth:grant-type:device_code", "device_code":
		x.deviceToken()
	case "authorization_code":
		x.authorizationCode()
	default:
		x.refuse(refusal{word: "unsupported_grant_type", aadsts: 70003,
			text: fmt.Sprintf("The app requested an unsupported grant type '%s'.", g)})
	}
}

// deviceToken answers a device access token request. RFC 8628, Section 3.4.
func (x *exchange) deviceToken() {
	if !x.formComplete("device_code") || !x.clientKnown() ||
		!x.clientPublic() || x.entraThrottled() {
		return
	}
	c, no := x.s.poll(x.r.PostForm.Get("device_code"), x.now, x.dir)
	x.noteSignIn(c.user)
	if no != nil {
		x.refuse(*no)
		return
	}
	u, ok := x.dir.user(c.account)
	if !ok {
		x.refuse(noAccount(c.account))
		return
	}
	scopes, _ := x.dir.parseScope(c.scope, c.host) // the browser has refused a scope that does not parse
	x.sendTokens(u, scopes, "")
}

func noAccount(name string) refusal {
	return refusal{word: "invalid_grant", aadsts: 50034,
		text: fmt.Sprintf("The user account %s does not exist in the directory.", name)}
}

// poll decides what a device gets that asks for its token: nil means the token, once.
func (s *Server) poll(device string, now time.Time, d *Directory) (code, *refusal) {
	defer s.lock()()
	i := slices.IndexFunc(s.codes, func(c *code) bool { return c.device == device })
	if i < 0 {
		return code{}, &refusal{word: "bad_verification_code", aadsts: 70018,
			text: "Invalid verification code due to User typing in wrong user code for device " +
				"code flow."}
	}
	c := s.codes[i]
	switch c.stateAt(now) {
	case SignedIn:
		if no := redeemable(c.scope, c.host, d); no != nil {
			return *c, no
		}
		c.state = Redeemed
		return *c, nil
	case Blocked:
		if no := c.told(d); no != nil {
			return *c, no
		}
		return *c, c.wait(now, d.Lenient)
	case Pending:
		return *c, c.wait(now, d.Lenient)
	case Declined:
		return *c, &refusal{word: "authorization_declined",
			text: "The end user denied the authorization request."}
	case Expired:
		return *c, &refusal{word: "expired_token", aadsts: 70019,
			text: "Verification code expired."}
	default:
		return *c, &refusal{word: "bad_verification_code", aadsts: 70018,
			text: "The device code has been used already."}
	}
}

// wait returns the answer while the person is in the browser. RFC 8628, Section 3.5: a device that
// polls too early is told to wait 5 seconds longer between polls. A tenth of the interval is
// tolerated, because the network does not delay all requests equally.
func (c *code) wait(now time.Time, lenient bool) *refusal {
	early := !c.polled.IsZero() && now.Sub(c.polled) < c.interval-c.interval/10
	c.polled = now
	if early && !lenient {
		c.interval += 5 * time.Second
		return &refusal{word: "slow_down", text: "The device polls too often."}
	}
	return &refusal{word: "authorization_pending", aadsts: 70016,
		text: "OAuth 2.0 device flow error. Authorization is pending. Continue polling."}
}

// redeemable returns why there are no tokens although the browser reported success. It is inferred
// that the code can be used again.
func redeemable(scope, host string, d *Directory) *refusal {
	scopes, problem := d.parseScope(scope, host)
	if problem != nil {
		return &refusal{word: "invalid_scope", aadsts: problem.aadsts, text: problem.text}
	}
	if len(scopes.apps()) > 1 {
		return &refusal{word: "invalid_request", aadsts: 28000,
			text: fmt.Sprintf("Provided value for the input parameter scope is not valid because "+
				"it contains more than one resource. Scope %s is not valid.", scope)}
	}
	for _, r := range scopes.own(d.ClientID) {
		if f := d.Registration.ForItself; f == "none" || f == "guid" &&
			!strings.EqualFold(r.prefix, d.ClientID) {
			return &refusal{word: "invalid_request", aadsts: 90009,
				text: fmt.Sprintf("Application '%s'(%s) is requesting a token for itself. This "+
					"scenario is supported only if resource is specified using the GUID based "+
					"App Identifier.", d.ClientID, d.application())}
		}
	}
	return nil
}

// sendTokens answers with the tokens. An ID token needs the scope openid, and a refresh token
// offline_access, which is not among the scopes in the answer. The ID token has the nonce of the
// authorization request.
func (x *exchange) sendTokens(u User, scopes asked, nonce string) {
	life := time.Duration(3600+rand.IntN(1800)) * time.Second // Entra ID varies the life
	answer := struct {
		Type         string `json:"token_type"`
		Scope        string `json:"scope"`
		ExpiresIn    int    `json:"expires_in"`
		ExtExpiresIn int    `json:"ext_expires_in"`
		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token,omitempty"`
		IDToken      string `json:"id_token,omitempty"`
		ClientInfo   string `json:"client_info,omitempty"`
	}{
		Type: "Bearer", ExpiresIn: int(life.Seconds()), ExtExpiresIn: int(life.Seconds()),
		Scope:       scopes.granted(),
		AccessToken: x.accessToken(u, scopes, life),
	}
	if slices.Contains(scopes.oidc, "offline_access") {
		answer.RefreshToken = x.s.given(secret())
	}
	if slices.Contains(scopes.oidc, "openid") {
		claims := x.claims(u, scopes.oidc)
		if nonce != "" {
			claims["nonce"] = nonce
		}
		answer.IDToken = x.s.given(x.s.idToken(claims))
	}
	if x.r.PostForm.Get("client_info") == "1" {
		// Strings always encode.
		info, _ := json.Marshal(map[string]string{"uid": u.ObjectID, "utid": x.dir.TenantID})
		answer.ClientInfo = base64.RawURLEncoding.EncodeToString(info)
	}
	x.json(http.StatusOK, answer)
}

// accessToken returns an opaque token, unless the token is for the registration itself. The tokens
// of Graph and Resource Manager are opaque to everybody else, too.
func (x *exchange) accessToken(u User, scopes asked, life time.Duration) string {
	b := bearer{u.ObjectID, scopes.audience(), x.now.Add(life), ""}
	own := scopes.own(x.dir.ClientID)
	if len(own) == 0 {
		return x.s.issueBearer(secret(), b, x.now)
	}
	c := x.claims(User{Name: u.Name, ObjectID: u.ObjectID, Display: u.Display}, []string{"profile"})
	c["azp"], c["azpacr"], c["scp"] = x.dir.ClientID, "0", strings.Join(own[0].scopes, " ")
	return x.s.issueBearer(x.s.honest(c), b, x.now)
}

// A bearer is the owner of an opaque access token.
type bearer struct {
	oid      string
	resource string
	expires  time.Time
	like     string // object id whose rights it has; "": those of oid
}

// issueBearer makes an access token valid.
func (s *Server) issueBearer(token string, is bearer, now time.Time) string {
	defer s.lock()()
	if len(s.tokens)%1024 == 0 {
		maps.DeleteFunc(s.tokens, func(_ string, b bearer) bool { return now.After(b.expires) })
	}
	s.tokens[s.issue(token)] = is
	return token
}

// bearer returns the owner of an access token.
func (s *Server) bearer(token string) (bearer, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.tokens[token]
	return b, ok
}
