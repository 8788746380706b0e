// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The portal and the agent limit how much of a report they show or read.
func TestReportIsBounded(t *testing.T) {
	r := &report{path: filepath.Join(t.TempDir(), "0.status"), now: time.Now}
	r.begin("Enable")
	for i := range 20 {
		r.part(fmt.Sprint(i), failed, 1, strings.Repeat("é\x1b\n", 1000))
		r.part(fmt.Sprint(i), success, 0, strings.Repeat("x", 10000))
	}
	if err := r.write(failed, 1, strings.Repeat("y", 10000)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(r.path)
	if err != nil || len(text) > 128<<10 || !json.Valid(text) ||
		bytes.Contains(text, []byte(`\u001b`)) || len(r.parts) != 20 ||
		r.parts[0].Status != failed {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}
