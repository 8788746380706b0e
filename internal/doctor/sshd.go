// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"aadlogin/internal/account"
)

const sshdProgram = "/usr/sbin/sshd"

// sshd asks sshd itself what it would do for an account, so that every include and Match block counts.
func (p *Patient) sshd(ctx context.Context) []Result {
	if !p.exists(sshdProgram) {
		return []Result{skipped(sshdProgram + " is not installed")}
	}
	name := p.someone()
	said, err := p.Run(ctx, sshdProgram, "-T", "-C", "user="+name+",host=localhost,addr=127.0.0.1")
	if err != nil {
		return []Result{failed(Machine, "sshd does not accept its configuration: "+lastLine(said)).
			fix("sshd -t names file and line")}
	}
	results := judgeSSHD(settings(said), name, p.Config.SignIn.Timeout, p.Config.SignIn.ReuseWindow > 0)
	if !p.exists("etc/debian_version") {
		for i := range results {
			results[i].Fix = strings.Replace(results[i].Fix, reload, "then reload sshd: systemctl reload sshd", 1)
		}
	}
	return results
}

// someone is the account in question, or one that nobody has. What is no name of ours would be read by sshd -C as it likes.
func (p *Patient) someone() string {
	if _, err := account.RulesFrom(p.Config).Name(p.Account); err == nil {
		return p.Account
	}
	if p.Config.ShortNames {
		return "someone"
	}
	return "someone@" + p.Config.Domains[0]
}

// settings are the lines of sshd -T, by keyword in lower case, as OpenSSH printed them up to 10.3; a keyword may have several.
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

const reload = "then reload sshd: systemctl reload ssh" // Debian's name of it

// before is the command that puts lines in front of sshd_config: of each keyword, sshd takes the first value it meets.
func before(lines ...string) string {
	return fmt.Sprintf(`sed -i '1i %s' /etc/ssh/sshd_config`, strings.Join(lines, `\n`))
}

// judgeSSHD looks at what sshd would do for name.
func judgeSSHD(set map[string][]string, name string, timeout time.Duration, addresses bool) (results []Result) {
	wrong := func(found, command string) {
		results = append(results, failed(Machine, found).fix(reload).run(command))
	}
	first := func(keyword string) string { return strings.Join(set[keyword][:min(1, len(set[keyword]))], "") }
	if first("usepam") != "yes" {
		wrong("UsePAM is "+first("usepam")+", so sshd asks no PAM module", before("UsePAM yes"))
	}
	interactive := first("kbdinteractiveauthentication")
	if first("challengeresponseauthentication") == "no" { // sshd before 8.7 needs both
		wrong("ChallengeResponseAuthentication is no, so no device code can be shown", before("ChallengeResponseAuthentication yes"))
	} else if interactive != "yes" {
		wrong("KbdInteractiveAuthentication is "+interactive+" for "+name+", so no device code can be shown",
			before("Match Group "+account.UsersGroup, "\tKbdInteractiveAuthentication yes", "Match all"))
	}
	grace, err := strconv.Atoi(first("logingracetime"))
	if seconds := int(timeout.Seconds()); err == nil && grace != 0 && grace <= seconds {
		wrong(fmt.Sprintf("LoginGraceTime is %d s, and sign_in.timeout %v: sshd hangs up without a word", grace, timeout),
			before(fmt.Sprintf("LoginGraceTime %d", seconds+20)))
	}
	results = append(results, judgeAllowed(set, name)...)
	if methods := set["authenticationmethods"]; len(methods) > 0 && !slices.ContainsFunc(methods, offersCode) {
		found := "AuthenticationMethods is " + strings.Join(methods, " ") + " for " + name + ": nobody sees a device code"
		results = append(results, warning(found).
			fix("add keyboard-interactive to AuthenticationMethods, unless keys alone are meant to do"))
	}
	if addresses && first("usedns") == "yes" {
		found := "UseDNS is yes, so sign_in.reuse_window sees names in the place of addresses, and is never used"
		results = append(results, warning(found).fix(reload).run(before("UseDNS no")))
	}
	if results == nil {
		results = []Result{ok("sshd shows %s a device code, and waits long enough", name)}
	}
	return results
}

func offersCode(methods string) bool {
	return methods == "any" || strings.Contains(methods, "keyboard-interactive")
}

// judgeAllowed goes by the order of sshd_config(5): DenyUsers, AllowUsers, DenyGroups, AllowGroups. Only aad_users and the
// account's own group are known to hold for everybody; other groups are not looked into.
func judgeAllowed(set map[string][]string, name string) (results []Result) {
	matches := func(patterns []string, names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return matchList(patterns, n) })
	}
	wrong := func(keyword, fix, command string) {
		found := fmt.Sprintf("%s is %s, which keeps %s out", keyword, strings.Join(set[strings.ToLower(keyword)], " "), name)
		results = append(results, failed(Machine, found).fix(fix).run(command))
	}
	if matches(set["denyusers"], name) {
		wrong("DenyUsers", "take the name out of DenyUsers", "")
	}
	if allow := set["allowusers"]; len(allow) > 0 && !matches(allow, name) { // where a pattern with @ may be USER@HOST
		wrong("AllowUsers", "use AllowGroups "+account.UsersGroup+" instead", "")
	}
	if matches(set["denygroups"], account.UsersGroup, name) {
		wrong("DenyGroups", "take "+account.UsersGroup+" out of DenyGroups", "")
	}
	if allow := set["allowgroups"]; len(allow) > 0 && !matches(allow, account.UsersGroup, account.AdminsGroup, name) {
		wrong("AllowGroups", reload, before("AllowGroups "+account.UsersGroup))
	}
	return results
}

// matchList is OpenSSH's PATTERNS (ssh_config(5)) as far as sshd -T prints them: * and ?, and ! for never.
func matchList(patterns []string, name string) (found bool) {
	for _, pattern := range patterns {
		pattern, never := strings.CutPrefix(pattern, "!")
		pattern = strings.NewReplacer(`[`, `\[`, `\`, `\\`).Replace(pattern)
		if hit, _ := path.Match(pattern, strings.ReplaceAll(name, "/", "_")); hit {
			if never {
				return false
			}
			found = true
		}
	}
	return found
}

// lastLine is where programs say what was wrong.
func lastLine(said string) string {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	return lines[len(lines)-1]
}
