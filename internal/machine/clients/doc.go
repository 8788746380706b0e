// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package clients proves what SSH clients and libraries besides ssh show of the prompt and what
// they do with early ENTERs and long pastes. Most of it runs by "make clients" alone.
package clients
