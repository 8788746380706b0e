// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

const (
	SSHPort    = "2222"
	ConfigFile = "/etc/aad-login/config.toml"
	StoreFile  = "/var/lib/aad-login/accounts.cdb"
	CAFile     = "/run/aad-emulator-ca.pem"
)

const (
	Admin = "admin@contoso.example"
	User  = "user@contoso.example"
)

const MetadataAddress = "169.254.169.254"
