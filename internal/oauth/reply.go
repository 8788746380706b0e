// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"aadlogin/internal/foreign"
	"aadlogin/internal/retry"
)

// A Reply is an answer of the authority, read to its end.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
	host   string // that the request went to
}

// Foreign returns an error if a page for people came in the place of the authority's answer.
func (r *Reply) Foreign() error {
	if page := foreign.Page(r.Status, r.Header, r.Body, r.host); page != "" {
		return errors.New(page)
	}
	return nil
}

// RetryAfter returns how long the authority asks to be left alone. r may be nil.
func (r *Reply) RetryAfter(now time.Time) time.Duration {
	if r == nil {
		return 0
	}
	return retry.After(r.Header, now)
}

// MaxBody bounds an answer; an honest one has about 4 KiB.
const MaxBody = 1 << 20

// Post sends form with the headers of MSAL's own request, which name the client to Microsoft's
// support.
func (c Client) Post(msal *http.Request, endpoint string, form url.Values) (*Reply, error) {
	text := form.Encode()
	req, err := http.NewRequestWithContext(
		msal.Context(), http.MethodPost, endpoint, strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	req.Header = msal.Header.Clone()
	req.Header.Set("Accept", "application/json")
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return nil, foreign.Quiet(req, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxBody+1))
	if err != nil {
		return nil, foreign.Quiet(req, err)
	}
	if len(body) > MaxBody {
		return nil, errors.New("answer larger than 1 MiB")
	}
	return &Reply{resp.StatusCode, resp.Header, body, req.URL.Host}, nil
}

// Form reads what MSAL posts.
func Form(req *http.Request) (url.Values, error) {
	defer req.Body.Close()
	text, err := io.ReadAll(io.LimitReader(req.Body, MaxBody))
	if err != nil {
		return nil, errors.New("oauth: MSAL's request cannot be read")
	}
	return url.ParseQuery(string(text))
}

// Scope returns the scopes to request. Without offline_access there is no refresh token that could
// be stolen.
func (c Client) Scope() string {
	return strings.Join(append([]string{"openid", "profile"}, c.Scopes...), " ")
}

// Respond returns an answer to MSAL.
func Respond(req *http.Request, body []byte) *http.Response {
	return &http.Response{
		Status:        "200 OK",
		StatusCode:    http.StatusOK,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        http.Header{"Content-Type": {"application/json"}},
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
		Request:       req,
	}
}

// WantsMetadata reports whether MSAL asks for the OpenID metadata.
func WantsMetadata(req *http.Request) bool {
	return req.Method == http.MethodGet &&
		strings.HasSuffix(req.URL.Path, "/.well-known/openid-configuration")
}

// RespondMetadata returns what MSAL takes from the tenant's metadata, with the issuer on the host
// that MSAL asks, if that is the document's own host. MSAL insists on such an issuer, but some
// clouds name another host. Which issuer a token may have is decided before, from the document as
// it is, and every token is compared with that.
func (c Client) RespondMetadata(req *http.Request) *http.Response {
	return Respond(req, metadataForMSAL(req, c.Metadata))
}

func metadataForMSAL(req *http.Request, metadata []byte) []byte {
	var doc struct {
		Authorization string `json:"authorization_endpoint"`
		Token         string `json:"token_endpoint"`
		Issuer        string `json:"issuer"`
	}
	if json.Unmarshal(metadata, &doc) != nil {
		return metadata
	}
	endpoint, err := url.Parse(doc.Token)
	if err != nil || !strings.EqualFold(endpoint.Host, req.URL.Host) || doc.Issuer == "" {
		return metadata
	}
	doc.Issuer = "https://" + req.URL.Host + "/"
	changed, err := json.Marshal(doc)
	if err != nil {
		return metadata
	}
	return changed
}
