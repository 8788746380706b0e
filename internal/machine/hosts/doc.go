// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package hosts proves that programs which load the PAM module stay as they were: threads, signals,
// limits, descriptors and children. It proves that Go never starts in them, that each program of
// "make hosts" shows the prompt and waits, and that the stacks we ship let exactly the right people
// in.
package hosts
