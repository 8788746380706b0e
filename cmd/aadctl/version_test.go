// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestDescribe(t *testing.T) {
	built := &debug.BuildInfo{Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "abc123"}, {Key: "vcs.modified", Value: "true"},
	}}
	cases := []struct {
		version string
		info    *debug.BuildInfo
		want    string
	}{
		{"", nil, "aadctl unreleased ("},
		{"1.2.3", nil, "aadctl 1.2.3 ("},
		{"1.2.3", built, "aadctl 1.2.3, commit abc123 with changes ("},
		{"", &debug.BuildInfo{Main: debug.Module{Version: "v0.1.0"}}, "aadctl v0.1.0 ("},
		{"", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, "aadctl unreleased ("},
	}
	for _, c := range cases {
		if got := describe(c.version, c.info); !strings.HasPrefix(got, c.want) {
			t.Errorf("describe = %q, want it to begin with %q", got, c.want)
		}
	}
}
