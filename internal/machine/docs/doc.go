// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package docs proves the pages: every command of getting started, README.md and the pages on
// sudo, roles and setup is typed at a terminal as it stands, and says what the page shows. Azure's
// command line is played by az, which is strict: it knows what Microsoft's reference of it knows,
// and refuses the rest.
package docs
