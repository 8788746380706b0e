// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// vector is one stanza of testdata/idtoken.txt.
type vector map[string]string

func vectors(t testing.TB) []vector {
	t.Helper()
	text, err := os.ReadFile("testdata/idtoken.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	for stanza := range strings.SplitSeq(string(text), "\n\n") {
		v := make(vector)
		for line := range strings.Lines(stanza) {
			if strings.HasPrefix(line, "#") {
				continue
			}
			name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			if !ok {
				t.Fatalf("bad line %q", line)
			}
			v[name] = strings.TrimSpace(value)
		}
		if len(v) > 0 {
			all = append(all, v)
		}
	}
	if len(all) < 50 {
		t.Fatalf("only %d vectors", len(all))
	}
	return all
}

// goodClaims are what Entra ID says about a member who has just signed in.
func goodClaims(a *authority) map[string]any {
	now := a.now.Unix()
	return map[string]any{
		"iss": a.issuer(), "aud": testClient, "tid": testTenant, "oid": testObject, "ver": "2.0",
		"iat": now - 5, "nbf": now - 5, "exp": now + 3600,
		"preferred_username": "alice@contoso.example", "name": "Alice", "sub": "x", "uti": "y",
	}
}

// token builds the vector's token, signed for real.
func (v vector) token(t testing.TB, a *authority) string {
	t.Helper()
	header := v.merge(t, a, "header", map[string]any{"alg": "RS256", "typ": "JWT", "kid": "current"})
	claims := v.merge(t, a, "claims", goodClaims(a))
	if payload, ok := v["payload"]; ok {
		claims = v.payload(t, a, payload)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	text := b64(header) + "." + b64(claims)
	return text + "." + b64(v.sign(t, text))
}

var relative = regexp.MustCompile(`^@-?\d+$`)

func (v vector) merge(t testing.TB, a *authority, field string, into map[string]any) []byte {
	t.Helper()
	change := make(map[string]any)
	if text := v[field]; text != "" {
		text = strings.NewReplacer("$issuer", a.issuer(), "$client", testClient).Replace(text)
		if err := json.Unmarshal([]byte(text), &change); err != nil {
			t.Fatalf("%s: %s: %v", v["name"], field, err)
		}
	}
	for name, value := range change {
		text, _ := value.(string)
		switch {
		case value == nil:
			delete(into, name)
		case relative.MatchString(text):
			offset, _ := strconv.ParseInt(text[1:], 10, 64)
			into[name] = a.now.Unix() + offset
		default:
			into[name] = value
		}
	}
	return mustJSON(t, into)
}

func (v vector) payload(t testing.TB, a *authority, text string) []byte {
	t.Helper()
	good := goodClaims(a)
	delete(good, "exp")
	members := mustJSON(t, good)
	text = strings.Replace(text, "$good", string(members[1:len(members)-1]), 1)
	return bytes.ReplaceAll([]byte(text), []byte(`\xff`), []byte{0xff})
}

func (v vector) sign(t testing.TB, text string) []byte {
	t.Helper()
	var signature []byte
	var err error
	switch key := v["key"]; key {
	case "none":
		return nil
	case "hmac":
		der, e := x509.MarshalPKIXPublicKey(public("current"))
		mac := hmac.New(sha256.New, der)
		mac.Write([]byte(text))
		signature, err = mac.Sum(nil), e
	case "rs384":
		sum := sha512.Sum384([]byte(text))
		signature, err = rsa.SignPKCS1v15(rand.Reader, testKeys["current"](), crypto.SHA384, sum[:])
	default:
		if key == "" {
			key = "current"
		}
		sum := sha256.Sum256([]byte(text))
		signature, err = rsa.SignPKCS1v15(rand.Reader, testKeys[key](), crypto.SHA256, sum[:])
	}
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

func mustJSON(t testing.TB, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
