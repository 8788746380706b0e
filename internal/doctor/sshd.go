// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"aadlogin/internal/account"
	"aadlogin/internal/sshd"
)

const sshdProgram = "/usr/sbin/sshd"

// sshd asks sshd itself about an account, so that every include and Match block counts.
func (h *Host) sshd(ctx context.Context) []Finding {
	if !h.exists(sshdProgram) {
		return []Finding{skipped(sshdProgram + " is not installed")}
	}
	name := h.someone()
	said, err := h.sshdFor(ctx, name)
	if err != nil {
		return []Finding{failed(Machine, "sshd does not accept its configuration: "+lastLine(said)).
			fix("correct the line, see that it is accepted, " + reload).run(sshdProgram + " -t")}
	}
	version, _ := h.Run(ctx, sshdProgram, "-V")
	lines, _ := sshd.Read(h.Files) // a file that cannot be read is not shown
	set := settings(said)
	findings := judgeSSHD(set, name, h.Config.SignIn.Timeout, h.Config.SignIn.ReuseWindow > 0)
	unread := h.passesOver(ctx, lines)
	if unread {
		findings = dropIn(findings)
	}
	findings = append(findings, judgeAllowed(set, h.candidate(ctx, name),
		sshd.VersionIn(version), lines)...)
	findings = append(findings, h.rulesByGroup(lines)...)
	findings = append(findings, h.chroot(set)...)
	findings = append(findings, h.nologin()...)
	if findings == nil {
		findings = []Finding{ok("sshd asks %s to sign in, and waits long enough", name)}
	}
	if !unread {
		findings = append(findings, h.spelling(ctx)...)
	}
	findings = append(findings, h.startups(set)...)
	findings = append(findings, h.reloaded(set, lines)...)
	return h.asHere(findings, lines)
}

// sshdFor returns what sshd -T prints for an account. Where a Match line asks for a port or an
// address of this machine that -C does not name, sshd fails.
func (h *Host) sshdFor(ctx context.Context, name string) (string, error) {
	return h.Run(ctx, sshdProgram, "-T", "-C", "user="+name+
		",host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport="+h.sshdPort())
}

// sshdPort returns the first port that sshd listens on.
func (h *Host) sshdPort() string {
	lines, _ := sshd.Read(h.Files) // sshd itself reports a file that cannot be read
	for _, line := range lines.With("port") {
		if len(line.Args) == 1 {
			return line.Args[0]
		}
	}
	return "22"
}

// someone returns the account in question, or a name that nobody has. sshd -C would misread a name
// that is not in the form of ours.
func (h *Host) someone() string {
	if name, err := account.RulesFrom(h.Config).Name(h.Account); err == nil {
		if _, local := h.localUser(h.Account); !local || name.UPN == h.Account {
			return h.Account
		}
	}
	if h.Config.ShortNames {
		return "someone"
	}
	return "someone@" + h.Config.Domains[0]
}

// settings returns the lines of sshd -T by keyword in lower case, as OpenSSH up to 10.3 prints
// them. A keyword may have several values.
func settings(said string) map[string][]string {
	all := map[string][]string{}
	for line := range strings.Lines(said) {
		if words := strings.Fields(line); len(words) > 1 {
			keyword := strings.ToLower(words[0])
			all[keyword] = append(all[keyword], words[1:]...)
		}
	}
	return all
}

const reload = "then reload sshd: sshd -t && systemctl reload ssh" // Debian's name of the service

// before returns the command that puts lines at the top of sshd_config. sshd takes the first value
// of each keyword.
func before(lines ...string) string {
	return fmt.Sprintf(`sed -i '1i %s' %s`, strings.Join(lines, `\n`), sshdConfig)
}

const (
	sshdConfig = "/etc/ssh/sshd_config"
	sshdDropIn = "/etc/ssh/sshd_config.d/40-aad-login.conf"
)

// judgeSSHD judges what sshd does with name. Whether it lets the account in at all is for
// judgeAllowed.
func judgeSSHD(set map[string][]string, name string, timeout time.Duration,
	addresses bool) (findings []Finding) {
	wrong := func(found, command string) {
		findings = append(findings, failed(Machine, found).fix(reload).run(command))
	}
	first := func(keyword string) string {
		return strings.Join(set[keyword][:min(1, len(set[keyword]))], "")
	}
	if first("usepam") != "yes" {
		wrong("UsePAM is "+first("usepam")+", so sshd asks no PAM module", before("UsePAM yes"))
	}
	interactive := first("kbdinteractiveauthentication")
	if first("challengeresponseauthentication") == "no" { // sshd before 8.7 needs both
		wrong("ChallengeResponseAuthentication is no, so nobody can be asked to sign in",
			before("ChallengeResponseAuthentication yes"))
	} else if interactive != "yes" {
		wrong("KbdInteractiveAuthentication is "+interactive+" for "+name+
			", so nobody can be asked to sign in",
			before("Match Group "+account.UsersGroup, "\tKbdInteractiveAuthentication yes",
				"Match all"))
	}
	if first("passwordauthentication") == "yes" {
		wrong("PasswordAuthentication is yes for "+name+
			", who has no password: sshd cuts off a client that tries one first, "+
			"in spite of a sign-in that succeeds",
			before("Match Group "+account.UsersGroup, "\tPasswordAuthentication no", "Match all"))
	}
	grace, err := strconv.Atoi(first("logingracetime"))
	if seconds := int(timeout.Seconds()); err == nil && grace != 0 && grace <= seconds {
		wrong(fmt.Sprintf(
			"LoginGraceTime is %d s, and sign_in.timeout %v: sshd hangs up without a word",
			grace, timeout),
			before(fmt.Sprintf("LoginGraceTime %d", seconds+20)))
	}
	if methods := set["authenticationmethods"]; len(methods) > 0 &&
		!slices.ContainsFunc(methods, offersCode) {
		found := "AuthenticationMethods is " + strings.Join(methods, " ") + " for " + name +
			": nobody is asked to sign in"
		findings = append(findings, warning(found).
			fix("add keyboard-interactive to AuthenticationMethods, unless keys alone are "+
				"meant to do"))
	}
	if addresses && first("usedns") == "yes" {
		found := "UseDNS is yes, so sign_in.reuse_window sees names in the place of addresses, " +
			"and is never used"
		findings = append(findings, warning(found).fix(reload).run(before("UseDNS no")))
	}
	return findings
}

// passesOver reports whether sshd does not read the package's drop-in, although it could. Before
// 8.2, sshd knows no Include, and the package's lines are in its own file.
func (h *Host) passesOver(ctx context.Context, lines *sshd.Config) bool {
	if len(lines.Files) == 0 || slices.Contains(lines.Files, sshdDropIn) || !h.exists(sshdDropIn) {
		return false
	}
	said, _ := h.Run(ctx, sshdProgram, "-t", "-f", "/dev/null", "-o", "Include=/dev/null")
	return !strings.Contains(strings.ToLower(said), "bad configuration option: include")
}

// dropIn replaces failures by one finding: a single line mends all of them.
func dropIn(findings []Finding) []Finding {
	found := "sshd does not read " + sshdDropIn
	unread := warning(found)
	for _, r := range findings {
		if r.Status == Failed {
			found += "; " + r.Found
			unread = failed(Machine, found)
		}
	}
	findings = slices.DeleteFunc(findings, func(r Finding) bool { return r.Status == Failed })
	return append(findings, unread.fix(reload).run(before("Include /etc/ssh/sshd_config.d/*.conf")))
}

func offersCode(methods string) bool {
	return methods == "any" || strings.Contains(methods, "keyboard-interactive")
}

// lastLine returns the line in which programs say what was wrong.
func lastLine(said string) string {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	return lines[len(lines)-1]
}
