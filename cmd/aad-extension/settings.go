// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// settings are the keys and values of publicSettings, spelled as in config.toml, in their order.
type settings struct {
	pairs     []pair
	protected bool // there are protectedSettings, which are not read
}

type pair struct{ key, value string }

// settings reads the settings of the sequence number. A missing file, an empty file and null mean
// no settings.
func (h *handler) settings() (settings, error) {
	name := fmt.Sprint(h.sequence, ".settings")
	text, err := readSome(filepath.Join(h.folders.Config, name))
	if errors.Is(err, fs.ErrNotExist) {
		return settings{}, nil
	}
	if err != nil {
		return settings{}, err
	}
	s, err := parseSettings(text)
	if err != nil {
		return s, unusable(name+": "+err.Error(), "Correct the settings of the extension.")
	}
	return s, nil
}

func unusable(what, fix string) error {
	return &failure{exitSettings, what + ".", fix + " Nothing has been changed."}
}

func parseSettings(text []byte) (settings, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return settings{}, nil
	}
	var file struct {
		RuntimeSettings []struct {
			HandlerSettings struct {
				PublicSettings    json.RawMessage `json:"publicSettings"`
				ProtectedSettings json.RawMessage `json:"protectedSettings"`
			} `json:"handlerSettings"`
		} `json:"runtimeSettings"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return settings{}, errors.New("is not what the agent writes: " + position(err))
	}
	if len(file.RuntimeSettings) == 0 {
		return settings{}, nil
	}
	given := file.RuntimeSettings[0].HandlerSettings
	public, protected := orNull(given.PublicSettings), orNull(given.ProtectedSettings)
	s := settings{protected: string(protected) != "null" && string(protected) != `""`}
	if string(public) == "null" {
		return s, nil
	}
	var err error
	s.pairs, err = flatten(public)
	return s, err
}

func orNull(m json.RawMessage) []byte {
	if m = bytes.TrimSpace(m); len(m) == 0 {
		return []byte("null")
	}
	return m
}

// position returns a JSON error without text from the file.
func position(err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("no JSON at byte %d", syntax.Offset)
	case errors.As(err, &kind):
		return fmt.Sprintf("%s at byte %d is of the wrong kind", kind.Field, kind.Offset)
	default:
		return "no JSON"
	}
}
