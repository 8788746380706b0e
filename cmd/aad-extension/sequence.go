// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"aadlogin/internal/config"
)

// findSequence returns the number of the settings to use. The agent sets it. Without the agent it
// is the highest number that exists.
func (h *handler) findSequence() int {
	if n, ok := parseSequence(h.getenv("ConfigSequenceNumber")); ok {
		return n
	}
	highest := 0
	files, _ := os.ReadDir(h.folders.Config)
	for _, file := range files {
		if name, ok := strings.CutSuffix(file.Name(), ".settings"); ok {
			if n, ok := parseSequence(name); ok {
				highest = max(highest, n)
			}
		}
	}
	return highest
}

func parseSequence(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 0 && strconv.Itoa(n) == s
}

// sequenceFile has the name of a file that the agent copies into the next version.
func (h *handler) sequenceFile() string { return filepath.Join(h.base, "mrseq") }

// applied returns the number of the settings in force, or -1 if there are none.
func (h *handler) applied() int {
	text, _ := os.ReadFile(h.sequenceFile())
	if n, ok := parseSequence(strings.TrimSpace(string(text))); ok {
		return n
	}
	return -1
}

func (h *handler) setApplied(n int) error {
	return config.WriteFile(h.sequenceFile(), fmt.Appendln(nil, n))
}

// current returns the settings to apply. Settings with a lower number than the applied ones are
// outdated: they are skipped, and sign-in stays enabled.
func (h *handler) current() (settings, string, error) {
	if now := h.applied(); h.sequence < now {
		said := fmt.Sprintf("Number %d is older than %d, which is in force: not applied.",
			h.sequence, now)
		h.report.part("settings", warning, 0, said)
		return settings{}, said, nil
	}
	s, err := h.settings()
	said := "They can be used."
	if s.protected {
		h.report.part("settings", warning, 0,
			"protectedSettings are not read: nothing here is secret.")
	}
	if len(s.pairs) == 0 {
		said = "There are none; config.toml is taken as it is."
	}
	return s, said, err
}
