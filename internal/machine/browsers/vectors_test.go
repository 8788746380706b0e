// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package browsers

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
	signinpage "aadlogin/packaging/sign-in-page"
)

// The page's script and the worker's package agree on every address and every answer in
// testdata/pasted, even on an address that a terminal has torn. Both name what is missing.
func TestSignInPageVectors(t *testing.T) { pageVectors(t, rig.NewChromium(t)) }

func pageVectors(t *testing.T, c *rig.Chromium) {
	text, err := os.ReadFile("../../../testdata/pasted/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Name, Page, Challenge, Account, Machine, Origin, Service, P, Address string
		Nonce, Tenant, Client, Issuer, Token, Code, Text, Kind               string
		Parts                                                                []string
	}
	if err := json.Unmarshal(text, &vectors); err != nil || len(vectors) == 0 {
		t.Fatalf("%d vectors, %v", len(vectors), err)
	}
	first := vectors[0]
	page, err := signinpage.Fill(signinpage.Settings{
		Tenant: first.Tenant, Client: first.Client, Authority: rig.Entra.EntraURL(),
		Issuer: first.Issuer, Scope: "openid profile",
	})
	if err != nil {
		t.Fatal(err)
	}
	// Firefox shows WebDriver's scripts nothing of the page's, so the script that asks is put into
	// the page.
	if c.Firefox {
		page = bytes.Replace(page, []byte("</script>"), []byte(vectorsScript+"</script>"), 1)
		policy := regexp.MustCompile(`<meta http-equiv="Content-Security-Policy"[^>]*>`)
		page = policy.ReplaceAll(page, nil)
	}
	c.Open(rig.WebHost(t, page))
	if !c.Firefox {
		c.JS(vectorsScript, nil)
	}
	for _, v := range vectors {
		var got struct {
			Whole, Torn []map[string]string
			Lacks       []string
			Kind        string
			Parts       []string
		}
		argument, _ := json.Marshal(v)
		argument, _ = json.Marshal(string(argument))
		var said string
		c.JS("return (window.wrappedJSObject ?? window).vector("+string(argument)+")", &said)
		if err := json.Unmarshal([]byte(said), &got); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{
			"c":     v.Challenge,
			"u":     v.Account,
			"m":     v.Machine,
			"o":     v.Origin,
			"s":     v.Service,
			"p":     v.P,
			"nonce": v.Nonce,
		}
		for i, request := range append(got.Whole, got.Torn...) {
			if fmt.Sprint(request) != fmt.Sprint(want) {
				t.Errorf("%s, %d: %v, want %v", v.Name, i, request, want)
			}
		}
		for _, lacks := range got.Lacks {
			if !strings.Contains(lacks, "Copy ") {
				t.Errorf("%s: a piece of an address is taken, or not told what it lacks: %q",
					v.Name, lacks)
			}
		}
		if got.Kind != v.Kind || len(got.Parts) != len(v.Parts) {
			t.Errorf("%s: %d parts of kind %s, want %d of %s", v.Name, len(got.Parts),
				got.Kind, len(v.Parts), v.Kind)
		}
		size, _ := strconv.Atoi(strings.TrimRight(v.P[1:], "n"))
		ours := joined(t, got.Parts, v.Challenge, size)
		theirs := joined(t, v.Parts, v.Challenge, size)
		if v.Kind != "T" && ours != theirs {
			t.Errorf("%s: %q, want %q", v.Name, ours, theirs)
		} else if v.Kind == "T" {
			got, want := inflated(t, ours), inflated(t, theirs)
			if got != want || !strings.HasSuffix(got, v.Text) {
				t.Errorf("%s: %q, want %q", v.Name, got, want)
			}
		}
	}
}

var partShape = regexp.MustCompile(`^(\d+/(\d+)\.[TtCc](.{4})\.)(.{6})\.([\w.~-]+);$`)

// joined returns the data of complete parts.
func joined(t *testing.T, parts []string, challenge string, size int) (data string) {
	t.Helper()
	for i, part := range parts {
		m := partShape.FindStringSubmatch(part)
		if m == nil || len(part) > size || m[2] != strconv.Itoa(len(parts)) ||
			m[3] != challenge[:4] || !strings.HasPrefix(part, strconv.Itoa(i+1)+"/") {
			t.Fatalf("no part: %s", part)
		}
		sum := sha256.Sum256([]byte(m[1] + m[5]))
		if base64.RawURLEncoding.EncodeToString(sum[:])[:6] != m[4] {
			t.Errorf("sum of %s", part)
		}
		data += m[5]
	}
	return data
}

// inflated returns data of kind T before it was deflated. Each end may deflate in its own way.
func inflated(t *testing.T, data string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(data)
	if err != nil || len(raw) < 2 {
		t.Fatalf("%d bytes, %v", len(raw), err)
	}
	signature := 2 + int(raw[0])<<8 + int(raw[1])
	text, err := io.ReadAll(flate.NewReader(bytes.NewReader(raw[signature:])))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw[:signature]) + string(text)
}

// vectorsScript calls the page's own functions.
const vectorsScript = `
	window.vector = async text => {
		const v = JSON.parse(text);
		const fragment = v.Address.slice(v.Address.indexOf("#") + 1);
		const put = (what, every) => v.Address.replace(new RegExp(".{" + every + "}", "g"), "$&" + what);
		const whole = [v.Address, fragment, "#" + fragment, v.Address + "."];
		const torn = [put("\n> ", 75), put("\n", 80), put("%3E%20", 75), put("> ", 75), put("%0A", 80), put("\r\n| ", 76), "  " + put(" ", 11) + "\n", put("+", 7)];
		const lacking = [];
		for (let i = 1; i < fragment.length; i += 7) lacking.push(fragment.slice(0, -i), fragment.slice(i));
		for (let i = 0; i < fragment.length; i += 5) lacking.push(fragment.slice(0, i) + fragment.slice(i + 1), fragment.slice(0, i) + (fragment[i] === "x" ? "y" : "x") + fragment.slice(i + 1));
		const read = async all => (await Promise.all(all.map(readAddress))).map(r => r.request ?? r.lacks);
		const { request } = await readAddress(v.Address);
		Object.assign(request, v.Token ? await compact(v.Token, request) : plain(v.Code));
		return JSON.stringify({ Whole: await read(whole), Torn: await read(torn), Lacks: (await read(lacking)).map(String), Kind: request.kind, Parts: await partsOf(request) });
	};`
