package storetest

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/newswatch/newswatch/lease"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

var turnTests = []testCase{
	{"ANewSubscriberBeginsAtItsSince", func(s *suite) {
		s.hits(t0, "a", 3, "r")
		s.hits(after(60), "b", 2, "r")
		for _, c := range []struct {
			since time.Time
			want  int64
		}{{t0.Add(-time.Hour), 0}, {t0, 0}, {after(1), 3}, {after(60), 3}, {after(61), 5}} {
			id := c.since.Format(time.RFC3339)
			s.ok(s.Enrol(s.ctx(), []store.Enrolment{{ID: id, Next: after(90), Schedule: "x", Since: c.since}}, after(90)))
			st := standing(s, id)
			same(s, "cursor of "+id, st.Cursor, c.want)
			same(s, "since", st.Since, c.since)
			same(s, "next", st.Next, after(90))
		}
	}},
	{"ATurnIsClaimedOnce", func(s *suite) {
		s.enrol(t0, "desk", "case", "desk")
		same(s, "too early", len(s.turns(t0.Add(-time.Millisecond))), 0)
		ts := s.turns(t0)
		same(s, "turns", []string{ts[0].Subscriber, ts[1].Subscriber}, []string{"case", "desk"})
		same(s, "lease", ts[0].Lease.Until, t0.Add(ttl))
		same(s, "key", ts[0].Lease.Key, store.SubscriberKey("case"))
		same(s, "again", len(s.turns(t0.Add(ttl-1))), 0)
		same(s, "when the lease has run out", len(s.turns(t0.Add(ttl))), 2)
	}},
	{"FeedAndSubscriberOfOneNameDoNotMix", func(s *suite) {
		s.sync(t0, "x")
		s.enrol(t0, "x")
		c, tn := s.claimOne(t0), s.turn(t0)
		held, err := s.Renew(s.ctx(), []lease.Lease{tn.Lease, c.Lease}, after(20))
		s.ok(err)
		same(s, "held", keys(held), []string{"subscriber/x", "feed/x"})
		s.is(s.Ack(s.ctx(), c.Lease, t0, after(60)), lease.ErrLost)
		s.is(s.MarkParsing(s.ctx(), tn.Lease, true), lease.ErrLost)
		same(s, "turns", len(s.turns(after(19))), 0)
	}},
	{"AdvanceMovesTheCursor", func(s *suite) {
		s.enrol(t0, "desk")
		s.hits(t0, "a", 3, "r")
		tn := s.turn(after(1))
		same(s, "turn", []int64{tn.Cursor, tn.Head}, []int64{0, 3})
		same(s, "since", tn.Since, t0)
		s.ok(s.Advance(s.ctx(), tn.Lease, tn.Head, after(1), after(30)))
		same(s, "standing", standing(s, "desk"), store.Standing{Subscriber: "desk", Cursor: 3, Since: after(1), Next: after(30)})
		same(s, "before next", len(s.turns(after(29))), 0)
		tn = s.turn(after(30))
		same(s, "turn", []int64{tn.Cursor, tn.Head}, []int64{3, 3})
		s.ok(s.Advance(s.ctx(), tn.Lease, 1, after(0), after(40)))
		same(s, "it never goes back", standing(s, "desk"), store.Standing{Subscriber: "desk", Cursor: 3, Since: after(1), Next: after(40)})
	}},
	{"ASealedDigestComesBackTheSameUntilItIsAccepted", testSealed},
	{"NothingNewIsSealedWhileADigestIsPending", func(s *suite) {
		s.enrol(t0, "desk")
		tn := s.turn(t0)
		d := digest(tn, nil, t0)
		s.is(s.Ack(s.ctx(), tn.Lease, t0, after(9)), store.ErrNoPending)
		s.is(s.Retry(s.ctx(), tn.Lease, t0, after(9), "x"), store.ErrNoPending)
		s.is(s.Bury(s.ctx(), tn.Lease, t0, after(9), notify.Burial{Reason: "x"}), store.ErrNoPending)
		s.ok(s.Seal(s.ctx(), tn.Lease, d))
		s.ok(s.Seal(s.ctx(), tn.Lease, d)) // the answer to the first was lost
		other := d
		other.ID = "another"
		s.is(s.Seal(s.ctx(), tn.Lease, other), store.ErrPending)
		s.is(s.Advance(s.ctx(), tn.Lease, 0, t0, after(9)), store.ErrPending)
		foreign := d
		foreign.Subscriber = "somebody"
		if s.Seal(s.ctx(), tn.Lease, foreign) == nil {
			s.Fatal("another subscriber's digest was sealed")
		}
		same(s, "pending", standing(s, "desk").Pending, d.ID)
		s.ok(s.Ack(s.ctx(), tn.Lease, t0, after(9)))
	}},
	{"AReleasedTurnChangesNothing", func(s *suite) {
		s.enrol(t0, "desk")
		tn := s.turn(t0)
		d := digest(tn, nil, t0)
		s.ok(s.Seal(s.ctx(), tn.Lease, d))
		s.ok(s.Release(s.ctx(), tn.Lease, t0))
		tn = s.turn(t0)
		same(s, "pending", tn.Pending, &d)
		same(s, "attempts", tn.Attempts, 0)
	}},
	{"ALateTurnIsFencedOff", func(s *suite) {
		s.hits(t0, "a", 1, "r")
		s.enrol(t0, "desk")
		late := s.turn(t0)
		s.ok(s.Seal(s.ctx(), late.Lease, digest(late, nil, t0)))
		now := s.turn(after(5))
		before := standing(s, "desk")
		for name, write := range map[string]func() error{
			"Seal":    func() error { return s.Seal(s.ctx(), late.Lease, digest(late, nil, after(6))) },
			"Advance": func() error { return s.Advance(s.ctx(), late.Lease, 1, after(6), after(9)) },
			"Ack":     func() error { return s.Ack(s.ctx(), late.Lease, after(6), after(9)) },
			"Retry":   func() error { return s.Retry(s.ctx(), late.Lease, after(6), after(9), "x") },
			"Bury":    func() error { return s.Bury(s.ctx(), late.Lease, after(6), after(9), notify.Burial{Reason: "x"}) },
			"Release": func() error { return s.Release(s.ctx(), late.Lease, after(9)) },
		} {
			if err := write(); err == nil {
				s.Errorf("%s was accepted", name)
			} else {
				s.is(err, lease.ErrLost)
			}
		}
		same(s, "standing", standing(s, "desk"), before)
		s.ok(s.Ack(s.ctx(), now.Lease, after(6), after(9)))
	}},
	{"ATurnEndsOnce", func(s *suite) {
		s.enrol(t0, "desk")
		tn := s.turn(t0)
		s.ok(s.Seal(s.ctx(), tn.Lease, digest(tn, nil, t0)))
		s.ok(s.Ack(s.ctx(), tn.Lease, t0, after(30)))
		before := standing(s, "desk")
		s.ok(s.Ack(s.ctx(), tn.Lease, after(1), after(2))) // the answer to the first was lost
		s.is(s.Seal(s.ctx(), tn.Lease, digest(tn, nil, t0)), lease.ErrLost)
		same(s, "standing", standing(s, "desk"), before)
		ds, err := s.Deliveries(s.ctx(), "", 0)
		s.ok(err)
		same(s, "deliveries", len(ds), 1)
		held, err := s.Renew(s.ctx(), []lease.Lease{tn.Lease}, after(9))
		s.ok(err)
		same(s, "held", keys(held), nil)
	}},
	{"AnotherScheduleReplacesTheNextTurn", func(s *suite) {
		enrol := func(schedule string, next time.Time) {
			s.Helper()
			s.ok(s.Enrol(s.ctx(), []store.Enrolment{{ID: "desk", Schedule: schedule, Next: next, Since: after(999)}}, t0))
		}
		enrol("daily", after(60))
		enrol("daily", after(90))
		same(s, "the same schedule", standing(s, "desk"), store.Standing{Subscriber: "desk", Next: after(60), Since: after(999)})
		enrol("weekly", after(90))
		same(s, "another", standing(s, "desk").Next, after(90))
		tn := s.turn(after(90))
		s.ok(s.Seal(s.ctx(), tn.Lease, digest(tn, nil, after(90))))
		s.ok(s.Retry(s.ctx(), tn.Lease, after(90), after(95), "refused"))
		enrol("hourly", after(120))
		same(s, "with a digest pending", standing(s, "desk").Next, after(95))
		// It was told already: only a further change is one.
		s.ok(s.Ack(s.ctx(), s.turn(after(95)).Lease, after(95), after(300)))
		enrol("hourly", after(121))
		same(s, "no further change", standing(s, "desk").Next, after(300))
		s.turn(after(300))
		enrol("immediate", after(301))
		same(s, "a turn under way", len(s.turns(after(302))), 0)
		tn = s.turn(after(305))
		enrol("daily", after(306))
		s.ok(s.Advance(s.ctx(), tn.Lease, 0, after(305), after(10_000)))
		same(s, "the sooner of both", standing(s, "desk").Next, after(306))
	}},
	{"ASubscriberThatLeftKeepsItsPlace", func(s *suite) {
		s.hits(t0, "a", 2, "r")
		s.enrol(t0, "desk")
		tn := s.turn(t0)
		d := digest(tn, nil, t0)
		s.ok(s.Seal(s.ctx(), tn.Lease, d))
		s.ok(s.Retry(s.ctx(), tn.Lease, t0, after(2), "x"))
		s.ok(s.Enrol(s.ctx(), nil, after(1)))
		same(s, "turns", len(s.turns(after(9))), 0)
		all, err := s.Standings(s.ctx())
		s.ok(err)
		same(s, "standings", len(all), 0)
		same(s, "count", s.counts().Subscribers, 0)
		s.ok(s.Enrol(s.ctx(), []store.Enrolment{{ID: "desk", Schedule: "@hourly", Next: after(99), Since: after(99)}}, after(10)))
		tn = s.turn(after(10))
		same(s, "pending", tn.Pending, &d)
		same(s, "since", tn.Since, t0)
	}},
	{"ATurnOfOneThatLeftCanEnd", func(s *suite) {
		s.enrol(t0, "desk")
		tn := s.turn(t0)
		s.ok(s.Seal(s.ctx(), tn.Lease, digest(tn, nil, t0)))
		s.ok(s.Enrol(s.ctx(), nil, after(1)))
		s.ok(s.Ack(s.ctx(), tn.Lease, after(2), after(3)))
		same(s, "turns", len(s.turns(after(9))), 0)
		ds, err := s.Deliveries(s.ctx(), "desk", 0)
		s.ok(err)
		same(s, "deliveries", len(ds), 1)
	}},
	{"SendNowMakesSubscribersDue", func(s *suite) {
		s.enrol(after(60), "a", "b")
		s.ok(s.SendNow(s.ctx(), []string{"b", "nobody"}, after(1)))
		tn := s.turn(after(1))
		same(s, "one", tn.Subscriber, "b")
		s.ok(s.SendNow(s.ctx(), nil, after(2)))
		same(s, "the other", s.turn(after(2)).Subscriber, "a")
		s.ok(s.Advance(s.ctx(), tn.Lease, 0, after(2), after(99)))
		same(s, "again, as it was asked for during the turn", s.turn(after(3)).Subscriber, "b")
	}},
	{"ManyClaimantsGetEachTurnOnce", func(s *suite) {
		var ids []string
		for i := range 100 {
			ids = append(ids, "sub-"+item("x", i).ID.String())
		}
		s.enrol(t0, ids...)
		var mu sync.Mutex
		got := make(map[string]int)
		var wg sync.WaitGroup
		for range 6 {
			st := s.open()
			wg.Go(func() {
				for {
					ts, err := st.Claim(s.ctx(), t0, 3, ttl)
					if err != nil {
						s.Error(err)
						return
					}
					if len(ts) == 0 {
						return
					}
					mu.Lock()
					for _, tn := range ts {
						got[tn.Subscriber]++
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		for id, n := range got {
			same(s, "claims of "+id, n, 1)
		}
		same(s, "subscribers", len(got), len(ids))
	}},
}

func testSealed(s *suite) {
	hits := s.hits(t0, "a", 2, "p-hunt")
	s.enrol(t0, "desk")
	tn := s.turn(after(1))
	if tn.Pending != nil {
		s.Fatal("pending before Seal")
	}
	d := digest(tn, hits, after(1).Add(123*time.Nanosecond))
	want, err := json.Marshal(d)
	s.ok(err)
	s.ok(s.Seal(s.ctx(), tn.Lease, d))
	same(s, "standing", standing(s, "desk").Pending, d.ID)
	s.ok(s.Retry(s.ctx(), tn.Lease, after(2), after(3), "connect: refused"))

	// Another process takes over.
	s.ok(s.Store.Close())
	s.Store = s.open()
	st := standing(s, "desk")
	same(s, "standing", st, store.Standing{
		Subscriber: "desk", Since: t0, Next: after(3), Pending: d.ID, Attempts: 1, LastError: "connect: refused",
	})
	tn = s.turn(after(3))
	pending := func(tn notify.Turn) {
		s.Helper()
		if tn.Pending == nil {
			s.Fatal("no pending digest")
		}
		got, err := json.Marshal(tn.Pending)
		s.ok(err)
		same(s, "pending", string(got), string(want))
	}
	pending(tn)
	same(s, "attempts", tn.Attempts, 1)
	same(s, "first try", tn.FirstTry, after(2))
	same(s, "cursor", tn.Cursor, int64(0))
	s.ok(s.Retry(s.ctx(), tn.Lease, after(4), after(5), "later"))
	tn = s.turn(after(5))
	pending(tn)
	same(s, "first try", tn.FirstTry, after(2))
	s.ok(s.Ack(s.ctx(), tn.Lease, after(6), after(60)))
	same(s, "standing", standing(s, "desk"), store.Standing{
		Subscriber: "desk", Cursor: 2, Since: store.Time(d.Until), Next: after(60), LastSent: after(6),
	})
	ds, err := s.Deliveries(s.ctx(), "desk", 10)
	s.ok(err)
	same(s, "deliveries", ds, []notify.Delivery{{Digest: d.ID, Subscriber: "desk", Entries: 2, Hits: 2, Attempts: 3, Accepted: after(6)}})
	tn = s.turn(after(60))
	if tn.Pending != nil || tn.Attempts != 0 || !tn.FirstTry.IsZero() {
		s.Fatalf("after Ack: %+v", tn)
	}
}
