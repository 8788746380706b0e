// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"os"
	"testing"

	"aadlogin/internal/machine/rig"
)

// programs are the programs of the script "hosts". Each is set up as its package does it, except
// for the port and for what a local user needs to get in.
func programs() []program {
	return []program{
		{name: "saslauthd", pkg: "sasl2-bin", service: "imap", try: sasl,
			start: func(t *testing.T) {
				os.MkdirAll("/run/saslauthd", 0o755)
				// There are more of them than strangers. None of Debian's five would be left while
				// pam_unix delays strangers.
				daemon(t, "/run/saslauthd/mux",
					"saslauthd", "-d", "-a", "pam", "-n", "15", "-m", "/run/saslauthd")
			}},
		{name: "vsftpd", pkg: "vsftpd", service: "vsftpd", try: ftp("127.0.0.1:2121"),
			start: func(t *testing.T) {
				os.MkdirAll("/var/run/vsftpd/empty", 0o755)
				settings := settingsFile(t, "vsftpd.conf", "/etc/vsftpd.conf",
					"listen=YES\nlisten_ipv6=NO\nlisten_address=127.0.0.1\nlisten_port=2121\n"+
						"background=NO\n")
				daemon(t, "127.0.0.1:2121", "vsftpd", settings)
			}},
		{name: "proftpd", pkg: "proftpd-core", service: "proftpd", try: ftp("127.0.0.1:2122"),
			start: func(t *testing.T) {
				rig.Must(t, "cp", "/opt/proftpd/etc/pam.d/proftpd", "/etc/pam.d/proftpd")
				// By default it makes a login take as long as earlier ones did, and waits half a
				// second for a scoreboard that is locked.
				settings := settingsFile(t, "proftpd.conf", "",
					"ServerName test\nDefaultServer on\nSocketBindTight on\n"+
						"DefaultAddress 127.0.0.1\nPort 2122\nUser root\nGroup root\n"+
						"PidFile /run/proftpd.pid\nScoreboardFile none\nAuthPAMConfig proftpd\n"+
						"AuthOrder mod_auth_pam.c* mod_auth_unix.c\n"+
						"UseReverseDNS off\nWtmpLog off\nDelayEngine off\n")
				daemon(t, "127.0.0.1:2122",
					"/opt/proftpd/usr/sbin/proftpd", "--nodaemon", "-c", settings)
			}},
		{name: "dovecot", pkg: "dovecot-core", service: "dovecot", try: imap,
			start: func(t *testing.T) {
				settings := settingsFile(t, "dovecot.conf", "",
					"!include /etc/dovecot/dovecot.conf\nlisten = 127.0.0.1\nssl = no\n"+
						"disable_plaintext_auth = no\nlog_path = /tmp/dovecot.log\n")
				daemon(t, "127.0.0.1:143", "dovecot", "-F", "-c", settings)
			}},
		{name: "apache2", pkg: "libapache2-mod-authnz-pam", service: "httpd",
			try: basic, start: startApache},
		{name: "xrdp-sesman", pkg: "xrdp", service: "xrdp-sesman", try: sesman, start: startSesman},
		{name: "cockpit", pkg: "cockpit-ws", service: "cockpit", try: cockpit, shows: cockpitShows,
			start: func(t *testing.T) {
				// By default it takes ten connections that have not signed in.
				os.WriteFile("/etc/cockpit/cockpit.conf",
					[]byte("[WebService]\nMaxStartups = 100\n"), 0o644)
				daemon(t, "127.0.0.1:9091", "/usr/lib/cockpit/cockpit-ws", "--no-tls", "-p", "9091",
					"-a", "127.0.0.1")
			}},
		{name: "doas", inside: true, pkg: "opendoas", service: "doas", start: permitDoas,
			try: typesPassword(asDoas), shows: showsCode("doas", asDoas)},
		{name: "su", pkg: "util-linux", service: "su", try: typesPassword(asSu),
			shows: showsCode("su", asSu)},
		{name: "login", pkg: "login", service: "login", try: typesPassword(asLogin),
			shows: showsCode("login", asLogin)},
		{name: "vlock", inside: true, pkg: "vlock", service: "vlock", try: typesPassword(asVlock),
			shows: showsCode("vlock", asVlock)},
		{name: "chsh", inside: true, quick: true, pkg: "passwd", service: "chsh",
			try: typesPassword(commandOf("runuser", "-u", "USER", "--",
				"chsh", "-s", "/bin/bash"))},
		{name: "chfn", inside: true, pkg: "passwd", service: "chfn",
			try: typesPassword(commandOf("runuser", "-u", "USER", "--", "chfn", "-h", "1"))},
		{name: "cron", pkg: "cron", service: "cron", inside: true, jobs: &cronJobs},
		{name: "atd", pkg: "at", service: "atd", inside: true, jobs: &atJobs},
	}
}
