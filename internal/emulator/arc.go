// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"cmp"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// onArc reports whether the machine is one of Azure Arc. Its agent then stands in for the metadata
// service.
func (x *exchange) onArc() bool {
	return strings.Contains(strings.ToLower(x.dir.Machine.ResourceID),
		"/providers/microsoft.hybridcompute/machines/")
}

// arcAllowed lets a process get tokens if it can read the agent's files, which only root can. A
// request without proof is answered with the path of a new key, which is good once.
// https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication
func (x *exchange) arcAllowed() bool {
	dir := cmp.Or(x.s.ArcKeys, "/var/opt/azcmagent/tokens")
	if key, ok := strings.CutPrefix(x.r.Header.Get("Authorization"), "Basic "); ok &&
		x.s.arcKeyUsed(dir, key) {
		return true
	}
	key := secret()
	path := filepath.Join(dir, newGUID()+".key")
	if err := os.WriteFile(path, []byte(key), 0o600); err != nil {
		x.metadataError(http.StatusInternalServerError, "internal_error",
			"The key could not be written")
		return false
	}
	x.Header().Set("Www-Authenticate", "Basic realm="+path)
	x.metadataError(http.StatusUnauthorized, "unauthorized_client",
		"Missing Basic Authorization header")
	return false
}

// arcKeyUsed removes the file that holds the key. It reports false if there is none.
func (s *Server) arcKeyUsed(dir, key string) bool {
	defer s.lock()()
	paths, _ := filepath.Glob(filepath.Join(dir, "*.key"))
	for _, path := range paths {
		if text, err := os.ReadFile(path); err == nil && string(text) == key {
			return os.Remove(path) == nil
		}
	}
	return false
}
