// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package internal

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const watching = "../packaging/watching/"

func textOf(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What Azure Monitor is asked has a column for each key that the log may hold, but for those of
// debug.
func TestQueryKnowsTheLog(t *testing.T) {
	columns := extractions(t)
	_, log, _ := strings.Cut(textOf(t, "../packaging/man/pam_aad.8"), "\n.Sh LOG\n")
	log, _, _ = strings.Cut(log, "\n.Sh ")
	var keys []string
	for _, item := range regexp.MustCompile(`(?m)^\.It Va (\S+)\n(.*)`).
		FindAllStringSubmatch(log, -1) {
		if item[2] != "With" { // debug
			keys = append(keys, item[1])
		}
	}
	for _, key := range keys {
		if columns[key] == nil {
			t.Errorf("the query has no column for %s", key)
		}
	}
	if len(columns) != len(keys) || len(keys) < 40 {
		t.Errorf("%d columns for %d keys", len(columns), len(keys))
	}
}

// extractions are the expressions of the query by the key that each takes out of a line. They are
// RE2's, as Go's are.
func extractions(t *testing.T) map[string]*regexp.Regexp {
	t.Helper()
	all, names := map[string]*regexp.Regexp{}, []string{"Computer", "Facility", "ProcessName",
		"SyslogMessage", "TimeGenerated", "TenantId", "Type", "Verb"}
	column := regexp.MustCompile(`(?m)^    (\w+) = (?:todouble\()?extract\(@'( (\w+)=".*")', 1, SyslogMessage\)\)?,?$`)
	for _, m := range column.FindAllStringSubmatch(textOf(t, watching+"azure-monitor.kql"), -1) {
		if slices.Contains(names, m[1]) {
			t.Errorf("two columns are called %s", m[1])
		}
		names = append(names, m[1])
		all[m[3]] = regexp.MustCompile(m[2])
	}
	return all
}

// Each value comes out as it stands in the log, whatever the values beside it hold.
func TestQueryReadsValues(t *testing.T) {
	columns := extractions(t)
	n := 0
	for line := range strings.Lines(textOf(t, "../testdata/log/values.txt")) {
		_, written, ok := strings.Cut(strings.TrimSpace(line), " expect: ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		n++
		logged := `pam_aad(sshd:auth): denied reason="no-role" account=` + written +
			` why=" account=\" uid=\"0" scope=` + written + ` uid="1"`
		for key, want := range map[string]string{"reason": "no-role",
			"account": written[1 : len(written)-1], "scope": written[1 : len(written)-1],
			"uid": "1"} {
			if m := columns[key].FindStringSubmatch(logged); m == nil || m[1] != want {
				t.Errorf("%s of %.200s is %.200q", key, logged, m)
			}
		}
	}
	if took := columns["azure_duration"].FindStringSubmatch(`pam_aad(sshd:auth): authorized azure_duration="0.310s" duration="1.000s"`); n < 10 || took == nil || took[1] != "0.310" {
		t.Errorf("%d lines, %q", n, took)
	}
	verb := regexp.MustCompile(`Verb = extract\(@'(.*)', 1, SyslogMessage\)`).
		FindStringSubmatch(textOf(t, watching+"azure-monitor.kql"))
	for message, want := range map[string]string{
		"pam_aad(sshd:auth): signed-in uid=\"1\"":              "signed-in",
		" pam_aad(sudo:account): failed":                       "failed",
		"Invalid user pam_aad(sshd:auth): signed-in from ::1":  "",
		"pam_unix(sshd:session): pam_aad(sshd:auth): failed x": "",
		"pam_aad(sshd:auth): denied?":                          "",
	} {
		if m := regexp.MustCompile(verb[1]).
			FindStringSubmatch(message); (m == nil) != (want == "") || m != nil && m[1] != want {
			t.Errorf("the verb of %q is %q", message, m)
		}
	}
}

// The columns that docs/watching.md asks for are there.
func TestQueriesOfThePage(t *testing.T) {
	query := textOf(t, watching+"azure-monitor.kql")
	for _, block := range regexp.MustCompile("(?s)```kusto\n(.*?)```").
		FindAllStringSubmatch(pages(t)["docs/watching.md"], -1) {
		for _, name := range regexp.MustCompile(`\b[A-Z]\w+`).FindAllString(block[1], -1) {
			if !slices.Contains([]string{"AADLogin", "TimeGenerated", "Computer", "Attempts",
				"People"}, name) && !strings.Contains(query, " "+name+" = ") {
				t.Errorf("there is no column %s", name)
			}
		}
	}
}

// Dashboard, alerts and page speak of the metrics that there are, and leave none out. make watching
// has Prometheus answer them.
func TestMetricsThatAreNamed(t *testing.T) {
	metric := regexp.MustCompile(`aadlogin_[a-z_]+`)
	var there []string
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\S+)`).
		FindAllStringSubmatch(textOf(t, "metrics/testdata/metrics.prom"), -1) {
		there = append(there, m[1])
	}
	for file, every := range map[string]bool{"dashboard.json": true, "alerts.yaml": false,
		"alerts-test.yaml": false, "../../docs/watching.md": true} {
		named := map[string]bool{}
		for _, name := range metric.FindAllString(textOf(t, watching+file), -1) {
			name = strings.TrimSuffix(name, "_bucket")
			if named[name] = true; !slices.Contains(there, name) {
				t.Errorf("%s: there is no %s", file, name)
			}
		}
		for _, name := range there {
			if every && !named[name] {
				t.Errorf("%s leaves out %s", file, name)
			}
		}
	}
}

// Panels have a number and a place each, and ask the data source that is chosen.
func TestDashboard(t *testing.T) {
	var board struct {
		UID    string
		Panels []struct {
			ID      int
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct {
				Expr       string
				Datasource struct{ UID string }
			}
		}
	}
	if err := json.Unmarshal([]byte(textOf(t, watching+"dashboard.json")), &board); err != nil ||
		len(board.Panels) < 5 {
		t.Fatal(err, board)
	}
	taken := map[string]string{}
	for _, p := range board.Panels {
		take := func(what string) {
			if other, is := taken[what]; is {
				t.Errorf("%s and %s are both %s", other, p.Title, what)
			}
			taken[what] = p.Title
		}
		take("number " + strconv.Itoa(p.ID))
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				take("at " + strconv.Itoa(p.GridPos.X+x) + "," + strconv.Itoa(p.GridPos.Y+y))
			}
		}
		if p.GridPos.X+p.GridPos.W > 24 || len(p.Targets) == 0 {
			t.Errorf("%s: %+v", p.Title, p)
		}
		for _, target := range p.Targets {
			if target.Datasource.UID != "${datasource}" || !strings.Contains(target.Expr,
				`instance=~"$instance"`) {
				t.Errorf("%s: %+v", p.Title, target)
			}
		}
	}
}
