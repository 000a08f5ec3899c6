package daemon

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	yaml "go.yaml.in/yaml/v4"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

const (
	alertsFile    = "../deploy/prometheus/alerts.yaml"
	dashboardFile = "../deploy/grafana/newswatch.json"
)

// TestMetricsOfDeploy: every metric that the dashboard and the alert rules name is
// one that the daemon has, with the labels by which they group.
func TestMetricsOfDeploy(t *testing.T) {
	reg := prometheus.NewRegistry()
	newMetrics(reg)
	descs := make(chan *prometheus.Desc, 200)
	reg.Describe(descs)
	close(descs)
	labels := map[string]string{}
	form := regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)
	for d := range descs {
		m := form.FindStringSubmatch(d.String())
		if m == nil {
			t.Fatalf("a description of another form: %s", d)
		}
		labels[m[1]] = m[2]
	}
	name := regexp.MustCompile(`newswatch_[a-z_]+`)
	by := regexp.MustCompile(`by \(([a-z, ]+)\)`)
	for _, e := range expressions(t) {
		for _, n := range name.FindAllString(e, -1) {
			if _, ok := labels[n]; !ok {
				n = strings.TrimSuffix(n, "_bucket")
			}
			known, ok := labels[n]
			if !ok {
				t.Errorf("%s: there is no metric %s", e, n)
			}
			for _, m := range by.FindAllStringSubmatch(e, -1) {
				for label := range strings.SplitSeq(m[1], ", ") {
					if label != "le" && !strings.Contains(","+known+",", ","+label+",") {
						t.Errorf("%s: %s has the labels %q", e, n, known)
					}
				}
			}
		}
	}
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Log("promtool is not installed (Debian package prometheus), so it was not asked")
		return
	}
	if out, err := exec.CommandContext(t.Context(), promtool, "check", "rules", alertsFile).CombinedOutput(); err != nil {
		t.Errorf("%s", out)
	}
}

// expressions are those of the alert rules and of the dashboard; each rule also
// says what to do.
func expressions(t *testing.T) []string {
	t.Helper()
	read := func(file string) []byte {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	var out []string
	var alerts struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Labels      map[string]string
				Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(read(alertsFile), &alerts); err != nil {
		t.Fatal(err)
	}
	for _, g := range alerts.Groups {
		for _, r := range g.Rules {
			if r.Alert == "" || r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
				t.Errorf("%+v lacks something", r)
			}
			out = append(out, r.Expr)
		}
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(read(dashboardFile), &board); err != nil {
		t.Fatal(err)
	}
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

// TestStandingsObserved: the longest wait counts, a pause does not, and a turn that
// is to come is no wait.
func TestStandingsObserved(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	m := newMetrics(prometheus.NewRegistry())
	m.observeStandings([]store.Standing{
		{Subscriber: "soon", Next: now.Add(time.Hour)},
		{Subscriber: "waits", Next: now.Add(-time.Minute), Pending: "d"},
		{Subscriber: "paused", Next: now.Add(-time.Hour), Paused: &notify.Pause{}},
	}, now)
	if lag, n := testutil.ToFloat64(m.deliveryLag), testutil.ToFloat64(m.pending); lag != 60 || n != 1 {
		t.Errorf("lag %v, pending %v", lag, n)
	}
	m.observeStandings(nil, now)
	if lag := testutil.ToFloat64(m.deliveryLag); lag != 0 {
		t.Errorf("nobody waits: %v", lag)
	}
}
