// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"aadlogin/internal/config"
	"aadlogin/internal/emulator"
	"aadlogin/internal/signin"
	signinpage "aadlogin/packaging/sign-in-page"
)

// published returns a remote whose sign-in page is on a host with these answers.
func published(t *testing.T, path string, answer func(w http.ResponseWriter, req *http.Request,
	page []byte), lines ...string) remote {
	t.Helper()
	entra := new(emulator.Server)
	if err := entra.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { entra.Close() })
	var r remote
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		want, err := r.probe.Page()
		if err != nil {
			t.Error(err)
		}
		page, err := signinpage.Fill(signinpage.Settings{Tenant: r.Config.TenantID,
			Client: r.Config.ClientID, Authority: want.Authority,
			Issuer: want.Issuer, Scope: want.Scope})
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if req.URL.Path == path {
			answer(w, req, page)
			return
		}
		http.NotFound(w, req)
	}))
	t.Cleanup(server.Close)
	h := host(t, entra, strings.Join(append(lines, `sign_in.page = "`+server.URL+path+`"`), "\n"))
	probe, err := signin.NewProbe(t.Context(), h.Config)
	if err != nil {
		t.Fatal(err)
	}
	r = remote{h, probe}
	expect(t, r.openID(t.Context()), OK, "knows tenant")
	r.machine(t.Context())
	return r
}

const inUse = `sign_in.flow = "browser"`

// The finding is about what the host serves at the exact address. Each failure has a remedy.
func TestPage(t *testing.T) {
	asItIs := func(w http.ResponseWriter, _ *http.Request, page []byte) { w.Write(page) }
	with := func(header, value string) func(http.ResponseWriter, *http.Request, []byte) {
		return func(w http.ResponseWriter, _ *http.Request, page []byte) {
			w.Header().Set(header, value)
			w.Write(page)
		}
	}
	altered := func(old, new string) func(http.ResponseWriter, *http.Request, []byte) {
		return func(w http.ResponseWriter, _ *http.Request, page []byte) {
			if !bytes.Contains(page, []byte(old)) {
				t.Errorf("the page has no %q", old)
			}
			w.Write(bytes.ReplaceAll(page, []byte(old), []byte(new)))
		}
	}
	const client, other = "00001111-aaaa-2222-bbbb-3333cccc4444", "99991111-aaaa-2222-bbbb-3333cccc4444"
	for name, test := range map[string]struct {
		answer  func(http.ResponseWriter, *http.Request, []byte)
		status  Status
		found   string
		command string
	}{
		"as it is": {asItIs, Warning, "is on this machine", ""}, // and nothing else is wrong
		"of other ids": {altered(client, other), Failed, `client is "` + other +
			`" in place of "` + client + `"`, "--page-file"},
		"of another scope": {altered("/sign-in\"", "/other\""), Failed, "scope is", "--page-file"},
		"of another script": {altered("</style>", "\n</style>"), Warning,
			"it is of another version, or has been changed", "--page-file"},
		"not ours": {func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			w.Write([]byte("<h1>It works</h1>"))
		},
			Failed, "not the sign-in page", "--page-file"},
		"missing": {func(w http.ResponseWriter, req *http.Request, _ []byte) {
			http.NotFound(w, req)
		}, Failed, "is not there: HTTP 404", "--page-file"},
		"moved": {func(w http.ResponseWriter, req *http.Request, _ []byte) {
			http.Redirect(w, req, "index.html", http.StatusFound)
		},
			Failed, "sends browsers on to http://127.0.0.1:", ""},
		"moved to another host": {func(w http.ResponseWriter, req *http.Request, _ []byte) {
			http.Redirect(w, req, "https://other.example/", http.StatusMovedPermanently)
		}, Failed, "sends browsers on to https://other.example/", ""},
		"a download": {with("Content-Disposition", "attachment; filename=index.html"),
			Failed, "as a download", ""},
		"plain text": {with("Content-Type", "text/plain"), Failed, `served as "text/plain"`, ""},
		"of no type": {with("Content-Type", ""), Failed, `served as ""`, ""},
		"a policy": {with("Content-Security-Policy", "default-src 'self'"), Warning,
			"adds a Content-Security-Policy: default-src 'self'", ""},
		"for no frame": {with("Content-Security-Policy", "frame-ancestors 'none'"), Warning,
			"is on this machine", ""},
		"too large": {func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			w.Write(make([]byte, 2<<20))
		},
			Warning, "cannot be fetched from here: ", "curl "},
		"unreachable": {func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			panic(http.ErrAbortHandler)
		}, Warning, "cannot be fetched from here: ", "curl "},
	} {
		t.Run(name, func(t *testing.T) {
			r := published(t, "/", test.answer, inUse, `sign_in.scope = "`+client+`/sign-in"`)
			finding := r.page(t.Context())[0]
			expect(t, []Finding{finding}, test.status, test.found)
			if finding.Fix == "" || !strings.Contains(finding.Command, test.command) ||
				(test.command == "") != (finding.Command == "") {
				t.Errorf("%+v", finding)
			}

			// While sign-ins use codes, a wrong page keeps nobody out.
			r.Config.SignIn.Flow = config.DeviceCode
			expect(t, r.page(t.Context()), Warning, test.found)
		})
	}
}

// A right page with https is ok.
func TestPageIsWell(t *testing.T) {
	r := published(t, "/sign-in/index.html",
		func(w http.ResponseWriter, _ *http.Request, page []byte) {
			w.Write(page)
		}, inUse)
	served, err := r.probe.FetchPage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want, err := r.probe.Page()
	if err != nil {
		t.Fatal(err)
	}
	r.Config.SignIn.Page = "https://signin.contoso.example/"
	expect(t, []Finding{r.judgePage(served, signinpage.Same(served.Body, signinpage.Settings{
		Tenant: r.Config.TenantID, Client: r.Config.ClientID, Authority: want.Authority,
		Issuer: want.Issuer, Scope: want.Scope}))}, OK, "is the one that this version ships")
}

// Entra ID shows its page for wrong addresses as well. Only its clear no counts.
func TestAddress(t *testing.T) {
	serve := func(w http.ResponseWriter, _ *http.Request, page []byte) { w.Write(page) }
	r := published(t, "/sign-in/", serve, inUse)
	expect(t, r.address(t.Context()), Skipped,
		"is registered, and as what (Single-page application), only a sign-in can tell")
	r.Config.SignIn.Answer = config.CodeAnswer
	expect(t, r.address(t.Context()), Skipped, "Mobile and desktop applications")
	r = published(t, "/elsewhere/", serve, inUse)
	expect(t, r.address(t.Context()), Failed, "AADSTS50011")
	r.Config.SignIn.Flow = config.DeviceCode
	expect(t, r.address(t.Context()), Warning, "AADSTS50011")
}

// A machine that shows no device codes needs a registration without them.
func TestRegistrationForABrowser(t *testing.T) {
	for _, test := range []struct {
		line         string
		confidential bool
		status       Status
		found        string
	}{
		{inUse, true, OK, "takes no device codes and needs none"},
		{inUse, false, OK, "Entra ID knows the app registration"},
		{"", true, Failed, "the app registration"},
		{"", false, OK, "takes device codes"},
	} {
		d := emulator.Contoso()
		d.Registration.Confidential = test.confidential
		entra := &emulator.Server{Directory: d}
		if err := entra.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { entra.Close() })
		h := host(t, entra, test.line+"\n"+`sign_in.page = "https://signin.contoso.example/"`)
		probe, err := signin.NewProbe(t.Context(), h.Config)
		if err != nil {
			t.Fatal(err)
		}
		r := remote{h, probe}
		r.openID(t.Context())
		expect(t, r.registration(t.Context()), test.status, test.found)
	}
}
