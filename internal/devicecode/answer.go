// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package devicecode

import (
	"encoding/json"
	"errors"
	"math"
	"net/url"
	"time"

	"aadlogin/internal/oauth"
)

// codeAnswer is a device authorization response (RFC 8628, Section 3.2).
type codeAnswer struct {
	UserCode                string   `json:"user_code"`
	DeviceCode              string   `json:"device_code"`
	VerificationURI         string   `json:"verification_uri"`
	VerificationURIComplete string   `json:"verification_uri_complete"`
	Message                 string   `json:"message"` // Microsoft's
	ExpiresIn               float64  `json:"expires_in"`
	Interval                *float64 `json:"interval"`
}

func parseCode(body []byte) (codeAnswer, error) {
	var c codeAnswer
	if json.Unmarshal(body, &c) != nil {
		return codeAnswer{}, errors.New("the answer is no device code")
	}
	switch {
	case c.UserCode == "" || len(c.UserCode) > 64:
		return codeAnswer{}, errors.New("the answer holds no user code")
	case c.DeviceCode == "":
		return codeAnswer{}, errors.New("the answer holds no device code")
	case !isPage(c.VerificationURI):
		return codeAnswer{}, errors.New("the answer holds no verification URI")
	case c.VerificationURIComplete != "" && !isPage(c.VerificationURIComplete):
		c.VerificationURIComplete = ""
	}
	if c.ExpiresIn < 1 {
		return codeAnswer{}, errors.New("the answer holds a code without a lifetime")
	}
	return c, nil
}

// isPage reports whether text is an address that the person can open.
func isPage(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") &&
		u.Host != "" && len(text) <= 1024
}

func (c codeAnswer) lifetime() time.Duration {
	return seconds(c.ExpiresIn)
}

// interval follows RFC 8628, Section 3.2: "If no value is provided, clients MUST use 5 as the
// default." Intervals below a second are ignored.
func (c codeAnswer) interval() time.Duration {
	if c.Interval == nil || *c.Interval < 1 {
		return 5 * time.Second
	}
	return seconds(*c.Interval)
}

func seconds(n float64) time.Duration {
	return time.Duration(math.Ceil(min(n, 24*3600))) * time.Second
}

// outcome is the class of an answer to a poll.
type outcome int

const (
	failed  outcome = iota // for good
	issued                 // tokens
	pending                // the person is not done yet
	slower                 // pending, but the polls come too often
	outage                 // not known yet
)

// classify reads the answer to a poll (RFC 8628, Section 3.5).
func (r Request) classify(got *oauth.Reply, err error) (outcome, error) {
	of, err := r.Client.Classify(got, err)
	refused, _ := err.(*oauth.Error)
	switch {
	case of == oauth.Issued:
		return issued, nil
	case of == oauth.Outage:
		return outage, err
	case refused == nil:
		return failed, err
	case refused.Code == "authorization_pending":
		return pending, nil
	case refused.Code == "slow_down":
		return slower, nil
	case refused.Has(r.Slower):
		return slower, err
	default:
		return failed, err
	}
}
