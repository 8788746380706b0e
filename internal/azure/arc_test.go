// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// agent serves as the agent of Azure Arc does. Its 401 carries the result of challenge; "" means no
// 401.
type agent struct {
	challenge func(keys string) string
	answer    string
	asked     []string // the Authorization headers
}

func (a *agent) serve(t *testing.T) *Metadata {
	t.Helper()
	keys := t.TempDir()
	for name, text := range map[string]string{
		"good.key":  "c2VjcmV0",
		"large.key": strings.Repeat("x", 4097),
		"key.txt":   "no",
	} {
		if err := os.WriteFile(filepath.Join(keys, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(keys, "below"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		os.WriteFile(filepath.Join(keys, "below", "deep.key"), []byte("no"), 0o600),
		os.Mkdir(filepath.Join(keys, "directory.key"), 0o700),
		os.Symlink("/etc/passwd", filepath.Join(keys, "link.key")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.asked = append(a.asked, r.Header.Get("Authorization"))
		if r.Header.Get("Metadata") != "true" || r.URL.Query().Get("api-version") != "2020-06-01" {
			t.Errorf("%s, headers %v", r.URL, r.Header)
		}
		if challenge := a.challenge(keys); challenge != "" && r.Header.Get("Authorization") == "" {
			w.Header().Set("Www-Authenticate", challenge)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		io.WriteString(w, a.answer)
	}))
	t.Cleanup(s.Close)
	return &Metadata{Endpoint: s.URL, Arc: true, Sleep: new(clock).Sleep, arcKeys: keys}
}

const arcAnswer = `{"access_token":"machine-token","expires_in":3599,"token_type":"Bearer","client_id":"C1"}`

func TestArcToken(t *testing.T) {
	a := &agent{answer: arcAnswer, challenge: func(keys string) string {
		return "Basic realm=" + keys + "/good.key"
	}}
	token, err := a.serve(t).Token(t.Context(), "https://management.azure.com/", "")
	if err != nil || token.Secret != "machine-token" {
		t.Fatalf("%v, %v", token, err)
	}
	if len(a.asked) != 2 || a.asked[0] != "" || a.asked[1] != "Basic c2VjcmV0" {
		t.Errorf("asked with %q", a.asked)
	}
}

// A key is good once. So an attempt after an agent's outage needs another key, and an outage that
// stays is not taken for a refusal: a last grant stands in for an outage only.
func TestArcKeyIsGoodOnce(t *testing.T) {
	for name, test := range map[string]struct {
		outages int
		ok      bool
	}{
		"passes": {2, true},
		"stays":  {99, false},
	} {
		t.Run(name, func(t *testing.T) {
			keys := t.TempDir()
			made, outages := 0, test.outages
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				path := filepath.Join(keys, fmt.Sprint(made, ".key"))
				if text, err := os.ReadFile(path); err == nil &&
					r.Header.Get("Authorization") == "Basic "+string(text) {
					os.Remove(path)
					if outages--; outages >= 0 {
						w.WriteHeader(http.StatusInternalServerError)
						return
					}
					io.WriteString(w, arcAnswer)
					return
				}
				made++
				path = filepath.Join(keys, fmt.Sprint(made, ".key"))
				if err := os.WriteFile(path, fmt.Append(nil, "key", made), 0o600); err != nil {
					t.Error(err)
				}
				w.Header().Set("Www-Authenticate", "Basic realm="+path)
				w.WriteHeader(http.StatusUnauthorized)
			}))
			defer s.Close()
			m := &Metadata{Endpoint: s.URL, Arc: true, Sleep: new(clock).Sleep, arcKeys: keys}
			token, err := m.Token(t.Context(), "r", "")
			if (err == nil) != test.ok || (token.Secret != "") != test.ok {
				t.Errorf("%v, %v", token, err)
			}
			if !test.ok && !Outage(err) {
				t.Errorf("no outage: %v", err)
			}
		})
	}
}

// An impostor on the agent's port may give any of these answers, to be taken for the agent or to
// get a file of root's.
func TestArcImpostor(t *testing.T) {
	tests := map[string]func(keys string) string{
		"no challenge": func(string) string { return "" },
		"another scheme": func(keys string) string {
			return "Bearer realm=" + keys + "/good.key"
		},
		"no realm": func(keys string) string { return "Basic " + keys + "/good.key" },
		"another directory": func(string) string {
			return "Basic realm=/etc/ssl/private/host.key"
		},
		"out of it": func(keys string) string {
			return "Basic realm=" + keys + "/../good.key"
		},
		"below it": func(keys string) string {
			return "Basic realm=" + keys + "/below/deep.key"
		},
		"a neighbour of it": func(keys string) string {
			return "Basic realm=" + keys + "2/good.key"
		},
		"not cleaned": func(keys string) string {
			return "Basic realm=" + keys + "//good.key"
		},
		"relative": func(string) string { return "Basic realm=good.key" },
		"another suffix": func(keys string) string {
			return "Basic realm=" + keys + "/key.txt"
		},
		"a link": func(keys string) string {
			return "Basic realm=" + keys + "/link.key"
		},
		"a directory": func(keys string) string {
			return "Basic realm=" + keys + "/directory.key"
		},
		"too large": func(keys string) string {
			return "Basic realm=" + keys + "/large.key"
		},
		"nothing": func(keys string) string {
			return "Basic realm=" + keys + "/absent.key"
		},
		"the directory": func(keys string) string { return "Basic realm=" + keys },
		"more behind a NUL": func(keys string) string {
			return "Basic realm=" + keys + "/good.key\x00.key"
		},
		"a second parameter": func(keys string) string {
			return "Basic realm=" + keys + "/good.key, charset=UTF-8"
		},
	}
	for name, challenge := range tests {
		t.Run(name, func(t *testing.T) {
			a := &agent{answer: arcAnswer, challenge: challenge}
			token, err := a.serve(t).Token(t.Context(), "https://management.azure.com/", "")
			if err == nil {
				t.Fatalf("accepted: %v", token)
			}
			if strings.Join(a.asked, "") != "" {
				t.Errorf("was sent %q", a.asked)
			}
			if strings.Contains(err.Error(), "machine-token") {
				t.Errorf("error tells the token: %v", err)
			}
		})
	}
}

// An agent may give one identity to every request. It must not be taken for another one.
func TestArcIdentity(t *testing.T) {
	good := func(keys string) string { return "Basic realm=" + keys + "/good.key" }
	for client, ok := range map[string]bool{"c1": true, "c2": false} {
		a := &agent{answer: arcAnswer, challenge: good}
		if _, err := a.serve(t).Token(t.Context(), "r", client); (err == nil) != ok {
			t.Errorf("%s: %v", client, err)
		}
	}
	a := &agent{answer: strings.Replace(arcAnswer, "C1", "", 1), challenge: good}
	if _, err := a.serve(t).Token(t.Context(), "r", "c1"); err == nil {
		t.Error("an identity that was not confirmed was accepted")
	}
}

// Whatever a challenge says, only a key leaves the machine.
func FuzzArcKey(f *testing.F) {
	keys := f.TempDir()
	outside := filepath.Join(f.TempDir(), "x.key")
	for path, text := range map[string]string{
		filepath.Join(keys, "x.key"): "key",
		outside:                      "not to be sent",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			f.Fatal(err)
		}
	}
	for _, path := range []string{
		"/x.key", "//x.key", "/../" + outside, "/x.key\x00", "/./x.key", "",
	} {
		f.Add("Basic realm=" + keys + path)
	}
	f.Fuzz(func(t *testing.T, challenge string) {
		m := &Metadata{arcKeys: keys}
		key, err := m.arcKey(http.Header{"Www-Authenticate": {challenge}})
		if err == nil && (key != "key" || !strings.HasSuffix(challenge, "realm="+keys+"/x.key")) {
			t.Errorf("%q sent %q", challenge, key)
		}
	})
}

func TestArcRefuses(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, `{"error":"forbidden","error_description":"no"}`)
	}))
	defer s.Close()
	m := &Metadata{Endpoint: s.URL, Arc: true, Sleep: new(clock).Sleep}
	var e *Error
	_, err := m.Token(t.Context(), "r", "")
	if !errors.As(err, &e) || e.Op != IdentityToken || e.Status != 403 {
		t.Errorf("got %v", err)
	}
}

func TestMetadataEndpoint(t *testing.T) {
	for want, m := range map[string]*Metadata{
		DefaultMetadata: {},
		DefaultArc:      {Arc: true},
		"http://x":      {Endpoint: "http://x", Arc: true},
	} {
		if got := m.endpoint(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// The agent is asked for the machine with the version that all known agents have. For any other
// version, serve fails the test.
func TestArcCompute(t *testing.T) {
	a := &agent{
		challenge: func(string) string { return "" },
		answer:    `{"resourceId":"/subscriptions/s/x","publicKeys":null,"storageProfile":{}}`,
	}
	c, err := a.serve(t).Compute(t.Context())
	if err != nil || c.ResourceID != "/subscriptions/s/x" {
		t.Errorf("%+v, %v", c, err)
	}
}
