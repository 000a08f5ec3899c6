package sqlite

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/store"
)

// benchBatch is a poll with 50 items listed, of which the last n are new and
// one in ten of these is a hit.
func benchBatch(c store.Claim, round, n int, now time.Time) store.Batch {
	st := c.State
	st.LastPoll, st.FirstSuccess, st.NextCheck = now, now, now
	st.ETag, st.BodyHash, st.Title = `W/"5f3c1a2b"`, strings.Repeat("ab", 16), "The New Example, Kerala"
	st.Items, st.LastSuccess, st.LastChange, st.LastItem = 50, now, now, now
	b := store.Batch{Lease: c.Lease, State: st}
	for i := range max(50, n) {
		k := round*n + i
		it := feed.Item{
			ID: feed.NewItemID(st.FeedID, fmt.Sprint(k), "", ""), FeedID: st.FeedID, GUID: fmt.Sprintf("https://example.org/?p=%d", k),
			Title: fmt.Sprintf("Twelve arrested in Operation P-Hunt, says Cyberdome (%d)", k), Link: fmt.Sprintf("https://example.org/news/%d", k),
			Published: now, Lang: "en", Summary: "Police in Kerala searched forty places and took phones and disks.",
		}
		b.Seen = append(b.Seen, store.Sighting{ID: it.ID, Fingerprint: uint64(k)})
		if i < max(50, n)-n {
			continue
		}
		it.Content = fmt.Sprintf("%d. %s", k, strings.Repeat("The officers of the Counter Child Sexual Exploitation Centre went on. ", 20))
		b.Items = append(b.Items, store.StoredItem{Item: it, Searched: classifier.SearchedFeed, Stored: now})
		if k%10 == 0 {
			b.Hits = append(b.Hits, classifier.Hit{
				Item: it, Source: "The New Example", Searched: classifier.SearchedFeed, Ruleset: "5f3c", Found: now, Story: fmt.Sprint("s", k),
				Rules: []classifier.RuleMatch{{
					Rule: "operation-p-hunt", Name: "Operation P-Hunt", Severity: classifier.High,
					Matches: []classifier.Match{{Rule: "operation-p-hunt", Field: classifier.FieldTitle, Start: 19, End: 35, Text: "Operation P-Hunt"}},
					Excerpt: classifier.Excerpt{Field: classifier.FieldTitle, Text: it.Title, Marks: [][2]int{{19, 35}}},
				}},
			})
		}
	}
	return b
}

// BenchmarkRecord writes polls from 64 goroutines, as the daemon does, and from
// one alone.
func BenchmarkRecord(b *testing.B) {
	for _, workers := range []int{1, 64} {
		for _, n := range []int{0, 1, 100} {
			b.Run(fmt.Sprintf("workers=%d/new=%d", workers, n), func(b *testing.B) {
				s := mustOpen(b, filepath.Join(b.TempDir(), "newswatch.db"))
				var ids []string
				for i := range workers {
					ids = append(ids, fmt.Sprintf("feed-%d", i))
				}
				if err := s.SyncFeeds(b.Context(), ids, t0); err != nil {
					b.Fatal(err)
				}
				rounds := (b.N + workers - 1) / workers
				b.ResetTimer()
				for r := range rounds {
					cs, err := s.ClaimFeeds(b.Context(), t0.Add(time.Hour), workers, time.Minute)
					if err != nil || len(cs) != workers {
						b.Fatal(len(cs), err)
					}
					var wg sync.WaitGroup
					for _, c := range cs {
						wg.Go(func() {
							if _, err := s.Record(b.Context(), benchBatch(c, r, n, t0)); err != nil {
								b.Error(err)
							}
						})
					}
					wg.Wait()
				}
				b.ReportMetric(float64(rounds*workers)/b.Elapsed().Seconds(), "polls/s")
				b.ReportMetric(float64(rounds*workers*n)/b.Elapsed().Seconds(), "items/s")
			})
		}
	}
}

func BenchmarkUnseen(b *testing.B) {
	s := mustOpen(b, filepath.Join(b.TempDir(), "newswatch.db"))
	if err := s.SyncFeeds(b.Context(), []string{"a"}, t0); err != nil {
		b.Fatal(err)
	}
	cs, err := s.ClaimFeeds(b.Context(), t0, 1, time.Minute)
	if err != nil {
		b.Fatal(err)
	}
	batch := benchBatch(cs[0], 0, 50, t0)
	if _, err := s.Record(b.Context(), batch); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		nov, err := s.Unseen(b.Context(), "a", batch.Seen)
		if err != nil || nov[0] != store.Known {
			b.Fatal(nov, err)
		}
	}
}

// BenchmarkLarge works on 100,000 feeds of 50 seen items each, and reports what
// a feed takes.
func BenchmarkLarge(b *testing.B) {
	const feeds = 100_000
	s := mustOpen(b, filepath.Join(b.TempDir(), "newswatch.db"))
	ids := make([]string, feeds)
	for i := range ids {
		ids[i] = fmt.Sprintf("feed-%06d", i)
	}
	begun := time.Now()
	if err := s.SyncFeeds(b.Context(), ids, t0); err != nil {
		b.Fatal(err)
	}
	b.Logf("SyncFeeds of %d: %v", feeds, time.Since(begun))
	err := s.w.do(b.Context(), func(t *tx) error {
		for i, id := range ids {
			batch := benchBatch(store.Claim{State: fetcher.State{FeedID: id}}, 0, 0, t0)
			state, err := store.Encode(batch.State)
			if err != nil {
				return err
			}
			if _, err := t.exec(`UPDATE feeds SET state = ? WHERE id = ?`, state, id); err != nil {
				return err
			}
			if err := t.putSeen(int64(i+1), store.Seen{}.After(batch.Seen, t0)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	c, err := s.Counts(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.Run("ClaimFeeds=64", func(b *testing.B) {
		now := t0
		for b.Loop() {
			now = now.Add(time.Second)
			cs, err := s.ClaimFeeds(b.Context(), now, 64, time.Millisecond)
			if err != nil || len(cs) != 64 {
				b.Fatal(len(cs), err)
			}
		}
		b.ReportMetric(64*float64(b.N)/b.Elapsed().Seconds(), "feeds/s")
		b.ReportMetric(float64(c.Bytes)/feeds, "B/feed")
	})
	b.Run("NextDue", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.NextDue(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Counts", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Counts(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("SyncFeeds, no change", func(b *testing.B) {
		for b.Loop() {
			if err := s.SyncFeeds(b.Context(), ids, t0); err != nil {
				b.Fatal(err)
			}
		}
	})
}
