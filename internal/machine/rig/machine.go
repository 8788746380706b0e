// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

// These are the paths of the machine.
const (
	SSHPort    = "2222"
	ConfigFile = "/etc/aad-login/config.toml"
	StoreFile  = "/var/lib/aad-login/accounts.cdb"
	CAFile     = "/run/aad-emulator-ca.pem"
)

// These are people of the emulator's directory, with the role that their name says.
const (
	Admin = "admin@contoso.example"
	User  = "user@contoso.example"
)

// MetadataAddress is the address of Azure's metadata service.
const MetadataAddress = "169.254.169.254"
