// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"aadlogin/internal/config"
)

// These are outputs of SELinux's programs on Debian 13, on an enforcing machine.
const (
	labelledRight = "/var/lib/aad-login verified.\n/var/lib/aad-login/accounts.cdb verified.\n"
	storeOfVarLib = "/var/lib/aad-login verified.\n" +
		"/var/lib/aad-login/accounts.cdb has context system_u:object_r:var_lib_t:s0, should be " +
		"system_u:object_r:aad_login_lib_t:s0\n"
	directoryOfVarLib = "/var/lib/aad-login has context unconfined_u:object_r:var_lib_t:s0, " +
		"should be system_u:object_r:aad_login_lib_t:s0\n" +
		"/var/lib/aad-login/accounts.cdb verified.\n"
	backupsOfStore = labelledRight +
		"/var/lib/aad-login/backups has context unconfined_u:object_r:aad_login_lib_t:s0, should " +
		"be system_u:object_r:aad_login_private_t:s0\n"
	storeOfPrivate = "/var/lib/aad-login/accounts.cdb has context " +
		"system_u:object_r:aad_login_private_t:s0, should be system_u:object_r:aad_login_lib_t:s0\n"
	cacheUnlabelled = labelledRight +
		"/var/cache/aad-login has context system_u:object_r:unlabeled_t:s0, should be " +
		"system_u:object_r:aad_login_private_t:s0\n"

	deniedWeb   = `type=AVC msg=audit(1.1:1): avc:  denied  { name_connect } for  pid=7 comm="sshd" dest=443 tcontext=u:o:http_port_t:s0`
	deniedOther = `type=AVC msg=audit(1.1:2): avc:  denied  { read } for  pid=8 comm="httpd" path="/aad" dest=443 `
	deniedQuiet = `type=AVC msg=audit(1.1:3): avc:  denied  { read } for  pid=8 comm="sshd" path="/home/x"`
	deniedStore = `type=AVC msg=audit(1.1:4): avc:  denied  { read } for  pid=9 comm="dbus-daemon" name="accounts.cdb" dev="vda" tcontext=system_u:object_r:var_lib_t:s0`
	deniedHome  = `type=AVC msg=audit(1.1:5): avc:  denied  { write } for  pid=9 comm="mkhomedir_helpe" name="home" tcontext=system_u:object_r:home_root_t:s0`
	deniedDir   = `type=AVC msg=audit(1.1:6): avc:  denied  { search } for  pid=9 comm="systemd-user-ru" name="aad-login" tcontext=system_u:object_r:aad_login_lib_t:s0`
)

// policyTools returns the answers of the programs that ask about a policy. "" makes one fail.
func policyTools(modules, labels string) func(context.Context, string, ...string) (string, error) {
	return func(_ context.Context, program string, args ...string) (string, error) {
		said := map[string]string{"semodule": modules, "matchpathcon": labels}[program]
		if said == "" {
			return program + ": not found", errors.New("exit status 1")
		}
		if strings.Contains(said, "should be") {
			return said, errors.New("exit status 1")
		}
		return said, nil
	}
}

func TestSELinux(t *testing.T) {
	const with = "abrt\naad_login\naad_login_home\n"
	for name, test := range map[string]struct {
		enforce, config        string
		modules, labels, audit string
		status                 Status
		found, command         string
		withoutHelper          bool
	}{
		"off": {found: "not enabled", status: OK},
		"off, and a policy": {config: "SELINUX=disabled\n", modules: "abrt\n",
			found: "not enabled", status: OK},
		"next boot, with it": {config: "# SELINUX=\nSELINUX=enforcing\n", modules: with,
			found: "has it enforcing; what it needs", status: OK},
		"next boot, without it": {config: "SELINUX=permissive\n", modules: "abrt\n",
			status: Warning, found: "once it enforces, nobody", command: selinuxAdd},
		"configured, no policy": {config: "SELINUX=enforcing\n",
			status: OK, found: "what it needs"},
		"watches": {enforce: "0\n", modules: with, labels: labelledRight,
			audit: deniedWeb, status: OK, found: "only watches, with the module"},
		"watches without": {enforce: "0\n", modules: "abrt\n", status: Warning,
			found: "once it enforces, nobody", command: selinuxAdd},
		"watches a wrong label": {enforce: "0\n", modules: with, labels: storeOfVarLib,
			status: Warning, found: "once it enforces, nobody", command: relabel},
		"enforces": {enforce: "1", modules: with, labels: labelledRight,
			audit: deniedOther + "\n" + deniedQuiet, status: OK, found: "with the module"},
		"older semodule": {enforce: "1\n", modules: "abrt\t1.0\naad_login\t1.0",
			labels: labelledRight, status: OK, found: "with the module"},
		"another's module": {enforce: "1", modules: "abrt\naad_login_too\n", status: Failed,
			found: "without the module", command: selinuxAdd},
		"no helper": {enforce: "1", modules: "abrt\n", withoutHelper: true,
			status: Failed, found: "without the module"},
		"semodule fails": {enforce: "1", labels: labelledRight, status: Warning,
			found: "semodule does not tell"},
		"store unlabelled": {enforce: "1", modules: with, labels: storeOfVarLib,
			status: Failed, found: "accounts.cdb has the label system_u:object_r:var_lib_t:s0",
			command: relabel},
		"store of another kind": {enforce: "1", modules: with, labels: storeOfPrivate,
			status: Failed, found: "accounts.cdb has the label", command: relabel},
		"directory unlabelled": {enforce: "1", modules: with, labels: directoryOfVarLib,
			status: Failed, found: "/var/lib/aad-login has the label", command: relabel},
		"cache unlabelled": {enforce: "1", modules: with, labels: cacheUnlabelled,
			status: Failed, found: "/var/cache/aad-login has the label", command: relabel},
		"backups as the store": {enforce: "1", modules: with, labels: backupsOfStore,
			status: Warning, found: "backups has the label", command: relabel},
		"matchpathcon fails": {enforce: "1", modules: with, status: Warning,
			found: "matchpathcon does not tell", command: relabel},
		"denied the web": {enforce: "1", modules: with, labels: labelledRight,
			audit: deniedWeb + "\n" + deniedOther, status: Warning,
			found: "last: sshd { name_connect }"},
		"denied long ago": {enforce: "1", modules: with, labels: labelledRight,
			audit: strings.Repeat(deniedQuiet+"\n", 20_000) + deniedWeb, status: Warning,
			found: "last: sshd { name_connect }"},
		"denied a name": {enforce: "1", modules: with, labels: labelledRight,
			audit:  strings.Replace(deniedStore, "var_lib_t", "aad_login_lib_t", 1),
			status: Warning, found: "last: dbus-daemon { read }"},
		"denied a name before it was labelled": {enforce: "1", modules: with,
			labels: labelledRight, audit: deniedStore, status: OK, found: "with the module"},
		"denied a name, nobody knows the labels": {enforce: "1", modules: with,
			audit: deniedStore, status: Warning, found: "last: dbus-daemon { read }"},
		"denied a home": {enforce: "1", modules: with, labels: labelledRight,
			audit: deniedHome, status: Warning, found: "last: mkhomedir_helpe { write }"},
		"denied a runtime folder": {enforce: "1", modules: with, labels: labelledRight,
			audit: deniedDir, status: Warning, found: "last: systemd-user-ru { search }"},
	} {
		t.Run(name, func(t *testing.T) {
			files := fstest.MapFS{auditLog: {Data: []byte(test.audit)},
				"var/lib/aad-login/accounts.cdb": {}, selinuxHelper[1:]: {}}
			if test.enforce != "" {
				files["sys/fs/selinux/enforce"] = &fstest.MapFile{Data: []byte(test.enforce)}
			}
			if test.config != "" {
				files["etc/selinux/config"] = &fstest.MapFile{Data: []byte(test.config)}
			}
			if test.withoutHelper {
				delete(files, selinuxHelper[1:])
			}
			h := &Host{System: System{Files: files, Run: policyTools(test.modules, test.labels)},
				Config: &config.Config{}}
			h.Config.Accounts.Directory = "/var/lib/aad-login"
			findings := h.selinux(t.Context())
			expect(t, findings, test.status, test.found)
			if test.command != "" && !slices.ContainsFunc(findings,
				func(r Finding) bool { return r.Command == test.command }) {
				t.Errorf("no command %q: %+v", test.command, findings)
			}
			if test.withoutHelper && findings[0].Command != "" {
				t.Errorf("it names what is not there: %q", findings[0].Command)
			}
		})
	}
}

// A file that does not exist has no label, so it is not asked for.
func TestLabelsOfWhatIsThere(t *testing.T) {
	var asked []string
	h := &Host{System: System{Files: fstest.MapFS{"run/aad-login/windows": {}},
		Run: func(_ context.Context, program string, args ...string) (string, error) {
			asked = append([]string{program}, args...)
			return "", nil
		}}, Config: &config.Config{}}
	h.Config.Accounts.Directory = "/var/lib/aad-login"
	findings := h.labels(t.Context(), &enforcement{denies: true, labels: true})
	if findings != nil {
		t.Errorf("%+v", findings)
	}
	if want := []string{"matchpathcon", "-V", "/run/aad-login"}; !slices.Equal(asked, want) {
		t.Errorf("asked %q", asked)
	}
}
