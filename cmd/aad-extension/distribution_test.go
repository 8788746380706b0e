// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDistributions(t *testing.T) {
	for _, test := range []struct {
		release string
		says    string // of the refusal; "" if it is supported
	}{
		{"ID=debian\nVERSION_ID=\"11\"\n", ""},
		{"PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID=\"12\"", ""},
		{"ID=debian\nVERSION_ID='13'\n", ""},
		{"ID=debian\nVERSION_ID=\"9\"\n", "move to Debian 11 to 13"},
		{"ID=debian\nVERSION_ID=\"10\"\n", "move to Debian 11 to 13"},
		{"ID=debian\nVERSION_ID=\"14\"\n", "knows Debian up to 13"},
		{"ID=debian\nPRETTY_NAME=\"Debian GNU/Linux forky/sid\"\n",
			"Debian GNU/Linux forky/sid is not supported. It gives no version"},
		{"ID=ubuntu\nVERSION_ID=\"14.04\"\n", "move to Ubuntu 20.04 to 26.04"},
		{"ID=ubuntu\nVERSION_ID=\"16.04\"\n", "move to Ubuntu 20.04 to 26.04"},
		{"ID=ubuntu\nVERSION_ID=\"18.04\"\n", "move to Ubuntu 20.04 to 26.04"},
		{"ID=ubuntu\nVERSION_ID=\"19.10\"\n", "move to Ubuntu 20.04 to 26.04"},
		{"ID=ubuntu\nVERSION_ID=\"20.04\"\n", ""},
		{"ID=ubuntu\nVERSION_ID=\"25.10\"\n", ""},
		{"ID=ubuntu\nVERSION_ID=\"26.04\"\n", ""},
		{"ID=ubuntu\nVERSION_ID=\"26.10\"\n", "knows Ubuntu up to 26.04"},
		{"ID=ubuntu\nVERSION_ID=\"24\"\n", "no version that can be read"},
		{"ID=\"rhel\"\nVERSION_ID=\"7.9\"\n", "move to Red Hat Enterprise Linux 8 to 10"},
		{"ID=\"rhel\"\nVERSION_ID=\"8.10\"\n", ""},
		{"ID=\"almalinux\"\nVERSION_ID=\"9.4\"\n", ""},
		{"ID=\"rocky\"\nVERSION_ID=\"10.0\"\n", ""},
		{"ID=\"ol\"\nVERSION_ID=\"8.9\"\n", ""},
		{"ID=\"ol\"\nVERSION_ID=\"7.9\"\n", "move to Oracle Linux 8 to 10"},
		{"ID=\"centos\"\nVERSION_ID=\"7\"\n",
			"AlmaLinux, Rocky Linux and Red Hat Enterprise Linux 8 to 10 take its place"},
		{"ID=\"sles\"\nVERSION_ID=\"12.5\"\n", "move to SUSE Linux Enterprise Server 15 to 16"},
		{"ID=\"sles\"\nVERSION_ID=\"15.6\"\n", ""},
		{"ID=\"sles_sap\"\nVERSION_ID=\"16.0\"\n", ""},
		{"ID=opensuse\nVERSION_ID=\"42.3\"\n", "move to Leap 15 or 16"},
		{"ID=\"opensuse-leap\"\nVERSION_ID=\"16.0\"\n", ""},
		{"ID=azurelinux\nVERSION_ID=\"3.0\"\n", ""},
		{"ID=azurelinux\nVERSION_ID=\"4.0\"\n", "knows Azure Linux up to 3"},
		{"ID=mariner\nVERSION_ID=\"2.0\"\n", "move to Azure Linux 3"},
		{"ID=alpine\nVERSION_ID=3.20.1\n",
			`ID="alpine" VERSION_ID="3.20.1". Supported are Debian 11`},
		{"ID=arch\n", `ID="arch" VERSION_ID="". Supported are`},
		{"", "Supported are Debian 11"},
		{"ID=x\nVERSION_ID=\"\x1b[2J\"\n", `VERSION_ID="?[2J"`},
	} {
		said, err := parseOSRelease([]byte(test.release)).judge()
		checkRefusal(t, test.release, said, err, exitUnsupported, test.says)
	}
}

// checkRefusal wants success if says is "", and otherwise an error with this code and text.
func checkRefusal(t *testing.T, what, said string, err error, code int, says string) {
	t.Helper()
	switch {
	case says == "" && (err != nil || said == ""):
		t.Errorf("%q: said %q, %v", what, said, err)
	case says != "" &&
		(err == nil || exitCode(err) != code || !strings.Contains(err.Error(), says)):
		t.Errorf("%q: said %q, %v", what, said, err)
	case err != nil && strings.ContainsRune(err.Error(), 0x1b):
		t.Errorf("%q: %q", what, err)
	}
}

// Before version 7 there is no os-release.
func TestRedHatRelease(t *testing.T) {
	for text, says := range map[string]string{
		"CentOS release 6.10 (Final)\n": "take its place",
		"Red Hat Enterprise Linux Server release 6.10 (Santiago)\n": "move to Red Hat Enterprise " +
			"Linux 8 to 10",
		"": "no version that can be read",
	} {
		h := hostBelow(t, map[string]string{"/etc/redhat-release": text})
		d, err := h.distribution()
		if err != nil {
			t.Fatal(err)
		}
		said, err := d.judge()
		checkRefusal(t, text, said, err, exitUnsupported, says)
	}
	h := hostBelow(t, nil)
	if d, err := h.distribution(); err != nil || d != (distribution{}) {
		t.Errorf("%v, %v", d, err)
	}
}

func TestMemory(t *testing.T) {
	for text, says := range map[string]string{
		"MemTotal:         934912 kB\nMemFree: 1 kB\n": "", // Standard_B1s
		"MemTotal:         786432 kB\n":                "",
		"MemTotal:         475848 kB\n":                "has 464 MB of memory; at least 1 GB", // _B1ls
		"MemFree: 1 kB\n":                              "",                                    // unknown
	} {
		h := hostBelow(t, map[string]string{"/etc/os-release": "ID=debian\nVERSION_ID=12\n",
			"/proc/meminfo": text})
		said, err := h.suitable()
		checkRefusal(t, text, said, err, exitMissing, says)
	}
}

// hostBelow returns a machine with a few files.
func hostBelow(t *testing.T, files map[string]string) host {
	t.Helper()
	h := host{t.TempDir(), nil, "amd64"}
	for name, text := range files {
		put(t, h.path(name), text)
	}
	return h
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func FuzzOSRelease(f *testing.F) {
	f.Add("ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME='Debian'\n")
	f.Add("CentOS release 6.10 (Final)\n")
	f.Add("ID=\"\nVERSION_ID='\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, d := range []distribution{parseOSRelease([]byte(text)),
			parseRedHatRelease([]byte(text))} {
			if _, err := d.judge(); err != nil &&
				(exitCode(err) != exitUnsupported ||
					strings.ContainsAny(err.Error(), "\n\x1b\x00")) {
				t.Errorf("%q", err)
			}
		}
	})
}
