// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// pagePath is where the device page is.
const pagePath = "/devicelogin"

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

// pagePolicy lets the page load nothing, run nothing, be framed by nobody and
// send its form nowhere else. Of styles it takes the one whose hash this is.
// A browser takes form-action for where the form's answer leads, too: that is
// what target is for.
func pagePolicy(target string) string {
	sum := sha256.Sum256([]byte(pageStyle))
	also := ""
	if u, err := url.Parse(target); err == nil && u.Host != "" {
		also = " " + u.Scheme + "://" + u.Host
	}
	return "default-src 'none'; img-src data:; style-src 'sha256-" +
		base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'self'" + also + "; base-uri 'none'; frame-ancestors 'none'"
}

// pageTemplate is the page in all its states. html/template escapes what
// people typed for the place it appears in.
var pageTemplate = template.Must(template.New("page").Parse(pageText))

// view is what the page shows. Step is "code", "account", "consent", "done",
// "declined" or "refused"; of the page that applications send people to,
// "sign-in", "sign-in consent" or "refused".
type view struct {
	Step        string
	Style       template.CSS
	Application string
	Code        string
	Given       bool // the code came with the address, not from a person
	Account     string
	Problem     string
	Accounts    []User
	Permissions []string // to consent to
	Refused     *Refused
	Time        string // of the refusal
	ClientID    string
	Managed     bool   // the person said that this browser is on a managed device
	target      string // the redirect address
}

// Title is what the refusal is about, in two or three words.
func (r *Refused) Title() string {
	switch r.AADSTS {
	case 53000, 53001, 53003, 530035, 50079:
		return "No access"
	case 90094:
		return "An administrator has to approve"
	default:
		return "Sign-in does not work"
	}
}

// Reason tells the person why, as far as the person can do something about it.
func (r *Refused) Reason() string {
	switch r.AADSTS {
	case 53000, 53001:
		if r.flow == AuthorizationCode {
			return "Your account is right, but your organization asks for a managed device here, " +
				"and this browser is not on one."
		}
		return "Your account is right, but your organization asks for a managed device here, and " +
			"a sign-in with a code cannot show one."
	case 53003, 530035:
		return "Your account is right, but your organization does not let you sign in this way: " +
			"this application, place or kind of sign-in may be restricted."
	case 50079:
		return "Your organization asks for a second factor, and your account has none."
	case 90094:
		return "This application needs permissions that only an administrator of your " +
			"organization can give."
	default:
		return fmt.Sprintf("AADSTS%d: %s", r.AADSTS, r.text)
	}
}

// page is the page on which a person signs in: GET shows the form for the
// code, a POST with a code the one for the account, a POST with both ends it.
func (x *exchange) page() {
	switch x.r.Method {
	case http.MethodGet, http.MethodHead:
		q := x.r.URL.Query()
		code := q.Get("code")
		if code == "" {
			code = q.Get("otc") // what Entra ID calls it
		}
		x.show(http.StatusOK, view{Step: "code", Code: code, Given: code != ""})
	case http.MethodPost:
		status, v := x.advance()
		x.show(status, v)
	default:
		x.Header().Set("Allow", "GET, HEAD, POST")
		x.show(http.StatusMethodNotAllowed, view{Step: "code", Problem: "This page takes a form."})
	}
}

// advance does what the form asks and returns the next view.
func (x *exchange) advance() (int, view) {
	f := x.r.PostForm
	code, account := f.Get("code"), strings.TrimSpace(f.Get("account"))
	if plainCode(code) == "" {
		return http.StatusBadRequest, view{Step: "code",
			Problem: "Enter the code that your device shows."}
	}
	if err := x.s.check(code); err != nil {
		return again(err, code)
	}
	v := view{Step: "account", Code: plainCode(code), Account: account}
	var err error
	switch {
	case f.Has("decline"):
		v.Step, err = "declined", x.s.Decline(code)
	case !f.Has("account"):
		return http.StatusOK, v
	case account == "":
		v.Problem = "Enter the name of your account."
		return http.StatusBadRequest, v
	default:
		v.Step = "done"
		v.Permissions, err = x.s.signIn(code, account, f.Has("accept"))
	}
	if errors.Is(err, errConsent) {
		v.Step = "consent"
		return http.StatusOK, v
	}
	if errors.As(err, &v.Refused) {
		v.Step, v.Time = "refused", x.now.UTC().Format(time.RFC3339)
		return http.StatusOK, v // as Entra ID does
	}
	if errors.Is(err, ErrUnknownAccount) {
		v.Step, v.Problem = "account", sentence(err, account)
		return http.StatusBadRequest, v
	}
	if err != nil { // the code ended between check and now
		return again(err, code)
	}
	return http.StatusOK, v
}

// again asks for a code once more. A misspelt one is there to be corrected;
// in the place of any other a new one is needed.
func again(err error, code string) (int, view) {
	v := view{Step: "code", Problem: sentence(err, code)}
	if errors.Is(err, ErrUnknownCode) {
		v.Code = code
	}
	return http.StatusBadRequest, v
}

// sentence says what is wrong, to the person who typed it.
func sentence(err error, typed string) string {
	switch {
	case errors.Is(err, ErrExpiredCode):
		return "This code has expired. Start again on your device to get a new one."
	case errors.Is(err, ErrUsedCode):
		return "This code has been used already. Start again on your device to get a new one."
	case errors.Is(err, ErrUnknownAccount):
		return "There is no account “" + typed + "” in this directory. Check the spelling."
	default:
		return "That code is not known. Check it on your device and enter it again."
	}
}

// show sends the page.
func (x *exchange) show(status int, v view) {
	if v.Problem != "" {
		x.noteError(v.Problem)
	}
	if v.Refused != nil {
		x.noteError(fmt.Sprintf("AADSTS%d", v.Refused.AADSTS))
	}
	v.Style, v.Application, v.Accounts, v.ClientID = template.CSS(pageStyle), x.dir.application(),
		x.dir.Users, x.dir.ClientID
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, v); err != nil {
		http.Error(x, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	h := x.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", pagePolicy(v.target))
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	x.WriteHeader(status)
	x.Write(b.Bytes())
}
