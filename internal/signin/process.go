// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"aadlogin/internal/azure"
	"aadlogin/internal/config"
	"aadlogin/internal/rbac"
)

// process is this process as the rules about the metadata service see it. In a sign-in it is a fork
// of the PAM host that has become root, whoever started the host. Its executable is sshd's or
// sudo's, never ours.
type process struct{ user, name, exe string }

func thisProcess() process {
	who := process{user: "root"}
	if uid := os.Getuid(); uid != 0 {
		who.user = "uid " + strconv.Itoa(uid)
	}
	who.exe, _ = os.Readlink("/proc/self/exe")
	who.name = filepath.Base(who.exe)
	return who
}

// metadataForbidden ends an attempt because somebody has decided that this program may not ask. It
// is no outage, so no last grant stands in.
func (a *attempt) metadataForbidden(refused *azure.Error) error {
	who := thisProcess()
	return a.refuse(Misconfigured, tellAdministrator+
		"a rule forbids this program to ask the metadata service; the system log says what it "+
		"must allow.",
		"metadata-forbidden", "error", refused.Error(),
		"process_user", who.user, "process_name", who.name, "process_exe", who.exe,
		"fix", mayAsk(refused, a.cfg, rbac.Resource{}))
}

// forbiddenFix says what a rule about processes must allow.
func forbiddenFix(who process, cfg *config.Config) string {
	switch {
	case onArc(cfg):
		return "see what forbids it, the agent of Azure Arc (azcmagent show) or a firewall: root " +
			"must be let in with the executable " + who.exe
	case strings.HasSuffix(who.exe, " (deleted)"):
		return "an update has replaced the executable of this process, and no rule knows it " +
			"under that name: restart the service"
	}
	return "let " + who.user + " with the executable " + who.exe +
		" ask for /metadata/instance and /metadata/identity in the machine's " +
		"inVMAccessControlProfile (Metadata Security Protocol); aadctl check lists the " +
		"executables of this machine"
}
