// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package fleet is a nine o'clock of many machines and people, in simulated time: every attempt is
// the product's own (internal/signin, with its retries, caches, stores and grants), asking the
// emulator, which answers as much as Azure says it does (emulator.Documented). A second passes when
// nobody has anything left to do in it (testing/synctest).
//
// There is no Go code here but tests. "make test" has a small fleet with exact counts, "make fleet"
// the large one of docs/performance.md.
package fleet
