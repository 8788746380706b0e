// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

// BenchmarkSignIn prints the figures of one sign-in with pamtester as its host, a small C program
// like sshd's child: from the start of that program to the prompt on the terminal, the worker's
// processor time until then, from ENTER to its success when the browser was first, and what the
// waiting worker costs. The emulator is on loopback.
func BenchmarkSignIn(b *testing.B) {
	const user = "user@contoso.example"
	if err := os.WriteFile("/etc/pam.d/vlock", []byte("auth required pam_aad.so\n"),
		0o644); err != nil {
		b.Fatal(err)
	}
	var toPrompt, toResult time.Duration
	var rss, anonymous, processor float64
	n := 0
	for b.Loop() {
		start := time.Now()
		c := rig.Open(b, "pamtester", "vlock", user, "authenticate")
		_, code := c.Prompted()
		toPrompt += time.Since(start)
		worker := childOf(b, childOf(b, c.Cmd.Process.Pid)) // the guard's
		processor += ran(b, worker)
		rss += memory(b, worker, "VmRSS")
		anonymous += memory(b, worker, "RssAnon")
		if err := rig.Entra.SignIn(code, user); err != nil {
			b.Fatal(err)
		}
		rig.Eventually(b, "the worker is done, its result waits in the pipe", rig.Patience,
			func() bool { return rig.Ended(worker) })
		enter := time.Now()
		c.TypeLine("")
		c.Expect("successfully authenticated")
		toResult += time.Since(enter)
		n++
	}
	per := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 / float64(n) }
	b.ReportMetric(per(toPrompt), "ms-to-prompt")
	b.ReportMetric(per(toResult), "ms-ENTER-to-success")
	b.ReportMetric(processor/float64(n), "ms-worker-processor")
	b.ReportMetric(rss/1024/float64(n), "MiB-worker-RSS")
	b.ReportMetric(anonymous/1024/float64(n), "MiB-worker-anonymous")
	b.ReportMetric(0, "ns/op") // a sign-in takes as long as the person does
}

// BenchmarkRoundTrips prints how many round trips a person waits for, one after the other, before
// the prompt and after the browser, with caches that are empty or full, and what a network of 50 ms
// makes of that.
func BenchmarkRoundTrips(b *testing.B) {
	for _, caches := range []string{"empty", "full"} {
		for _, delay := range []time.Duration{0, 50 * time.Millisecond} {
			b.Run(fmt.Sprintf("caches=%s/network=%v", caches, delay), func(b *testing.B) {
				if delay > 0 {
					rig.Entra.Fail(emulator.Fault{Endpoint: "*", Delay: emulator.Duration(delay)})
					defer rig.Entra.Heal()
				}
				benchmarkRoundTrips(b, caches == "empty")
			})
		}
	}
}

func benchmarkRoundTrips(b *testing.B, empty bool) {
	const user = "user@contoso.example"
	if err := os.WriteFile("/etc/pam.d/vlock", []byte("auth required pam_aad.so\n"), 0o644); err != nil {
		b.Fatal(err)
	}
	var toPrompt time.Duration
	var before, after, late, n int
	for b.Loop() {
		if empty {
			if err := os.RemoveAll("/var/cache/aad-login"); err != nil {
				b.Fatal(err)
			}
		}
		asked := len(rig.Entra.Requests())
		start := time.Now()
		c := rig.Open(b, "pamtester", "vlock", user, "authenticate")
		_, code := c.Prompted()
		prompted := time.Now()
		toPrompt += prompted.Sub(start)
		worker := childOf(b, childOf(b, c.Cmd.Process.Pid)) // the guard's
		if err := rig.Entra.SignIn(code, user); err != nil {
			b.Fatal(err)
		}
		browsed := time.Now()
		rig.Eventually(b, "the worker is done", rig.Patience,
			func() bool { return rig.Ended(worker) })
		done := len(rig.Entra.Requests())
		c.TypeLine("")
		c.Expect("successfully authenticated")
		all := rig.Entra.Requests()
		before += rounds(all[asked:done], start, prompted)
		after += rounds(all[asked:done], browsed, time.Now())
		late += len(all) - done
		n++
	}
	each := func(sum int) float64 { return float64(sum) / float64(n) }
	b.ReportMetric(float64(toPrompt.Microseconds())/1000/float64(n), "ms-to-prompt")
	b.ReportMetric(each(before), "rounds-to-prompt")
	b.ReportMetric(each(after), "rounds-after-browser")
	b.ReportMetric(each(late), "requests-after-ENTER")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkLoginByKey prints the same of a login that shows no prompt: the account phase, as behind
// a key or a sudo that asks for no password. The metadata service is on the machine itself, so its
// answers come at once; Azure takes 50 ms or none.
func BenchmarkLoginByKey(b *testing.B) {
	const user = "user@contoso.example"
	if err := os.WriteFile("/etc/pam.d/vlock",
		[]byte("auth required pam_aad.so\naccount required pam_aad.so\n"), 0o644); err != nil {
		b.Fatal(err)
	}
	c := rig.Open(b, "pamtester", "vlock", user, "authenticate")
	_, code := c.Prompted()
	if err := rig.Entra.SignIn(code, user); err != nil {
		b.Fatal(err)
	}
	c.TypeLine("")
	c.Expect("successfully authenticated")
	for _, delay := range []time.Duration{0, 50 * time.Millisecond} {
		b.Run(fmt.Sprintf("azure=%v", delay), func(b *testing.B) {
			if delay > 0 {
				rig.Entra.Fail(emulator.Fault{Endpoint: "checkaccess",
					Delay: emulator.Duration(delay)})
				defer rig.Entra.Heal()
			}
			benchmarkLoginByKey(b, user)
		})
	}
}

func benchmarkLoginByKey(b *testing.B, user string) {
	var took time.Duration
	var all, azure int
	for b.Loop() {
		asked := len(rig.Entra.Requests())
		start := time.Now()
		c := rig.Open(b, "pamtester", "vlock", user, "acct_mgmt")
		c.Expect("account management done")
		took += time.Since(start)
		requests := rig.Entra.Requests()[asked:]
		all += rounds(requests, start, time.Now())
		azure += rounds(slices.DeleteFunc(slices.Clone(requests), func(r emulator.Request) bool {
			return strings.HasPrefix(r.Path, "/metadata/")
		}), start, time.Now())
	}
	b.ReportMetric(float64(took.Microseconds())/1000/float64(b.N), "ms-login")
	b.ReportMetric(float64(all)/float64(b.N), "rounds")
	b.ReportMetric(float64(azure)/float64(b.N), "rounds-to-Azure")
	b.ReportMetric(0, "ns/op")
}

// rounds is the length of the longest chain of requests that were answered in this time, each begun
// when the one before had its answer.
func rounds(all []emulator.Request, from, to time.Time) int {
	chain := make([]int, len(all))
	longest := 0
	for i, r := range all {
		if r.Status == 0 || r.Time.Before(from) || r.Time.Add(r.Took).After(to) {
			continue
		}
		for j, earlier := range all[:i] {
			if chain[j] > chain[i] && !earlier.Time.Add(earlier.Took).After(r.Time) {
				chain[i] = chain[j]
			}
		}
		chain[i]++
		longest = max(longest, chain[i])
	}
	return longest
}

// childOf is the one child of a process: of a PAM host that waits the guard, and of that one the
// worker.
func childOf(b *testing.B, pid int) int {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", pid))
	if err != nil {
		b.Fatal(err)
	}
	child, err := strconv.Atoi(regexp.MustCompile(`\d+`).FindString(string(text)))
	if err != nil {
		b.Fatalf("pamtester has no worker: %q", text)
	}
	return child
}

// ran is how long the threads of a process have had a processor, in milliseconds.
func ran(b *testing.B, pid int) (ms float64) {
	b.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(files) == 0 {
		b.Fatal(pid, err)
	}
	for _, file := range files {
		var nanoseconds float64
		text, err := os.ReadFile(file)
		if _, scanned := fmt.Sscan(string(text), &nanoseconds); err != nil || scanned != nil {
			b.Fatal(file, err, scanned)
		}
		ms += nanoseconds / 1e6
	}
	return ms
}

// memory reads a line of a process's status, in KiB.
func memory(b *testing.B, pid int, field string) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	m := regexp.MustCompile(field + `:\s+(\d+) kB`).FindStringSubmatch(string(text))
	if m == nil {
		b.Fatalf("no %s in status", field)
	}
	n, _ := strconv.ParseFloat(m[1], 64)
	return n
}
