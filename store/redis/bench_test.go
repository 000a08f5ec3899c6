package redis_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/store/redis"
)

// trips counts round trips: a command alone, or a pipeline.
type trips struct{ n atomic.Int64 }

func (*trips) DialHook(next goredis.DialHook) goredis.DialHook { return next }

func (t *trips) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, cmd goredis.Cmder) error {
		t.n.Add(1)
		return next(ctx, cmd)
	}
}

func (t *trips) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		t.n.Add(1)
		return next(ctx, cmds)
	}
}

// BenchmarkNothingNew is what a batch of 64 feeds without news costs on the wire, one
// claim and 64 polls: when all of them answer 304 and end together, when each ends
// in its own time within a second, and when they send their documents once more.
func BenchmarkNothingNew(b *testing.B) {
	for _, c := range []struct {
		name     string
		within   time.Duration
		document bool
	}{{"together", 0, false}, {"apart", time.Second, false}, {"document", 0, true}, {"document-apart", time.Second, true}} {
		b.Run(c.name, func(b *testing.B) { nothingNew(b, c.within, c.document) })
	}
}

func nothingNew(b *testing.B, within time.Duration, document bool) {
	const feeds = 64
	url := server(b)
	admin := client(b, url)
	s, err := redis.Open(b.Context(), url, redis.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	ids := make([]string, feeds)
	for i := range ids {
		ids[i] = fmt.Sprintf("feed-%06d", i)
	}
	if err := s.SyncFeeds(b.Context(), ids, t0); err != nil {
		b.Fatal(err)
	}
	var seen []store.Sighting
	for i := range 30 {
		seen = append(seen, store.Sighting{ID: feed.ItemID{byte(i)}, Fingerprint: uint64(i)})
	}
	now := t0
	poll := func(c store.Claim) error {
		st := c.State
		st.LastPoll, st.LastSuccess, st.NextCheck = now, now, now.Add(time.Minute)
		st.ConfiguredURL = "https://www." + st.FeedID + ".example/kerala/feeder/default.rss"
		st.ETag, st.Title = `W/"`+st.FeedID+`"`, "The New Example, Kerala"
		batch := store.Batch{Lease: c.Lease, State: st}
		if document {
			if err := s.MarkParsing(b.Context(), c.Lease, true); err != nil {
				return err
			}
			if err := s.MarkParsing(b.Context(), c.Lease, false); err != nil {
				return err
			}
			if _, err := s.Unseen(b.Context(), st.FeedID, seen); err != nil {
				return err
			}
			batch.Seen = seen
		}
		_, err := s.Record(b.Context(), batch)
		return err
	}
	random := rand.New(rand.NewPCG(1, 2))
	var slowest atomic.Int64
	round := func() {
		now = now.Add(time.Hour)
		cs, err := s.ClaimFeeds(b.Context(), now, feeds, time.Minute)
		if err != nil || len(cs) != feeds {
			b.Fatalf("%d claims, %v", len(cs), err)
		}
		var wg sync.WaitGroup
		for _, c := range cs {
			answer := time.Duration(random.Float64() * float64(within))
			wg.Go(func() {
				if answer > 0 {
					<-time.After(answer)
				}
				begun := time.Now()
				if err := poll(c); err != nil {
					b.Error(err)
				}
				took := time.Since(begun).Nanoseconds()
				for was := slowest.Load(); took > was && !slowest.CompareAndSwap(was, took); was = slowest.Load() {
				}
			})
		}
		wg.Wait()
	}
	round() // the scripts are loaded, and the states are there
	slowest.Store(0)
	var asked trips
	s.AddHook(&asked)
	in, out := wire(b, admin)
	rounds := 0
	for b.Loop() {
		round()
		rounds++
	}
	inNow, outNow := wire(b, admin)
	b.ReportMetric(float64(asked.n.Load())/float64(rounds), "trips/batch")
	b.ReportMetric(float64(asked.n.Load())/float64(rounds*feeds), "trips/poll")
	b.ReportMetric(float64(inNow-in)/float64(rounds*feeds), "B-sent/poll")
	b.ReportMetric(float64(outNow-out)/float64(rounds*feeds), "B-received/poll")
	b.ReportMetric(float64(slowest.Load())/1e6, "slowest-ms")
}

// wire is how many bytes the server has read and written so far.
func wire(b *testing.B, c *goredis.Client) (in, out int64) {
	b.Helper()
	info, err := c.InfoMap(b.Context(), "stats").Result()
	if err != nil {
		b.Fatal(err)
	}
	for key, n := range map[string]*int64{"total_net_input_bytes": &in, "total_net_output_bytes": &out} {
		if *n, err = strconv.ParseInt(info["Stats"][key], 10, 64); err != nil {
			b.Fatal(err)
		}
	}
	return in, out
}

// BenchmarkTally is what the Watch page's chart costs: thirty days with 20,000 hits.
func BenchmarkTally(b *testing.B) {
	const hits, days = 20_000, 30
	url := server(b)
	admin := client(b, url)
	s, err := redis.Open(b.Context(), url, redis.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	var rows []store.Row
	for i := range hits {
		it := feed.Item{
			ID: feed.ItemID{byte(i), byte(i >> 8)}, FeedID: "feed", Title: "Twelve arrested in Operation P-Hunt, says Cyberdome (" + strconv.Itoa(i) + ")",
			Link: "https://news.example/" + strconv.Itoa(i), Summary: "Police in Kerala searched forty places and took phones and disks.",
		}
		rows = append(rows, store.Row{Hit: &classifier.Hit{
			Item: it, Source: "The New Example", Found: t0.Add(time.Duration(i) * days * 24 * time.Hour / hits),
			Rules: []classifier.RuleMatch{{Rule: "csam-arrest", Seq: int64(2*i + 1)}, {Rule: "kerala-operation-p-hunt", Seq: int64(2*i + 2)}},
		}})
	}
	empty, err := s.Counts(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Restore(b.Context(), rows); err != nil {
		b.Fatal(err)
	}
	full, err := s.Counts(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	edges := make([]time.Time, days+1)
	for i := range edges {
		edges[i] = t0.Add(time.Duration(i) * 24 * time.Hour)
	}
	var asked trips
	s.AddHook(&asked)
	_, out := wire(b, admin)
	rounds := 0
	for b.Loop() {
		t, err := s.Tally(b.Context(), edges)
		if err != nil || len(t.Rules["csam-arrest"]) != days {
			b.Fatal(len(t.Rules["csam-arrest"]), err)
		}
		rounds++
	}
	_, outNow := wire(b, admin)
	b.ReportMetric(float64(asked.n.Load())/float64(rounds), "trips")
	b.ReportMetric(float64(outNow-out)/float64(rounds)/1024, "kB-received")
	b.ReportMetric(float64(full.Bytes-empty.Bytes)/hits, "B/hit")
}
