// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import "slices"

// maxIssued limits what an emulator that runs for days remembers.
const maxIssued = 1 << 12

// issue remembers a secret that an answer will contain. The caller holds the mutex.
func (s *Server) issue(secret string) string {
	if len(s.issued) == maxIssued {
		s.issued = slices.Delete(s.issued, 0, maxIssued/2)
	}
	s.issued = append(s.issued, secret)
	return secret
}

// given is issue for a caller without the mutex.
func (s *Server) given(secret string) string {
	defer s.lock()()
	return s.issue(secret)
}

// Secrets returns the device codes and tokens issued so far, oldest first. Tests search for them
// where they must not be.
func (s *Server) Secrets() []string {
	s.setUp()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.issued)
}
