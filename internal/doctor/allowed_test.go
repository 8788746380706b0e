// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestAllowed has a list, the finding about alice, and the file after the printed command. alice is
// then let in, and so is everybody who was before.
func TestAllowed(t *testing.T) {
	for _, test := range []struct {
		file, version string
		anybody       bool
		status        Status
		found, after  string
	}{
		{file: "DenyUsers alice@contoso.com bob", status: Failed,
			found: "DenyUsers alice@contoso.com denies nobody",
			after: "DenyUsers alice?contoso.com bob"},
		{file: "DenyUsers *@contoso.com", anybody: true, status: Failed,
			found: "DenyUsers *@contoso.com denies nobody", after: "DenyUsers *?contoso.com"},
		{file: "DenyUsers alice@contoso.com@*", status: Failed, found: "denies nobody",
			after: "DenyUsers alice?contoso.com@*"},
		{file: "DenyUsers alice@contoso.com@*", version: "OpenSSH_9.9p1", status: Failed,
			found: "DenyUsers is alice@contoso.com@*, which keeps"},
		{file: "DenyUsers bob alice?contoso.com carl", status: Failed,
			found: "which keeps alice@contoso.com out", after: "DenyUsers bob carl"},
		{file: "DenyUsers bob", status: OK, found: "to sign in"},
		{file: "AllowUsers alice@contoso.com root", status: Failed,
			found: "AllowUsers alice@contoso.com lets nobody in",
			after: "AllowUsers alice?contoso.com root"},
		{file: "AllowUsers bob root # these", status: Failed,
			found: "AllowUsers is bob root, which keeps",
			after: "AllowUsers alice?contoso.com bob root # these"},
		{file: "allowusers=bob", status: Failed, found: "which keeps",
			after: "allowusers=alice?contoso.com bob"},
		{file: "AllowUsers bob alice*", status: OK, found: "to sign in"},
		{file: "AllowUsers alice?contoso.com@10.0.0.0/8", status: Warning,
			found: "in from 10.0.0.0/8 only"},
		{file: "AllowGroups devs root", status: Failed,
			found: "AllowGroups is devs root, which keeps",
			after: "AllowGroups alice@contoso.com devs root"},
		{file: "AllowGroups devs root", anybody: true, status: Failed,
			found: "AllowGroups is devs root, which keeps"},
		{file: "AllowGroups night root", status: OK, found: "to sign in"}, // a group of /etc/group
		{file: "AllowGroups whe?l", status: OK, found: "to sign in"},      // a group that id -Gn prints
		{file: "DenyGroups night adm", status: Failed, found: "DenyGroups is night adm",
			after: "DenyGroups adm"},
		{file: "DenyGroups alice@contoso.com", status: Failed,
			found: "DenyGroups is alice@contoso.com, which keeps", after: ""},
	} {
		t.Run(test.file, func(t *testing.T) {
			keyword, list, _ := strings.Cut(strings.Replace(test.file, "=", " ", 1), " ")
			list, _, _ = strings.Cut(list, " #")
			said := goodSSHD
			for _, pattern := range strings.Fields(list) {
				said += strings.ToLower(keyword) + " " + pattern + "\n"
			}
			dir := t.TempDir()
			file := filepath.Join(dir, "sshd_config")
			h := sshdOf(said, cmp.Or(test.version, "OpenSSH_9.2p1"), map[string]string{
				"etc/group":           "root:x:0:\nnight:x:9:bob,alice@contoso.com\n",
				"etc/ssh/sshd_config": "# first\n" + test.file + "\n"})
			if !test.anybody {
				h.Account, h.Config.TenantID = "alice@contoso.com", "t"
			}
			findings := h.sshd(t.Context())
			expect(t, findings, test.status, test.found)
			i := slices.IndexFunc(findings, func(r Finding) bool { return r.Status == Failed })
			if test.status != Failed || test.after == "" &&
				!strings.Contains(test.file, "DenyGroups alice") {
				return
			}
			if err := os.WriteFile(file, []byte("# first\n"+test.file+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			command := strings.ReplaceAll(findings[i].Command, sshdConfig, file)
			if out, err := exec.Command("sh", "-ec", command).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v, %s", command, err, out)
			}
			want := "# first\n" + test.after + "\n"
			if test.after == "" {
				want = "# first\n"
			}
			if got, err := os.ReadFile(file); err != nil || string(got) != want {
				t.Errorf("%s: %q, want %q", command, got, want)
			}
		})
	}
}

// A name may contain any characters. None of them may act in the shell or in sed.
func TestPatterns(t *testing.T) {
	const name = "o'brien!#^~@contoso.com"
	if got := userPattern(name); got != "o?brien?????contoso.com" {
		t.Error(got)
	}
	if got := groupPattern("alice@contoso.com"); got != "alice@contoso.com" {
		t.Error(got)
	}
}
