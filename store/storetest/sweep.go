package storetest

import (
	"time"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/store"
)

var sweepTests = []testCase{
	{"SweepTakesWhatHasOutlivedItsRetention", func(s *suite) {
		s.enrol(t0, "desk")
		s.hits(t0, "a", 3, "r")
		s.bury(1, 0, 0)
		resent := s.bury(2, 0, 0)
		s.ok(s.Resend(s.ctx(), resent.ID, after(50)))
		tn := s.turn(after(50))
		s.ok(s.Ack(s.ctx(), tn.Lease, t0, after(1000)))
		s.sync(after(60), "a", "b")
		b := batch(s.claim(after(60))[1], after(60), item("b", 1))
		b.Hits = append(b.Hits, hit(item("b", 1), after(60), "r"))
		s.put(b)

		keep := store.Retention{Hits: 24 * time.Hour, Items: time.Hour}
		sw, err := s.Sweep(s.ctx(), after(60), keep)
		s.ok(err)
		same(s, "at the very age", sw, store.Swept{})
		sw, err = s.Sweep(s.ctx(), after(60).Add(time.Millisecond), keep)
		s.ok(err)
		same(s, "items", sw, store.Swept{Items: 3})
		sw, err = s.Sweep(s.ctx(), t0.Add(24*time.Hour+time.Millisecond), keep)
		s.ok(err)
		same(s, "hits and the rest", sw, store.Swept{Hits: 3, Items: 1, DeadLetters: 1, Deliveries: 1})
		left, err := s.Hits(s.ctx(), store.HitQuery{})
		s.ok(err)
		same(s, "hits", titles(left), []string{item("b", 1).Title})
		window, err := s.Window(s.ctx(), 0, 99)
		s.ok(err)
		same(s, "window", titles(window), []string{item("b", 1).Title})
		c := s.counts()
		same(s, "seqs are not given twice", c.Head, int64(4))
		same(s, "seen", c.Seen, 4)
	}},
	{"ItemsBeyondTheirNumberGoTheOldestFirst", func(s *suite) {
		const each, batches = 50, 9 // together more than one step of any engine
		s.sync(t0, "a")
		for i := range batches {
			var items []feed.Item
			for k := range each {
				items = append(items, item("a", i*each+k))
			}
			s.put(batch(s.claim(after(i * 60))[0], after(i*60), items...))
		}
		const n = each * batches
		for _, c := range []struct{ most, gone int }{{0, 0}, {n, 0}, {n - each, each}, {2 * each, n - 3*each}, {2 * each, 0}} {
			sw, err := s.Sweep(s.ctx(), after(n), store.Retention{MaxItems: c.most})
			s.ok(err)
			same(s, "swept", sw, store.Swept{Items: c.gone})
		}
		left := 0
		for it, err := range s.StoredItems(s.ctx(), time.Time{}) {
			s.ok(err)
			if it.Stored.Before(after((batches - 2) * 60)) {
				s.Errorf("%q is left, and is not of the newest", it.Item.Title)
			}
			left++
		}
		same(s, "left", left, 2*each)
		same(s, "seen still", s.counts().Seen, n)
	}},
	{"ALetterThatWaitsToBeSentIsKept", func(s *suite) {
		s.enrol(t0, "desk")
		old := s.bury(1, 0, 1000)
		s.ok(s.Enrol(s.ctx(), nil, t0))
		s.ok(s.Resend(s.ctx(), old.ID, after(1)))
		sw, err := s.Sweep(s.ctx(), after(1000), store.Retention{Hits: time.Minute})
		s.ok(err)
		same(s, "swept", sw, store.Swept{})
	}},
	{"ZeroRetentionKeepsForEver", func(s *suite) {
		s.hits(t0, "a", 3, "r")
		s.sync(t0)
		sw, err := s.Sweep(s.ctx(), after(100_000_000), store.Retention{})
		s.ok(err)
		same(s, "swept", sw, store.Swept{})
	}},
	{"SeenIDsThatAreStillListedAreNeverSwept", func(s *suite) {
		keep := store.Retention{Seen: 10 * time.Minute}
		s.sync(t0, "a")
		one, two, three := item("a", 1), item("a", 2), item("a", 3)
		s.put(batch(s.claimOne(t0), t0, one, two))
		sw, err := s.Sweep(s.ctx(), after(55), keep)
		s.ok(err)
		same(s, "listed", sw, store.Swept{})
		// The document now lists two and three; one is gone from here on.
		s.put(batch(s.claimOne(after(60)), after(60), two, three))
		// A poll that brought nothing, years later, still lists what the last did.
		s.put(batch(s.claimOne(after(1_000_000)), after(1_000_000)))
		sw, err = s.Sweep(s.ctx(), after(70), keep)
		s.ok(err)
		same(s, "gone for just that long", sw, store.Swept{})
		sw, err = s.Sweep(s.ctx(), after(1_000_000), keep)
		s.ok(err)
		same(s, "gone", sw, store.Swept{Seen: 1})
		nov, err := s.Unseen(s.ctx(), "a", sightings(one, two, three))
		s.ok(err)
		same(s, "novelty", nov, []store.Novelty{store.New, store.Known, store.Known})
	}},
	{"AnItemThatIsListedAgainIsNoLongerGone", func(s *suite) {
		s.sync(t0, "a")
		one, two := item("a", 1), item("a", 2)
		for i, items := range [][]feed.Item{{one}, {two}, {one, two}} {
			s.put(batch(s.claimOne(after(60*i)), after(60*i), items...))
		}
		sw, err := s.Sweep(s.ctx(), after(100_000), store.Retention{Seen: time.Minute})
		s.ok(err)
		same(s, "swept", sw, store.Swept{})
	}},
	{"FeedsAndSubscribersThatLeftAreForgotten", func(s *suite) {
		keep := store.Retention{Seen: time.Hour}
		s.enrol(t0, "desk", "case")
		s.hits(t0, "a", 3, "r")
		s.sync(after(1), "b")
		s.enrol(after(1), "case")
		sw, err := s.Sweep(s.ctx(), after(61), keep)
		s.ok(err)
		same(s, "too early", sw, store.Swept{})
		sw, err = s.Sweep(s.ctx(), after(62), keep)
		s.ok(err)
		same(s, "swept", sw, store.Swept{Feeds: 1, Seen: 3, Subscribers: 1})
		s.sync(after(63), "a", "b")
		s.enrol(after(63), "case", "desk")
		same(s, "as new", s.state("a").Baselined(), false)
		same(s, "due", s.state("a").NextCheck, after(63))
		same(s, "cursor as a new one's", standing(s, "desk").Next, after(63))
	}},
	{"SweepGoesOnInSteps", func(s *suite) {
		const n = 450
		s.hits(t0, "a", n, "r")
		sw, err := s.Sweep(s.ctx(), after(60), store.Retention{Hits: time.Minute, Items: time.Minute})
		s.ok(err)
		same(s, "swept", sw, store.Swept{Hits: n, Items: n})
	}},
}
