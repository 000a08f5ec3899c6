package daemon

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

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
