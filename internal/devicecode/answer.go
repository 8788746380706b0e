// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package devicecode

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"
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

// isPage: the person is going to open it.
func isPage(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && len(text) <= 1024
}

func (c codeAnswer) lifetime() time.Duration {
	return seconds(c.ExpiresIn)
}

// interval: RFC 8628, Section 3.2: "If no value is provided, clients MUST use
// 5 as the default." Nothing below a second is believed.
func (c codeAnswer) interval() time.Duration {
	if c.Interval == nil || *c.Interval < 1 {
		return 5 * time.Second
	}
	return seconds(*c.Interval)
}

func seconds(n float64) time.Duration {
	return time.Duration(math.Ceil(min(n, 24*3600))) * time.Second
}

// metadataForMSAL is the tenant's metadata with an issuer on the host that
// MSAL asks, which it insists on, if that host is the document's own. Who may
// be the issuer of a token here has been decided before, from the document as
// it is, and every token is held against that: clouds have been seen to name
// another host.
func metadataForMSAL(req *http.Request, metadata []byte) []byte {
	var doc map[string]json.RawMessage
	if json.Unmarshal(metadata, &doc) != nil {
		return metadata
	}
	endpoint, err := url.Parse(text(doc["token_endpoint"]))
	if err != nil || !strings.EqualFold(endpoint.Host, req.URL.Host) || text(doc["issuer"]) == "" {
		return metadata
	}
	issuer, _ := json.Marshal("https://" + req.URL.Host + "/") // a string encodes
	doc["issuer"] = issuer
	changed, err := json.Marshal(doc)
	if err != nil {
		return metadata
	}
	return changed
}

// verdict is what a poll came to.
type verdict int

const (
	failed  verdict = iota // for good
	granted                // tokens
	pending                // the person is still at it
	slower                 // so, but ask less often
	outage                 // nobody can know yet
)

// judge reads the answer to a poll (RFC 8628, Section 3.5). It branches on
// the error member alone: Microsoft changes codes and descriptions.
func judge(got *reply, err error) (verdict, error) {
	if v := (*tls.CertificateVerificationError)(nil); errors.As(err, &v) {
		return failed, &UnreachableError{err} // no retry makes a certificate good
	}
	if err != nil {
		return outage, err
	}
	page := got.foreign()
	switch {
	case page != nil && got.status == http.StatusOK:
		return outage, page // a portal may let people through meanwhile
	case page != nil:
		return failed, &UnreachableError{page}
	case got.status == http.StatusOK:
		return judgeTokens(got.body)
	}
	refused, ok := parseError(got)
	switch {
	case ok && refused.passing():
		return outage, refused
	case overloaded(got.status):
		return outage, fmt.Errorf("HTTP %d", got.status)
	case !ok && got.status == http.StatusBadRequest:
		return outage, errors.New("HTTP 400 without an OAuth error") // half a body
	case !ok:
		return failed, &UnreachableError{fmt.Errorf("HTTP %d without an OAuth error", got.status)}
	case refused.Code == "authorization_pending":
		return pending, nil
	case refused.Code == "slow_down":
		return slower, nil
	default:
		return failed, refused
	}
}

func judgeTokens(body []byte) (verdict, error) {
	if !json.Valid(body) {
		return outage, errors.New("HTTP 200 with half a body")
	}
	var tokens struct {
		ID     string `json:"id_token"`
		Access string `json:"access_token"`
	}
	if json.Unmarshal(body, &tokens) != nil || tokens.ID == "" || tokens.Access == "" {
		return failed, ErrUnusable
	}
	return granted, nil
}
