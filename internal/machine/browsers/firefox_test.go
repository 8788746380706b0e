// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package browsers

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"aadlogin/internal/machine/rig"
)

var withBrowsers = flag.Bool("browsers", false,
	"run the tests of the sign-in page that need another browser or another authority")

// A marionette is Debian's Firefox without a window. Debian has no geckodriver. Firefox itself
// speaks almost WebDriver, on a TCP connection: a message is its length, a colon, and [0, id,
// command, parameters]; the answer is [1, id, error, result].
// https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html
type marionette struct {
	mu   sync.Mutex
	conn net.Conn
	in   *bufio.Reader
	id   int
}

// ask sends a command and returns its result.
func (m *marionette) ask(command string, params any) (json.RawMessage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.id++
	text, err := json.Marshal([]any{0, m.id, command, params})
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(m.conn, "%d:%s", len(text), text); err != nil {
		return nil, err
	}
	answer, err := m.message()
	if err != nil {
		return nil, err
	}
	var parts []json.RawMessage
	if err := json.Unmarshal(answer, &parts); err != nil || len(parts) != 4 {
		return nil, fmt.Errorf("firefox: %s: %v", answer, err)
	}
	if string(parts[2]) != "null" {
		return parts[2], errors.New("firefox: " + command)
	}
	return parts[3], nil
}

func (m *marionette) message() ([]byte, error) {
	length, err := m.in.ReadString(':')
	if err != nil {
		return nil, err
	}
	var n int
	if _, err := fmt.Sscanf(length, "%d:", &n); err != nil {
		return nil, err
	}
	text := make([]byte, n)
	_, err = io.ReadFull(m.in, text)
	return text, err
}

// commands are WebDriver's commands under Firefox's names. An element's id in the path becomes a
// parameter.
var commands = []struct {
	path    *regexp.Regexp
	command string
}{
	{regexp.MustCompile(`^POST /url$`), "Navigate"},
	{regexp.MustCompile(`^GET /url$`), "GetCurrentURL"},
	{regexp.MustCompile(`^POST /back$`), "Back"},
	{regexp.MustCompile(`^POST /forward$`), "Forward"},
	{regexp.MustCompile(`^POST /refresh$`), "Refresh"},
	{regexp.MustCompile(`^GET /window$`), "GetWindowHandle"},
	{regexp.MustCompile(`^POST /window$`), "SwitchToWindow"},
	{regexp.MustCompile(`^POST /window/new$`), "NewWindow"},
	{regexp.MustCompile(`^DELETE /window$`), "CloseWindow"},
	{regexp.MustCompile(`^POST /frame$`), "SwitchToFrame"},
	{regexp.MustCompile(`^POST /element$`), "FindElement"},
	{regexp.MustCompile(`^GET /element/active$`), "GetActiveElement"},
	{regexp.MustCompile(`^POST /element/([^/]+)/click$`), "ElementClick"},
	{regexp.MustCompile(`^GET /element/([^/]+)/computedrole$`), "GetComputedRole"},
	{regexp.MustCompile(`^GET /element/([^/]+)/computedlabel$`), "GetComputedLabel"},
	{regexp.MustCompile(`^POST /actions$`), "PerformActions"},
	{regexp.MustCompile(`^POST /execute/sync$`), "ExecuteScript"},
	{regexp.MustCompile(`^GET /screenshot$`), "TakeScreenshot"},
}

// ServeHTTP does what these tests need of geckodriver.
func (m *marionette) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	params := map[string]any{}
	if err := json.NewDecoder(r.Body).Decode(&params); err != nil && err != io.EOF {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for _, c := range commands {
		match := c.path.FindStringSubmatch(r.Method + " " + r.URL.Path)
		if match == nil {
			continue
		}
		if len(match) > 1 {
			params["id"] = match[1]
		}
		result, err := m.ask("WebDriver:"+c.command, params)
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			if result == nil {
				result, _ = json.Marshal(map[string]string{
					"error":   "firefox",
					"message": err.Error(),
				})
			}
		}
		// Firefox wraps only some results in an object with a value.
		if !bytes.HasPrefix(result, []byte(`{"value":`)) || err != nil {
			result = json.RawMessage(`{"value":` + string(result) + `}`)
		}
		w.Write(result)
		return
	}
	http.Error(w, r.Method+" "+r.URL.Path+" is not in the list", http.StatusNotFound)
}

// preferences keep Firefox from using the network, and let a test read the clipboard.
const preferences = `user_pref("marionette.port", 0);
user_pref("dom.events.testing.asyncClipboard", true);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.startup.page", 0);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("app.update.disabledForTesting", true);
`

// newFirefox returns a browser with the methods of NewChromium's. It reports no network requests,
// because it has no network.
func newFirefox(t testing.TB) *rig.Chromium {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "user.js"), []byte(preferences), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("firefox-esr",
		"--headless", "--marionette", "--no-remote", "--profile", dir)
	cmd.Env = append(os.Environ(), "HOME="+dir, "MOZ_HEADLESS_WIDTH=1280",
		"MOZ_HEADLESS_HEIGHT=900")
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("firefox said: %s", said.String())
		}
	})
	var port []byte
	rig.Eventually(t, "firefox names its port", 3*rig.Patience, func() bool {
		port, _ = os.ReadFile(filepath.Join(dir, "MarionetteActivePort"))
		return len(port) > 0
	})
	conn, err := net.DialTimeout("tcp", "127.0.0.1:"+strings.TrimSpace(string(port)), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	m := &marionette{conn: conn, in: bufio.NewReader(conn)}
	if _, err := m.message(); err != nil { // who it is
		t.Fatal(err)
	}
	answer, err := m.ask("WebDriver:NewSession", map[string]any{"acceptInsecureCerts": true})
	if err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	bridge := httptest.NewServer(m)
	t.Cleanup(bridge.Close)
	return &rig.Chromium{T: t, Session: bridge.URL, Firefox: true}
}

// The tests of the sign-in page also run in Firefox, except for those of Chromium's own reports.
func TestFirefox(t *testing.T) {
	if !*withBrowsers {
		t.Skip("run: make browsers")
	}
	c := newFirefox(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *rig.Chromium)
	}{
		{"whole way", signInWithPage}, {"code", signInWithCode}, {"vectors", pageVectors},
		{"stranger", sentByStranger},
		{"tabs", twoTabs}, {"refused", refusedInPage}, {"tampered", tampered},
	} {
		t.Run(test.name, func(t *testing.T) {
			c.T = t
			test.run(t, c)
		})
	}
}
