// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package bench has the figures of a sign-in for "make bench": time, memory and round trips, as
// benchmarks. The scripts beside it measure what a script measures better, among them two
// revisions side by side.
package bench
