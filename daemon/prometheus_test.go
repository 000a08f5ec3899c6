package daemon_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	yaml "go.yaml.in/yaml/v4"

	"github.com/newswatch/newswatch/internal/realpart"
)

const (
	alertsFile    = "../deploy/prometheus/alerts.yaml"
	alertTests    = "../deploy/prometheus/alerts_test.yaml"
	dashboardFile = "../deploy/grafana/newswatch.json"
)

// TestMetricsOfDeploy: every metric that the dashboard and the alert rules name is
// one that a daemon at work has, with the labels by which they group; and promtool
// finds nothing amiss with any.
func TestMetricsOfDeploy(t *testing.T) {
	s := start(t, paper(t))
	for _, worked := range []string{`newswatch_hits_total{rule="p-hunt"} 1`, `newswatch_deliveries_total{failure="",result="accepted"} 1`} {
		s.eventually("/metrics has "+worked, func() bool {
			_, m := s.get("/metrics")
			return strings.Contains(m, worked)
		})
		s.sendNow()
	}
	code, exposed := s.get("/metrics")
	if code != http.StatusOK {
		t.Fatal(code)
	}
	labels := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^(\w+)(\{.*\})? `).FindAllStringSubmatch(exposed, -1) {
		labels[m[1]] = m[2]
	}
	name := regexp.MustCompile(`newswatch_[a-z_]+`)
	by := regexp.MustCompile(`by \(([a-z, ]+)\)`)
	for _, e := range expressions(t) {
		for _, n := range name.FindAllString(e, -1) {
			has, ok := labels[n]
			if !ok {
				t.Errorf("%s: there is no metric %s", e, n)
			}
			for _, m := range by.FindAllStringSubmatch(e, -1) {
				for label := range strings.SplitSeq(m[1], ", ") {
					if !strings.Contains(has, label+`="`) {
						t.Errorf("%s: %s has the labels %s", e, n, has)
					}
				}
			}
		}
	}
	promtool(t, exposed, "check", "metrics")
	promtool(t, "", "check", "rules", asRules(t, expressions(t)))
}

// TestAlerts: each alert fires for what it is there for, and at nothing else.
func TestAlerts(t *testing.T) {
	fires, quiet := map[string]bool{}, map[string]bool{}
	var tests struct {
		Tests []struct {
			Cases []struct {
				Alert    string `yaml:"alertname"`
				Expected []any  `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		}
	}
	read(t, alertTests, yaml.Unmarshal, &tests)
	for _, test := range tests.Tests {
		for _, c := range test.Cases {
			if len(c.Expected) > 0 {
				fires[c.Alert] = true
			} else {
				quiet[c.Alert] = true
			}
		}
	}
	for _, r := range alerts(t) {
		if !fires[r.Alert] || !quiet[r.Alert] {
			t.Errorf("%s lacks a test in which it fires (%t), or one in which it does not (%t)", r.Alert, fires[r.Alert], quiet[r.Alert])
		}
	}
	promtool(t, "", "check", "rules", alertsFile)
	promtool(t, "", "test", "rules", alertTests)
}

// promtool has Prometheus' own tool judge.
func promtool(t *testing.T, stdin string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), realpart.Require(t, "prometheus", "promtool"), args...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// asRules writes queries as the rules that promtool reads.
func asRules(t *testing.T, queries []string) (file string) {
	t.Helper()
	type rule struct {
		Record string `json:"record"`
		Expr   string `json:"expr"`
	}
	var rules []rule
	for i, q := range queries {
		rules = append(rules, rule{fmt.Sprintf("query:%d", i), q})
	}
	group := map[string]any{"name": "queries", "rules": rules}
	text, err := json.Marshal(map[string]any{"groups": []any{group}}) // which is YAML, too
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "queries.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

type alert struct {
	Alert, Expr string
	Labels      map[string]string
	Annotations map[string]string
}

func alerts(t *testing.T) []alert {
	t.Helper()
	var file struct{ Groups []struct{ Rules []alert } }
	read(t, alertsFile, yaml.Unmarshal, &file)
	var out []alert
	for _, g := range file.Groups {
		out = append(out, g.Rules...)
	}
	return out
}

// expressions are those of the alert rules and of the dashboard; each rule also
// says what to do.
func expressions(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, r := range alerts(t) {
		if r.Alert == "" || r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%+v lacks something", r)
		}
		out = append(out, r.Expr)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	read(t, dashboardFile, json.Unmarshal, &board)
	for _, p := range board.Panels {
		if p.Title == "" || len(p.Targets) == 0 {
			t.Errorf("%+v lacks something", p)
		}
		for _, target := range p.Targets {
			out = append(out, target.Expr)
		}
	}
	if len(out) < 20 {
		t.Errorf("%d expressions", len(out))
	}
	return out
}

func read(t *testing.T, file string, decode func([]byte, any) error, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := decode(data, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}
