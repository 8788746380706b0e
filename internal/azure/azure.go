// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package azure talks to what surrounds a virtual machine in Azure: the table of clouds, the
// instance metadata service and Azure Resource Manager.
//
// Three kinds of peers are trusted to three degrees:
//
//   - Entra ID and Resource Manager are reached over TLS with the client of
//     [NewClient]: system roots plus an optional file, an explicit proxy or
//     none, no redirect to another host, no body over 1 MiB.
//   - The metadata service is plain HTTP on a link-local address. Its client
//     never uses a proxy and follows no redirect, because its answers include
//     the machine's own access token.
//   - What a server says is data. It stays raw in the fields of [Error], and
//     every Error method quotes it.
//
// Nothing here reads the environment. A setuid program may have started this process, and
// SSL_CERT_FILE or HTTPS_PROXY would let its caller choose who vouches for Entra ID.
//
// The Azure SDK is not used. Three GETs and one POST do not justify its dependencies, and its
// pipeline reads the environment and logs by environment variable.
package azure
