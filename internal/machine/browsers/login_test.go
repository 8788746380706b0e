// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package browsers

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

// aadctl login reads a browser's answer from its terminal without echo. ENTER alone opens the page
// as the user who called sudo, with nothing of root's and without a terminal.
func TestAadctlLoginPastes(t *testing.T) {
	const user = "user@contoso.example"
	page := rig.Entra.MetadataURL() + "/sign-in/index.html"
	rig.Stored(t, user)
	rig.Edit(t, rig.ConfigFile, rig.BeginWith(fmt.Sprintf(
		"sign_in.flow = \"browser\"\nsign_in.answer = \"code\"\nsign_in.page = %q\n", page)))
	dir := t.TempDir()
	rig.Must(t, "chmod", "1777", dir)
	rig.Must(t, "chmod", "a+x", filepath.Dir(dir), filepath.Dir(filepath.Dir(dir)))
	script := "#!/bin/sh\n{ id -u; id -g; id -G; pwd; env; (: </dev/tty) || echo no terminal; " +
		"echo \"$1\"; } >DIR/new 2>/dev/null\nmv DIR/new DIR/opened\n"
	err := os.WriteFile("/usr/bin/xdg-open", []byte(strings.ReplaceAll(script, "DIR", dir)), 0o755)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove("/usr/bin/xdg-open") })

	c := rig.Open(t, "env", "SUDO_UID=65534", "DISPLAY=:7", "XAUTHORITY=/x",
		"LD_LIBRARY_PATH=/root", "aadctl", "login", user)
	c.Expect(`ENTER alone opens the page in your browser`)
	address := c.Expect(`\n(` + regexp.QuoteMeta(page) + `#c=\S+)\n`)[1]
	c.Expect(`Part 1: `)
	asked := time.Now()
	c.TypeLine("")
	var said []byte
	rig.Eventually(t, "the browser", rig.Patience, func() (there bool) {
		text, err := os.ReadFile(dir + "/opened")
		said = text
		return err == nil
	})
	text := string(said)
	if !strings.HasPrefix(text, "65534\n65534\n65534\n/\n") ||
		!strings.HasSuffix(text, "no terminal\n"+address+"\n") ||
		!strings.Contains(text, "DISPLAY=:7\n") || strings.Contains(text, "root") ||
		strings.Contains(text, "SUDO") {
		t.Errorf("opened with %s", text)
	}
	c.Expect(`The page opens in your browser\.\nPart 1: `)
	part := byCode(t, address, user)
	time.Sleep(time.Until(asked.Add(rig.InTheBrowser)))
	c.TypeLine(part)
	c.Expect(user + ` may sign in here: uid \d+`)
	if strings.Contains(c.All(), part[10:]) {
		t.Error("what was pasted shows")
	}
	c.WentWell()
}

// byCode returns what the sign-in page shows at an address that asks for a code in one part.
func byCode(t *testing.T, address, account string) string {
	t.Helper()
	page, fragment, _ := strings.Cut(address, "#")
	values, err := url.ParseQuery(fragment)
	if err != nil {
		t.Fatal(err)
	}
	var shown []string
	for _, key := range []string{"c", "u", "m", "o", "s", "p"} {
		shown = append(shown, values.Get(key))
	}
	sum := sha256.Sum256([]byte(strings.Join(shown, "\n")))
	d := emulator.Contoso()
	q := url.Values{
		"client_id": {d.ClientID}, "response_type": {"code"}, "response_mode": {"fragment"},
		"redirect_uri": {page}, "state": {values.Get("c")}, "scope": {"openid profile"},
		"nonce":          {base64.RawURLEncoding.EncodeToString(sum[:])},
		"code_challenge": {values.Get("c")}, "code_challenge_method": {"S256"},
	}
	next, err := rig.Entra.Authorize(rig.Entra.EntraURL()+"/"+d.TenantID+"/oauth2/v2.0/authorize?"+
		q.Encode(), account, false)
	if err != nil {
		t.Fatal(err)
	}
	_, answer, _ := strings.Cut(next, "#")
	back, _ := url.ParseQuery(answer)
	head := "1/1.C" + values.Get("c")[:4] + "."
	sum = sha256.Sum256([]byte(head + back.Get("code")))
	return head + base64.RawURLEncoding.EncodeToString(sum[:])[:6] + "." + back.Get("code") + ";"
}
