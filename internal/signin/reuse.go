// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"time"

	"aadlogin/internal/account"
	"aadlogin/internal/rbac"
)

// sign_in.reuse_window lets a person who has signed in with the browser come back without a code
// for that long. It weakens the sign-in to "whoever connects from that address under that name". So
// a window is for one account, one address and one class of services. It counts from the browser,
// never from its last use, and Azure is asked about the person as always.

// serviceClass says which PAM services share a window. Other services have none. A browser sign-in
// for a shell is no consent to become root.
var serviceClass = map[string]string{
	"sshd":   "sshd",
	"login":  "login",
	"remote": "login", // login -h
	"sudo":   classSudo,
	"sudo-i": classSudo,
	"su":     classSudo,
	"su-l":   classSudo,
}

// classSudo is the class of people who are on the machine already. Their address is that of the
// session they type in.
const classSudo = "sudo"

// An origin is what a window holds for: every field must be the same.
type origin struct {
	Tenant       string `json:"tenant"`
	Object       string `json:"object"`
	Account      string `json:"account"`
	UID          uint32 `json:"uid"`
	Class        string `json:"class"` // of serviceClass
	Host         string `json:"rhost"` // an address, letter for letter; see noWindowFrom
	ConfigDigest string `json:"config"`

	Width time.Duration `json:"width"` // of the configuration (ns)
}

// openWindow finds the earlier sign-in that spares this one its browser, and its account. When in
// doubt there is none, and the person gets a code.
func (a *attempt) openWindow(ctx context.Context) (account.Account, bool) {
	if a.cfg.SignIn.ReuseWindow == 0 {
		return account.Account{}, false
	}
	here, acct, why := a.origin()
	if why == "" {
		why = "no sign-in from there that recently"
		w := a.windows(acct.UID).find(ctx, here, a.moment())
		if w != nil && windowMarks(a.RuntimeDir).opened(w.Attempt) {
			a.event.uid, a.event.object, a.event.reused = acct.UID, acct.ObjectID, w.pairs()
			return acct, true
		}
	}
	a.debug("reuse", "problem", why)
	return account.Account{}, false
}

// windows returns the file of an account's windows.
func (a *attempt) windows(uid uint32) windowFile {
	return windowFile{a.store.WindowsPath(uid), a.cfg.SignIn.ReuseWindow}
}

// admitAndRemember is admit for a person who came with the browser.
func (a *attempt) admitAndRemember(who account.Identity, d rbac.Decision, c *cloud) error {
	if err := a.admit(who, d, c); err != nil {
		return err
	}
	a.remember()
	return nil
}

// remember keeps a window for a person who has just signed in with the browser; the door opens it.
// The window is a convenience: the sign-in is good without it.
func (a *attempt) remember() {
	if a.cfg.SignIn.ReuseWindow == 0 {
		return
	}
	here, _, why := a.origin()
	if why != "" {
		return
	}
	w := window{
		origin: here, Attempt: a.Attempt,
		Time: a.browser.Time.UTC(), Boot: a.browser.Boot, Up: a.browser.Up,
	}
	ctx, cancel := context.WithTimeout(context.Background(), lockPatience)
	defer cancel()
	err := a.windows(here.UID).keep(ctx, w, a.moment())
	if err == nil {
		err = windowMarks(a.RuntimeDir).leave(a.Attempt, a.Now())
	}
	if a.deniedSince(here.UID) { // and has not seen this window
		err = a.store.CloseWindows(here.UID)
	}
	if err != nil {
		a.log(LogWarning, "reuse-not-recorded", "error", err.Error())
	}
}

// origin returns the origin of this attempt, or why it has none.
func (a *attempt) origin() (here origin, acct account.Account, why string) {
	class := serviceClass[a.Service]
	if class == "" {
		return here, acct, "service without a window"
	}
	acct, err := a.storedAccount()
	if err != nil {
		return here, acct, "never signed in"
	}
	host := a.RemoteHost
	if class == classSudo {
		boot, _ := a.Uptime()
		host = notesIn(a.RuntimeDir).host(acct.UID, a.Caller, boot)
	}
	if why := noWindowFrom(host, a.OwnAddresses); why != "" {
		return here, acct, why
	}
	return origin{
		Tenant: acct.TenantID, Object: acct.ObjectID, Account: acct.Name, UID: acct.UID,
		Class: class, Host: host, ConfigDigest: ConfigDigest(a.cfg),
		Width: a.cfg.SignIn.ReuseWindow,
	}, acct, ""
}
