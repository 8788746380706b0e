// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import "errors"

// Had reports whether name and uid are or were both this store's: the uid an
// account's, removed or moved ones' too, the name likewise or, in any spelling,
// one that an account could have. A host that has such a pair and not from
// /etc/passwd has it from us, perhaps from a while ago. aad_had of nss/answer.h
// is the same for the PAM module, and says why nobody asks for one account.
func (s *Snapshot) Had(name string, uid uint32) (bool, error) {
	switch _, err := s.ByUID(uid); {
	case errors.Is(err, ErrUnknown):
		return false, nil
	case err != nil && !errors.Is(err, ErrRemoved):
		return false, err
	}
	switch _, err := s.holder(name); {
	case err == nil:
		return true, nil
	case !errors.Is(err, ErrUnknown):
		return false, err
	}
	_, err := s.rules.parse(lower(name))
	return err == nil, nil
}
