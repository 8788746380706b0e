// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"errors"
	"fmt"
	"strings"

	"aadlogin/internal/config"
	"aadlogin/internal/oauth"
	"aadlogin/internal/signin"
)

// Only a sign-in with the page can tell some things about a tenant: whether Entra ID knows the
// address and its platform, whether the page may redeem its code for the application's own scope,
// and how long a real answer is.

// A PageTrial is one sign-in with a sign-in page.
type PageTrial struct {
	signin.PageTrial
	Done   bool  // the whole answer was pasted, or the browser showed a refusal
	Length int   // characters of the answer
	Err    error // why the answer was not accepted
	Number int   // the number that the browser showed, as the person read it; 0 for none
}

// PageTrials returns the sign-ins to try. The first has the configuration's address and answer. The
// second has the other kind of answer and the other address of the same file, so that one
// registration can serve both kinds.
func PageTrials(c *config.Config) []signin.PageTrial {
	if c.SignIn.Page == "" {
		return nil
	}
	all := []signin.PageTrial{{Page: c.SignIn.Page, Answer: c.SignIn.Answer}}
	if other := sibling(c.SignIn.Page); other != "" &&
		c.Authorization.Source != config.Permissions {
		answer := config.CodeAnswer
		if c.SignIn.Answer == config.CodeAnswer {
			answer = config.TokenAnswer
		}
		all = append(all, signin.PageTrial{Page: other, Answer: answer})
	}
	return all
}

// sibling returns another address of the same file, which most hosts serve. To Entra ID it is
// another page.
func sibling(page string) string {
	const name = "index.html"
	if dir, ok := strings.CutSuffix(page, "/"+name); ok {
		return dir + "/"
	}
	if strings.HasSuffix(page, "/") {
		return page + name
	}
	return ""
}

// JudgePages returns a finding for each trial. The first trial is that of the configuration, and
// only that one can fail.
func (h *Host) JudgePages(trials []PageTrial) []Finding {
	var findings []Finding
	for i, t := range trials {
		r := t.judge()
		if r.Status == Failed && (i > 0 || h.Config.SignIn.Flow != config.Browser) {
			r.Status, r.Kind = Warning, Machine
		}
		findings = append(findings, r)
	}
	return named("page", findings)
}

func (t PageTrial) judge() Finding {
	name := fmt.Sprintf("sign_in.answer = %q at %s", t.Answer, t.Page)
	refused := (*oauth.Error)(nil)
	switch {
	case !t.Done:
		return skipped(name + ": not tried to the end")
	case t.Number != 0:
		means := signin.ExplainAnswer(nil, t.Number)
		return failedf(t.kind(means), "%s: refused, the browser said %s: %s", name, means.Number,
			means.Happened).fix(t.fix(means))
	case errors.As(t.Err, &refused):
		means := signin.ExplainAnswer(t.Err)
		return failedf(t.kind(means), "%s: refused, this machine was told %s: %s", name,
			means.Number, means.Happened).fix(t.fix(means))
	case t.Err != nil:
		return failedf(Machine, "%s: the answer was not accepted: %s", name, plain(t.Err)).
			fix("see that the page is the one that this version ships, and is used once: aadctl " +
				"check compares it")
	}
	return ok("%s: accepted; the answer has %d characters: with ssh %s", name,
		t.Length, pastes(t.Length))
}

func (t PageTrial) kind(means signin.Refusal) Kind {
	if means.Settings {
		return Configuration
	}
	return Machine
}

// fix returns the remedy for a refusal. The general remedy is for a code that this machine redeems.
// A page redeems its code itself, and its address is registered for another platform.
func (t PageTrial) fix(means signin.Refusal) string {
	switch {
	case t.Answer == config.TokenAnswer && (t.Number == 9002326 || t.Number == 7000218):
		return "the page's address is not registered for the platform Single-page application, " +
			"so the page may not redeem its code: take it off the other platform, and run what " +
			"aadctl setup prints"
	case means.Fix != "":
		return means.Fix
	}
	return "the sign-in log of Entra ID names the policy or setting; aadctl setup prints what " +
		"registers the page"
}

// pastes says how many parts OpenSSH's client needs for an answer (pasted.Attempt.Size). The frame
// of a part has 17 characters.
func pastes(length int) string {
	const part, frame = 1000, 17
	n := max(1, (length-frame+part-frame-1)/(part-frame))
	if n == 1 {
		return "one paste"
	}
	return fmt.Sprintf("%d pastes", n)
}
