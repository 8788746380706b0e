// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"testing"

	"aadlogin/internal/azure"
	"aadlogin/internal/config"
)

// compute answers as the metadata service does, and counts the questions.
func compute(answer azure.Compute, err error) (computeFunc, *int) {
	asked := new(int)
	return func() (azure.Compute, error) {
		*asked++
		return answer, err
	}, asked
}

func cloudNamed(t *testing.T, name string) azure.Cloud {
	t.Helper()
	c, ok := azure.CloudByName(name)
	if !ok {
		t.Fatalf("no cloud %q", name)
	}
	return c
}

func TestFindCloud(t *testing.T) {
	public, government, china := cloudNamed(t, "public"), cloudNamed(t, "usgovernment"),
		cloudNamed(t, "china")
	sovereign := config.Endpoints{
		Authority:       "https://login.sovcloud-identity.fr",
		ResourceManager: "https://management.sovcloud-api.fr",
	}
	elsewhere := azure.Cloud{
		Authority: sovereign.Authority, ResourceManager: sovereign.ResourceManager,
		Audience: sovereign.ResourceManager + "/",
	}
	ownAuthority := government
	ownAuthority.Authority = "https://login.example"

	for name, test := range map[string]struct {
		cloud       string
		endpoints   config.Endpoints
		source      string
		environment string
		want        azure.Cloud
		asked       int
		refused     bool
	}{
		"public": {cloud: "auto", environment: "AzurePublicCloud", want: public,
			asked: 1},
		"government": {cloud: "auto", environment: "AzureUSGovernmentCloud",
			want: government, asked: 1},
		"china, lower case": {cloud: "auto", environment: "azurechinacloud", want: china,
			asked: 1},
		"configured": {cloud: "china", environment: "AzurePublicCloud", want: china},
		"unknown":    {cloud: "auto", environment: "AzureFrance", asked: 1, refused: true},
		"unknown, half told": {cloud: "auto",
			endpoints:   config.Endpoints{Authority: "https://login.example"},
			environment: "x", asked: 1, refused: true},
		"unknown, told": {cloud: "auto", endpoints: sovereign, environment: "AzureFrance",
			want: elsewhere, asked: 1},
		"own authority": {cloud: "usgovernment",
			endpoints: config.Endpoints{Authority: "https://login.example"},
			want:      ownAuthority},
		"no Azure at all": {cloud: "auto",
			endpoints: config.Endpoints{Authority: "https://login.example"},
			source:    config.AppRoles,
			want:      azure.Cloud{Authority: "https://login.example"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := &config.Config{Cloud: test.cloud, Endpoints: test.endpoints}
			cfg.Authorization.Source = test.source
			ask, asked := compute(azure.Compute{Environment: test.environment}, nil)
			got, err := findCloud(cfg, ask)
			if errors.Is(err, errSettings) != test.refused || err == nil && got != test.want ||
				*asked != test.asked {
				t.Errorf("%+v, %v; asked %d times", got, err, *asked)
			}
		})
	}
}

func TestFindResource(t *testing.T) {
	const (
		group = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e/resourceGroups/demo/providers/"
		vm    = group + "Microsoft.Compute/virtualMachines/vm1"
		set   = group + "Microsoft.Compute/virtualMachineScaleSets/set/virtualMachines/7"
		arc   = group + "Microsoft.HybridCompute/machines/m1"
	)
	for name, test := range map[string]struct {
		configured string
		answer     azure.Compute
		want       string
		asked      int
		refused    bool
	}{
		"virtual machine": {answer: azure.Compute{ResourceID: vm}, want: vm, asked: 1},
		"instance of a uniform set": {answer: azure.Compute{ResourceID: set}, want: set,
			asked: 1},
		"instance of a flexible set": {answer: azure.Compute{ResourceID: vm}, want: vm, asked: 1},
		"configured": {configured: set, answer: azure.Compute{ResourceID: vm},
			want: set},
		"configured, wrong": {configured: group + "Microsoft.Compute/disks/d",
			refused: true},
		"Arc, configured": {configured: arc, want: arc},
		"Arc, as something there says": {answer: azure.Compute{ResourceID: arc}, asked: 1,
			refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := new(config.Config)
			cfg.Authorization.ResourceID = test.configured
			ask, asked := compute(test.answer, nil)
			got, err := findResource(cfg, ask)
			if errors.Is(err, errSettings) != test.refused ||
				err == nil && got.String() != test.want || *asked != test.asked {
				t.Errorf("%v, %v; asked %d times", got, err, *asked)
			}
		})
	}
}

// If the service does not answer, the configuration is not to blame.
func TestMetadataErrorIsNoSetting(t *testing.T) {
	ask, _ := compute(azure.Compute{}, azure.ErrUnreachable)
	_, cloud := findCloud(&config.Config{Cloud: "auto"}, ask)
	_, resource := findResource(new(config.Config), ask)
	for _, err := range []error{cloud, resource} {
		if !errors.Is(err, azure.ErrUnreachable) || errors.Is(err, errSettings) {
			t.Errorf("got %v", err)
		}
	}
}
