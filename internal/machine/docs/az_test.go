// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

// This file stands in for the Azure CLI. It takes the few commands that our pages and programs tell
// people to run, as Microsoft's reference documents them
// (https://learn.microsoft.com/cli/azure/reference-index). It refuses every other or malformed
// command. In the emulator's directory it does what the real one does in Azure.

// An azCommand is one subcommand. A parameter's name is without the dashes; one of each group in
// needs must be given.
type azCommand struct {
	needs [][]string
	takes map[string]func(string) error
	run   func(azArguments) (any, error) // what it prints, before --query
}

type azArguments map[string]string

var azCommands = map[string]azCommand{
	"account show": {nil, nil, func(azArguments) (any, error) {
		return map[string]any{"tenantId": emulator.Contoso().TenantID}, nil
	}},
	"ad user show": {[][]string{{"id"}}, map[string]func(string) error{"id": isPerson},
		func(a azArguments) (any, error) {
			u, err := azUser(a["id"])
			return map[string]any{"id": u.ObjectID, "userPrincipalName": u.Name}, err
		}},
}

// az runs one command.
func az(args []string) (string, error) {
	name, arguments, err := azParse(args)
	if err != nil {
		return "", err
	}
	var command azCommand
	known := false
	for _, commands := range []map[string]azCommand{
		azCommands, azMachineCommands, azRoleCommands, azAppCommands,
	} {
		if found, ok := commands[name]; ok {
			command, known = found, true
		}
	}
	if !known {
		return "", fmt.Errorf("az %s is not a command that this stand-in knows", name)
	}
	query, output := arguments["query"], arguments["output"]
	delete(arguments, "query")
	delete(arguments, "output")
	for _, group := range command.needs {
		if !slices.ContainsFunc(group, func(name string) bool { return arguments[name] != "" }) {
			return "", fmt.Errorf("az %s: --%s is required", name, strings.Join(group, " or --"))
		}
	}
	for parameter, value := range arguments {
		check, takes := command.takes[parameter]
		if !takes {
			return "", fmt.Errorf("az %s has no --%s", name, parameter)
		}
		if err := check(value); err != nil {
			return "", fmt.Errorf("az %s --%s: %w", name, parameter, err)
		}
	}
	result, err := command.run(arguments)
	if err != nil {
		return "", fmt.Errorf("az %s: %w", name, err)
	}
	return azPrint(result, query, output)
}

func azParse(args []string) (name string, arguments azArguments, err error) {
	arguments = azArguments{}
	var words []string
	for len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		words, args = append(words, args[0]), args[1:]
	}
	for ; len(args) > 0; args = args[2:] {
		parameter, long := strings.CutPrefix(args[0], "--")
		if !long || len(args) < 2 {
			return "", nil, fmt.Errorf("%q: a long parameter and its value", args[0])
		}
		if _, twice := arguments[parameter]; twice {
			return "", nil, fmt.Errorf("--%s twice", parameter)
		}
		arguments[parameter] = args[1]
	}
	return strings.Join(words, " "), arguments, nil
}

// azPrint applies --query and --output.
func azPrint(result any, query, output string) (string, error) {
	result, err := azQuery(result, query)
	if err != nil {
		return "", err
	}
	switch output {
	case "none":
		return "", nil
	case "tsv":
		all, isList := result.([]any)
		if !isList {
			all = []any{result}
		}
		var b strings.Builder
		for _, value := range all {
			text, ok := value.(string)
			if !ok {
				return "", fmt.Errorf("--output tsv of %v", value)
			}
			b.WriteString(text + "\n")
		}
		return b.String(), nil
	case "", "json":
		text, err := json.MarshalIndent(result, "", "  ")
		return string(text) + "\n", err
	}
	return "", fmt.Errorf("--output %s", output)
}

func given(value string) error {
	if strings.TrimSpace(value) == "" {
		return errors.New("a value is missing")
	}
	return nil
}

func oneOf(all ...string) func(string) error {
	return func(value string) error {
		if !slices.Contains(all, value) {
			return fmt.Errorf("%q is none of %q", value, all)
		}
		return nil
	}
}

const guidPattern = `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`

func matching(pattern, what string) func(string) error {
	re := regexp.MustCompile(`^(?:` + pattern + `)$`)
	return func(value string) error {
		if !re.MatchString(value) {
			return fmt.Errorf("%q is not %s", value, what)
		}
		return nil
	}
}

var (
	isGUID  = matching(guidPattern, "a GUID")
	isScope = matching(`/subscriptions/`+guidPattern+
		`(/resourceGroups/[^/]+(/providers/[^/]+/[^/]+/[^/]+)?)?`, "a scope")
)

func isPerson(value string) error {
	_, err := azUser(value)
	return err
}

func azUser(name string) (user emulator.User, err error) {
	err = fmt.Errorf("there is no user %s", name)
	rig.Entra.Update(func(d *emulator.Directory) {
		for _, u := range d.Users {
			if u.Name == name {
				user, err = u, nil
			}
		}
	})
	return user, err
}

// azDecode reads JSON, and refuses fields that into lacks.
func azDecode(text string, into any) error {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

func roleNamed(name, scope string) string {
	return `{"Name":"` + name + `","Actions":["a/read"],"AssignableScopes":["` + scope + `"]}`
}

// The real az would refuse these, so the stand-in does, too.
func TestAzIsStrict(t *testing.T) {
	before := *emulator.Contoso()
	t.Cleanup(func() {
		rig.Entra.SetDirectory(&before)
		azTenant = azRoles{}
	})
	_, err := az([]string{
		"role", "definition", "create", "--role-definition", roleNamed("Twice", currentAccount),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{
		"", "vm", "vm identity assign", "vm identity assign --name vm", "vm show --ids vm",
		"ad app create --display-name x --public true",
		"ad app create --display-name x --is-fallback-public-client yes",
		"role assignment create --assignee user@contoso.example --role Owner --scope " +
			"/subscriptions/x",
		"role assignment create --assignee nobody@contoso.example --role Owner --scope " + demoVM,
		"role assignment create --role Owner --scope " + demoVM,
		"role definition create --role-definition {}", "role definition create --role-definition",
		"vm show --ids " + demoArc,
		"account show --query tenant", "account show -o tsv", "ad sp create --id name",
		"ad sp create --id " + alice + " --id x",
		"rest --method POST --url https://graph.microsoft.com/v1.0/me",
		"rest --method PATCH --url https://graph.microsoft.com/v1.0/applications/" + azApplication,
		"rest --method PATCH --body {} --url https://graph.microsoft.com/v1.0/applications/" +
			emulator.Contoso().ClientID,
		`rest --method PATCH --body {"api":{"oauth2PermissionScopes":[]}} --url https://graph.microsoft.com/v1.0/applications/` + azApplication,
		`rest --method PATCH --body {"api":{"preAuthorizedApplications":[{"appId":"` +
			azApplication + `","delegatedPermissionIds":["` + azApplication +
			`"]}]}} --url https://graph.microsoft.com/v1.0/applications/` + azApplication,
		"ad sp create --id " + emulator.Contoso().ClientID, "ad app show --id " + azApplication,
		"ad app show --id " + emulator.Contoso().ClientID + " --query api.nothing",
		`rest --method PATCH --body {"spa":{"redirectUris":["http://signin.contoso.example/"]}} --url https://graph.microsoft.com/v1.0/applications/` + azApplication,
		`rest --method PATCH --body {"spa":{"redirectUris":["https://a.example/"]},"publicClient":{"redirectUris":["https://a.example/"]}} --url https://graph.microsoft.com/v1.0/applications/` + azApplication,
		`rest --method PATCH --body {"web":{"redirectUris":["https://a.example/"]}} --url https://graph.microsoft.com/v1.0/applications/` + azApplication,
		"ad app show --id " + emulator.Contoso().ClientID +
			" --query {spa:{redirectUris:publicClient.redirectUris}}",
		"ad app permission grant --id " + emulator.Contoso().ClientID + " --api " +
			emulator.Contoso().ClientID + " --scope login",
		"vm identity assign --ids " + demoSet + "/virtualMachines/3", "vm identity assign --ids " +
			demoSet, "vmss identity assign --ids " + demoVM,
		"vm show --ids " + demoSet + "/virtualMachines/3", "resource show --ids " + demoSet,
		"vm identity assign --resource-group other --name demo-vm",
		"role assignment create --assignee norole@contoso.example --role Owner --scope " +
			demoSet + "/virtualMachines/3",
		"role assignment create --assignee norole@contoso.example --role " +
			alice + " --scope " + demoVM,
		"role assignment create --assignee norole@contoso.example --assignee-principal-type " +
			"User --role " + accessReader + " --scope " + demoVM,
		"role assignment create --assignee-object-id " + azApplication +
			" --assignee-principal-type ServicePrincipal --role " + accessReader + " --scope " +
			demoVM,
		"role definition create --role-definition " + roleNamed("Twice", otherSubscription),
		// the name is the tenant's
		"role definition update --role-definition " + roleNamed("Twice", otherSubscription),
		// it is not found there
		"role definition update --role-definition " +
			roleNamed("Twice", currentAccount+`","`+currentAccount), // one scope, twice
		"role assignment create --assignee norole@contoso.example --role Twice --scope " +
			otherVM, // it is not seen there
		"rest --method GET --url " +
			"/providers/Microsoft.Authorization/roleDefinitions?api-version=2022-04-01",
		// all of them
		"rest --method GET --url " + currentAccount +
			"/providers/Microsoft.Authorization/roleDefinitions?a=b&c=d", // of a subscription
	} {
		if out, err := az(strings.Fields(args)); err == nil {
			t.Errorf("az %s: %s", args, out)
		}
	}
	out, err := az([]string{
		"role", "assignment", "create", "--assignee", "norole@contoso.example", "--role",
		rig.LoginRole, "--scope", demoVM, "--query", "principalId", "--output", "tsv",
	})
	if err != nil || out != "norole@contoso.example\n" {
		t.Errorf("%q, %v", out, err)
	}
}
