package daemon

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// TestReadyObserved: what is counted by looking into the store stands still while
// it is away, and all of it may look well. One metric says so at each scrape.
func TestReadyObserved(t *testing.T) {
	loaded, _, _ := busy(t, "sqlite:newswatch.db")
	st, err := OpenStore(t.Context(), loaded.Config)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	reg := prometheus.NewRegistry()
	d, err := New(loaded, st, Options{Registry: reg})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	scraped := func() float64 {
		t.Helper()
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if f.GetName() == "newswatch_ready" {
				return f.GetMetric()[0].GetGauge().GetValue()
			}
		}
		t.Fatal("there is no metric newswatch_ready")
		return 0
	}
	if scraped() != 1 {
		t.Error("it is not ready, and nothing is wrong")
	}
	d.turns.claimFailed(store.ErrUnavailable)
	if scraped() != 0 {
		t.Error("it is ready, and the store does not give out its work")
	}
	d.turns.claimWorked()
	if scraped() != 1 {
		t.Error("it is not ready, and the store is back")
	}
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
