package desk_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/store/sqlite"
	"github.com/newswatch/newswatch/web/desk"
)

func TestRhythm(t *testing.T) {
	for perDay, want := range map[float64]string{
		0: "", 300: "about 300 a day", 6.3: "about 6 a day", 1: "about 1 a day", .9: "about 6 a week", 1.0 / 7: "about 1 a week",
		.1: "about 3 a month", 1.0 / 30: "about 1 a month", .01: "less than one a month",
	} {
		if got := desk.Rhythm(perDay); got != want {
			t.Errorf("%v: %q, want %q", perDay, got, want)
		}
	}
}

// TestManyFound: where more feeds have the words than are looked at, a list that is
// in trouble first says so, and one by ids goes on through all of them.
func TestManyFound(t *testing.T) {
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "n.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	feeds := map[string]feed.Feed{}
	var ids []string
	for i := range desk.MaxFound + 5 {
		id := fmt.Sprintf("f%04d", i)
		ids, feeds[id] = append(ids, id), feed.Feed{ID: id, Name: "A paper"}
	}
	if err := st.SyncFeeds(t.Context(), ids, time.Unix(1_790_000_000, 0)); err != nil {
		t.Fatal(err)
	}
	d := desk.Desk{Store: st, Status: func() desk.Status { return desk.Status{Feeds: feeds} }}
	for _, words := range []string{"", "paper"} {
		var got []string
		q := desk.FeedQuery{Words: words, Limit: 500}
		for range 5 {
			page, err := d.Feeds(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range page.Feeds {
				got = append(got, f.ID)
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		if !slices.Equal(got, ids) {
			t.Errorf("%q: listed %d of %d", words, len(got), len(ids))
		}
	}
	page, err := d.WorstFeeds(t.Context(), desk.FeedQuery{Words: "PAPER", Limit: 10})
	if err != nil || !page.Cut || len(page.Feeds) != 10 {
		t.Errorf("%d feeds, cut %t, %v", len(page.Feeds), page.Cut, err)
	}
	if page, err = d.WorstFeeds(t.Context(), desk.FeedQuery{Words: "paper f100", Limit: 10}); err != nil || page.Cut || len(page.Feeds) != 5 {
		t.Errorf("%d feeds, cut %t, %v", len(page.Feeds), page.Cut, err)
	}
}

func TestPlainURL(t *testing.T) {
	for raw, want := range map[string]string{
		"https://a.example/x?y=1": "https://a.example/x?y=1", "https://user:pass@a.example/x": "https://a.example/x",
		"https://a.example/@someone": "https://a.example/@someone", "%@": "",
	} {
		if got := desk.PlainURL(raw); got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}
