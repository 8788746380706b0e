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

// What only a sign-in by the page can tell of a tenant: whether Entra ID knows the address, as
// what, whether the page may redeem its code for the application's own scope, and how long a real
// answer is.

// A PageTrial is one sign-in by a sign-in page.
type PageTrial struct {
	signin.PageTrial
	Done   bool  // the whole answer was pasted, or the browser refused
	Length int   // characters of the answer
	Err    error // why the answer is none
	Number int   // that the browser showed, as the person at it read it; 0: none
}

// PageTrials are the ways to try: that of the configuration, and then the other answer by the same
// file at its other address, by which one registration would serve both.
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

// sibling is another address of the same file at most hosts; to Entra ID it is another page.
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

// JudgePages says of each trial what came of it. The first is the way that the configuration has,
// and the only one that can be wrong.
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

// fix is the number's own way out, which thinks of a code that this machine redeems; the page has a
// place of its own for its address.
func (t PageTrial) fix(means signin.Refusal) string {
	switch {
	case t.Answer == config.TokenAnswer && (t.Number == 9002326 || t.Number == 7000218):
		return "the page's address is not registered for the platform Single-page application, " +
			"so the page may not redeem its code: take it off the " +
			"other platform, and run what aadctl setup prints"
	case means.Fix != "":
		return means.Fix
	}
	return "the sign-in log of Entra ID names the policy or setting; aadctl setup prints what " +
		"registers the page"
}

// pastes is into how many parts OpenSSH's client has an answer cut (pasted.Attempt.Size). The frame
// of a part has 17 characters.
func pastes(length int) string {
	const part, frame = 1000, 17
	n := max(1, (length-frame+part-frame-1)/(part-frame))
	if n == 1 {
		return "one paste"
	}
	return fmt.Sprintf("%d pastes", n)
}
