package web

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/store/sqlite"
	"github.com/newswatch/newswatch/web/desk"
)

// crowd fills a store with so many feeds, each of which was read once but for one in
// fifty; of the others, six in a hundred do badly.
func crowd(b *testing.B, s store.Store, n int) desk.Status {
	b.Helper()
	ok := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	ctx := b.Context()
	st := desk.Status{Version: "1.2.3", Ready: true, Started: noon, Rules: []desk.Rule{{ID: "operation-p-hunt"}}, Feeds: map[string]feed.Feed{}}
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("feed-%06d", i)
		st.Feeds[ids[i]] = feed.Feed{ID: ids[i], Name: fmt.Sprintf("The New Example, district %d", i), URL: "https://www." + ids[i] + ".example/feed", Lang: "en"}
	}
	ok(s.SyncFeeds(ctx, ids, noon.Add(-time.Hour)))
	for left := n - n/50; left > 0; {
		claims, err := s.ClaimFeeds(ctx, noon.Add(-time.Hour), min(left, 1000), time.Hour)
		ok(err)
		left -= len(claims)
		var polls sync.WaitGroup
		for i, c := range claims {
			polls.Go(func() {
				if _, err := s.Record(ctx, store.Batch{Lease: c.Lease, State: crowdState(c.State, i)}); err != nil {
					b.Error(err)
				}
			})
		}
		polls.Wait()
	}
	ok(s.PauseFeeds(ctx, ids[:n/100], true, noon))
	return st
}

// crowdState is what a poll left: good, but for some.
func crowdState(st fetcher.State, i int) fetcher.State {
	at := noon.Add(-time.Minute)
	st.ConfiguredURL = "https://www." + st.FeedID + ".example/kerala/feeder/default.rss"
	st.ValidFor, st.ETag, st.LastModified = st.ConfiguredURL, `W/"5f1c-60a7c0e2b6d40"`, "Mon, 23 Nov 2026 11:40:00 GMT"
	st.BodyHash, st.Title, st.Items = "9e107d9d372bb6826bd81d3542a419d6", "The New Example, Kerala", 50
	st.FirstSuccess, st.LastPoll, st.LastSuccess, st.LastChange, st.LastItem = noon.Add(-30*day), at, at, at, at
	st.NextCheck = noon.Add(time.Duration(i%60) * time.Minute)
	st.Rhythm = fetcher.Rhythm{From: noon.Add(-30 * day), At: at, Items: 80, Hours: 320, Gaps: 100, GapMean: 1.2, GapVar: .8, Longest: 14 * time.Hour, Week: make([]byte, 31)}
	st.Health = fetcher.Health{Grade: fetcher.Fine, Since: noon.Add(-30 * day), Score: 98, Good: 2}
	fail := func(g fetcher.Grade, why fetcher.Reason) {
		st.Health.Grade, st.Failures, st.Reason, st.LastError = g, 1+i%9, why, "fetcher: https://www.example: "+string(why)
	}
	switch i % 100 {
	case 1, 2:
		fail(fetcher.Hard, fetcher.ReasonNotFound)
	case 3, 4:
		fail(fetcher.Soft, fetcher.ReasonTimeout)
	case 5:
		fail(fetcher.Temporary, fetcher.ReasonRateLimited)
	case 6:
		st.Health.Grade, st.LastItem = fetcher.Silent, noon.Add(-20*day)
	}
	return st
}

// BenchmarkCrowd renders the pages that tell of feeds. NEWSWATCH_CROWD is another
// number of them.
func BenchmarkCrowd(b *testing.B) {
	n := 10_000
	if v, err := strconv.Atoi(os.Getenv("NEWSWATCH_CROWD")); err == nil {
		n = v
	}
	s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "n.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	st := crowd(b, s, n)
	asked := 0
	h := serverOf(nil, st, func(o *Options) {
		o.Store, o.Silent = s, nil
		// Time passes, or the API would have us wait.
		o.Now = func() time.Time { asked++; return noon.Add(time.Duration(asked) * 50 * time.Millisecond) }
	})
	for _, target := range []string{"/", "/feeds", "/feeds?grade=fine&after=fine.feed-000500", "/feeds?words=district+77", "/feeds?words=new", "/api/v1/feeds"} {
		b.Run(fmt.Sprintf("%d%s", n, target), func(b *testing.B) {
			for b.Loop() {
				if w := ask(h, "GET", target); w.Code != 200 {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}
