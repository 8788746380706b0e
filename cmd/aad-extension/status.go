// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"aadlogin/internal/config"
)

// A state is one of the agent's words. The agent never takes "warning" for the end of a command, so
// only parts use it.
type state string

const (
	transitioning state = "transitioning"
	success       state = "success"
	warning       state = "warning"
	failed        state = "error"
)

// A report is the status file of one sequence number.
type report struct {
	path      string
	name      string
	operation string
	parts     []statusPart
	now       func() time.Time
}

type statusFile struct {
	Version      int        `json:"version"`
	TimestampUTC string     `json:"timestampUTC"`
	Status       statusBody `json:"status"`
}

type statusBody struct {
	Name                     string           `json:"name"`
	Operation                string           `json:"operation"`
	ConfigurationAppliedTime string           `json:"configurationAppliedTime"`
	Status                   state            `json:"status"`
	Code                     int              `json:"code"`
	FormattedMessage         formattedMessage `json:"formattedMessage"`
	Substatus                []statusPart     `json:"substatus"`
}

type statusPart struct {
	Name             string           `json:"name"`
	Status           state            `json:"status"`
	Code             int              `json:"code"`
	FormattedMessage formattedMessage `json:"formattedMessage"`
}

type formattedMessage struct {
	Lang    string `json:"lang"`
	Message string `json:"message"`
}

func (r *report) begin(operation string) {
	r.operation, r.parts = operation, []statusPart{}
}

// part records the result of one part. Several results for one part become one, with the most
// serious first.
func (r *report) part(name string, s state, code int, message string) {
	next := statusPart{name, s, code, say(message)}
	for i, p := range r.parts {
		if p.Name != name {
			continue
		}
		worse, other := p, next
		if gravity[s] > gravity[p.Status] {
			worse, other = next, p
		}
		worse.FormattedMessage = say(worse.FormattedMessage.Message + " " +
			other.FormattedMessage.Message)
		r.parts[i] = worse
		return
	}
	r.parts = append(r.parts, next)
}

var gravity = map[state]int{success: 0, warning: 1, failed: 2}

// step runs one part and records its result.
func (h *handler) step(part string, do func() (string, error)) error {
	said, err := do()
	if err != nil {
		h.report.part(part, failed, exitCode(err), err.Error())
		h.logf("%s: %v", part, err)
		return err
	}
	h.report.part(part, success, 0, said)
	h.logf("%s: %s", part, said)
	return nil
}

// maxMessage is how much of a message the portal shows.
const maxMessage = 1024

func say(message string) formattedMessage {
	message = printable(message)
	if runes := []rune(message); len(runes) > maxMessage {
		message = string(runes[:maxMessage-1]) + "…"
	}
	return formattedMessage{"en-US", message}
}

// write replaces the file completely or not at all, because the agent may read it at any time.
func (r *report) write(s state, code int, message string) error {
	now := r.now().UTC().Format("2006-01-02T15:04:05Z")
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // people read it, too
	err := encoder.Encode([]statusFile{{1, now, statusBody{r.name, r.operation, now, s,
		code, say(message), r.parts}}})
	if err == nil {
		err = config.WriteFile(r.path, text.Bytes())
	}
	if err != nil {
		return fmt.Errorf("the status cannot be written to %s: %w", filepath.Base(r.path), err)
	}
	return nil
}
