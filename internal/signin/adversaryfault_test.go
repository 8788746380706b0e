// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"sync/atomic"

	"aadlogin/internal/emulator"
)

// raw returns an HTTP answer with these header lines.
func raw(header, body string) emulator.Fault {
	if header != "" {
		header += "\r\n"
	}
	return emulator.Fault{Raw: "HTTP/1.1 200 OK\r\n" + header + "\r\n" + body}
}

// redirect sends the client to another address, with its method and body.
func redirect(to string) emulator.Fault {
	return emulator.Fault{Status: 308, Header: map[string]string{"Location": to}}
}

// bomb returns a compressed answer: 2 MB of spaces, then the text.
func bomb(text string) emulator.Fault {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(bytes.Repeat([]byte(" "), 2<<20))
	z.Write([]byte(text))
	z.Close()
	return raw(fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d", b.Len()), b.String())
}

// deep returns the text with a member nested n times before its own members.
func deep(text string, n int) emulator.Fault {
	i := strings.IndexByte(text, '{') + 1
	return emulator.Fault{Body: text[:i] + `"deep":` + strings.Repeat("[", n) +
		strings.Repeat("]", n) + "," + text[i:]}
}

// document returns a JSON object with one member changed.
func document(honest map[string]any, member string, value any) string {
	changed := map[string]any{}
	for k, v := range honest {
		changed[k] = v
	}
	if changed[member] = value; value == nil {
		delete(changed, member)
	}
	text, err := json.Marshal(changed)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// openID returns the document that this machine's authority publishes.
func (m *machine) openID() map[string]any {
	base := m.entra.EntraURL() + "/" + m.rules.TenantID
	return map[string]any{
		"issuer": base + "/v2.0", "jwks_uri": base + "/discovery/v2.0/keys",
		"authorization_endpoint":        base + "/oauth2/v2.0/authorize",
		"token_endpoint":                base + "/oauth2/v2.0/token",
		"device_authorization_endpoint": base + "/oauth2/v2.0/devicecode",
	}
}

// may returns an answer of checkAccess with one decision for login and one for administrators.
func may(login, admin string) string {
	entry := func(action, more string) string {
		return fmt.Sprintf(`{"actionId":"Microsoft.Compute/virtualMachines/%s/action","isDataAction":true,%s}`, action, more)
	}
	return "[" + entry("login", login) + "," + entry("loginAsAdmin", admin) + "]"
}

// elsewhere returns an address. A connection to it fails the test.
func (m *machine) elsewhere() string {
	m.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		m.t.Fatal(err)
	}
	var visitors atomic.Int32
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			visitors.Add(1)
			c.Close()
		}
	}()
	m.t.Cleanup(func() {
		l.Close()
		if n := visitors.Load(); n != 0 {
			m.t.Errorf("another host had %d visitors", n)
		}
	})
	return l.Addr().String()
}
