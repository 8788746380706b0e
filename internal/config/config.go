// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package config reads config.toml, the one file that an administrator edits.
//
// It is strict, because a key that is misspelt and ignored is a rule that is not kept. An unknown
// key, a wrong type and an impossible value are each an [*Error] that names file, line and key and
// says what to write instead. Every key has a default except tenant_id, client_id and domains.
// Values come out checked and in one spelling (GUIDs and domains lower case, URLs without a final
// slash), so no other package checks them again.
//
// The file decides which server vouches for people, so [Load] accepts it only from root, and looks
// at the file it has open rather than at the path.
//
// github.com/pelletier/go-toml/v2 is complete TOML 1.0, has positions in its errors, and has no
// dependencies of its own. Its unstable package is the only way to the line of a key that is
// well-formed but wrong; only keys.go uses it.
package config

import (
	"cmp"
	"time"
)

// DefaultPath is where the modules and aadctl look for the configuration.
const DefaultPath = "/etc/aad-login/config.toml"

// Config is a checked configuration. Get one from [Load] or [Parse]: the zero value has no defaults
// in it.
type Config struct {
	TenantID   string   // directory that people must come from: GUID, lower case
	ClientID   string   // public-client application: GUID, lower case
	Domains    []string // UPN suffixes accepted here, lower case; the first completes short names
	ShortNames bool     // accounts of the first domain are named without @domain
	Cloud      string   // auto, public, usgovernment or china

	Endpoints     Endpoints
	SignIn        SignIn
	Authorization Authorization
	Accounts      Accounts
}

// Endpoints overrides the cloud's addresses. An empty field means the cloud's own. URLs are scheme
// and host only, without a final slash.
type Endpoints struct {
	Authority       string // https
	ResourceManager string // https
	Metadata        string // http or https; never reached through Proxy
	CAFile          string // PEM bundle added to the system's roots: absolute path
	Proxy           string // http or https, with port
}

// SignIn is the interactive part.
type SignIn struct {
	Flow          string        // DeviceCode or Browser
	Page          string        // the sign-in page, as its address is registered; empty without Browser
	Answer        string        // what that page gives: TokenAnswer or CodeAnswer
	Scope         string        // of the application itself, for Conditional Access to see it; empty: openid and profile alone
	Timeout       time.Duration // from first prompt to result
	MaxWaiting    int           // sign-ins waiting at once over the network, and again on the machine
	QR            bool          // draw the verification URI as a QR code
	ReuseWindow   time.Duration // 0: every sign-in needs its own code
	Services      []string      // PAM services in which a code is shown, lower case; sshd is one by its program
	AdminServices []string      // PAM services that need the administrator grant

	ReconnectOnGroupChange string // Auto, "true" or "false"
}

// Auto is the value of a setting that depends on what is found.
const Auto = "auto"

// Authorization says what decides whether a person may log in.
type Authorization struct {
	Source          string        // CheckAccess, RoleAssignments, Permissions or AppRoles
	ResourceID      string        // ARM resource id; empty: this machine's, from metadata
	ManagedIdentity string        // client id of a user-assigned identity; empty: system-assigned
	GrantLifetime   time.Duration // account phase only: how long the last grant stands in for an unreachable Azure

	// the last grant stands in where administrator rights are asked for, too
	GrantCoversAdministrators bool
}

// Accounts shapes the accounts made here.
type Accounts struct {
	IDRange         [2]uint32         // first and last uid; the first two are the groups aad_users and aad_admins
	Home            string            // template: %u account name, %l part before @, %d domain, %% a percent sign
	Shell           string            // absolute path
	PreAuthServices []string          // executables that are answered for accounts not signed in yet
	Directory       string            // where the store is: absolute path
	Groups          map[string]string // Entra group object id to local group name

	AllowPrivilegedGroups bool // Groups may name PrivilegedGroups
}

// defaults are the values of keys left out; packaging/config.toml repeats them for people, and a
// test holds the two together.
func defaults() *Config {
	return &Config{
		Cloud: "auto",
		SignIn: SignIn{
			Flow:                   DeviceCode,
			Answer:                 TokenAnswer,
			Timeout:                280 * time.Second,
			MaxWaiting:             64,
			ReconnectOnGroupChange: Auto,
			Services: []string{"sshd", "sudo", "sudo-i", "su", "su-l", "login", "remote",
				"doas", "vlock", "polkit-1",
				"cockpit"}, // pam/services.c has the same list, for a store without one
		},
		Authorization: Authorization{Source: CheckAccess},
		Accounts: Accounts{
			IDRange:         [2]uint32{1879048192, 2147483646},
			Home:            "/home/%u",
			Shell:           "/bin/bash",
			PreAuthServices: []string{"sshd", "sshd-session", "sshd-auth", "login"},
			Directory:       "/var/lib/aad-login",
		},
	}
}

// Parse checks text, which came from file. The name is for errors only. Every error is an [*Error].
func Parse(file string, text []byte) (*Config, error) {
	c := defaults()
	lines, err := c.assign(text)
	if err == nil {
		err = c.complete(lines)
	}
	if err == nil {
		return c, nil
	}
	err.File = file
	if err.Line == 0 {
		err.Line = lines[err.Key]
	}
	return nil, err
}

// complete checks what single keys cannot show: missing keys, and keys that contradict each other.
// written has the keys that are in the file.
func (c *Config) complete(written map[string]int) *Error {
	switch {
	case c.TenantID == "":
		return missing("tenant_id", "the directory (tenant) ID, a GUID")
	case c.ClientID == "":
		return missing("client_id", "the application (client) ID of your app registration, a GUID")
	case len(c.Domains) == 0:
		return missing("domains",
			`the part of user names after the @, such as domains = ["contoso.com"]`)
	}
	if p := sharedHome(c.Accounts.Home, len(c.Domains)); p != nil {
		return p.at("accounts.home", 0)
	}
	if err := c.privileged(); err != nil {
		return err
	}
	if err := cmp.Or(c.foreignScope(), c.pageless(), c.pastedToken(written)); err != nil {
		return err
	}
	return c.contradicted()
}

func missing(key, what string) *Error {
	return wrong("is missing", "set it to "+what+", or "+runs+"aadctl setup").at(key, 0)
}
