// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// The contact and the home page stand in files of several grammars. A value that means something in
// one of them is refused.
func TestContact(t *testing.T) {
	for _, c := range []struct{ variable, value, want string }{
		{"CONTACT", "", "The aad-login authors <aad-login@users.noreply.invalid>\n"},
		{"CONTACT", "Größe O'Neil (Linux) <a.b+c@contoso.com>",
			"Größe O'Neil (Linux) <a.b+c@contoso.com>\n"},
		{"CONTACT", "linux@contoso.com", ""},
		{"CONTACT", "Contoso <linux@contoso.com", ""},
		{"CONTACT", "Contoso <linux@contoso.com>\nEssential: yes", ""},
		{"CONTACT", "Contoso\nEssential: yes <linux@contoso.com>", ""},
		{"CONTACT", "%{lua:x} <linux@contoso.com>", ""},
		{"CONTACT", "$(SHELL) <linux@contoso.com>", ""},
		{"CONTACT", "a & b <linux@contoso.com>", ""},
		{"CONTACT", `a\1 <linux@contoso.com>`, ""},
		{"HOMEPAGE", "", "\n"},
		{"HOMEPAGE", "https://www.contoso.com/aad-login?a=b",
			"https://www.contoso.com/aad-login?a=b\n"},
		{"HOMEPAGE", "www.contoso.com", ""},
		{"HOMEPAGE", "https://www.contoso.com/\nEssential: yes", ""},
		{"HOMEPAGE", "https://www.contoso.com/%{x}", ""},
		{"HOMEPAGE", "https://www.contoso.com/a|b", ""},
	} {
		what := map[string]string{"CONTACT": "maintainer", "HOMEPAGE": "homepage"}[c.variable]
		print := exec.Command("../../../packaging/contact", what)
		print.Env = append(os.Environ(), "CONTACT=", "HOMEPAGE=", c.variable+"="+c.value)
		out, err := print.CombinedOutput()
		switch said := string(out); {
		case c.want != "" && (err != nil || said != c.want):
			t.Errorf("%s=%q: %v, said %q", c.variable, c.value, err, said)
		case c.want == "" && (err == nil || !strings.Contains(said, c.variable) ||
			!strings.Contains(said, "has to be like")):
			t.Errorf("%s=%q: %v, said %q", c.variable, c.value, err, said)
		}
	}
}

// Both kinds of package name the contact.
func TestContactInPackages(t *testing.T) {
	rig.RPMOf(t, "1.2.3") // for its tree
	dir := t.TempDir()
	rig.Must(t, "sh", "-c",
		`cp -r /tmp/rpm/tree "$0/rpm" && cd "$0/rpm/usr" && truncate -s 40k sbin/aadctl lib64/security/pam_aad.so && cp -r "$0/rpm" "$0/deb"`, dir)
	build := func(contact, homepage string) (deb, rpm string) {
		t.Helper()
		make := exec.Command("sh", "-ec",
			`cd ../../.. && rm -rf "$0/tree" && cp -r "$0/deb" "$0/tree" && packaging/debian/build "$0/tree" amd64 1.2.3 "$0"
			packaging/rpm/build "$0/rpm" x86_64 1.2.3 "$0"`, dir)
		make.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1764115200",
			"CONTACT="+contact, "HOMEPAGE="+homepage)
		if out, err := make.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		file := dir + "/aad-login_1.2.3_amd64.deb"
		deb = rig.Must(t, "dpkg-deb", "-f", file, "Maintainer", "Homepage") +
			rig.Must(t, "sh", "-c",
				`dpkg-deb --fsys-tarfile "$0" | tar -xO ./usr/share/doc/aad-login/changelog.gz | zcat | grep '^ --' | uniq`, file)
		return deb, rig.Query(t, dir+"/aad-login-1.2.3-1.x86_64.rpm",
			"%{PACKAGER}\n%{URL}\n%{CHANGELOGNAME}\n")
	}
	for _, c := range []struct{ contact, homepage, deb, rpm string }{
		{"Contoso O'Linux <linux@contoso.com>", "https://contoso.com/aad",
			"Maintainer: Contoso O'Linux <linux@contoso.com>\nHomepage: " +
				"https://contoso.com/aad\n -- Contoso O'Linux <linux@contoso.com>  Wed, 26 Nov " +
				"2025 00:00:00 +0000\n",
			"Contoso O'Linux <linux@contoso.com>\nhttps://contoso.com/aad\nContoso O'Linux " +
				"<linux@contoso.com> - 1.2.3-1\n"},
		{"", "",
			"Maintainer: The aad-login authors <aad-login@users.noreply.invalid>\n -- The " +
				"aad-login authors <aad-login@users.noreply.invalid>  Wed, 26 Nov 2025 " +
				"00:00:00 +0000\n",
			"The aad-login authors <aad-login@users.noreply.invalid>\n(none)\nThe aad-login " +
				"authors <aad-login@users.noreply.invalid> - 1.2.3-1\n"},
	} {
		if deb, rpm := build(c.contact, c.homepage); deb != c.deb || rpm != c.rpm {
			t.Errorf("%q, %q: the .deb has\n%sthe rpm\n%s", c.contact, c.homepage, deb, rpm)
		}
	}
}
