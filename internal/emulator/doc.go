// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package emulator stands in for Entra ID, Azure Resource Manager and the
// instance metadata service, on loopback, for tests and the demonstration.
//
// It is written from the protocols and shares no code with what it tests: a
// mistake made twice is a mistake no test sees. For that reason it signs with
// crypto/rsa rather than a JWT library, decides access with its own evaluator,
// and imports nothing of this module. Its one dependency is go-toml, which
// reads the file that describes the directory and knows the line of a mistake.
//
// One Server answers on two listeners, as the originals do:
//
//	HTTPS  Entra ID      {tenant}/v2.0/.well-known/openid-configuration
//	                     {tenant}/discovery/v2.0/keys
//	                     {tenant}/oauth2/v2.0/devicecode, …/token
//	       ARM           {resource}/providers/Microsoft.Authorization/checkAccess,
//	                     …/roleAssignments, …/roleDefinitions/{guid},
//	                     …/denyAssignments, …/permissions
//	HTTP   metadata      /metadata/instance/compute, /metadata/identity/…
//	       device page   /devicelogin, for a person with a browser
//	       control       /emulator/…, for the test that drives this process
//
// What exists in the directory (people, groups, roles, assignments) and what
// goes wrong (faults) comes from one TOML file; the zero value serves the
// directory of contoso.toml. A test in the same process uses the methods of
// Server, another process the control endpoints, which do the same:
//
//	GET    /emulator/codes?wait=10s   pending user codes, oldest first; waits for one
//	POST   /emulator/signin           {"user_code":"…","account":"user@contoso.example"}
//	POST   /emulator/decline          {"user_code":"…"}
//	POST   /emulator/expire           {"user_code":"…"}
//	GET    /emulator/requests         every request answered; ?endpoint=token&count=3&wait=10s
//	                                  waits until there are that many
//	DELETE /emulator/requests         forget them
//	GET    /emulator/faults           faults in force
//	POST   /emulator/faults           {"endpoint":"token","status":503,"times":2}, or a list: added
//	DELETE /emulator/faults           none from now on
//	GET    /emulator/directory        the directory, TOML
//	PUT    /emulator/directory        another directory, TOML
//	POST   /emulator/assignments      {"principal":"…","role":"…","scope":"/…"}: added
//	DELETE /emulator/assignments      the same body: every equal assignment is removed
//	POST   /emulator/forgery          how to falsify the ID tokens to come (see Forgery)
//	DELETE /emulator/forgery          honest again
//	POST   /emulator/rotate           another signing key, the old one withdrawn
//	POST   /emulator/impostor         HTTPS connections to come get a stranger's certificate
//	DELETE /emulator/impostor         the right one again
//
// No password is asked and whoever reaches the control endpoints may do
// everything: this program is for loopback and is never packaged.
package emulator
