// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Refused is the end of a sign-in in the browser if the account is right, but the tenant refuses
// the person. The machine learns of it only if the directory's polling says so.
type Refused struct {
	AADSTS int
	Policy string // the Conditional Access policy that refused; "" for any other reason
	flow   string // DeviceCode or AuthorizationCode
	text   string
}

func (r *Refused) Error() string {
	by := ""
	if r.Policy != "" {
		by = fmt.Sprintf(" by policy %q", r.Policy)
	}
	return fmt.Sprintf("emulator: refused%s: AADSTS%d: %s", by, r.AADSTS, r.text)
}

// errConsent is returned if the person has to consent and was not asked yet.
var errConsent = errors.New("emulator: consent is needed")

// refusedTexts are the texts of the errors of policies and consent.
var refusedTexts = map[int]string{
	50079: "Due to a configuration change made by your administrator, or because you moved to a " +
		"new location, you must enroll in multi-factor authentication.",
	53000: "Device is not in required device state: compliant. Conditional Access policy " +
		"requires a compliant device, and the device is not compliant.",
	53001: "Device is not in required device state: domain_joined. Conditional Access policy " +
		"requires a domain joined device, and the device is not domain joined.",
	53003: "Access has been blocked by Conditional Access policies. The access policy does not " +
		"allow token issuance.",
	530035: "Access has been blocked by security defaults.",
	65001:  "The user or administrator has not consented to use the application.",
	90094:  "The grant requires admin permission.",
}

// SignIn acts as a person in the browser: it enters the code, signs in with the account, and
// consents where people may. The error is a *Refused if the tenant refuses the person.
func (s *Server) SignIn(userCode, account string) error {
	_, err := s.signIn(userCode, account, true)
	return err
}

// signIn returns errConsent and the permissions for a person who has not consented yet.
func (s *Server) signIn(userCode, account string, consents bool) ([]string, error) {
	defer s.lock()()
	c, err := s.find(userCode, s.now())
	if err != nil {
		return nil, err
	}
	u, ok := s.dir.user(strings.TrimSpace(account))
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrUnknownAccount, account)
	}
	wants, said, no := s.admit(visit{scope: c.scope, host: c.host, flow: DeviceCode}, u)
	c.ruling = said
	if no != nil {
		c.state, c.account, c.refused = Blocked, u.Name, no
		return nil, no
	}
	if len(wants) > 0 && !consents {
		return wants, errConsent
	}
	s.consent(u, wants)
	c.state, c.account, c.refused = SignedIn, u.Name, nil
	return nil, nil
}

// A visit is the reason why a person is in the browser.
type visit struct {
	scope   string
	host    string // the host that the request was sent to
	flow    string // DeviceCode or AuthorizationCode
	app     string // the kind of client in the words of policies; "": "mobile-and-desktop"
	managed bool   // the browser is on a managed device
}

// admit decides about a person whose account is right. no is the reason of a refusal, and wants are
// the permissions that the person has to consent to first. The caller holds the mutex.
func (s *Server) admit(v visit, u User) (wants []string, said ruling, no *Refused) {
	d := s.dir
	scopes, problem := d.parseScope(v.scope, v.host)
	if problem != nil {
		return nil, said, &Refused{AADSTS: problem.aadsts, text: problem.text}
	}
	for _, app := range scopes.apps() {
		r := d.judge(attempt{
			who: d.subject(u.ObjectID), flow: v.flow, app: v.app, resource: app,
			baseline: scopes.baseline(), mfa: !u.NoMFA, managed: v.managed,
		})
		r.mfa = r.mfa || said.mfa
		r.reportOnly = slices.Concat(said.reportOnly, r.reportOnly)
		if said = r; r.aadsts != 0 {
			return nil, said, r.refused(v.flow)
		}
	}
	wants = d.unconsented(scopes, s.consented[u.ObjectID])
	if d.Registration.NoServicePrincipal && len(scopes.own(d.ClientID)) > 0 {
		return nil, said, &Refused{AADSTS: 650052,
			text: fmt.Sprintf("The app is trying to access a service '%s'(%s) that your "+
				"organization '%s' lacks a service principal for.", d.ClientID,
				d.application(), d.TenantID)}
	}
	if !d.mayConsent(u, wants) {
		return nil, said, &Refused{AADSTS: 90094, text: refusedTexts[90094]}
	}
	return wants, said, nil
}

// refused describes a ruling that refuses the person.
func (r ruling) refused(flow string) *Refused {
	no := &Refused{AADSTS: r.aadsts, flow: flow, text: refusedTexts[r.aadsts]}
	if r.policy != nil {
		no.Policy = r.policy.Name
	}
	return no
}

// consent remembers the permissions that a person has consented to. It also makes the service
// principal if there is none.
func (s *Server) consent(u User, permissions []string) {
	if len(permissions) == 0 {
		return
	}
	s.consented[u.ObjectID] = append(s.consented[u.ObjectID], permissions...)
	if s.dir.Registration.NoServicePrincipal {
		own := *s.dir
		own.Registration.NoServicePrincipal, own.Registration.ConsentRequired = false, true
		s.dir = &own
	}
}

// told returns what the machine is told about a sign-in that the browser refused. With nil the
// machine waits until the code expires.
func (c *code) told(d *Directory) *refusal {
	word := d.Polling
	if p := c.ruling.policy; p != nil {
		word = cmp.Or(p.Polling, word)
	}
	if word == "" || word == pollingPending {
		return nil
	}
	no := refusal{word: word, aadsts: c.refused.AADSTS, text: c.refused.text}
	switch {
	case no.aadsts == 90094: // the number on the page; the token endpoint has another
		no.aadsts, no.text, no.suberror = 65001, refusedTexts[65001], "consent_required"
	case word != "access_denied" && c.ruling.policy != nil:
		no.suberror = "message_only"
	}
	if word == "interaction_required" && c.ruling.policy != nil {
		no.claims = fmt.Sprintf(`{"access_token":{"capolids":{"essential":true,"values":["%s"]}}}`,
			guidOf(c.ruling.policy.Name))
	}
	return &no
}

// pollingPending is the value of polling with which the machine is told nothing. The other values
// are words of OAuth.
const pollingPending = "pending"

// guidOf returns an id that depends on the parts alone.
func guidOf(parts ...string) string {
	d := digest(parts...)
	return fmt.Sprintf("%s-%s-%s-%s-%s", d[:8], d[8:12], d[12:16], d[16:20], d[20:])
}
