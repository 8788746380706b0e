// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestRequestLog(t *testing.T) {
	w := newWorld(t)
	user, device := w.start("openid offline_access")
	w.poll(device)
	log := w.Requests()
	if len(log) != 2 {
		t.Fatalf("%d requests", len(log))
	}
	first, second := log[0], log[1]
	if first.Endpoint != "devicecode" || first.Scope != "openid offline_access" ||
		first.Status != 200 || first.UserCode != user {
		t.Errorf("devicecode: %+v", first)
	}
	if second.Endpoint != "token" || second.Grant != rfcGrant || second.Status != 400 ||
		second.Error != "authorization_pending" || second.UserCode != user {
		t.Errorf("token: %+v", second)
	}
	if want := []string{"client_id", "device_code", "grant_type"}; !slices.Equal(second.Fields,
		want) {
		t.Errorf("fields %v, want %v", second.Fields, want)
	}
	text, _ := json.Marshal(log)
	if strings.Contains(string(text), device) {
		t.Error("the log holds the device code")
	}
	if w.ForgetRequests(); len(w.Requests()) != 0 {
		t.Error("not forgotten")
	}
}

// A test that looks for secrets must know all of them.
func TestSecrets(t *testing.T) {
	w := newWorld(t)
	user, device := w.start("openid offline_access")
	if err := w.SignIn(user, "user@contoso.example"); err != nil {
		t.Fatal(err)
	}
	a := w.poll(device).object(t)
	want := []string{device, a["access_token"].(string), a["refresh_token"].(string),
		a["id_token"].(string), w.identityBearer()}
	if got := w.Secrets(); !slices.Equal(got, want) {
		t.Errorf("secrets %q, want %q", got, want)
	}
}
