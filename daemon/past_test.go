package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/story"
)

// shelf lists hits by pages, the newest first, and counts the pages.
type shelf struct {
	store.Items
	hits  []classifier.Hit
	pages int
}

func (s *shelf) Hits(_ context.Context, q store.HitQuery) ([]classifier.Hit, error) {
	s.pages++
	at := slices.IndexFunc(s.hits, func(h classifier.Hit) bool { return h.Item.ID == q.BeforeID }) + 1
	return s.hits[at:min(at+q.Limit, len(s.hits))], nil
}

// TestPast: the first report is found behind pages of others, but not behind more
// than are looked at, and what was read serves everyone for a while.
func TestPast(t *testing.T) {
	now := time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC)
	report := func(n int, ago time.Duration, title, text string) classifier.Hit {
		it := feed.Item{ID: feed.NewItemID("f", fmt.Sprint(n), "", ""), FeedID: "f", Title: title, Content: text, Published: now.Add(-ago)}
		return classifier.Hit{Item: it, Found: it.Published, Sketch: story.Sketch(it)}
	}
	arrest := report(0, 100*24*time.Hour, "Priest arrested in Wayanad for abusing boys at orphanage",
		"The Mananthavady police arrested a priest, the director of the Santhinilayam orphanage.")
	charge := story.Story{Lead: report(1, time.Hour, "Charge sheet against priest in Wayanad orphanage abuse case",
		"The Mananthavady police charged the director of the Santhinilayam orphanage.")}
	for between, want := range map[int]bool{1500: true, pastHits: false} {
		s := &shelf{}
		for n := range between {
			s.hits = append(s.hits, report(2+n, time.Duration(n)*time.Minute, fmt.Sprint("Report of the day, number ", n), ""))
		}
		s.hits = append(s.hits, arrest)
		p := newPast(s, func() time.Time { return now })
		for range 3 {
			a, err := p.get(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := a.First(charge, func(classifier.Hit) bool { return true }); ok != want {
				t.Errorf("%d reports on, the first one is found: %t", between, ok)
			}
		}
		read := s.pages
		now = now.Add(pastFor)
		if _, err := p.get(t.Context()); err != nil || s.pages != 2*read {
			t.Errorf("%d pages were read, and %d when they were old (%v)", read, s.pages-read, err)
		}
	}

	held := newPast(&shelf{}, time.Now)
	held.turn <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := held.get(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("while another reads: %v", err)
	}
}
