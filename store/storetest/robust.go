package storetest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/lease"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

var robustTests = []testCase{
	{"PingSaysYes", func(s *suite) { s.ok(s.Ping(s.ctx())) }},
	{"AStoreThatIsOpenedAgainRemembers", func(s *suite) {
		hits := s.hits(t0, "a", 3, "r")
		s.enrol(t0, "desk")
		before := s.counts()
		s.ok(s.Store.Close())
		s.Store = s.open()
		after := s.counts()
		before.Bytes, after.Bytes = 0, 0
		same(s, "counts", after, before)
		got, err := s.Window(s.ctx(), 0, 99)
		s.ok(err)
		same(s, "log", got, hits)
	}},
	{"CountsCount", func(s *suite) {
		s.enrol(t0, "desk", "case")
		s.hits(t0, "a", 3, "r")
		s.sync(t0, "b", "c")
		c := s.counts()
		if c.Bytes <= 0 {
			s.Errorf("%d bytes", c.Bytes)
		}
		c.Bytes = 0
		same(s, "counts", c, store.Counts{Feeds: 2, Hits: 3, Items: 3, Seen: 3, Subscribers: 2, Head: 3})
	}},
	{"ACancelledContextIsAnErrorEverywhere", testCancelled},
	{"OddNamesAreNames", func(s *suite) {
		odd := []string{"'; DROP TABLE feeds; --", "a b\tc\n", "{x}:1", "*", "കേരളം", "\U0001F600", strings.Repeat("long", 500), "\\", "%s"}
		s.sync(t0, odd...)
		s.enrol(t0, odd...)
		cs := s.claim(t0)
		same(s, "feeds", len(cs), len(odd))
		for _, c := range cs {
			it := item(c.State.FeedID, 1)
			b := batch(c, t0, it)
			b.Hits = []classifier.Hit{hit(it, t0, c.State.FeedID)}
			s.put(b)
			hits, err := s.Hits(s.ctx(), store.HitQuery{Feed: c.State.FeedID, Rule: c.State.FeedID})
			s.ok(err)
			same(s, "hits", len(hits), 1)
			same(s, "state", s.state(c.State.FeedID).LastPoll, t0)
		}
		for _, tn := range s.turns(t0) {
			d := digest(tn, nil, t0)
			s.ok(s.Seal(s.ctx(), tn.Lease, d))
			s.ok(s.Bury(s.ctx(), tn.Lease, t0, after(9), notify.Burial{Reason: tn.Subscriber}))
			s.ok(s.Resend(s.ctx(), d.ID, after(1)))
		}
		same(s, "turns", len(s.turns(after(1))), len(odd))
	}},
	{"ManyWritersLoseNothing", testManyWriters},
}

func testCancelled(s *suite) {
	s.sync(t0, "a")
	s.enrol(t0, "desk")
	c, tn := s.claimOne(t0), s.turn(t0)
	ctx, cancel := context.WithCancel(s.ctx())
	cancel()
	it := item("a", 1)
	for name, call := range map[string]func() error{
		"SyncFeeds":     func() error { return s.SyncFeeds(ctx, []string{"z"}, t0) },
		"ClaimFeeds":    func() error { _, err := s.ClaimFeeds(ctx, after(99), 1, ttl); return err },
		"Renew":         func() error { _, err := s.Renew(ctx, []lease.Lease{c.Lease}, after(99)); return err },
		"NextDue":       func() error { _, err := s.NextDue(ctx); return err },
		"PollNow":       func() error { return s.PollNow(ctx, nil, t0) },
		"MarkParsing":   func() error { return s.MarkParsing(ctx, c.Lease, true) },
		"ReleaseFeeds":  func() error { return s.ReleaseFeeds(ctx, []lease.Lease{c.Lease}) },
		"States":        func() error { _, err := s.States(ctx, store.StateQuery{}); return err },
		"Census":        func() error { _, err := s.Census(ctx, t0); return err },
		"Reads":         func() error { _, err := s.Reads(ctx); return err },
		"PauseFeeds":    func() error { return s.PauseFeeds(ctx, []string{"a"}, true, t0) },
		"Post":          func() error { return s.Post(ctx, lost("a", t0)) },
		"Notices":       func() error { _, err := s.Notices(ctx, 0, 9); return err },
		"LatestNotices": func() error { _, err := s.LatestNotices(ctx, 0, 9); return err },
		"State":         func() error { _, err := s.State(ctx, "a"); return err },
		"Unseen":        func() error { _, err := s.Unseen(ctx, "a", sightings(it)); return err },
		"Record":        func() error { _, err := s.Record(ctx, batch(c, t0, it)); return err },
		"Hits":          func() error { _, err := s.Hits(ctx, store.HitQuery{}); return err },
		"Hit":           func() error { _, err := s.Hit(ctx, it.ID); return err },
		"Purge":         func() error { return s.Purge(ctx, it.ID, t0) },
		"Counts":        func() error { _, err := s.Counts(ctx); return err },
		"Window":        func() error { _, err := s.Window(ctx, 0, 9); return err },
		"Claim":         func() error { _, err := s.Claim(ctx, after(99), 1, ttl); return err },
		"Seal":          func() error { return s.Seal(ctx, tn.Lease, digest(tn, nil, t0)) },
		"Advance":       func() error { return s.Advance(ctx, tn.Lease, 0, t0, t0) },
		"Release":       func() error { return s.Release(ctx, tn.Lease, t0) },
		"Enrol":         func() error { return s.Enrol(ctx, nil, t0) },
		"SendNow":       func() error { return s.SendNow(ctx, nil, t0) },
		"Pause":         func() error { return s.Pause(ctx, "desk", notify.Pause{Since: t0}) },
		"Resume":        func() error { return s.Resume(ctx, "desk", t0) },
		"Standings":     func() error { _, err := s.Standings(ctx); return err },
		"DeadLetters":   func() error { _, err := s.DeadLetters(ctx); return err },
		"Resend":        func() error { return s.Resend(ctx, "x", t0) },
		"Drop":          func() error { return s.Drop(ctx, "x") },
		"Deliveries":    func() error { _, err := s.Deliveries(ctx, "", 0); return err },
		"Ping":          func() error { return s.Ping(ctx) },
		"Sweep": func() error {
			_, err := s.Sweep(ctx, t0, store.Retention{Hits: time.Hour, Items: time.Hour, Seen: time.Hour})
			return err
		},
		"StoredItems": func() error {
			for _, err := range s.StoredItems(ctx, t0) {
				if err != nil {
					return err
				}
			}
			return nil
		},
	} {
		if err := call(); err == nil {
			s.Errorf("%s: no error", name)
		} else {
			s.is(err, context.Canceled)
		}
	}
	same(s, "feeds", s.counts().Feeds, 1)
	same(s, "claimed", len(s.claim(after(4))), 0)
	s.put(batch(c, t0, it)) // the lease is still held
}

// testManyWriters records from many goroutines over two handles: every seq is
// given once, and everything that was acknowledged is there.
func testManyWriters(s *suite) {
	const feeds, polls = 24, 4
	ids := make([]string, feeds)
	for i := range ids {
		ids[i] = fmt.Sprintf("feed-%02d", i)
	}
	s.sync(t0, ids...)
	handles := []store.Store{s.Store, s.open()}
	var mu sync.Mutex
	given := make(map[int64]string)
	var wg sync.WaitGroup
	for w := range 8 {
		st := handles[w%len(handles)]
		wg.Go(func() {
			for {
				cs, err := st.ClaimFeeds(s.ctx(), after(1), 2, ttl)
				if err != nil {
					s.Error(err)
					return
				}
				if len(cs) == 0 {
					return
				}
				for _, c := range cs {
					n := c.State.Items + 1
					it := item(c.State.FeedID, n)
					b := batch(c, after(1), it)
					b.State.Items = n
					if n < polls {
						b.State.NextCheck = t0 // due again at once
					}
					b.Hits = []classifier.Hit{hit(it, after(1), "r")}
					fresh, err := st.Record(s.ctx(), b)
					if err != nil || len(fresh) != 1 {
						s.Errorf("%d new, %v", len(fresh), err)
						return
					}
					mu.Lock()
					seq := fresh[0].Rules[0].Seq
					if was, twice := given[seq]; twice {
						s.Errorf("seq %d was given to %s and %s", seq, was, it.GUID)
					}
					given[seq] = it.GUID
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	same(s, "recorded", len(given), feeds*polls)
	log, err := s.Window(s.ctx(), 0, feeds*polls)
	s.ok(err)
	same(s, "log", len(log), feeds*polls)
	for i, h := range log {
		same(s, "place in the log", given[int64(i+1)], h.Item.GUID)
	}
}
