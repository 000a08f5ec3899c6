package storetest

import (
	"fmt"
	"sync"
	"time"

	"github.com/newswatch/newswatch/lease"
	"github.com/newswatch/newswatch/store"
)

var feedTests = []testCase{
	{"SyncedFeedsAreDueAtOnceInTheOrderOfTheirIDs", func(s *suite) {
		s.sync(t0, "c", "a", "b", "a")
		same(s, "before they are due", names(s.claim(t0.Add(-time.Millisecond))), nil)
		cs := s.claim(t0)
		same(s, "claimed", names(cs), []string{"a", "b", "c"})
		for _, c := range cs {
			same(s, "key", c.Lease.Key, store.FeedKey(c.State.FeedID))
			same(s, "end of the lease", c.Lease.Until, t0.Add(ttl))
			same(s, "state", c.State.Baselined(), false)
		}
		same(s, "a second claim", names(s.claim(t0)), nil)
	}},
	{"TheLongestDueComesFirst", func(s *suite) {
		s.sync(t0, "2 late")
		s.sync(t0.Add(-time.Second), "2 late", "3 early")
		s.sync(t0.Add(time.Second), "2 late", "3 early", "1 later")
		cs, err := s.ClaimFeeds(s.ctx(), t0.Add(time.Hour), 2, ttl)
		s.ok(err)
		same(s, "first two", names(cs), []string{"3 early", "2 late"})
		cs, err = s.ClaimFeeds(s.ctx(), t0.Add(time.Hour), 2, ttl)
		s.ok(err)
		same(s, "the rest", names(cs), []string{"1 later"})
	}},
	{"ClaimOfNoneClaimsNone", func(s *suite) {
		s.sync(t0, "a")
		for _, n := range []int{0, -1} {
			cs, err := s.ClaimFeeds(s.ctx(), t0, n, ttl)
			s.ok(err)
			same(s, "claims", names(cs), nil)
		}
	}},
	{"ALeaseRunsOutByTheTimePassedIn", func(s *suite) {
		s.sync(t0, "a")
		first := s.claimOne(t0)
		same(s, "a moment before", names(s.claim(t0.Add(ttl-time.Millisecond))), nil)
		second := s.claimOne(t0.Add(ttl))
		if second.Lease.Token <= first.Lease.Token {
			s.Fatalf("token %d after %d", second.Lease.Token, first.Lease.Token)
		}
	}},
	{"AnExpiredLeaseIsDueSinceItsEnd", func(s *suite) {
		s.sync(t0, "old")
		s.claimOne(t0)
		s.sync(t0.Add(time.Minute), "old", "new")
		same(s, "claimed", names(s.claim(t0.Add(time.Hour))), []string{"new", "old"})
	}},
	{"ALateHolderIsFencedOff", func(s *suite) {
		s.sync(t0, "a")
		late := s.claimOne(t0)
		again := s.claimOne(t0.Add(ttl))
		before := s.state("a")
		_, err := s.Record(s.ctx(), batch(late, t0.Add(ttl), item("a", 1)))
		s.is(err, lease.ErrLost)
		s.is(s.MarkParsing(s.ctx(), late.Lease, true), lease.ErrLost)
		held, err := s.Renew(s.ctx(), []lease.Lease{late.Lease, again.Lease}, after(60))
		s.ok(err)
		same(s, "held", keys(held), []string{again.Lease.Key})
		same(s, "token", held[0].Token, again.Lease.Token)
		s.ok(s.ReleaseFeeds(s.ctx(), []lease.Lease{late.Lease}))
		same(s, "after a late release", names(s.claim(after(30))), nil)
		same(s, "state", s.state("a"), before)
		same(s, "items", s.counts().Items+s.counts().Seen, 0)
	}},
	{"ALateHolderMayWriteWhileNobodyElseHasBegun", func(s *suite) {
		s.sync(t0, "a")
		c := s.claimOne(t0)
		s.ok(s.MarkParsing(s.ctx(), c.Lease, true))
		s.put(batch(c, after(60), item("a", 1)))
		same(s, "items", s.counts().Items, 1)
	}},
	{"AFeedThatWasNeverThereIsLost", func(s *suite) {
		l := lease.Lease{Key: store.FeedKey("ghost"), Token: 1, Until: after(5)}
		c := store.Claim{Lease: l}
		c.State.FeedID = "ghost"
		_, err := s.Record(s.ctx(), batch(c, t0))
		s.is(err, lease.ErrLost)
		s.is(s.MarkParsing(s.ctx(), l, true), lease.ErrLost)
		s.is(s.MarkParsing(s.ctx(), lease.Lease{Key: "nonsense", Token: 1}, true), lease.ErrLost)
		held, err := s.Renew(s.ctx(), []lease.Lease{l, {Key: "nonsense"}}, after(9))
		s.ok(err)
		same(s, "held", keys(held), nil)
		_, err = s.State(s.ctx(), "ghost")
		s.is(err, store.ErrNotFound)
	}},
	{"RenewKeepsTheFeedAndNeverShortensTheLease", func(s *suite) {
		s.sync(t0, "a", "b")
		cs := s.claim(t0)
		held, err := s.Renew(s.ctx(), []lease.Lease{cs[1].Lease, cs[0].Lease}, after(10))
		s.ok(err)
		same(s, "held, in the order given", keys(held), []string{cs[1].Lease.Key, cs[0].Lease.Key})
		same(s, "new end", held[0].Until, after(10))
		held, err = s.Renew(s.ctx(), []lease.Lease{cs[0].Lease}, after(1))
		s.ok(err)
		same(s, "end", held[0].Until, after(10))
		same(s, "claimed", names(s.claim(after(9))), nil)
		same(s, "claimed at the end", names(s.claim(after(10))), []string{"a", "b"})
	}},
	{"AReleasedFeedIsDueAsBefore", func(s *suite) {
		s.sync(t0, "a")
		c := s.claimOne(after(1))
		s.ok(s.ReleaseFeeds(s.ctx(), []lease.Lease{c.Lease}))
		due, err := s.NextDue(s.ctx())
		s.ok(err)
		same(s, "due", due, t0)
		_, err = s.Record(s.ctx(), batch(c, after(1)))
		s.is(err, lease.ErrLost)
		s.claimOne(after(1))
	}},
	{"NextDueLooksAtFeedsAndSubscribers", func(s *suite) {
		due := func(want time.Time) {
			s.Helper()
			got, err := s.NextDue(s.ctx())
			s.ok(err)
			same(s, "next due", got, want)
		}
		due(time.Time{})
		s.sync(after(5), "a")
		due(after(5))
		s.enrol(after(3), "desk")
		due(after(3))
		s.turn(after(3))
		due(after(5))
		s.claimOne(after(5))
		due(after(8))
		s.ok(s.Enrol(s.ctx(), nil, after(6)))
		due(after(10))
		s.sync(after(6))
		due(time.Time{})
	}},
	{"RecordPutsTheNextCheckIntoTheQueue", func(s *suite) {
		s.sync(t0, "a")
		b := batch(s.claimOne(t0), t0)
		b.State.ETag, b.State.Failures, b.State.LastError, b.State.Reason = `W/"x"`, 3, "tls", "tls"
		b.State.NextCheck = after(30).Add(700 * time.Microsecond)
		s.put(b)
		want := b.State
		want.NextCheck = after(30)
		same(s, "state", s.state("a"), want)
		same(s, "before", names(s.claim(after(30).Add(-time.Millisecond))), nil)
		same(s, "claimed state", s.claimOne(after(30)).State, want)
	}},
	{"ARetiredFeedIsDueAgainByPollNowOnly", func(s *suite) {
		s.sync(t0, "a")
		b := batch(s.claimOne(t0), t0)
		b.State.Retired, b.State.NextCheck = true, time.Time{}
		s.put(b)
		same(s, "claimed", names(s.claim(after(1_000_000))), nil)
		same(s, "state", s.state("a"), b.State)
		s.ok(s.PollNow(s.ctx(), []string{"a"}, after(9)))
		same(s, "claimed", names(s.claim(after(9))), []string{"a"})
	}},
	{"PollNowMakesFeedsDue", func(s *suite) {
		s.sync(t0, "a", "b", "c")
		for _, c := range s.claim(t0) {
			s.put(batch(c, t0))
		}
		s.ok(s.PollNow(s.ctx(), []string{"b", "unknown"}, after(1)))
		same(s, "one", names(s.claim(after(1))), []string{"b"})
		s.ok(s.PollNow(s.ctx(), nil, after(2)))
		same(s, "all but the leased one", names(s.claim(after(2))), []string{"a", "c"})
		_, err := s.State(s.ctx(), "unknown")
		s.is(err, store.ErrNotFound)
	}},
	{"PollNowDuringAPollIsNotForgotten", func(s *suite) {
		s.sync(t0, "a")
		c := s.claimOne(t0)
		s.ok(s.PollNow(s.ctx(), []string{"a"}, after(1)))
		same(s, "while it is read", names(s.claim(after(1))), nil)
		s.put(batch(c, after(2)))
		c = s.claimOne(after(2))
		s.put(batch(c, after(2)))
		same(s, "once is enough", names(s.claim(after(3))), nil)
	}},
	{"AFeedThatLeftKeepsItsMemory", func(s *suite) {
		s.sync(t0, "a", "b")
		for _, c := range s.claim(t0) {
			s.put(batch(c, t0, item(c.State.FeedID, 1)))
		}
		s.sync(after(1), "b")
		_, err := s.State(s.ctx(), "a")
		s.is(err, store.ErrNotFound)
		states, err := s.States(s.ctx(), store.StateQuery{})
		s.ok(err)
		same(s, "states", len(states), 1)
		same(s, "feeds", s.counts().Feeds, 1)
		same(s, "claimed", names(s.claim(after(90))), []string{"b"})
		s.sync(after(91), "a", "b")
		c := s.claimOne(after(91))
		same(s, "came back", c.State.Baselined(), true)
		nov, err := s.Unseen(s.ctx(), "a", sightings(item("a", 1), item("a", 2)))
		s.ok(err)
		same(s, "novelty", nov, []store.Novelty{store.Known, store.New})
	}},
	{"AFeedThatLeavesDuringItsPollIsRecorded", func(s *suite) {
		s.sync(t0, "a")
		c := s.claimOne(t0)
		s.sync(t0)
		s.put(batch(c, t0, item("a", 1)))
		same(s, "claimed", names(s.claim(after(90))), nil)
		s.sync(after(2), "a")
		same(s, "items", s.state("a").LastPoll, t0)
		same(s, "due as recorded", names(s.claim(after(59))), nil)
		s.claimOne(after(60))
	}},
	{"AParsingMarkThatSurvivesItsReaderPoisons", func(s *suite) {
		s.sync(t0, "a")
		for deaths := range 3 {
			c := s.claimOne(after(10 * deaths))
			same(s, "poisoned", c.State.Poisoned, deaths)
			s.ok(s.MarkParsing(s.ctx(), c.Lease, true))
		}
		c := s.claimOne(after(30))
		same(s, "poisoned", c.State.Poisoned, 3)
		same(s, "shown", s.state("a").Poisoned, 3)
		// This holder dies before it parses: that proves nothing.
		c = s.claimOne(after(40))
		same(s, "poisoned", c.State.Poisoned, 3)
		s.ok(s.MarkParsing(s.ctx(), c.Lease, true))
		b := batch(c, after(40))
		b.State.Poisoned = 0
		s.put(b)
		same(s, "after a parse that came back", s.claimOne(after(100)).State.Poisoned, 0)
	}},
	{"AParseThatCameBackTakesTheMarkBack", func(s *suite) {
		s.sync(t0, "a")
		c := s.claimOne(t0)
		s.ok(s.MarkParsing(s.ctx(), c.Lease, true))
		s.ok(s.MarkParsing(s.ctx(), c.Lease, false))
		// The holder dies between the parse and the record: the document is not
		// to blame.
		same(s, "poisoned", s.claimOne(after(10)).State.Poisoned, 0)
	}},
	{"AReleaseTakesTheParsingMarkBack", func(s *suite) {
		s.sync(t0, "a")
		c := s.claimOne(t0)
		s.ok(s.MarkParsing(s.ctx(), c.Lease, true))
		s.ok(s.ReleaseFeeds(s.ctx(), []lease.Lease{c.Lease}))
		same(s, "poisoned", s.claimOne(t0).State.Poisoned, 0)
	}},
	{"StatesAreOrderedByID", func(s *suite) {
		s.sync(t0, "b", "ä", "a", "B")
		states, err := s.States(s.ctx(), store.StateQuery{})
		s.ok(err)
		var ids []string
		for _, st := range states {
			ids = append(ids, st.FeedID)
			same(s, "next check", st.NextCheck, t0)
		}
		same(s, "ids", ids, []string{"B", "a", "b", "ä"})
	}},
	{"ManyClaimantsGetEachFeedOnce", testManyClaimants},
}

func testManyClaimants(s *suite) {
	const feeds, claimants = 200, 8
	ids := make([]string, feeds)
	for i := range ids {
		ids[i] = fmt.Sprintf("feed-%03d", i)
	}
	s.sync(t0, ids...)
	other := s.open()
	var mu sync.Mutex
	got := make(map[string]int)
	tokens := make(map[int64]bool)
	var wg sync.WaitGroup
	for i := range claimants {
		st := s.Store
		if i%2 == 1 {
			st = other
		}
		wg.Go(func() {
			for {
				cs, err := st.ClaimFeeds(s.ctx(), t0, 7, ttl)
				if err != nil {
					s.Error(err)
					return
				}
				if len(cs) == 0 {
					return
				}
				mu.Lock()
				for _, c := range cs {
					got[c.State.FeedID]++
					tokens[c.Lease.Token] = true
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	same(s, "feeds claimed", len(got), feeds)
	same(s, "tokens", len(tokens), feeds)
	for id, n := range got {
		if n != 1 {
			s.Errorf("%s was claimed %d times", id, n)
		}
	}
}
