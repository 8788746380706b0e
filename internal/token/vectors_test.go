// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	_ "crypto/sha512" // for digest
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
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
	if len(all) < 150 {
		t.Fatalf("only %d vectors", len(all))
	}
	return all
}

// goodClaims are Entra ID's claims about a member who has just signed in.
func goodClaims(a *authority) map[string]any {
	now := a.now.Unix()
	return map[string]any{
		"iss": a.issuer(), "aud": testClient, "tid": testTenant, "oid": testObject, "ver": "2.0",
		"iat": now - 5, "nbf": now - 5, "exp": now + 3600,
		"preferred_username": "alice@contoso.example", "name": "Alice", "sub": "x", "uti": "y",
	}
}

// token builds the vector's token with a real signature.
func (v vector) token(t testing.TB, a *authority) string {
	t.Helper()
	header, claims := v.parts(t, a)
	form := v["form"]
	if form == "" {
		form = "$header.$claims.$signature"
	}
	form = strings.NewReplacer(`\n`, "\n", `\r`, "\r", `\t`, "\t", `\0`, "\x00",
		"$header", b64(header), "$claims", b64(claims), "$loose-header", loose(header),
		"$loose-claims", loose(claims)).Replace(form)
	i := strings.LastIndexByte(form, '.')
	signature := v.sign(t, form[:max(i, 0)])
	signatures := strings.NewReplacer("$signature", b64(signature),
		"$loose-signature", loose(signature))
	return signatures.Replace(form)
}

func (v vector) parts(t testing.TB, a *authority) (header, claims []byte) {
	t.Helper()
	header, claims = []byte(v["header-bytes"]), []byte(v["payload"])
	if len(header) == 0 {
		header = v.merge(t, a, "header", map[string]any{
			"alg": "RS256",
			"typ": "JWT",
			"kid": "current",
		})
	}
	if len(claims) > 0 {
		return header, v.payload(t, a, string(claims))
	}
	good := goodClaims(a)
	if pad, err := strconv.Atoi(v["pad"]); err == nil {
		good["pad"] = strings.Repeat("x", pad)
	}
	return header, v.merge(t, a, "claims", good)
}

var b64 = base64.RawURLEncoding.EncodeToString

// loose encodes the same bytes, except for a bit that a lenient decoder ignores (RFC 4648, Section
// 3.5). JSON may end in a space, so that there is such a bit.
func loose(b []byte) string {
	if len(b)%3 == 0 {
		b = append(bytes.Clone(b), ' ')
	}
	text := []byte(b64(b))
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := &text[len(text)-1]
	*last = alphabet[strings.IndexByte(alphabet, *last)|1]
	return string(text)
}

var (
	relative = regexp.MustCompile(`^@-?\d+$`)
	escaped  = regexp.MustCompile(`\\x[0-9a-f]{2}`)
)

func (v vector) merge(t testing.TB, a *authority, field string, into map[string]any) []byte {
	t.Helper()
	change := make(map[string]any)
	if text := v[field]; text != "" {
		text = strings.NewReplacer("$issuer", a.issuer(), "$client", testClient, "$stranger",
			b64(public("stranger").N.Bytes())).Replace(text)
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
	return escaped.ReplaceAllFunc([]byte(text), func(escape []byte) []byte {
		b, _ := hex.DecodeString(string(escape[2:]))
		return b
	})
}

// These are ways to sign. Except for RS256 with a named key, each of them might be mistaken for it
// by a library.
var ways = map[string]func(text string) ([]byte, error){
	"none":     func(string) ([]byte, error) { return nil, nil },
	"hmac":     func(text string) ([]byte, error) { return hs256(publicDER(), text) },
	"hmac-pem": func(text string) ([]byte, error) { return hs256(publicPEM(), text) },
	"hmac-modulus": func(text string) ([]byte, error) {
		return hs256(public("current").N.Bytes(), text)
	},
	"hmac-n": func(text string) ([]byte, error) {
		return hs256([]byte(b64(public("current").N.Bytes())), text)
	},
	"hmac-empty": func(text string) ([]byte, error) { return hs256(nil, text) },
	"rs384": func(text string) ([]byte, error) {
		return pkcs1("current", crypto.SHA384, text)
	},
	"rs512": func(text string) ([]byte, error) { return pkcs1("current", crypto.SHA512, text) },
	"ps256": func(text string) ([]byte, error) {
		return rsa.SignPSS(rand.Reader, testKeys["current"](), crypto.SHA256,
			digest(crypto.SHA256, text), nil)
	},
	"es256": func(text string) ([]byte, error) {
		r, s, err := ecdsa.Sign(rand.Reader, ecKey(), digest(crypto.SHA256, text))
		if err != nil {
			return nil, err
		}
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), nil
	},
}

var ecKey = sync.OnceValue(func() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
})

func (v vector) sign(t testing.TB, text string) []byte {
	t.Helper()
	key := v["key"]
	way := ways[key]
	if way == nil {
		if key == "" {
			key = "current"
		}
		way = func(text string) ([]byte, error) { return pkcs1(key, crypto.SHA256, text) }
	}
	signature, err := way(text)
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

func digest(hash crypto.Hash, text string) []byte {
	h := hash.New()
	h.Write([]byte(text))
	return h.Sum(nil)
}

func pkcs1(key string, hash crypto.Hash, text string) ([]byte, error) {
	return rsa.SignPKCS1v15(nil, testKeys[key](), hash, digest(hash, text))
}

func hs256(secret []byte, text string) ([]byte, error) {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(text))
	return mac.Sum(nil), nil
}

func publicDER() []byte {
	der, err := x509.MarshalPKIXPublicKey(public("current"))
	if err != nil {
		panic(err) // an RSA key encodes
	}
	return der
}

func publicPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: publicDER()})
}

func mustJSON(t testing.TB, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
