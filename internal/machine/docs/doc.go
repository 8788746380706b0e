// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package docs proves the pages. It types every command of getting started, README.md and the pages
// on sudo, roles and setup at a terminal as it stands, and expects the output that the page shows.
// The program az stands in for Azure's command line. It is strict: it takes only what Microsoft's
// reference documents.
package docs
