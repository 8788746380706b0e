// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"slices"

	"github.com/pelletier/go-toml/v2"
)

// CheckValue checks one value as Parse checks it behind that key: a string, a
// bool, an int64 or a list of strings. It returns nil or an *Error that names
// neither file nor line: the value was not read from a file.
func CheckValue(key string, value any) error {
	if words, ok := value.([]string); ok {
		elements := make([]any, len(words))
		for i, word := range words {
			elements[i] = word
		}
		value = elements
	}
	for _, s := range new(Config).settings() {
		if s.key != key {
			continue
		}
		if p := s.set(value); p != nil {
			return p.at(key, 0)
		}
		return nil
	}
	return wrong("is not a key", "").at(key, 0)
}

// Words returns the text, or the list of texts, that a key has in the text of a
// file: nothing where the file has another value or none. The rest of the file
// may be wrong or incomplete.
func Words(text []byte, key string) []string {
	var one struct{ V string }
	var list struct{ V []string }
	_, had := Set(text, key, "")
	switch {
	case had == "":
		return nil
	case toml.Unmarshal([]byte("V = "+had), &one) == nil && one.V != "":
		return []string{one.V}
	case toml.Unmarshal([]byte("V = "+had), &list) == nil:
		return slices.DeleteFunc(list.V, func(s string) bool { return s == "" })
	}
	return nil
}
