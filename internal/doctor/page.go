// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"aadlogin/internal/config"
	"aadlogin/internal/shell"
	"aadlogin/internal/signin"
	signinpage "aadlogin/packaging/sign-in-page"
)

// page compares the sign-in page with the one that this version ships. It sees only what the page's
// host shows to this machine, so it does not notice a host that shows something else to people.
// While sign-ins use codes, a wrong page is a warning: it keeps nobody out.
func (r remote) page(ctx context.Context) []Finding {
	finding := r.lookAtPage(ctx)
	if finding.Status == Failed && r.Config.SignIn.Flow != config.Browser {
		finding.Status, finding.Kind = Warning, Machine
	}
	return []Finding{finding}
}

func (r remote) lookAtPage(ctx context.Context) Finding {
	at := r.Config.SignIn.Page
	want, err := r.probe.Page()
	if err != nil {
		return r.wrong("what the sign-in page must know", err)[0]
	}
	served, err := r.probe.FetchPage(ctx)
	if err != nil {
		return warningf("the sign-in page %s cannot be fetched from here: %s", at, plain(err)).
			fix("browsers have to reach it, not this machine: open it in one. If that fails, " +
				"too, publish the page there, with https").
			run("curl -sSv -m 10 -o /dev/null " + shell.Word(at))
	}
	if finding := r.judgeServed(served); finding.Status == Failed {
		return finding
	}
	c := r.Config
	return r.judgePage(served, signinpage.Same(served.Body, signinpage.Settings{
		Tenant: c.TenantID, Client: c.ClientID, Authority: want.Authority,
		Issuer: want.Issuer, Scope: want.Scope}))
}

// judgeServed judges the HTTP answer that carries the page.
func (r remote) judgeServed(s signin.Served) Finding {
	at := r.Config.SignIn.Page
	kind, _, _ := mime.ParseMediaType(s.Header.Get("Content-Type"))
	switch {
	case s.Moved != "":
		return failedf(Machine, "the sign-in page is not at %s, which sends browsers on to %s", at,
			s.Moved).
			fix("Entra ID and browsers go by the exact address: have the page served there " +
				"without a redirect, or set sign_in.page, and register, where it is")
	case s.Status != http.StatusOK:
		return failedf(Machine, "the sign-in page %s is not there: HTTP %d", at, s.Status).
			fix("write the page, and put the file at that address").run(r.writePage())
	case kind != "text/html":
		return failedf(Machine,
			"the sign-in page %s is served as %q, which browsers do not show as a page", at,
			s.Header.Get("Content-Type")).
			fix("have its host say Content-Type: text/html; charset=utf-8")
	case strings.HasPrefix(strings.ToLower(s.Header.Get("Content-Disposition")), "attachment"):
		return failedf(Machine, "the sign-in page %s is served as a download", at).
			fix("have its host leave out Content-Disposition")
	}
	return Finding{}
}

func (r remote) judgePage(s signin.Served, differs error) Finding {
	at := r.Config.SignIn.Page
	const anew = "write the page anew, and put the file at that address"
	switch policy := s.Header.Get("Content-Security-Policy"); {
	case errors.Is(differs, signinpage.ErrVersion):
		return warningf("the sign-in page %s is not the one that this version ships: it is of "+
			"another version, or has been changed", at).
			fix("if it was this version's, see who has changed it: whoever can, can sign in as " +
				"those who use it; " + anew).run(r.writePage())
	case errors.Is(differs, signinpage.ErrSettings):
		return failedf(Configuration, "at %s, %v", at, differs).
			fix("if it is the page of this tenant and application, " + anew +
				"; else correct sign_in.page").run(r.writePage())
	case differs != nil:
		return failedf(Machine, "at %s, %v", at, differs).
			fix("see who has changed it, for whoever can, can sign in as those who use it; then " +
				anew).run(r.writePage())
	case restricts(policy):
		return warningf("the host of the sign-in page %s adds a Content-Security-Policy: %s", at,
			policy).
			fix("the page has its own, and both hold: try it in a browser, or have the host " +
				"leave it out")
	case strings.HasPrefix(at, "http:"):
		return warningf("the sign-in page %s is on this machine: browsers elsewhere find none there", at).
			fix("publish it with https where people's browsers reach it, but for a trial")
	}
	return ok("the sign-in page %s is the one that this version ships, for this tenant and "+
		"application", at)
}

// restricts reports whether a policy may stop the page's script, style or request.
func restricts(policy string) bool {
	for _, word := range []string{"default-src", "script-src", "style-src", "connect-src",
		"sandbox", "require-trusted-types-for"} {
		if strings.Contains(strings.ToLower(policy), word) {
			return true
		}
	}
	return false
}

func (r remote) writePage() string {
	c := r.Config
	return fmt.Sprintf(
		"aadctl setup --tenant %s --client %s --domain %s --page %s --page-file index.html",
		c.TenantID, c.ClientID, strings.Join(c.Domains, ","), c.SignIn.Page)
}

// address asks Entra ID's sign-in page whether it knows the address. That page also comes for some
// wrong addresses, which it rejects later. So only a clear no counts.
func (r remote) address(ctx context.Context) []Finding {
	at := r.Config.SignIn.Page
	platform := "Single-page application"
	if r.Config.SignIn.Answer == config.CodeAnswer {
		platform = "Mobile and desktop applications"
	}
	unknown, err := r.probe.AddressUnknown(ctx)
	switch {
	case err != nil:
		return []Finding{skipped("whether " + at + " is registered could not be asked: " +
			plain(err))}
	case !unknown:
		return []Finding{skipped("whether " + at + " is registered, and as what (" + platform +
			"), only a sign-in can tell: aadctl check --tenant")}
	}
	finding := failedf(Configuration, "Entra ID does not know the sign-in page %s: AADSTS50011",
		at).
		fix("register exactly that address for the platform " + platform +
			"; this changes nothing and prints the line for az").
		run(fmt.Sprintf("aadctl setup --tenant %s --client %s --domain %s", r.Config.TenantID,
			r.Config.ClientID, strings.Join(r.Config.Domains, ",")))
	if r.Config.SignIn.Flow != config.Browser {
		finding.Status, finding.Kind = Warning, Machine
	}
	return []Finding{finding}
}
