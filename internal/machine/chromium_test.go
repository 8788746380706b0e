// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// chromium is Debian's Chromium without a window, in the hands of a person at the keyboard. Its chromedriver is spoken to as
// WebDriver has it (https://www.w3.org/TR/webdriver2/): a dozen requests of a standard, which also tells the name that a
// screen reader says, in the place of a library with the whole of one browser's own protocol in it. When the test ends, the
// console has to be free of errors and every address asked for this machine's own.
type chromium struct {
	t       testing.TB
	session string // the session's URL
	said    []entry
	firefox bool // it is not Chromium
}

// entry is a line of Chromium's log: of the console, or of what went on in the network.
type entry struct {
	Level   string `json:"level"`
	Message string `json:"message"`
	network bool
}

// Keys that no text has. WebDriver, Section 17.4.2.
const (
	keyTab   = "\uE004"
	keyEnter = "\uE007"
	keyEnd   = "\uE010"
)

// browsing is the Chromium of all tests: each would wait for its own as long as for all else it does.
var browsing struct {
	session string
	dir     string // its user's data
	driver  *exec.Cmd
}

// newChromium is one as wide as a phone, on an empty page. It is started when it is first asked for.
func newChromium(t testing.TB) *chromium {
	t.Helper()
	c := &chromium{t: t}
	if browsing.session == "" {
		c.start()
	}
	c.session = browsing.session
	c.open("about:blank") // away from the page of an earlier test, or for a new tab, and all that it loads
	c.log()
	c.said = nil
	c.width(375)
	c.scheme("light")
	t.Cleanup(func() {
		for _, trouble := range c.troubles() {
			t.Error(trouble)
		}
	})
	return c
}

func (c *chromium) start() {
	c.t.Helper()
	var err error
	if browsing.dir, err = os.MkdirTemp("", "chromium"); err != nil {
		c.t.Fatal(err)
	}
	driver := startChromedriver(c.t)
	var answer struct {
		ID string `json:"sessionId"`
	}
	c.do("POST", driver+"/session", map[string]any{"capabilities": map[string]any{"alwaysMatch": map[string]any{
		"browserName": "chrome", "acceptInsecureCerts": true, // the emulator's: a machine trusts it, a browser has never heard of it
		"goog:chromeOptions": map[string]any{"binary": "/usr/bin/chromium", "args": []string{
			"headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
			"disable-component-update", "disable-sync", "hide-scrollbars", "user-data-dir=" + browsing.dir,
		}},
		"goog:loggingPrefs": map[string]string{"browser": "ALL", "performance": "ALL"},
	}}}, &answer)
	browsing.session = driver + "/session/" + answer.ID
}

// stopChromium ends it when all tests have.
func stopChromium() {
	if browsing.driver == nil {
		return
	}
	if r, err := http.NewRequest("DELETE", browsing.session, nil); err == nil {
		http.DefaultClient.Do(r) // answered when its processes have ended
	}
	browsing.driver.Process.Kill()
	browsing.driver.Wait()
	os.RemoveAll(browsing.dir)
}

var driverPort = regexp.MustCompile(`started successfully on port (\d+)`)

// startChromedriver returns its URL.
func startChromedriver(t testing.TB) string {
	t.Helper()
	cmd := exec.Command("chromedriver", "--port=0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	browsing.driver = cmd
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if m := driverPort.FindStringSubmatch(lines.Text()); m != nil {
			go io.Copy(io.Discard, out)
			return "http://127.0.0.1:" + m[1]
		}
	}
	t.Fatal("chromedriver names no port")
	return ""
}

// do sends a WebDriver command; into gets the value of the answer.
func (c *chromium) do(method, url string, body, into any) {
	c.t.Helper()
	if err := c.try(method, url, body, into); err != nil {
		c.t.Fatal(err)
	}
}

// failure is what a browser answers to what it cannot do.
type failure struct {
	Err     string `json:"error"`
	Message string `json:"message"`
}

func (f failure) Error() string { return f.Err + ": " + f.Message }

func (c *chromium) try(method, url string, body, into any) error {
	c.t.Helper()
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			c.t.Fatal(err)
		}
	}
	r, err := http.NewRequest(method, url, bytes.NewReader(text))
	if err != nil {
		c.t.Fatal(err)
	}
	resp, err := (&http.Client{Timeout: 3 * patience}).Do(r) // a busy machine takes a while to start it
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	var failed failure
	answer := struct {
		Value any `json:"value"`
	}{into}
	if resp.StatusCode != http.StatusOK {
		answer.Value = &failed
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		c.t.Fatalf("chromium: %s %s: %v", method, url, err)
	}
	if failed.Err != "" {
		return fmt.Errorf("chromium: %s %s: %w", method, url, failed)
	}
	return nil
}

// devtools sends a command that is Chromium's own: WebDriver knows windows, not phones.
func (c *chromium) devtools(command string, params map[string]any) {
	c.t.Helper()
	if c.firefox {
		c.t.Fatalf("firefox knows no %s", command)
	}
	c.do("POST", c.session+"/goog/cdp/execute", map[string]any{"cmd": command, "params": params}, nil)
}

// width makes it a phone, or a screen, of so many CSS pixels.
func (c *chromium) width(pixels int) {
	c.t.Helper()
	c.devtools("Emulation.setDeviceMetricsOverride", map[string]any{
		"width": pixels, "height": 720, "deviceScaleFactor": 2, "mobile": pixels < 600})
}

// scheme is what the person prefers: "light" or "dark".
func (c *chromium) scheme(name string) {
	c.t.Helper()
	c.devtools("Emulation.setEmulatedMedia", map[string]any{
		"features": []map[string]string{{"name": "prefers-color-scheme", "value": name}}})
}

// open goes to a page and waits until it has loaded.
func (c *chromium) open(url string) {
	c.t.Helper()
	c.do("POST", c.session+"/url", map[string]string{"url": url}, nil)
}

// press is the keyboard: one key after the other goes down and up, wherever the focus is.
func (c *chromium) press(keys string) {
	c.t.Helper()
	var actions []map[string]string
	for _, key := range keys {
		actions = append(actions, map[string]string{"type": "keyDown", "value": string(key)},
			map[string]string{"type": "keyUp", "value": string(key)})
	}
	c.do("POST", c.session+"/actions", map[string]any{"actions": []any{
		map[string]any{"type": "key", "id": "keyboard", "actions": actions}}}, nil)
}

// element is something on the page, by WebDriver's name for it.
type element map[string]string

func (e element) path() string { return "/element/" + e["element-6066-11e4-a52e-4f735466cecf"] }

// click is a click with the mouse.
func (c *chromium) click(selector string) {
	c.t.Helper()
	var e element
	c.do("POST", c.session+"/element", map[string]string{"using": "css selector", "value": selector}, &e)
	c.do("POST", c.session+e.path()+"/click", struct{}{}, nil)
}

// focused is what has the focus as a screen reader says it: role and accessible name, as in `button "Next"`; nothing while one page
// makes way for the next.
func (c *chromium) focused() string {
	c.t.Helper()
	var e element
	var role, name string
	err := c.try("GET", c.session+"/element/active", nil, &e)
	if err == nil {
		err = c.try("GET", c.session+e.path()+"/computedrole", nil, &role)
	}
	if err == nil {
		err = c.try("GET", c.session+e.path()+"/computedlabel", nil, &name)
	}
	var no failure
	switch {
	case errors.As(err, &no) && (no.Err == "stale element reference" || no.Err == "no such element"):
		return ""
	case err != nil:
		c.t.Fatal(err)
	}
	return fmt.Sprintf("%s %q", role, name)
}

// js runs a script in the page; into gets what it returns.
func (c *chromium) js(script string, into any) {
	c.t.Helper()
	c.do("POST", c.session+"/execute/sync", map[string]any{"script": script, "args": []any{}}, into)
}

// text is what a person sees written, once the page is all there.
func (c *chromium) text() (text string) {
	c.t.Helper()
	c.js(`return document.readyState === "complete" ? document.body.innerText : ""`, &text)
	return text
}

// expect waits until the page says so.
func (c *chromium) expect(sentence string) {
	c.t.Helper()
	var said string
	c.t.Cleanup(func() {
		if c.t.Failed() && !strings.Contains(said, sentence) {
			c.t.Logf("instead of %q the page says:\n%s", sentence, said)
		}
	})
	eventually(c.t, fmt.Sprintf("the page says %q", sentence), patience, func() bool {
		said = c.text()
		return strings.Contains(said, sentence)
	})
}

// screenshot is a picture of the page, PNG.
func (c *chromium) screenshot() []byte {
	c.t.Helper()
	var text string
	c.do("GET", c.session+"/screenshot", nil, &text)
	picture, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		c.t.Fatal(err)
	}
	return picture
}

// log is all that Chromium has said so far: it tells every line once.
func (c *chromium) log() []entry {
	c.t.Helper()
	if c.firefox { // tells nobody
		return nil
	}
	for _, kind := range []string{"browser", "performance"} {
		var more []entry
		c.do("POST", c.session+"/se/log", map[string]string{"type": kind}, &more)
		for i := range more {
			more[i].network = kind == "performance"
		}
		c.said = append(c.said, more...)
	}
	return c.said
}

// A form that comes back with what is wrong in it is an error to Chromium, too.
const formCameBack = "Failed to load resource: the server responded with a status of 400 (Bad Request)"

// console is what the console shows of warnings and errors.
func (c *chromium) console() (lines []string) {
	c.t.Helper()
	for _, e := range c.log() {
		if !e.network && (e.Level == "SEVERE" || e.Level == "WARNING") && !strings.HasSuffix(e.Message, formCameBack) {
			lines = append(lines, e.Message)
		}
	}
	return lines
}

// requests are the addresses that pages asked for.
func (c *chromium) requests() (urls []string) {
	c.t.Helper()
	for _, e := range c.log() {
		var event struct {
			Message struct {
				Method string
				Params struct{ Request struct{ URL string } }
			}
		}
		if !e.network {
			continue
		}
		if err := json.Unmarshal([]byte(e.Message), &event); err != nil {
			c.t.Fatalf("chromium: log: %v", err)
		}
		if event.Message.Method == "Network.requestWillBeSent" {
			urls = append(urls, event.Message.Params.Request.URL)
		}
	}
	return urls
}

// ownAddress is what a page here may ask for: this machine, a file of it, or what page or browser hold themselves.
var ownAddress = regexp.MustCompile(`^(https?://127\.0\.0\.1[:/]|file:///|data:|chrome:)`)

// troubles are errors on the console and requests that leave the machine.
func (c *chromium) troubles() (all []string) {
	c.t.Helper()
	for _, line := range c.console() {
		all = append(all, "chromium: console: "+line)
	}
	for _, url := range c.requests() {
		if !ownAddress.MatchString(url) {
			all = append(all, "chromium: asks for "+url)
		}
	}
	return all
}
