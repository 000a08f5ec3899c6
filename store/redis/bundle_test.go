package redis_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/newswatch/newswatch/lease"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/store/redis"
)

// TestPollsWithoutNewsShareARoundTrip: a poll without news waits for the others that
// were claimed, and for nothing else.
func TestPollsWithoutNewsShareARoundTrip(t *testing.T) {
	url := server(t)
	const feeds = 64
	for _, c := range []struct {
		name     string
		patience time.Duration
		ending   int // how many of the feeds are recorded
		// meanwhile is done with the rest, again and again, until these are.
		meanwhile func(ctx context.Context, s *redis.Store, rest []store.Claim) error
		trips     int64 // at most; 0 is any number
	}{
		{name: "all end together", patience: time.Hour, ending: feeds, trips: 1},
		{name: "patience ends", patience: time.Millisecond, ending: feeds - 1},
		{
			name: "the others are given back", patience: time.Hour, ending: feeds - 2,
			meanwhile: func(ctx context.Context, s *redis.Store, rest []store.Claim) error {
				for _, c := range rest {
					if err := s.ReleaseFeeds(ctx, leases(c)); err != nil {
						return err
					}
				}
				return nil
			},
		},
		{
			name: "another is in a hurry", patience: time.Hour, ending: 1,
			meanwhile: func(ctx context.Context, s *redis.Store, rest []store.Claim) error {
				return s.MarkParsing(ctx, rest[0].Lease, true)
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := client(t, url).FlushAll(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			s, err := redis.Open(t.Context(), url, redis.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			s.SetPatience(c.patience)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			var ids []string
			for i := range feeds {
				ids = append(ids, fmt.Sprint(i))
			}
			if err := s.SyncFeeds(ctx, ids, t0); err != nil {
				t.Fatal(err)
			}
			for round := range 2 { // in the first, the script is not known to the server
				now := t0.Add(time.Duration(round) * time.Hour)
				cs, err := s.ClaimFeeds(ctx, now, feeds, time.Minute)
				if err != nil {
					t.Fatal(err)
				}
				var asked trips
				s.AddHook(&asked)
				var wg sync.WaitGroup
				for _, claim := range cs[:c.ending] {
					wg.Go(func() {
						claim.State.LastPoll, claim.State.NextCheck = now, now.Add(time.Minute)
						if _, err := s.Record(ctx, store.Batch{Lease: claim.Lease, State: claim.State}); err != nil {
							t.Error(err)
						}
					})
				}
				done := make(chan struct{})
				go func() { wg.Wait(); close(done) }()
				for waiting := true; waiting; {
					if c.meanwhile != nil {
						if err := c.meanwhile(ctx, s, cs[c.ending:]); err != nil {
							t.Fatal(err)
						}
					} else {
						<-done
					}
					select {
					case <-done:
						waiting = false
					default:
					}
				}
				if n := asked.n.Load(); round > 0 && c.trips > 0 && n > c.trips {
					t.Errorf("%d polls that end together made %d round trips, want %d", c.ending, n, c.trips)
				}
				if err := s.ReleaseFeeds(ctx, leases(cs...)); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func leases(cs ...store.Claim) []lease.Lease {
	var ls []lease.Lease
	for _, c := range cs {
		ls = append(ls, c.Lease)
	}
	return ls
}
