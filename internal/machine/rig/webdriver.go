// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"testing"
)

var driverPort = regexp.MustCompile(`started successfully on port (\d+)`)

// startChromedriver starts chromedriver, and returns its URL.
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
	Browsing.driver = cmd
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if m := driverPort.FindStringSubmatch(lines.Text()); m != nil {
			go io.Copy(io.Discard, out)
			return "http://127.0.0.1:" + m[1]
		}
	}
	t.Fatal("chromedriver names no port")
	return ""
}

// Do sends a WebDriver command, and stores the value of the answer in into.
func (c *Chromium) Do(method, url string, body, into any) {
	c.T.Helper()
	if err := c.try(method, url, body, into); err != nil {
		c.T.Fatal(err)
	}
}

// failure is a browser's answer to a command that failed.
type failure struct {
	Err     string `json:"error"`
	Message string `json:"message"`
}

func (f failure) Error() string { return f.Err + ": " + f.Message }

func (c *Chromium) try(method, url string, body, into any) error {
	c.T.Helper()
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			c.T.Fatal(err)
		}
	}
	r, err := http.NewRequest(method, url, bytes.NewReader(text))
	if err != nil {
		c.T.Fatal(err)
	}
	// A busy machine takes a while to start it.
	resp, err := (&http.Client{Timeout: 3 * Patience}).Do(r)
	if err != nil {
		c.T.Fatal(err)
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
		c.T.Fatalf("chromium: %s %s: %v", method, url, err)
	}
	if failed.Err != "" {
		return fmt.Errorf("chromium: %s %s: %w", method, url, failed)
	}
	return nil
}
