// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package watching

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/machine/rig"
)

var watch = flag.Bool("watching", false, "what is shipped to watch sign-ins with")

const examples = "/usr/share/doc/aad-login/examples/"

// The package brings configuration to watch sign-ins with. These tests use it with Debian's
// programs.
func TestWatching(t *testing.T) {
	if !*watch {
		t.Skip("run by: make watching")
	}
	lines := signInsToWatch(t)
	startJournald(t)
	sendTo(t, devLog, lines...)
	rig.Must(t, "setpriv", "--reuid=65534", "--clear-groups", "logger", "--socket", devLog, "--tag",
		"sshd", "--priority", "authpriv.info",
		`pam_aad(sshd:auth): signed-in account="forged@contoso.example"`)
	t.Run("units", func(t *testing.T) {
		rig.Must(t, "systemd-analyze", "verify",
			"/usr/lib/systemd/system/aad-login-metrics.service",
			"/usr/lib/systemd/system/aad-login-metrics.timer")
	})
	t.Run("journalctl", journalctlOfThePage)
	t.Run("rsyslog", func(t *testing.T) { rsyslogKeeps(t, lines) })
	t.Run("Prometheus", prometheusAnswers)
}

// signInsToWatch writes the lines of people who have just signed in, and lines that end no attempt.
func signInsToWatch(t *testing.T) []string {
	t.Helper()
	mark := rig.Syslog.Mark()
	for _, name := range []string{"admin@contoso.example", "norole@contoso.example"} {
		c := rig.SSH(t, name, "true")
		c.SignIn(name)
		c.End()
	}
	rig.Syslog.Settle(t)
	lines := rig.Syslog.Find(mark, `: (signed-in|denied) `)
	if len(lines) != 2 {
		t.Fatalf("%q", lines)
	}
	return append(lines,
		`<83>sshd[7]: pam_aad(sshd:auth): failed reason="configuration-error" fix="aadctl config check"`,
		"<86>sshd[7]: Invalid user pam_aad(sshd:auth): signed-in from 192.0.2.7",
		`<87>sshd[7]: pam_aad(sshd:auth): step step="token"`)
}

func sendTo(t *testing.T, socket string, lines ...string) {
	t.Helper()
	log, err := net.Dial("unixgram", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	for _, line := range lines {
		fmt.Fprint(log, line)
	}
}

// journalctlOfThePage runs each command of docs/watching.md, and expects the lines that the page
// promises.
func journalctlOfThePage(t *testing.T) {
	page, err := os.ReadFile("../../../docs/watching.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile(`(?m)^journalctl .*$`).FindAllString(string(page), -1)
	// lines: three of root's and a forged one; the administrator's; the one to mend; and the step
	want := []int{4, 1, 1, 5}
	if len(commands) != len(want) {
		t.Fatalf("%q", commands)
	}
	for i, command := range commands {
		var out string
		rig.Eventually(t, command, rig.Patience, func() bool { // journald takes its time
			out = rig.Must(t, "sh", "-c", command+" --quiet --no-pager || :")
			return strings.Count(out, "pam_aad(") == want[i]
		})
		if strings.Contains(out, "Invalid user") {
			t.Errorf("%s: %s", command, out)
		}
	}
}

// rsyslogKeeps runs rsyslogd with a minimal configuration and the filter. It writes the ends of
// attempts.
func rsyslogKeeps(t *testing.T, lines []string) {
	dir := t.TempDir()
	socket, config := dir+"/log", dir+"/rsyslog.conf"
	text := `module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="` + socket + `" CreatePath="off"
	IgnoreTimestamp="off" UseSysTimeStamp="off")
include(file="` + examples + `rsyslog.conf")
`
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	rig.Must(t, "rsyslogd", "-N1", "-f", config)
	cmd := exec.Command("rsyslogd", "-n", "-f", config, "-i", dir+"/pid")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rig.Kill(cmd) })
	rig.Eventually(t, "rsyslogd listens", rig.Patience, func() bool {
		c, err := net.Dial("unixgram", socket)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	sendTo(t, socket, lines...)
	// The journal, which aadctl prefers, is younger.
	sendTo(t, socket, time.Now().AddDate(0, 0, -1).Format("<86>"+time.Stamp)+
		" sshd[8]: pam_aad(sshd:auth): authorized account=\"last@contoso.example\"")
	const kept = "/var/log/aad-login.log"
	t.Cleanup(func() { os.Remove(kept) })
	var got string
	rig.Eventually(t, "rsyslogd has written", rig.Patience, func() bool {
		text, _ := os.ReadFile(kept)
		got = string(text)
		return strings.Contains(got, "last@")
	})
	n := strings.Count(got, "\n")
	if n != 4 || strings.Contains(got, "Invalid user") || strings.Contains(got, "step ") {
		t.Errorf("%d lines: %s", n, got)
	}
	if info, err := os.Stat(kept); err != nil || info.Mode() != 0o640 {
		t.Error(info.Mode(), err)
	}
	rig.Must(t, "sh", "-c", "logrotate --debug "+examples+"logrotate.conf")
	// aadctl reads them back as it reads auth.log.
	if err := os.Rename(kept, "/var/log/auth.log.of-rsyslog"); err != nil {
		t.Fatal(err)
	}
	defer os.Remove("/var/log/auth.log.of-rsyslog")
	said := rig.Must(t, "aadctl", "report", "--offline", "--json", "--account",
		"last@contoso.example", "-")
	if !strings.Contains(said, "of-rsyslog") {
		t.Error(said)
	}
}

// prometheusAnswers lets node_exporter collect and Prometheus scrape, and checks each query of the
// dashboard and each alert.
func prometheusAnswers(t *testing.T) {
	dir, textfiles := t.TempDir(), t.TempDir()
	file := textfiles + "/aad-login.prom"
	var counted string
	rig.Eventually(t, "aadctl has counted what is in the journal", rig.Patience, func() bool {
		rig.Must(t, "aadctl", "metrics", file)
		counted = rig.Must(t, "cat", file)
		// This is the last one that was sent.
		return strings.Contains(counted, `aadlogin_attempts_total{outcome="failed"} 1`)
	})
	for _, line := range []string{
		`aadlogin_attempts_total{outcome="signed-in"} 1`,
		`aadlogin_refusals_total{outcome="denied",reason="no-role"} 1`,
		"aadlogin_foreign_lines_total 1", `aadlogin_round_trip_seconds_count{server="entra"} 2`,
		`aadlogin_accounts{state="admin"} `,
	} {
		if !strings.Contains(counted, line) {
			t.Errorf("no %s in\n%s", line, counted)
		}
	}
	checked := exec.Command("promtool", "check", "metrics")
	checked.Stdin = strings.NewReader(counted)
	if out, err := checked.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool: %v, %s", err, out)
	}
	config := `global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [` + examples + `alerts.yaml]
scrape_configs: [{job_name: node, static_configs: [{targets: ["127.0.0.1:9100"]}]}]
`
	if err := os.WriteFile(dir+"/prometheus.yml", []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, program := range [][]string{
		{"prometheus-node-exporter", "--web.listen-address=127.0.0.1:9100",
			"--collector.disable-defaults", "--collector.textfile",
			"--collector.textfile.directory=" + textfiles},
		{"prometheus", "--web.listen-address=127.0.0.1:9090", "--config.file=" + dir +
			"/prometheus.yml", "--storage.tsdb.path=" + dir + "/data"},
	} {
		cmd := exec.Command(program[0], program[1:]...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { rig.Kill(cmd) })
	}
	for _, query := range dashboardQueries(t) {
		rig.Eventually(t, "Prometheus answers "+query, rig.Patience,
			func() bool { return len(ask(t, query)) > 0 })
	}
	rig.Eventually(t, "Prometheus has evaluated the alerts", rig.Patience, func() bool {
		said := prometheus(t, "/api/v1/rules")
		return strings.Count(said, `"health":"ok"`) == 3 &&
			!strings.Contains(said, `"health":"err"`)
	})
}

func dashboardQueries(t *testing.T) (all []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(examples, "dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	variables := strings.NewReplacer("$instance", ".*", "$__rate_interval", "1m", "$__range", "1h")
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			all = append(all, variables.Replace(target.Expr))
		}
	}
	if len(all) < 8 {
		t.Fatalf("%q", all)
	}
	return all
}

// ask returns Prometheus's answer to a query, or nothing while it starts. A query that it does not
// understand ends the test.
func ask(t *testing.T, query string) []any {
	t.Helper()
	var answer struct {
		Status, Error string
		Data          struct{ Result []any }
	}
	text := prometheus(t, "/api/v1/query?query="+url.QueryEscape(query))
	if json.Unmarshal([]byte(text), &answer) == nil && answer.Status == "error" {
		t.Fatalf("%s: %s", query, answer.Error)
	}
	return answer.Data.Result
}

func prometheus(t *testing.T, path string) string {
	t.Helper()
	answer, err := http.Get("http://127.0.0.1:9090" + path)
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	return string(text)
}
