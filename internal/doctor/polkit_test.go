// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

func TestPolkit(t *testing.T) {
	const dir = "usr/lib/systemd/system/" + polkitUnit
	sandbox := "[Service]\nProtectSystem=strict\nPrivateNetwork=yes\nRestrictAddressFamilies=AF_UNIX\n"
	ours, err := os.ReadFile("../../packaging/systemd/polkit-agent-helper.conf")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		files map[string]string
		want  Status
		found string
	}{
		"an older polkit": {nil, OK, "without a sandbox"},
		"no drop-in":      {map[string]string{dir: sandbox}, Failed, "no network"},
		"ours": {map[string]string{dir: sandbox,
			dir + ".d/aad-login.conf": string(ours)}, OK, "lets a sign-in through"},
		"only the network": {map[string]string{dir: sandbox,
			dir + ".d/x.conf": "PrivateNetwork=no\n"}, Failed, "may not write"},
		"ours is masked": {map[string]string{dir: sandbox, dir + ".d/aad-login.conf": string(ours),
			"etc/systemd/system/" + polkitUnit + ".d/aad-login.conf": ""}, Failed, "no network"},
		"overridden": {map[string]string{dir: sandbox, dir + ".d/aad-login.conf": string(ours),
			"etc/systemd/system/" + polkitUnit + ".d/zz.conf": "[Service]\nPrivateNetwork=yes\n"},
			Failed, "no network"},
		"overridden in other words": {map[string]string{dir: sandbox,
			dir + ".d/aad-login.conf": string(ours), "etc/systemd/system/" + polkitUnit +
				".d/zz.conf": "[Service]\nPrivateNetwork = True\n"}, Failed, "no network"},
		"switched off in other words": {map[string]string{dir: sandbox,
			dir + ".d/aad-login.conf": string(ours), "etc/systemd/system/" + polkitUnit +
				".d/zz.conf": "[Service]\nPrivateNetwork= off\n"}, OK, "lets a sign-in through"},
		"edited as a whole": {map[string]string{dir: "[Service]\n",
			"etc/systemd/system/" + polkitUnit: sandbox}, Failed, "no network"},
		"no sandbox": {map[string]string{dir: "[Service]\nExecStart=/usr/lib/polkit-1/polkit-agent-helper-1\n"}, OK, "lets a sign-in through"},
	} {
		t.Run(name, func(t *testing.T) {
			files := fstest.MapFS{}
			for path, text := range test.files {
				files[path] = &fstest.MapFile{Data: []byte(text)}
			}
			h := &Host{System: System{Files: files}}
			got := h.polkit(t.Context())
			if len(got) != 1 || got[0].Status != test.want ||
				!strings.Contains(got[0].Found, test.found) {
				t.Errorf("%+v", got)
			}
			if got[0].Status == Failed && (got[0].Fix == "" || got[0].Command == "") {
				t.Errorf("no way out: %+v", got[0])
			}
		})
	}
}
