// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import "errors"

// Had reports whether name and uid both belong or belonged to this store: the uid to any account,
// also a removed or moved one; and the name likewise, or it is one that an account could have, in
// any spelling. If a host has such a pair, and not from /etc/passwd, it has it from this store,
// perhaps from a while ago. aad_had in nss/answer.h does the same for the PAM module; its comment
// says why the two need not be of one account.
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
