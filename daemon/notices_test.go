package daemon

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// board is a store that takes notices, or not.
type board struct {
	store.Store
	err error
}

func (b board) Post(context.Context, notify.Notice) error { return b.err }

// TestNoticesAreToldOneWay: what is no poll's is logged and counted as what is; a
// notice that the store did not take is in the log all the same, and is not counted.
func TestNoticesAreToldOneWay(t *testing.T) {
	for _, tt := range []struct {
		stored error
		count  float64
		level  string
	}{{nil, 1, "level=WARN"}, {errors.New("away"), 0, "level=ERROR"}} {
		var log bytes.Buffer
		d := &Daemon{store: board{err: tt.stored}, metrics: newMetrics(prometheus.NewRegistry()), log: slog.New(slog.NewTextHandler(&log, nil)), now: time.Now}
		d.tellReload(t.Context(), errors.New("rules.yaml:3:1: unknown key\n  querry: x"))
		d.tellPaused(t.Context(), notify.Result{Subscriber: "desk", Digest: "desk-5", Reason: "the receiver answered 410."})
		for kind, text := range map[notify.NoticeKind]string{
			notify.ReloadFailed:     "in force: rules.yaml:3:1: unknown key\"",
			notify.SubscriberPaused: "The subscriber desk is paused: the receiver answered 410. It gets nothing",
		} {
			if n := testutil.ToFloat64(d.metrics.notices.WithLabelValues(string(kind))); n != tt.count {
				t.Errorf("stored: %v: %s is counted %v times", tt.stored, kind, n)
			}
			said := 0
			for line := range strings.Lines(log.String()) {
				if strings.Contains(line, text) && strings.Contains(line, tt.level) && strings.Contains(line, "kind="+string(kind)) {
					said++
				}
			}
			if said != 1 {
				t.Errorf("stored: %v: %s is in the log %d times:\n%s", tt.stored, kind, said, &log)
			}
		}
	}
}

func TestChanges(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	long := now.Add(-7 * time.Hour)
	fine := fetcher.State{FeedID: "europol", LastPoll: now}
	failing := fine
	failing.Failures, failing.LastError, failing.Health.FailingSince = 5, "www.example answered 404 Not Found; the feed may have moved.", long
	lost := failing
	lost.Health.Lost = now
	still := lost
	still.LastPoll, still.Failures = now.Add(time.Hour), 6
	slow := lost
	slow.Health.FailingSince = now.Add(-25 * time.Hour)
	gone := lost
	gone.Retired = true
	silent := fine
	silent.LastItem = now.Add(-12 * 24 * time.Hour)
	silent.Rhythm = fetcher.Rhythm{From: now.Add(-60 * 24 * time.Hour), At: now, Items: 48, Hours: 48 * 24, Gaps: 48, GapMean: 3.18}
	silent.Health.Silent = now
	brief := silent
	brief.LastItem, brief.Rhythm.GapMean = now.Add(-30*time.Hour), 0.1
	for _, tt := range []struct {
		name          string
		before, after fetcher.State
		kind, want    string
	}{
		{"nothing", fine, fine, "", ""},
		{"a failure", fine, failing, "", ""},
		{"lost", failing, lost, "source_lost", "Europol is lost: it has failed for 7 hours, 5 times in a row: www.example answered 404 Not Found; the feed may have moved."},
		{"lost for want of a day", failing, slow, "source_lost", "Europol is lost: it has failed for a day, 5 times in a row: www.example answered 404 Not Found; the feed may have moved."},
		{"gone for good", fine, gone, "source_lost", "Europol is lost: www.example answered 404 Not Found; the feed may have moved. It is not polled until it has another url."},
		{"lost, and told", lost, still, "", ""},
		{"back", still, fine, "source_back", "Europol is back: it can be read again."},
		{"silent", fine, silent, "source_silent", "Europol is silent: nothing new for 12 days, where it usually has something every day."},
		{"silent for a day", fine, brief, "source_silent", "Europol is silent: nothing new for a day, where it usually has something every hour."},
		{"silent, and told", silent, silent, "", ""},
		{"news again", silent, fine, "source_back", "Europol is back: it publishes again."},
	} {
		got := changes("Europol", tt.before, tt.after)
		switch {
		case tt.want == "" && len(got) == 0:
		case len(got) != 1 || got[0].Text != tt.want || string(got[0].Kind) != tt.kind || got[0].Subject != "europol" || !got[0].At.Equal(tt.after.LastPoll):
			t.Errorf("%s: got %+v, want %s %q", tt.name, got, tt.kind, tt.want)
		case got[0].ID != changes("another name", tt.before, tt.after)[0].ID:
			t.Errorf("%s: told twice, it is another notice", tt.name)
		}
	}
	later := lost
	later.Health.Lost = now.Add(30 * 24 * time.Hour)
	if changes("x", failing, lost)[0].ID == changes("x", failing, later)[0].ID {
		t.Error("lost once more a month later, it is the same notice")
	}
}
