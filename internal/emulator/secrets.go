// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import "slices"

// maxIssued bounds what an emulator that runs for days remembers.
const maxIssued = 1 << 12

// issue remembers a secret that an answer is about to carry; the caller holds
// the mutex.
func (s *Server) issue(secret string) string {
	if len(s.issued) == maxIssued {
		s.issued = slices.Delete(s.issued, 0, maxIssued/2)
	}
	s.issued = append(s.issued, secret)
	return secret
}

// given is issue for who does not hold it.
func (s *Server) given(secret string) string {
	defer s.lock()()
	return s.issue(secret)
}

// Secrets returns the device codes and tokens given out so far, oldest first:
// what a test searches for where none of it may be.
func (s *Server) Secrets() []string {
	s.setUp()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.issued)
}
