// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package fleet simulates many machines and people at nine o'clock. Every attempt is the product's
// own (internal/signin, with its retries, caches, stores and grants). It asks the emulator, which
// throttles as Azure's documentation says (emulator.Documented). Time is simulated
// (testing/synctest): a second passes when nobody has anything left to do in it.
//
// The package has only tests. "make test" runs a small fleet with exact counts, and "make fleet"
// the large one of docs/performance.md.
package fleet
