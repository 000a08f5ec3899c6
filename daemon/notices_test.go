package daemon

import (
	"testing"
	"time"

	"github.com/newswatch/newswatch/fetcher"
)

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
	gone := lost
	gone.Retired = true
	silent := fine
	silent.LastItem = now.Add(-12 * 24 * time.Hour)
	silent.Rhythm = fetcher.Rhythm{From: now.Add(-60 * 24 * time.Hour), At: now, Items: 48, Hours: 48 * 24, Gaps: 48, GapMean: 3.18}
	silent.Health.Silent = now
	for _, tt := range []struct {
		name          string
		before, after fetcher.State
		kind, want    string
	}{
		{"nothing", fine, fine, "", ""},
		{"a failure", fine, failing, "", ""},
		{"lost", failing, lost, "source_lost", "Europol is lost: it has failed for 7 hours, 5 times in a row: www.example answered 404 Not Found; the feed may have moved."},
		{"gone for good", fine, gone, "source_lost", "Europol is lost: www.example answered 404 Not Found; the feed may have moved. It is not polled until it has another url."},
		{"lost, and told", lost, still, "", ""},
		{"back", still, fine, "source_back", "Europol is back: it can be read again."},
		{"silent", fine, silent, "source_silent", "Europol is silent: nothing new for 12 days, where it usually has something every day."},
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
