// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// limited returns a server for a fleet with these limits, and its clock, which stands still.
func limited(l Limits) (*Server, *time.Time) {
	now := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	d := Contoso()
	d.Limits, d.Machine.Fleet = l, "vm"
	d.Assignments[0].Scope = "/providers/Microsoft.Management/managementGroups/contoso-root"
	return &Server{Directory: d, Now: func() time.Time { return now }}, &now
}

// tokenFor returns the token for the machine with this host name.
func (s *Server) tokenFor(t *testing.T, host string) (string, *httptest.ResponseRecorder) {
	t.Helper()
	r := httptest.NewRequest("GET", "http://"+host+
		"/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/", nil)
	r.Header.Set("Metadata", "true")
	got := httptest.NewRecorder()
	s.Metadata().ServeHTTP(got, r)
	var answer struct {
		Token string `json:"access_token"`
	}
	json.Unmarshal(got.Body.Bytes(), &answer)
	return answer.Token, got
}

// resourceOf returns the resource id for the machine with this host name.
func (s *Server) resourceOf(t *testing.T, host string) string {
	t.Helper()
	r := httptest.NewRequest("GET", "http://"+host+
		"/metadata/instance/compute?api-version=2021-02-01", nil)
	r.Header.Set("Metadata", "true")
	got := httptest.NewRecorder()
	s.Metadata().ServeHTTP(got, r)
	var answer struct {
		ID string `json:"resourceId"`
	}
	json.Unmarshal(got.Body.Bytes(), &answer)
	return answer.ID
}

// reads asks for the deny assignments at a resource.
func (s *Server) reads(token, resource string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", "https://arm"+resource+
		"/providers/Microsoft.Authorization/denyAssignments?api-version=2022-04-01&%24filter=atScope()", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	got := httptest.NewRecorder()
	s.Entra().ServeHTTP(got, r)
	return got
}

// A principal has a bucket in each subscription, and all principals share another one. Both are
// filled again with time.
func TestLimitsOfResourceManager(t *testing.T) {
	s, now := limited(Limits{Reads: Bucket{3, 0.5}, AllReads: Bucket{5, 1}})
	one, _ := s.tokenFor(t, "vm1")
	two, _ := s.tokenFor(t, "vm2")
	here, elsewhere := s.resourceOf(t, "vm1"), s.resourceOf(t, "vm1.other")
	for i, test := range []struct {
		token, resource string
		passes          time.Duration // before the request
		left, retry     string
	}{
		{one, here, 0, "2", ""},
		{one, here, 0, "1", ""},
		{one, here, 0, "0", ""},
		{one, here, 0, "0", "2"}, // its own bucket is empty and gets half a token each second
		{two, here, 0, "2", ""},
		{two, here, 0, "1", ""},
		{two, here, 0, "1", "1"}, // its own bucket has one, and the subscription's has none
		{one, elsewhere, 0, "2", ""},
		{one, here, time.Second, "0", "1"},
		{one, here, time.Second, "0", ""},
		{one, here, time.Hour, "2", ""}, // a bucket holds no more than its size
	} {
		*now = now.Add(test.passes)
		got := s.reads(test.token, test.resource)
		want := http.StatusOK
		if test.retry != "" {
			want = http.StatusTooManyRequests
		}
		h := got.Header()
		if got.Code != want || h.Get("Retry-After") != test.retry ||
			h.Get("x-ms-ratelimit-remaining-subscription-reads") != test.left {
			t.Errorf("%d: %d, Retry-After %q, left %q: %s", i, got.Code, h.Get("Retry-After"),
				h.Get("x-ms-ratelimit-remaining-subscription-reads"), got.Body)
		}
		if want == http.StatusTooManyRequests && !strings.Contains(got.Body.String(),
			`"SubscriptionRequestsThrottled"`) {
			t.Error(got.Body)
		}
	}
}

// Without limits there is no header about them.
func TestNoLimits(t *testing.T) {
	s, _ := limited(Limits{})
	token, _ := s.tokenFor(t, "vm1")
	for range 300 {
		if got := s.reads(token, s.resourceOf(t, "vm1")); got.Code != http.StatusOK ||
			got.Header().Get("x-ms-ratelimit-remaining-subscription-reads") != "" {
			t.Fatalf("%d %v", got.Code, got.Header())
		}
	}
}

// The limits of one machine's metadata do not affect another machine.
func TestLimitsOfMetadata(t *testing.T) {
	s, now := limited(Limits{Identity: Bucket{2, 2}})
	for i, want := range []int{200, 200, 429} {
		if _, got := s.tokenFor(t, "vm1"); got.Code != want {
			t.Errorf("%d: %d", i, got.Code)
		}
	}
	if _, got := s.tokenFor(t, "vm2"); got.Code != http.StatusOK {
		t.Error(got.Code)
	}
	*now = now.Add(time.Second / 2)
	if _, got := s.tokenFor(t, "vm1"); got.Code != http.StatusOK {
		t.Error(got.Code)
	}
}

// An application that asks too often is told about a loop, whoever the people are.
func TestLimitsOfSignIns(t *testing.T) {
	s, now := limited(Limits{SignIns: Bucket{2, 1}})
	ask := func() *httptest.ResponseRecorder {
		d := s.directory()
		r := httptest.NewRequest("POST", "https://entra/"+d.TenantID+"/oauth2/v2.0/devicecode",
			strings.NewReader("scope=openid&client_id="+d.ClientID))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		got := httptest.NewRecorder()
		s.Entra().ServeHTTP(got, r)
		return got
	}
	for i, want := range []int{200, 200, 400} {
		if got := ask(); got.Code != want ||
			(want == 400) != strings.Contains(got.Body.String(), "AADSTS50196") {
			t.Errorf("%d: %d %s", i, got.Code, got.Body)
		}
	}
	*now = now.Add(time.Second)
	if got := ask(); got.Code != http.StatusOK {
		t.Error(got.Body)
	}
}

// The machines of a fleet have different names, ids and identities, and the same rights.
func TestFleet(t *testing.T) {
	s, _ := limited(Limits{})
	seen := map[string]bool{}
	for _, host := range []string{"vm1", "vm2", "vm1.other"} {
		seen[s.resourceOf(t, host)] = true
		token, _ := s.tokenFor(t, host)
		if got := s.reads(token, s.resourceOf(t, host)); got.Code != http.StatusOK {
			t.Errorf("%s: %s", host, got.Body)
		}
		b, _ := s.bearer(token)
		seen[fmt.Sprint("identity ", b.oid)] = true
	}
	if len(seen) != 3+2 {
		t.Errorf("%v", seen)
	}
	if got := s.resourceOf(t, "169.254.169.254"); got != Contoso().Machine.ResourceID {
		t.Error(got)
	}
}

// The limits are keys of the directory's file.
func TestLimitsInFile(t *testing.T) {
	d, err := Parse("x", append([]byte("limits.reads = {size = 250, refill = 25}\n"), contoso...))
	if err != nil || d.Limits.Reads != (Bucket{250, 25}) {
		t.Errorf("%+v, %v", d, err)
	}
}
