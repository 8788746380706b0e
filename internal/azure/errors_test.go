// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import "testing"

func FuzzParseError(f *testing.F) {
	for _, seed := range []string{
		`{"error":{"code":"AuthorizationFailed","message":"m"}}`,
		`{"error":"invalid_request","error_description":"Identity not found"}`,
		`{"error":[]}`, `null`, `<html>`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		e := parseError("op", &answer{status: 400, body: body})
		for _, r := range e.Error() {
			if r < ' ' || r == 0x7f {
				t.Fatalf("control character in %q", e)
			}
		}
	})
}
