// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// An authorizing is an authorization request with a redirect address of ours. RFC 6749, Section
// 4.1.1; RFC 7636, Section 4.3; and
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
type authorizing struct {
	redirect  string
	platform  platform
	fragment  bool // the answer goes behind #, not behind ?
	scope     string
	host      string // the host that the request was sent to
	state     string
	nonce     string
	hint      string // the account that the person is expected to use
	challenge string
	method    string // of the challenge: "S256" or "plain"
}

// proofKey matches a challenge. RFC 7636, Section 4.2.
var proofKey = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

// authorizing reads a request. If it returns a *refusal and an authorizing without a redirect
// address, the browser stays: an unknown address gets no answer.
func (d *Directory) authorizing(tenant, host string, q url.Values) (authorizing, *refusal) {
	if no := d.isTenant(tenant); no != nil {
		return authorizing{}, no
	}
	for _, field := range []string{"client_id", "redirect_uri"} {
		if q.Get(field) == "" {
			no := missing(field)
			return authorizing{}, &no
		}
	}
	if no := d.knowsClient(q.Get("client_id")); no != nil {
		return authorizing{}, no
	}
	a := authorizing{
		redirect: q.Get("redirect_uri"), fragment: q.Get("response_mode") == "fragment",
		scope: q.Get("scope"), host: host,
		state: q.Get("state"), nonce: q.Get("nonce"), hint: q.Get("login_hint"),
		challenge: q.Get("code_challenge"), method: q.Get("code_challenge_method"),
	}
	if a.platform = d.Registration.platformOf(a.redirect); a.platform == "" {
		return authorizing{}, &refusal{word: "invalid_request", aadsts: 50011,
			text: fmt.Sprintf("The redirect URI '%s' specified in the request does not match the "+
				"redirect URIs configured for the application '%s'.", a.redirect, d.ClientID)}
	}
	if a.challenge != "" && a.method == "" {
		a.method = "plain"
	}
	return a, d.unanswerable(a, q)
}

// unanswerable returns what is wrong with a request whose redirect address is right. The owner of
// the address gets the error.
func (d *Directory) unanswerable(a authorizing, q url.Values) *refusal {
	kind, mode := q.Get("response_type"), q.Get("response_mode")
	no := missing("response_type")
	switch {
	case kind == "":
		return &no
	case kind != "code":
		return &refusal{word: "unsupported_response_type", aadsts: 700054,
			text: fmt.Sprintf("response_type '%s' is not enabled for the application.", kind)}
	case mode != "" && mode != "query" && mode != "fragment":
		return &refusal{word: "invalid_request", aadsts: 90014,
			text: fmt.Sprintf("response_mode '%s' is not known here.", mode)}
	case strings.TrimSpace(a.scope) == "":
		no = missing("scope")
		return &no
	case a.challenge != "" && !proofKey.MatchString(a.challenge):
		return &refusal{word: "invalid_request", aadsts: 501491,
			text: "Invalid size of Code_Challenge parameter."}
	case a.method != "" && a.method != "S256" && a.method != "plain" ||
		a.method != "" && a.challenge == "":
		return &refusal{word: "invalid_request", aadsts: 501491,
			text: "Code_Challenge and Code_Challenge_Method do not go together."}
	}
	if _, problem := d.parseScope(a.scope, a.host); problem != nil {
		word := map[int]string{70011: "invalid_scope", 500011: "invalid_resource"}[problem.aadsts]
		return &refusal{word: orDefaultText(word, "invalid_client"),
			aadsts: problem.aadsts, text: problem.text}
	}
	return nil
}

// answer returns the address that the browser goes to. RFC 6749, Section 4.1.2.
func (a authorizing) answer(values ...string) string {
	var b strings.Builder
	b.WriteString(a.redirect)
	separator := "#"
	switch {
	case a.fragment:
	case strings.Contains(a.redirect, "?"):
		separator = "&"
	default:
		separator = "?"
	}
	if a.state != "" {
		values = append(values, "state", a.state)
	}
	for i := 0; i < len(values); i += 2 {
		b.WriteString(separator + values[i] + "=" + url.QueryEscape(values[i+1]))
		separator = "&"
	}
	return b.String()
}

// refused returns the address for an error. RFC 6749, Section 4.1.2.1.
func (a authorizing) refused(no refusal, now time.Time) string {
	body := no.body(now, newGUID())
	values := []string{"error", no.word}
	if no.suberror != "" {
		values = append(values, "error_subcode", no.suberror)
	}
	values = append(values, "error_description", body.Description)
	if body.URI != "" {
		values = append(values, "error_uri", body.URI)
	}
	return a.answer(values...)
}

// cancelled is the answer to the application if the person does not go on.
var cancelled = refusal{word: "access_denied", aadsts: 65004, suberror: "cancel",
	text: "User declined to consent to access the app."}

// Authorize acts as a person whose browser was sent to an address of the authorize endpoint. The
// person signs in with the account, on a managed device or not, and consents where people may. It
// returns the address that the browser goes to next. The error is a *Refused if the tenant refuses
// the person; the browser then stays.
func (s *Server) Authorize(address, account string, managed bool) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("emulator: authorize: %w", err)
	}
	tenant, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	a, no := s.directory().authorizing(tenant, u.Host, u.Query())
	switch {
	case no != nil && a.redirect == "":
		return "", &Refused{AADSTS: no.aadsts, flow: AuthorizationCode, text: no.text}
	case no != nil:
		return a.refused(*no, s.now()), nil
	}
	next, _, err := s.authorizeFor(a, account, managed, true)
	return next, err
}

// authorizeFor returns where the browser goes. With errConsent, it returns the permissions that
// need consent.
func (s *Server) authorizeFor(a authorizing, account string, managed, consents bool) (next string,
	wants []string, err error) {
	defer s.lock()()
	u, ok := s.dir.user(strings.TrimSpace(account))
	if !ok {
		return "", nil, fmt.Errorf("%w: %q", ErrUnknownAccount, account)
	}
	wants, _, no := s.admit(visit{a.scope, a.host, AuthorizationCode, a.platform.app(), managed}, u)
	switch {
	case no != nil && no.AADSTS == 650052:
		return a.refused(refusal{word: "invalid_client", aadsts: no.AADSTS, text: no.text},
			s.now()), nil, nil
	case no != nil:
		return "", nil, no
	case len(wants) > 0 && !consents:
		return "", wants, errConsent
	}
	s.consent(u, wants)
	return a.answer("code", s.issueAuthorizationCode(a, u), "session_state", newGUID()), nil, nil
}

// authorize serves the page that an application sends people to. GET shows who is asked to sign in.
// A POST of its form sends the browser back.
func (x *exchange) authorize() {
	if x.r.Method != http.MethodGet && x.r.Method != http.MethodPost {
		x.Header().Set("Allow", "GET, POST")
		http.Error(x, "this page takes a form", http.StatusMethodNotAllowed)
		return
	}
	a, no := x.dir.authorizing(x.r.PathValue("tenant"), x.r.Host, x.r.URL.Query())
	switch {
	case no != nil && a.redirect == "":
		x.noteError(no.word)
		x.show(http.StatusOK,
			view{Step: "refused", Refused: &Refused{AADSTS: no.aadsts, flow: AuthorizationCode,
				text: no.text}, Time: x.now.UTC().Format(time.RFC3339)})
	case no != nil:
		x.leave(a.refused(*no, x.now), no.word)
	case x.r.Method == http.MethodGet:
		x.show(http.StatusOK, view{Step: "sign-in", Account: a.hint, target: a.redirect})
	default:
		x.authorizeForm(a)
	}
}

// authorizeForm acts on the form.
func (x *exchange) authorizeForm(a authorizing) {
	f := x.r.PostForm
	v := view{Step: "sign-in", Account: strings.TrimSpace(f.Get("account")),
		Managed: f.Get("device") == "managed", target: a.redirect}
	if f.Has("decline") {
		x.leave(a.refused(cancelled, x.now), cancelled.word)
		return
	}
	next, wants, err := x.s.authorizeFor(a, v.Account, v.Managed, f.Has("accept"))
	status := http.StatusOK
	switch {
	case err == nil:
		x.leave(next, "")
		return
	case errors.Is(err, errConsent):
		v.Step, v.Permissions = "sign-in consent", wants
	case errors.As(err, &v.Refused):
		v.Step, v.Time = "refused", x.now.UTC().Format(time.RFC3339)
	case v.Account == "":
		status, v.Problem = http.StatusBadRequest, "Enter the name of your account."
	default:
		status, v.Problem = http.StatusBadRequest, sentence(err, v.Account)
	}
	x.show(status, v)
}

// leave sends the browser on.
func (x *exchange) leave(to, word string) {
	if word != "" {
		x.noteError(word)
	}
	h := x.Header()
	h.Set("Location", to)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	x.WriteHeader(http.StatusFound)
}
