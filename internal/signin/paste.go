// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"aadlogin/internal/config"
	"aadlogin/internal/pasted"
	"aadlogin/internal/token"
)

// Rules of the conversation in which an answer is pasted:
//
//   - One attempt and one address hold through all of it: a second address would make what the
//     browser has done worthless.
//   - Good parts are kept, whatever else comes. An empty answer is none: a line break after a paste
//     makes one.
//   - The next prompt says what was wrong: OpenSSH's client shows no message right before a
//     failure.
//   - The number of prompts is bounded. What was typed is wiped, and goes into no line and no
//     error.

const (
	maxPastes  = 20 // answers that hold something
	maxPrompts = 40
)

// A paste is the conversation in which one answer comes together.
type paste struct {
	*attempt
	asked *pasted.Attempt
	parts *pasted.Parts

	prompts, pastes int
	note            string // what was wrong with the last answer
	failed          bool   // the last conversation: what was typed was too long, or was Ctrl-C
}

// complete asks until all parts have come.
func (p *paste) complete(ctx context.Context) error {
	for !p.parts.Complete() {
		if p.prompts == maxPrompts || p.pastes == maxPastes {
			return p.noAnswer()
		}
		if err := p.once(ctx); err != nil {
			return err
		}
	}
	return nil
}

// startAgain drops parts that are whole but make no answer.
func (p *paste) startAgain() {
	p.parts.Drop()
	p.note = "These parts make no answer together. Open the address above once more, and paste " +
		"what the page shows then."
}

// once asks one question.
func (p *paste) once(ctx context.Context) error {
	typed, err := p.question(ctx)
	defer clear(typed)
	p.prompts++
	p.pasting, p.note, p.failed = true, "", errors.Is(err, ErrTooLong)
	switch {
	case p.failed:
		p.pastes++
		p.note = "That was too long for this program. Paste one part, and press ENTER."
		return nil
	case ctx.Err() != nil:
		return p.refuse(Refused, notPastedInTime, "expired", "fix", fixNotPastedInTime)
	case err != nil:
		return err
	}
	found := p.parts.Add(typed)
	if found.Length > 0 {
		p.pastes++
	}
	p.note = aboutAnswer(found, p.parts)
	return nil
}

// question shows the address with the first prompt. Behind sudo everything but the question is a
// message, because "sudo -p" and the like replace our prompt. After Ctrl-C, though, sudo would show
// the message and not the question.
func (p *paste) question(ctx context.Context) ([]byte, error) {
	text, question := p.note, "Part 1: "
	if p.prompts == 0 {
		text = p.address()
	}
	if missing := p.parts.Missing(); missing != nil {
		question = fmt.Sprintf("Part %d of %d: ", missing[0], p.parts.Total())
	}
	switch {
	case text == "":
	case p.Program == "sudo" && !p.failed:
		p.conv.Tell(text)
	default:
		question = text + " \n" + question
	}
	return p.conv.Ask(ctx, question, p.terminal().echo)
}

// address begins with a short line, because OpenSSH's client puts "(user@host) " before it. The
// page's address begins at the left edge and has nothing behind it, so that a terminal copies it
// whole. Every other line ends in a blank, for clients that drop the line break.
func (p *paste) address() string {
	how := "Copy what that page shows, paste it here and press ENTER."
	if t := p.terminal(); t.lines {
		how = "Copy everything that page shows, paste it here and press ENTER."
	} else if !t.echo {
		how += " It does not show."
	}
	return p.before() + p.greeting() + "Open this address in your own browser: \n \n" +
		p.asked.Address() + "\n \n" + how
}

// aboutAnswer returns what the person is told about an answer that is not complete.
func aboutAnswer(f pasted.Received, parts *pasted.Parts) string {
	switch {
	case parts.Complete():
		return ""
	case f.Other:
		return "That part is of another attempt. Use the page of the address above, opened anew."
	case f.Damaged:
		return "A part came damaged. Copy it once more, paste it and press ENTER."
	case f.Cut:
		return fmt.Sprintf("The end is missing (%d characters came). "+
			"Paste one part, and press ENTER.", f.Length)
	case f.Strange:
		return "That is no part of an answer. Open the address above, sign in there, and paste " +
			"what the page shows at the end."
	case f.Anew:
		return "The page was used again: the parts that it showed before no longer count."
	case f.Again != nil && f.New == nil:
		return "Part " + strings.Trim(fmt.Sprint(f.Again), "[]") + " was here already."
	case f.Length == 0 && parts.Total() == 0:
		return "Nothing came. Paste what the page shows at the end, and press ENTER."
	}
	return ""
}

const (
	notPastedInTime = "The answer was not pasted in time, so nobody was signed in. Try again. " +
		"If the sign-in page or Entra ID refused, ask your administrator, and quote the number " +
		"that stood there."
	fixNotPastedInTime = "if the browser named an error, the sign-in log of Entra ID and the " +
		"Conditional Access page of the documentation say more; aadctl check compares the " +
		"sign-in page with what it should be"
)

func (a *attempt) noAnswer() error {
	return a.refuse(Refused,
		"Nothing that was pasted made a whole answer, so nobody was signed in. Try again, and "+
			"paste what the page shows, part by part.",
		"incomplete-answer")
}

// isRelayed reports whether the page has shown other values than this machine's. Their digest is
// the nonce of the token. If the token comes from the page, what both ends know is left out of it,
// so that with other values there the signature is of another text.
func (a *attempt) isRelayed(bad *token.InvalidError) bool {
	return bad.Part == token.NonceClaim ||
		bad.Part == token.Signature && a.cfg.SignIn.Answer == config.TokenAnswer
}

func (a *attempt) relayed(err error) error {
	r := a.refuse(Refused,
		"The answer does not belong to what this machine asked for, so nobody was signed in. "+
			"If the page named another machine, account or place than this one, somebody may be "+
			"passing your sign-in on: tell your administrator.",
		"relayed-answer", "error", err.Error(),
		"fix", "ask the person where the address came from: a page that showed other values "+
			"than this machine's was opened by an address of somebody else's; if everybody is "+
			"refused, the page is of another application or tenant: aadctl check compares it")
	r.level = LogWarning
	return r
}
