// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package emulator stands in for Entra ID, Azure Resource Manager and the instance metadata
// service, on loopback, for tests and the demonstration.
//
// It is written from the protocols and shares no code with the software that it tests: no test can
// see a mistake that both sides make. So it signs with crypto/rsa instead of a JWT library, decides
// access with its own evaluator, and imports nothing of this module. Its only dependency
// is go-toml, which reads the file that describes the directory and knows the line of a mistake.
//
// One Server answers on two listeners, as the originals do:
//
//	HTTPS  Entra ID      {tenant}/v2.0/.well-known/openid-configuration
//	                     {tenant}/discovery/v2.0/keys
//	                     {tenant}/oauth2/v2.0/devicecode, …/token,
//	                     …/authorize, for a person with a browser
//	       ARM           {resource}/providers/Microsoft.Authorization/checkAccess,
//	                     …/roleAssignments, …/roleDefinitions/{guid},
//	                     …/denyAssignments, …/permissions
//	HTTP   metadata      /metadata/instance/compute, /metadata/identity/…
//	       device page   /devicelogin, for a person with a browser
//	       sign-in page  /sign-in/ and /sign-in/index.html, if the server has one
//	       control       /emulator/…, for the test that drives this process
//
// The contents of the directory (people, groups, roles, assignments) and the faults come from one
// TOML file. The zero value serves the directory of contoso.toml. A test in the same process uses
// the methods of Server. Another process uses the control endpoints, which do the same:
//
//	GET    /emulator/codes?wait=10s   pending user codes, oldest first; waits for one;
//	                                  with &state=any all codes, with what the browser said
//	POST   /emulator/signin           {"user_code":"…","account":"user@contoso.example"};
//	                                  403 and the AADSTS number when the tenant refuses
//	POST   /emulator/decline          {"user_code":"…"}
//	POST   /emulator/expire           {"user_code":"…"}
//	POST   /emulator/authorize        {"address":"https://…/authorize?…","account":"…","managed":true}:
//	                                  acts as a browser there; {"location":"…"} is where it
//	                                  goes next
//	DELETE /emulator/authorization-codes
//	                                  all authorization codes issued so far expire
//	GET    /emulator/requests         every request; ?endpoint=token&count=3&wait=10s
//	                                  waits until there are that many
//	DELETE /emulator/requests         forget them
//	GET    /emulator/faults           faults in force
//	POST   /emulator/faults           {"endpoint":"token","status":503,"times":2}, or a list
//	                                  of them: added
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
// # Scopes, consent and Conditional Access
//
// These keys of the file decide whether a person gets through the browser. Without them everybody
// does. All keys are in [Directory], [Registration] and [Policy].
//
//	user_consent = "all"        # what people may consent to: "all", "low-impact" (openid,
//	                            # profile, email, offline_access, User.Read), "none"
//	polling = "pending"         # what the machine is told when the browser refused: nothing, or
//	                            # "invalid_grant", "interaction_required", "access_denied"
//	security_defaults = true    # instead of policies: everybody needs a second factor, and
//	security_defaults_block_device_code = true # 530035, as in tenants made since 2026-07-01
//	baseline_scopes = "new"     # sign-ins that ask for baseline scopes only are access to
//	                            # DirectoryApp; "old": the same, but a policy for all resources
//	                            # that excludes any lets them go; an id: access to that
//	                            # application
//
//	[registration]              # what client_id names
//	scopes = ["sign-in"]        # asked for as "<client_id>/sign-in" or "<identifier URI>/sign-in"
//	identifier_uris = ["api://<client_id>"]
//	for_itself = "any"          # forms it may redeem its own scope in; "guid": only
//	                            # <client_id>/…, "none": neither; the token endpoint answers
//	                            # AADSTS90009
//	confidential = true         # no public client flows: AADSTS7000218
//	spa = ["https://…/"]        # redirect addresses, by platform; on loopback any port will do.
//	public_client = […]         # Codes for spa are redeemed with an Origin only (AADSTS9002327),
//	web = […]                   # for the others without (9002326), for web not at all (7000218)
//	no_service_principal = true # until a person consents; AADSTS650052 for its own scope
//	consent_required = true     # nothing has consent but
//	admin_consent = ["openid", "profile", "<client_id>/sign-in"] # by an administrator, for all
//	pre_authorized = ["sign-in"] # own scopes that need no consent
//
//	[[policy]]                  # Conditional Access; no list: everybody, everything
//	name = "Block device codes"
//	state = "on"                # "report-only", "off"
//	users = ["All"]             # users and groups
//	exclude_users = ["Operators"]
//	resources = ["All"]         # ids: client_id, GraphApp, ARMApp, DirectoryApp, any other
//	exclude_resources = ["<client_id>"]
//	authentication_flows = ["device-code"] # any way to sign in if not given
//	client_apps = ["mobile-and-desktop"]   # device codes are of these
//	grant = "block"             # 53003; "mfa": 50079 for a user with no_mfa;
//	                            # "managed-device": 53000; "domain-joined-device": 53001
//	polling = "access_denied"   # for this policy
//
//	[limits]                    # none if not given; a bucket holds size requests, and gets refill
//	reads = {size = 250, refill = 25} # back each second. Of ARM, for a principal in a
//	                            # subscription;
//	writes = {…}                # other than GET; all_reads, all_writes: for all principals
//	                            # together;
//	sign_ins = {…}              # of Entra ID, for an application: AADSTS50196
//	instance = {…}              # of metadata, for a machine; identity: about its identity
//
//	[machine]
//	fleet = "vm"                # hosts with this prefix are machines of a fleet: metadata asked
//	                            # for at http://vm7 is vm7's, with a resource id and an
//	                            # identity of its own; at http://vm7.x in another subscription
//
//	[[machine.caller]]          # if any, nobody else may ask the metadata service (guestproxy.go)
//	user = "root"
//	exe = "/usr/sbin/sshd"
//
//	[[user]]
//	administrator = true        # may consent to anything
//	no_mfa = true               # has no second factor
//
// A policy looks at the application that the token is for. A policy for client_id only applies to a
// sign-in that asks for a scope of it. The browser refuses a scope that does not exist (650053, or
// 500011 for an unknown resource, 70011 for a text that is no scope) and a lack of consent (90094).
// The machine goes on waiting. The browser accepts scopes of two resources, and the token endpoint
// then answers AADSTS28000. [Code] says what happened to a person: State Blocked, AADSTS, Policy,
// Resource, MFA, ReportOnly. [Server.SignIn] consents where the person may, and returns a
// *[Refused].
//
// Besides device codes there is the authorization code grant with PKCE. Its browser says itself
// whether it is on a managed device. The browser stays on the page if the address is not registered
// (AADSTS50011) or a policy refuses. Other errors, and "Cancel" (access_denied, 65004), go to the
// redirect address. Codes have 1500 to 1650 characters (code_length). They are valid for ten
// minutes (70008), once (54005), with their verifier (501481; 50148 without) and redirect address
// (500112). [Server.Authorize] acts as the person.
//
// No password is asked for, and everybody who reaches the control endpoints may do everything: this
// program is for loopback, and is never packaged.
package emulator
