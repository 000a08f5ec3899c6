package daemon_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/daemon"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/story"
)

// TestDigestLeadsToTheFirstReport: what was found months ago is found again in the
// store, for the digest that is sent and for the one that is only looked at.
func TestDigestLeadsToTheFirstReport(t *testing.T) {
	loaded := loopbackConfig(t)
	hourly, err := notify.ParseSchedule("@hourly", nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	loaded.Subscribers = []configs.Subscriber{{Subscriber: notify.Subscriber{ID: "desk", Schedule: hourly}, Channel: configs.FileChannel{Dir: dir}}}
	st := openStore(t, loaded)
	now := time.Now()
	for _, r := range []struct {
		ago         time.Duration
		title, text string
	}{
		{90 * 24 * time.Hour, "Priest arrested in Wayanad for abusing boys at orphanage", "The Mananthavady police arrested a priest, the director of the Santhinilayam orphanage."},
		{time.Hour, "Charge sheet against priest in Wayanad orphanage abuse case", "The Mananthavady police charged the director of the Santhinilayam orphanage."},
	} {
		at := now.Add(-r.ago)
		it := feed.Item{ID: feed.NewItemID("paper", "", "", r.title), FeedID: "paper", Title: r.title, Summary: r.text, Link: "https://paper.example/1", Published: at}
		if err := st.SyncFeeds(t.Context(), []string{"paper"}, at); err != nil {
			t.Fatal(err)
		}
		claims, err := st.ClaimFeeds(t.Context(), at, 1, time.Minute)
		if err != nil || len(claims) != 1 {
			t.Fatal(claims, err)
		}
		if _, err := st.Record(t.Context(), store.Batch{
			Lease: claims[0].Lease,
			State: fetcher.State{FeedID: "paper", LastPoll: at, LastSuccess: at, NextCheck: at.Add(time.Minute)},
			Seen:  []store.Sighting{{ID: it.ID, Fingerprint: it.Fingerprint()}},
			Items: []store.StoredItem{{Item: it, Searched: classifier.SearchedFeed, Stored: at}},
			Hits: []classifier.Hit{{
				Item: it, Source: "The Paper", Rules: []classifier.RuleMatch{{Rule: "pocso"}}, Searched: classifier.SearchedFeed, Found: at, Sketch: story.Sketch(it),
			}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	const want = "Earlier: Priest arrested in Wayanad for abusing boys at orphanage, The Paper"
	d, err := daemon.Preview(t.Context(), loaded, st, "desk", now.Add(-24*time.Hour), now)
	if text := strings.Join(strings.Fields(notify.Text(d)), " "); err != nil || !strings.Contains(text, want) || d.Hits != 1 {
		t.Errorf("preview: %v\n%s", err, text)
	}
	// Who was never sent anything will be told of what is found from digest.first_window on.
	loaded.Digest.FirstWindow = 24 * time.Hour
	if d, err := daemon.Preview(t.Context(), loaded, st, "desk", time.Time{}, now); err != nil || d.Hits != 1 {
		t.Errorf("a new subscriber's preview tells of %d reports: %v", d.Hits, err)
	}
	if _, err := newDaemon(t, loaded, st).Once(t.Context(), daemon.OnceOptions{Send: true}); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.html"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	sent, err := os.ReadFile(files[0])
	if err != nil || !strings.Contains(string(sent), want) {
		t.Errorf("sent: %v\n%s", err, sent)
	}
}
