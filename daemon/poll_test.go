package daemon

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/lease"
	"github.com/newswatch/newswatch/store"
)

func TestBackCatalogueIsHushed(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	window := now.Add(-24 * time.Hour)
	known := fetcher.State{FirstSuccess: now.Add(-time.Hour)}
	old := feed.Item{Published: now.Add(-48 * time.Hour)}
	fresh := feed.Item{Published: now.Add(-time.Hour)}
	undated := feed.Item{}
	for _, tc := range []struct {
		name         string
		kind         feed.Kind
		before       fetcher.State
		fresh, items int
		item         feed.Item
		hushed       bool
	}{
		{"first sight, older than the window", feed.KindFeed, fetcher.State{}, 20, 20, old, true},
		{"first sight, within the window", feed.KindFeed, fetcher.State{}, 20, 20, fresh, false},
		{"first sight, without a date: to miss it is worse", feed.KindFeed, fetcher.State{}, 20, 20, undated, false},
		{"a known feed is late with an old item", feed.KindFeed, known, 1, 20, old, false},
		{"a known feed renumbered its items", feed.KindFeed, known, 80, 80, old, true},
		{"a known feed renumbered its items, this one is of today", feed.KindFeed, known, 80, 80, fresh, false},
		{"a known feed renumbered its items, none has a date", feed.KindFeed, known, 80, 80, undated, true},
		{"a busy hour is no flood", feed.KindFeed, known, 60, 200, old, false},
		{"a short feed that is all new is no flood", feed.KindFeed, known, 20, 20, old, false},
		{"first sight of a sitemap, without a date: it lists the site's archive", feed.KindSitemap, fetcher.State{}, 20, 20, undated, true},
		{"a new page in a known sitemap without dates", feed.KindSitemap, known, 1, 20, undated, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := backCatalogue(feed.Feed{Kind: tc.kind}, tc.before, tc.fresh, tc.items, window).covers(tc.item); got != tc.hushed {
				t.Errorf("hushed: %v, want %v", got, tc.hushed)
			}
		})
	}
}

func TestArticleIsReadWhereTheFeedIsShort(t *testing.T) {
	long := string(make([]byte, shortContent))
	for _, tc := range []struct {
		name      string
		feed      feed.FullText
		byDefault feed.FullText
		item      feed.Item
		want      bool
	}{
		{"a summary only", "", feed.FullTextAuto, feed.Item{Link: "https://a.example/1", Summary: "s"}, true},
		{"the feed has the text", "", feed.FullTextAuto, feed.Item{Link: "https://a.example/1", Content: long}, false},
		{"nowhere to read it", "", feed.FullTextAuto, feed.Item{}, false},
		{"never, by default", "", feed.FullTextNever, feed.Item{Link: "https://a.example/1"}, false},
		{"the feed says never", feed.FullTextNever, feed.FullTextAuto, feed.Item{Link: "https://a.example/1"}, false},
		{"the feed says always", feed.FullTextAlways, feed.FullTextNever, feed.Item{Link: "https://a.example/1", Content: long}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := wantsArticle(feed.Feed{FullText: tc.feed}, tc.item, tc.byDefault); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

// hubWith answers every subscription alike.
type hubWith struct{ err error }

func (h hubWith) Subscribe(context.Context, string, url.Values) error { return h.err }

// TestAHubIsAskedOnceADay: what a hub said stands for a day; one that was too busy to
// be asked has said nothing.
func TestAHubIsAskedOnceADay(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	announced := fetcher.Push{Hub: "https://hub.example/", Topic: "https://a.example/feed"}
	for _, tc := range []struct {
		name  string
		err   error
		after fetcher.Push
	}{
		{"it took the subscription", nil, fetcher.Push{Hub: announced.Hub, Topic: announced.Topic, Asked: now}},
		{"it refused", errors.New("503"), fetcher.Push{Hub: announced.Hub, Topic: announced.Topic, Asked: now, Refused: true}},
		{"it was not asked", fetcher.ErrNoTurn, announced},
	} {
		p := &pusher{hub: hubWith{tc.err}, now: func() time.Time { return now }, log: slog.New(slog.DiscardHandler)}
		st := fetcher.State{FeedID: "a", Push: announced}
		if p.renew(t.Context(), &st); st.Push != tc.after {
			t.Errorf("%s: %+v, want %+v", tc.name, st.Push, tc.after)
		}
	}
}

// script is a fetcher whose polls end as it says, one after the other, and a store
// that takes all of them.
type script struct {
	Fetcher
	Journal
	results []fetcher.Result
}

func (s *script) Fetch(context.Context, feed.Feed, fetcher.State, func(context.Context, bool) error) (fetcher.Result, error) {
	res := s.results[0]
	s.results = s.results[1:]
	if res.Outcome == fetcher.Failed {
		return res, &fetcher.Error{Reason: res.State.Reason, Err: errors.New("as the script has it")}
	}
	return res, nil
}

func (s *script) Record(context.Context, store.Batch) ([]classifier.Hit, error) { return nil, nil }

// TestAFeedIsLoggedWhenItChanges: a feed that begins to fail has a line, and one that
// is read again; one that goes on failing has none. Nor has one that fails because
// nothing can be reached, of which the operator is told once for all feeds.
func TestAFeedIsLoggedWhenItChanges(t *testing.T) {
	failed := func(failures int, reason fetcher.Reason) fetcher.Result {
		return fetcher.Result{Outcome: fetcher.Failed, State: fetcher.State{FeedID: "a", Failures: failures, Reason: reason}}
	}
	read := fetcher.Result{Outcome: fetcher.NotModified, State: fetcher.State{FeedID: "a"}}
	const fails, back = "a feed failed", "a feed can be read again"
	steps := []struct {
		name   string
		result fetcher.Result
		want   string
	}{
		{"it fails", failed(1, fetcher.ReasonDNS), fails},
		{"it fails again", failed(2, fetcher.ReasonDNS), ""},
		{"it is read", read, back},
		{"it is read as before", read, ""},
		{"the network is down", failed(1, fetcher.ReasonOffline), ""},
		{"the network is still down", failed(1, fetcher.ReasonOffline), ""},
		{"the network is back, and the feed is not", failed(2, fetcher.ReasonServer), fails},
		{"it fails in another way", failed(3, fetcher.ReasonTimeout), ""},
		{"the network is down once more", failed(3, fetcher.ReasonOffline), ""},
		{"all is well", read, ""},
	}
	s := &script{}
	for _, step := range steps {
		s.results = append(s.results, step.result)
	}
	var log bytes.Buffer
	p := &poller{
		fetch: s, journal: s, now: time.Now, metrics: newMetrics(prometheus.NewRegistry()),
		log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelInfo})),
	}
	pl := &plan{feeds: map[string]feed.Feed{"a": {ID: "a", FullText: feed.FullTextNever}}}
	st := fetcher.State{FeedID: "a"}
	for _, step := range steps {
		log.Reset()
		if err := p.poll(t.Context(), pl, lease.Lease{}, st); err != nil {
			t.Fatal(err)
		}
		if got := log.String(); (step.want == "") != (got == "") || !strings.Contains(got, step.want) {
			t.Errorf("%s: logged %q, want %q", step.name, got, step.want)
		}
		st = step.result.State
	}
}
