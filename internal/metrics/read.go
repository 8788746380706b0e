// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrForeign is returned for a file that this package has not written.
var ErrForeign = errors.New("metrics: holds something else")

// Read reads the output of Write, so that counting goes on. It ignores values that are only known
// at the time of writing, and series of other versions. An empty file has counted nothing.
func Read(r io.Reader) (*Metrics, error) {
	m, goOn := new(Metrics), counters()
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		switch {
		case name == "" || name == "#":
			continue
		case !strings.HasPrefix(name, "aadlogin_"):
			return nil, ErrForeign
		}
		n, err := number(name, value)
		switch {
		case err != nil:
			continue
		case name == lastSuccess:
			m.lastSuccess = time.Unix(int64(n), 0)
		case name == logRead:
			m.Until = time.Unix(int64(n), 0)
		case slices.Contains(goOn, name):
			m.set(name, n)
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return nil, ErrForeign
	}
	return m, lines.Err()
}

func number(series, text string) (uint64, error) {
	if isSum(series) {
		return parseSeconds(text)
	}
	return strconv.ParseUint(text, 10, integers)
}
