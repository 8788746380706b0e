// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"fmt"
	"testing"
	"time"

	"aadlogin/internal/emulator"
)

// BenchmarkAnswer prints the wait after the ENTER behind the last part of a browser's answer, with
// full caches: the worker's time, and how many questions to Entra ID and Azure follow each other.
// The metadata service is on the machine and answers at once. The other services answer at once or
// after 50 ms.
func BenchmarkAnswer(b *testing.B) {
	for _, kind := range []struct{ name, lines string }{
		{"token", byToken}, {"code", byPastedCode},
	} {
		for _, away := range []time.Duration{0, 50 * time.Millisecond} {
			b.Run(fmt.Sprintf("answer=%s/network=%v", kind.name, away), func(b *testing.B) {
				benchmarkAnswer(newMachine(b, kind.lines), b, away)
			})
		}
	}
}

func benchmarkAnswer(m *machine, b *testing.B, away time.Duration) {
	req := m.request(user)
	req.Program = "su" // one part
	m.paste(req, &typist{as: user})
	var all time.Duration
	questions, n := 0, 0
	for b.Loop() {
		var enter time.Time
		asked := 0
		y := &typist{as: user, edit: func(p *page) { p.short = true },
			lines: func(parts []string) []string {
				for _, endpoint := range []string{"openid", "keys", "token", "checkaccess"} {
					if away > 0 {
						m.entra.Fail(emulator.Fault{
							Endpoint: endpoint, Delay: emulator.Duration(away),
						})
					}
				}
				asked = len(m.entra.Requests())
				enter = time.Now()
				return parts
			}}
		if got, conv := m.paste(req, y); got != Success {
			b.Fatal(conv.logged)
		}
		all += time.Since(enter)
		m.entra.Heal()
		for _, r := range m.entra.Requests()[asked:] {
			switch r.Endpoint {
			case "openid", "keys", "token", "checkaccess":
				questions++
			}
		}
		n++
	}
	b.ReportMetric(float64(all.Microseconds())/1000/float64(n), "ms-ENTER-to-success")
	b.ReportMetric(float64(questions)/float64(n), "questions-after-ENTER")
	b.ReportMetric(0, "ns/op") // a sign-in takes as long as the person does
}
