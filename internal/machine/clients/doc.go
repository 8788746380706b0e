// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package clients proves what other SSH clients and libraries show of the prompt, and what they do
// with early ENTERs and long pastes. Most of it runs only by "make clients".
package clients
