// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// answering returns a metadata service that gives this answer without a network.
type answering []byte

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{},
		Body: io.NopCloser(bytes.NewReader(a)), Request: r}, nil
}

func service(body []byte) *Metadata {
	m := &Metadata{Now: func() time.Time { return time.Unix(1700000000, 0) }}
	m.once.Do(func() { m.client = &http.Client{Transport: answering(body)} })
	return m
}

// FuzzCompute checks that an accepted answer names a resource, and reads the same when written out
// again.
func FuzzCompute(f *testing.F) {
	for _, seed := range []string{
		`{"azEnvironment":"AzurePublicCloud","resourceId":"/x","vmScaleSetName":""}`,
		`{}`, `{"resourceId":1}`, `[]`, `{"resourceId":"/a","ResourceId":"/b"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := service(body).Compute(t.Context())
		if err != nil {
			return
		}
		again, err := json.Marshal(c)
		if err != nil || c.ResourceID == "" {
			t.Fatalf("%q accepted as %+v", body, c)
		}
		if d, err := service(again).Compute(t.Context()); err != nil || d != c {
			t.Errorf("%+v became %+v, %v", c, d, err)
		}
	})
}

// FuzzToken checks that an accepted answer is a bearer token that ends within a week, and that a
// refused one is not quoted.
func FuzzToken(f *testing.F) {
	const secret = "eyJsecret"
	for _, seed := range []string{
		`"expires_in":"3599","token_type":"Bearer"`, `"expires_in":-1,"token_type":"Bearer"`,
		`"expires_in":604801,"token_type":"bearer"`,
		`"token_type":"pop","expires_in":9`, `"access_token":"x"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, members []byte) {
		body := append([]byte(`{"access_token":"`+secret+`",`), append(members, '}')...)
		m := service(body)
		token, err := m.Token(t.Context(), "r", "")
		switch {
		case err != nil && strings.Contains(err.Error(), secret):
			t.Errorf("%v", err)
		case err == nil && (token.Secret != secret || token.Expires.Before(m.Now()) ||
			token.Expires.After(m.Now().AddDate(0, 0, 7))):
			t.Errorf("%q accepted until %v", body, token.Expires)
		}
	})
}
