package daemon_test

import (
	"testing"
	"time"

	"github.com/newswatch/newswatch/daemon"
	"github.com/newswatch/newswatch/feed"
)

// TestOnceWaitsForWhatAKilledProcessHolds makes a pass right after another
// process was killed in the middle of one: every feed is polled all the same.
func TestOnceWaitsForWhatAKilledProcessHolds(t *testing.T) {
	cfg := loopbackConfig(t)
	cfg.Feeds = []feed.Feed{{ID: "paper", URL: paper(t), Kind: feed.KindFeed, FullText: feed.FullTextNever}}
	st := openStore(t, cfg)
	now := time.Now()
	if err := st.SyncFeeds(t.Context(), []string{"paper"}, now); err != nil {
		t.Fatal(err)
	}
	// The killed process's claim.
	if held, err := st.ClaimFeeds(t.Context(), now, 1, time.Second); err != nil || len(held) != 1 {
		t.Fatalf("claimed %d feeds: %v", len(held), err)
	}
	d, err := daemon.New(cfg, st, daemon.Options{Version: "test", Lease: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	sum, err := d.Once(t.Context(), daemon.OnceOptions{})
	if err != nil || sum.Fetched != 1 {
		t.Errorf("the pass fetched %d of 1 feed: %v", sum.Fetched, err)
	}
}
