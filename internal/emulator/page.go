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

// pagePath is the address of the device page.
const pagePath = "/devicelogin"

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

// pagePolicy forbids the page to load or run anything, to be framed, and to send its form
// elsewhere. It allows only the style with this hash. Browsers apply form-action to the redirect
// after the form, too: target is for that.
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

// pageTemplate is the page in all of its states. html/template escapes typed text for the place
// where it appears.
var pageTemplate = template.Must(template.New("page").Parse(pageText))

// A view is the content of the page. Step is "code", "account", "consent", "done", "declined" or
// "refused". On the page that applications send people to, it is "sign-in", "sign-in consent" or
// "refused".
type view struct {
	Step        string
	Style       template.CSS
	Application string
	Code        string
	Given       bool // the code is from the address, and nobody has typed it
	Account     string
	Problem     string
	Accounts    []User
	Permissions []string // that need consent
	Refused     *Refused
	Time        string // of the refusal
	ClientID    string
	Managed     bool   // the person says that this browser is on a managed device
	target      string // the redirect address
}

// Title returns the subject of the refusal in two or three words.
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

// Reason tells the person the reason, and what they can do about it.
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

// page serves the page on which a person signs in. GET shows the form for the code. A POST with a
// code shows the form for the account, and a POST with both ends the sign-in.
func (x *exchange) page() {
	switch x.r.Method {
	case http.MethodGet, http.MethodHead:
		q := x.r.URL.Query()
		code := q.Get("code")
		if code == "" {
			code = q.Get("otc") // Entra ID's name for it
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

// advance acts on the form and returns the next view.
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
	if err != nil { // the code has ended since the check
		return again(err, code)
	}
	return http.StatusOK, v
}

// again returns the view that asks for a code once more. It keeps a misspelled code to be
// corrected. After any other error, a new code is needed.
func again(err error, code string) (int, view) {
	v := view{Step: "code", Problem: sentence(err, code)}
	if errors.Is(err, ErrUnknownCode) {
		v.Code = code
	}
	return http.StatusBadRequest, v
}

// sentence tells the person what is wrong with the typed text.
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
