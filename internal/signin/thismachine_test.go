// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"aadlogin/internal/emulator"
)

// The metadata service answers five questions a second, so all sign-ins within five minutes ask it
// once.
func TestMetadataIsAskedOnce(t *testing.T) {
	m := newMachine(t, "")
	boot := "b0"
	m.signin.Uptime = func() (string, time.Duration) { return boot, time.Hour }
	asked := func(why string, want int) {
		t.Helper()
		m.works()
		for _, endpoint := range []string{"instance", "info"} {
			if got := m.requests(endpoint); got != want {
				t.Errorf("%s: %s was asked %d times, want %d", why, endpoint, got, want)
			}
		}
	}
	asked("first", 1)
	m.ahead.Add(int64(metadataAge - time.Minute))
	asked("within its age", 1)
	m.ahead.Add(int64(time.Minute))
	asked("after", 2)
	boot = "b1"
	asked("another boot: perhaps another machine", 3)
	boot = ""
	asked("a boot that cannot be told", 4)
	asked("from another one", 5)
}

// A machine that is moved to another resource group keeps its boot id, and the cached answer is no
// longer true.
func TestMovedMachine(t *testing.T) {
	m := newMachine(t, "")
	m.signin.Uptime = func() (string, time.Duration) { return "b0", time.Hour }
	m.works()
	old := emulator.Contoso().Machine.ResourceID
	moved := strings.Replace(old, "/resourceGroups/demo/", "/resourceGroups/moved/", 1)
	m.change(func(d *emulator.Directory) {
		d.Machine.ResourceID = moved
		for i := range d.Assignments {
			d.Assignments[i].Scope = moved
		}
	})
	m.works()
	instance, asked := m.requests("instance"), m.requests("checkaccess")
	if instance != 2 || asked != 3 {
		t.Errorf("metadata was asked %d times, want 2; Azure %d times, want 3: once in vain",
			instance, asked)
	}
	m.works()
	if instance := m.requests("instance"); instance != 2 {
		t.Errorf("metadata was asked %d times, want 2: the new place is kept", instance)
	}
}

// If the machine is still the same, the refusal stands.
func TestRefusedMachineHasNotMoved(t *testing.T) {
	m := newMachine(t, "")
	m.signin.Uptime = func() (string, time.Duration) { return "b0", time.Hour }
	m.entra.Fail(emulator.Fault{Endpoint: "checkaccess", Status: 403, Error: "AuthorizationFailed"})
	got, conv := m.signIn(m.request(user), user)
	ended(t, got, conv, Unreachable, "does not let it ask", "authorization-not-asked")
	instance, asked := m.requests("instance"), m.requests("checkaccess")
	if instance != 2 || asked != 1 {
		t.Errorf("metadata was asked %d times, want 2; Azure %d times, want 1", instance, asked)
	}
}

// A tenant's own claims may have names that differ only in case. They have no effect on a sign-in.
func TestClaimsOfTheTenantsOwn(t *testing.T) {
	m := newMachine(t, "")
	m.change(func(d *emulator.Directory) {
		for i := range d.Users {
			d.Users[i].Claims = map[string]any{"Department": "a", "department": "b"}
		}
	})
	m.works()
}

func TestTenantOfTheMachine(t *testing.T) {
	const other = "11111111-2222-3333-4444-555555555555"
	for name, test := range map[string]struct {
		lines   string
		fault   emulator.Fault
		verdict Verdict
	}{
		"another": {fault: emulator.Fault{Body: `{"tenantId":"` + other + `"}`},
			verdict: Misconfigured},
		"another, resource named": {lines: withoutMetadata,
			fault: emulator.Fault{Body: `{"tenantId":"` + other + `"}`}, verdict: Misconfigured},
		"not known without identity": {fault: emulator.Fault{Status: 400, Error: "invalid_request"},
			verdict: Success},
		"garbage": {fault: emulator.Fault{Body: "{"}, verdict: Success},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, test.lines)
			test.fault.Endpoint = "info"
			m.entra.Fail(test.fault)
			got, conv := m.signIn(m.request(user), user)
			if test.verdict == Success {
				if got != Success {
					t.Errorf("verdict %d, told %q", got, conv.told)
				}
				return
			}
			ended(t, got, conv, test.verdict, "not configured correctly", other)
			ended(t, got, conv, test.verdict, "not configured correctly",
				emulator.Contoso().TenantID)
			m.unknown(user)
		})
	}
}

// answers counts the answers of an endpoint.
func (m *machine) answers(endpoint string) (n int) {
	for _, r := range m.entra.Requests() {
		if r.Endpoint == endpoint && r.Status == 200 {
			n++
		}
	}
	return n
}

// There is one round trip before the prompt: the device code is asked for before the metadata
// service has answered.
func TestDeviceCodeDoesNotWaitForMetadata(t *testing.T) {
	m := newMachine(t, "")
	m.works()
	m.signin.Uptime = func() (string, time.Duration) { return "another boot", 0 }
	m.entra.Fail(emulator.Fault{Endpoint: "instance", Delay: emulator.Duration(time.Hour)})
	before, answered := m.requests("devicecode"), m.answers("instance")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var verdict Verdict
	conv := new(said)
	var done sync.WaitGroup
	done.Go(func() {
		defer cancel()
		verdict = m.signin.Authenticate(ctx, m.request(user), conv)
	})
	err := m.entra.Await(ctx, func() bool { return m.requests("devicecode") > before })
	if err != nil {
		t.Fatal(err)
	}
	if m.answers("instance") != answered {
		t.Error("the metadata service has answered")
	}
	cancel()
	done.Wait()
	if verdict == Success || conv.prompts != nil {
		t.Errorf("verdict %d, prompts %q", verdict, conv.prompts)
	}
}
