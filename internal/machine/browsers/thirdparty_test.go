// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package browsers

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

const thirdPartyPort = "8444"

// The whole product works with an OAuth server that the project has not written and that does not
// know Entra ID. Our requests must be RFC 8628. The emulator stays Azure, so that a token of this
// server can be authorized.
func TestThirdPartyServer(t *testing.T) {
	const user, admin = "user@contoso.example", "admin@contoso.example"
	server := startThirdParty(t)
	signing, declining := rig.SSH(t, user, "id -un"), rig.SSH(t, admin)
	browser := rig.NewBrowser(t, server.ca)

	page, complete, code := thirdPartyPrompt(signing)
	if want := page + "?user_code=" + url.QueryEscape(code); complete != want {
		t.Errorf("verification_uri_complete %q, want %q", complete, want)
	}
	browser.GoThrough(page, url.Values{"user_code": {code}, "login": {user}, "password": {"any"}},
		"Sign-in Success")
	_, complete, _ = thirdPartyPrompt(declining)
	browser.GoThrough(complete, url.Values{"abort": {"yes"}}, "The Sign-in request was interrupted")

	signing.TypeLine("")
	signing.Expect(`\nuser@contoso\.example\n`)
	if status, _ := signing.End(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	declining.TypeLine("")
	declining.Expect(`The sign-in was declined in the browser\.`)
	declining.Cmd.Process.Kill()

	events := server.stop()
	for _, want := range []string{
		"device_authorization.success", "grant.success", "grant.error access_denied",
	} {
		if !slices.ContainsFunc(events, func(e string) bool { return strings.HasPrefix(e, want) }) {
			t.Errorf("no %q among %q", want, events)
		}
	}
	for _, e := range events {
		wanted := strings.HasSuffix(e, ".success") ||
			strings.HasPrefix(e, "grant.error authorization_pending") ||
			strings.HasPrefix(e, "grant.error access_denied")
		if !wanted {
			t.Errorf("the provider did not like a request: %s", e)
		}
	}
}

// thirdPartyPrompt waits for a prompt with both of RFC 8628's addresses.
func thirdPartyPrompt(c *rig.Terminal) (page, complete, code string) {
	c.T.Helper()
	m := c.Expect(`Open (\S+) and check that the page shows the code below, or: \n(?:\S+ \n)?` +
		`To sign in, use a web browser to open the page (\S+) and enter the code (\S+) to authenticate\. Press ENTER when ready\.`)
	return m[2], m[1], m[3]
}

// thirdParty is a running testdata/oidc-provider.
type thirdParty struct {
	ca    []byte
	cmd   *exec.Cmd
	lines *bufio.Scanner
}

// startThirdParty runs the server that install-oidc-provider has installed. It becomes the
// authority of this machine, and of a page if there is one.
func startThirdParty(t *testing.T, page ...string) *thirdParty {
	t.Helper()
	const dir = "/opt/oidc-provider"
	rig.Must(t, "cp", "../../../testdata/oidc-provider/server.mjs", dir)
	certificate, key := rig.LoopbackCertificate(t)
	directory := emulator.Contoso()
	accounts := map[string]string{}
	for _, u := range directory.Users {
		accounts[u.Name] = u.ObjectID
	}
	values := map[string]any{
		"port": thirdPartyPort, "tenant": directory.TenantID, "client": directory.ClientID,
		"certificate": string(certificate), "key": string(key), "accounts": accounts,
	}
	if page != nil {
		values["page"] = page[0]
	}
	setUp, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	s := &thirdParty{ca: certificate, cmd: exec.Command(dir+"/bin/node", dir+"/server.mjs")}
	s.cmd.Stdin = bytes.NewReader(setUp)
	if s.cmd.Stderr, err = os.Create("/tmp/oidc-provider.log"); err != nil {
		t.Fatal(err)
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.cmd.Process.Kill() })
	s.lines = bufio.NewScanner(out)
	if !s.lines.Scan() || s.lines.Text() != "ready" {
		t.Fatalf("the server said %q instead of ready; see /tmp/oidc-provider.log", s.lines.Text())
	}
	rig.TrustAuthority(t, "https://127.0.0.1:"+thirdPartyPort, certificate)
	return s
}

// stop ends the server and returns its events.
func (s *thirdParty) stop() []string {
	s.cmd.Process.Kill()
	var events []string
	for s.lines.Scan() {
		// The rest is advice for production.
		if event, ok := strings.CutPrefix(s.lines.Text(), "event "); ok {
			events = append(events, event)
		}
	}
	s.cmd.Wait()
	return events
}
