package storetest

import (
	"crypto/md5"
	"crypto/sha1"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/store"
)

// Benchmark measures an engine: polls and items recorded, what a poll without
// news costs, and the queue at 100,000 feeds that list fifty items each.
func Benchmark(b *testing.B, opener Opener) {
	for _, workers := range []int{1, 64} {
		for _, n := range []int{0, 1, 100} {
			b.Run(fmt.Sprintf("Record/workers=%d/new=%d", workers, n), func(b *testing.B) {
				s := opener(b)()
				benchFeeds(b, s, workers)
				rounds := (b.N + workers - 1) / workers
				b.ResetTimer()
				for r := range rounds {
					benchRound(b, s, workers, r, n)
				}
				b.ReportMetric(float64(rounds*workers)/b.Elapsed().Seconds(), "polls/s")
				b.ReportMetric(float64(rounds*workers*n)/b.Elapsed().Seconds(), "items/s")
			})
		}
	}
	b.Run("Unseen", func(b *testing.B) {
		s := opener(b)()
		benchFeeds(b, s, 1)
		benchRound(b, s, 1, 0, 50)
		seen := benchBatch(store.Claim{}, 0, 50).Seen
		for b.Loop() {
			if _, err := s.Unseen(b.Context(), "feed-000000", seen); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("BytesPerHit", func(b *testing.B) { benchBytes(b, opener) })
	b.Run("Feeds=100000", func(b *testing.B) { benchLarge(b, opener) })
}

func benchFeeds(b *testing.B, s store.Store, n int) []string {
	b.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("feed-%06d", i)
	}
	if err := s.SyncFeeds(b.Context(), ids, t0); err != nil {
		b.Fatal(err)
	}
	return ids
}

// benchRound claims feeds and records a poll of each, all at the same time.
func benchRound(b *testing.B, s store.Store, feeds, round, n int) {
	b.Helper()
	cs, err := s.ClaimFeeds(b.Context(), t0.Add(time.Duration(round)*time.Minute), feeds, time.Minute)
	if err != nil || len(cs) != feeds {
		b.Fatalf("%d claims, %v", len(cs), err)
	}
	var wg sync.WaitGroup
	for _, c := range cs {
		wg.Go(func() {
			if _, err := s.Record(b.Context(), benchBatch(c, round, n)); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
}

// benchBatch is a poll of a document of fifty items, or of n if that is more, of
// which the last n are new and one in ten of these is a hit.
func benchBatch(c store.Claim, round, n int) store.Batch {
	now := t0.Add(time.Duration(round) * time.Minute)
	st := c.State
	st.LastPoll, st.FirstSuccess, st.NextCheck = now, now, now.Add(time.Minute)
	st.ConfiguredURL = "https://www." + st.FeedID + ".example/kerala/feeder/default.rss"
	st.ValidFor, st.ETag, st.LastModified = st.ConfiguredURL, fmt.Sprintf(`W/"%x"`, sha1.Sum([]byte(st.FeedID))), now.Format("Mon, 02 Jan 2006 15:04:05 GMT")
	st.BodyHash, st.Title = fmt.Sprintf("%x", md5.Sum([]byte(st.FeedID))), "The New Example, Kerala"
	st.Items, st.Pace, st.LastSuccess, st.LastChange = 50, fetcher.Pace{Gap: 17 * time.Minute, Reach: 14 * time.Hour}, now, now
	st.Health.Grade = fetcher.Fine
	st.LastFull, st.LastItem = now, now.Add(-7*time.Minute)
	b := store.Batch{Lease: c.Lease, State: st}
	for i := range max(50, n) {
		k := round*n + i
		it := item(st.FeedID, k)
		b.Seen = append(b.Seen, store.Sighting{ID: it.ID, Fingerprint: uint64(k)})
		if i < max(50, n)-n {
			continue
		}
		it.Title = fmt.Sprintf("Twelve arrested in Operation P-Hunt, says Cyberdome (%d)", k)
		it.Summary = "Police in Kerala searched forty places and took phones and disks."
		it.Content = benchText(k)
		b.Items = append(b.Items, store.StoredItem{Item: it, Searched: classifier.SearchedFeed, Stored: now})
		if k%10 == 0 {
			b.Hits = append(b.Hits, hit(it, now, "operation-p-hunt"))
		}
	}
	return b
}

// benchText is 1.5 kB of words in an order of its own.
func benchText(seed int) string {
	words := strings.Fields("the officers of a centre went on to search forty places in three districts and seized phones disks from men who shared " +
		"pictures over messengers peer networks police said court remanded them under act section minister praised cyber unit report")
	var sb strings.Builder
	x := uint32(seed)
	for sb.Len() < 1500 {
		x = x*1664525 + 1013904223
		sb.WriteString(words[int(x>>16)%len(words)])
		sb.WriteByte(' ')
	}
	return sb.String()
}

// benchBytes reports what an item takes, and what a hit takes beyond that.
func benchBytes(b *testing.B, opener Opener) {
	const n = 5000
	size := func(hits bool) float64 {
		s := opener(b)()
		benchFeeds(b, s, 1)
		before, err := s.Counts(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		for r := range n / 50 {
			cs, err := s.ClaimFeeds(b.Context(), t0.Add(time.Duration(r)*time.Minute), 1, time.Minute)
			if err != nil || len(cs) != 1 {
				b.Fatal(err)
			}
			batch := benchBatch(cs[0], r, 50)
			batch.Hits = nil
			for _, it := range batch.Items {
				if hits {
					batch.Hits = append(batch.Hits, hit(it.Item, it.Stored, "operation-p-hunt"))
				}
			}
			if _, err := s.Record(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
		}
		after, err := s.Counts(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		return float64(after.Bytes-before.Bytes) / n
	}
	item := size(false)
	b.ReportMetric(item, "B/item")
	b.ReportMetric(size(true)-item, "B/hit")
}

func benchLarge(b *testing.B, opener Opener) {
	const feeds = 100_000
	s := opener(b)()
	empty, err := s.Counts(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	ids := benchFeeds(b, s, feeds)
	for range feeds / 1000 {
		benchRound(b, s, 1000, 0, 0)
	}
	full, err := s.Counts(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	if full.Seen != feeds*50 {
		b.Fatalf("%d seen", full.Seen)
	}
	b.Run("ClaimFeeds=64", func(b *testing.B) {
		now := after(60)
		for b.Loop() {
			now = now.Add(time.Second)
			cs, err := s.ClaimFeeds(b.Context(), now, 64, time.Millisecond)
			if err != nil || len(cs) != 64 {
				b.Fatal(len(cs), err)
			}
		}
		b.ReportMetric(64*float64(b.N)/b.Elapsed().Seconds(), "feeds/s")
		b.ReportMetric(float64(full.Bytes-empty.Bytes)/feeds, "B/feed")
	})
	for name, call := range map[string]func() error{
		"NextDue":             func() error { _, err := s.NextDue(b.Context()); return err },
		"Counts":              func() error { _, err := s.Counts(b.Context()); return err },
		"Census":              func() error { _, err := s.Census(b.Context(), t0); return err },
		"Reads":               func() error { _, err := s.Reads(b.Context()); return err },
		"States=1000":         func() error { _, err := s.States(b.Context(), store.StateQuery{Limit: 1000}); return err },
		"SyncFeeds/no-change": func() error { return s.SyncFeeds(b.Context(), ids, t0) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := call(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
