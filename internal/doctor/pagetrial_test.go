// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"errors"
	"strings"
	"testing"

	"aadlogin/internal/config"
	"aadlogin/internal/pasted"
	"aadlogin/internal/signin"
)

// The other answer is tried if the same file has another address. A token is never tried where a
// code is required.
func TestPageTrials(t *testing.T) {
	for _, test := range []struct{ page, answer, source, want string }{
		{"", "token", config.CheckAccess, ""},
		{"https://a.example/", "token", config.CheckAccess,
			"token https://a.example/ code https://a.example/index.html"},
		{"https://a.example/x/index.html", "code", config.CheckAccess,
			"code https://a.example/x/index.html token https://a.example/x/"},
		{"https://a.example/sign-in", "token", config.CheckAccess,
			"token https://a.example/sign-in"},
		{"https://a.example/my-index.html", "token", config.CheckAccess,
			"token https://a.example/my-index.html"},
		{"https://a.example/", "code", config.Permissions, "code https://a.example/"},
	} {
		c := &config.Config{SignIn: config.SignIn{Page: test.page, Answer: test.answer},
			Authorization: config.Authorization{Source: test.source}}
		var got []string
		for _, trial := range PageTrials(c) {
			got = append(got, trial.Answer, trial.Page)
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}

// Only the configured way can fail. Every refusal has a remedy.
func TestJudgePages(t *testing.T) {
	way := signin.PageTrial{Page: "https://a.example/", Answer: config.TokenAnswer}
	for _, test := range []struct {
		flow   string
		trial  PageTrial
		status Status
		found  string
		fix    string
	}{
		{config.Browser, PageTrial{way, true, 805, nil, 0}, OK,
			"has 805 characters: with ssh one paste", ""},
		{config.Browser, PageTrial{way, false, 0, errors.New("skipped"), 0}, Skipped,
			"not tried to the end", ""},
		{config.Browser, PageTrial{way, true, 0, errors.New("the browser showed"), 50011}, Failed,
			"the browser said AADSTS50011", "not registered"},
		{config.Browser, PageTrial{way, true, 0, errors.New("the browser showed"), 9002326}, Failed,
			"AADSTS9002326", "Single-page application"},
		{config.Browser, PageTrial{way, true, 0, errors.New("the browser showed"), 123456}, Failed,
			"AADSTS123456", "sign-in log"},
		{config.Browser, PageTrial{way, true, 9, pasted.ErrUnusable, 0}, Failed,
			"the answer was not accepted", "aadctl check compares"},
		{config.DeviceCode, PageTrial{way, true, 9, pasted.ErrUnusable, 0}, Warning,
			"the answer was not accepted", "aadctl check compares"},
	} {
		h := &Host{Config: &config.Config{SignIn: config.SignIn{Flow: test.flow}}}
		findings := h.JudgePages([]PageTrial{test.trial,
			{PageTrial: way, Done: true, Number: 50011}})
		expect(t, findings[:1], test.status, test.found)
		if !strings.Contains(findings[0].Fix, test.fix) || findings[0].Check != "page" ||
			findings[1].Status != Warning {
			t.Errorf("%+v", findings)
		}
	}
}

// The number of pastes is the number of parts that the page makes for OpenSSH's client.
func TestPastes(t *testing.T) {
	for length, want := range map[int]string{0: "one paste", 17: "one paste", 1000: "one paste",
		1001: "2 pastes", 1983: "2 pastes", 1984: "3 pastes"} {
		if got := pastes(length); got != want {
			t.Errorf("%d: %s, want %s", length, got, want)
		}
	}
}
