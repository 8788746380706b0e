// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"aadlogin/internal/emulator"
	"aadlogin/internal/signin"
)

// A result is what the services counted, and what people and machines experienced.
type result struct {
	nine time.Time

	mu        sync.Mutex
	calls     map[string]int           // by service
	throttled map[string]int           // the throttled ones among them
	second    map[string]map[int64]int // calls by second
	came, in  map[string]int           // by kind: browser, key, cron
	outcomes  map[string]int           // "cron: failed unreachable"
	told      map[string]string        // an example of each outcome
	longest   map[string]time.Duration // the longest wait of anybody who got in, without the time in the browser
	fruitless int                      // browsers that were too late
}

func newResult(nine time.Time) *result {
	r := &result{nine: nine}
	r.forget()
	return r
}

func (r *result) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls, r.throttled, r.outcomes = map[string]int{}, map[string]int{}, map[string]int{}
	r.came, r.in = map[string]int{}, map[string]int{}
	r.second, r.told, r.longest = map[string]map[int64]int{}, map[string]string{},
		map[string]time.Duration{}
}

var services = map[string]string{
	"openid": "Entra ID, documents", "keys": "Entra ID, documents",
	"devicecode": "Entra ID", "token": "Entra ID",
	"checkaccess": "Resource Manager", "roleassignments": "Resource Manager",
	"roledefinitions": "Resource Manager",
	"denyassignments": "Resource Manager", "permissions": "Resource Manager",
	"instance": "metadata", "info": "metadata", "identity": "metadata",
}

// answered is the emulator's trace.
func (r *result) answered(q emulator.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	service := services[q.Endpoint]
	if service == "" {
		service = "unknown: " + q.Path
	}
	r.calls[service]++
	if q.Status == 429 || q.Error == "invalid_grant" { // AADSTS50196 is the only one here
		r.throttled[service]++
	}
	if r.second[service] == nil {
		r.second[service] = map[int64]int{}
	}
	r.second[service][q.Time.Unix()]++
}

// busiest returns the highest number of calls to a service within a second.
func (r *result) busiest(service string) int {
	most := 0
	for _, n := range r.second[service] {
		most = max(most, n)
	}
	return most
}

func (r *result) lost(error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fruitless++
}

func (r *result) ended(what string, conv *person, verdict signin.Verdict, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := what + ": " + conv.outcome()
	r.outcomes[key]++
	r.came[what]++
	if verdict != signin.Success {
		r.told[key], _, _ = strings.Cut(conv.told, "\n")
		return
	}
	r.in[what]++
	if what == "browser" {
		took -= browsing
	}
	r.longest[what] = max(r.longest[what], took)
}

// row returns a row of docs/performance.md. It has the calls, the throttled calls and the busiest
// second of Resource Manager or, for a single machine, of its metadata service. Then it says who
// got in.
func (r *result) row(name string, times int) string {
	row := "| " + name
	for _, service := range []string{"Resource Manager", "metadata"} {
		if service == "metadata" && times > 1 {
			break
		}
		row += fmt.Sprintf(" | %d / %d / %d", r.calls[service]*times, r.throttled[service]*times,
			r.busiest(service)*times)
	}
	for _, who := range []string{"browser", "key", "cron"} {
		switch came, in := r.came[who], r.in[who]; {
		case came == 0:
			row += " | –"
		case in == came:
			row += " | all"
		case in == 0:
			row += " | none"
		default:
			row += fmt.Sprintf(" | %.1f %%", 100*float64(in)/float64(came))
		}
	}
	return row + " |\n"
}

// String returns the text for the reader of "make fleet".
func (r *result) String() string {
	var b strings.Builder
	for _, service := range slices.Sorted(maps.Keys(r.calls)) {
		fmt.Fprintf(&b, "  %-20s %7d calls, %6d throttled, %5d in the busiest second\n", service,
			r.calls[service], r.throttled[service], r.busiest(service))
	}
	for _, key := range slices.Sorted(maps.Keys(r.outcomes)) {
		what, _, _ := strings.Cut(key, ":")
		fmt.Fprintf(&b, "  %-32s %6d", key, r.outcomes[key])
		if told := r.told[key]; told != "" {
			fmt.Fprintf(&b, "  %s", told)
		} else {
			fmt.Fprintf(&b, "  within %v", r.longest[what].Round(100*time.Millisecond))
		}
		b.WriteString("\n")
	}
	return b.String()
}
