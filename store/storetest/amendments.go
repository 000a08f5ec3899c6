package storetest

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// amendments are those of a stretch of the log.
func (s *suite) amendments(from, to int64) []notify.Amendment {
	s.Helper()
	as, err := s.Amendments(s.ctx(), from, to)
	s.ok(err)
	return as
}

// edit has the one feed that is due list an item with another headline, which
// the rules match or not.
func (s *suite) edit(now time.Time, it feed.Item, title string, rules ...string) store.Batch {
	s.Helper()
	it.Title = title
	b := batch(s.claimOne(now), now, it)
	b.Hits = []classifier.Hit{hit(it, now, rules...)}
	return b
}

var amendmentTests = []testCase{
	{"AChangedHeadlineTakesAPlaceInTheLog", func(s *suite) {
		it := s.hits(t0, "a", 2, "r")[0].Item
		b := s.edit(after(60), it, "Two were held, not one", "r", "another")
		for range 2 { // the answer to the first was lost
			same(s, "new in the log", len(s.put(b)), 1)
		}
		same(s, "head", s.counts().Head, int64(4))
		same(s, "up to the new rule's", s.amendments(0, 3), nil)
		got := s.amendments(3, 99)
		if len(got) != 1 || got[0].Seq != 4 || !got[0].At.Equal(after(60)) || got[0].Withdrawn {
			s.Fatalf("amendments: %+v", got)
		}
		same(s, "headlines", []string{got[0].Was, got[0].Hit.Item.Title}, []string{it.Title, "Two were held, not one"})
		same(s, "what stood in the log", []int{len(got[0].Hit.Rules), int(got[0].Hit.Rules[0].Seq)}, []int{1, 1})
		same(s, "its text", got[0].Hit.Rules[0].Excerpt, classifier.Excerpt{})
		window, err := s.Window(s.ctx(), 3, 99)
		s.ok(err)
		same(s, "hits at its place", titles(window), nil)
	}},
	{"AnEditThatMatchesNoMoreChangesTheHeadlineToo", func(s *suite) {
		was := s.hits(t0, "a", 1, "r")[0]
		s.put(s.edit(after(60), was.Item, "It was a fraud"))
		got, err := s.Hit(s.ctx(), was.Item.ID)
		s.ok(err)
		same(s, "headline", got.Item.Title, "It was a fraud")
		same(s, "rules", got.Rules, was.Rules)
		same(s, "amendments", len(s.amendments(0, 99)), 1)
		listed, err := s.Hits(s.ctx(), store.HitQuery{Text: "fraud"})
		s.ok(err)
		same(s, "found by it", len(listed), 1)
	}},
	{"WhatThePublisherTookDownIsToldOnce", func(s *suite) {
		was := s.hits(t0, "a", 2, "r")[0]
		for range 2 {
			c := s.claim(after(60))
			if len(c) == 0 {
				c = s.claim(after(200))
			}
			b := batch(c[0], after(60), item("a", 1))
			b.Hits = []classifier.Hit{
				{Item: feed.Item{ID: was.Item.ID, FeedID: "a"}, Found: after(60), TakenDown: true},
				{Item: feed.Item{ID: item("a", 9).ID, FeedID: "a"}, Found: after(60), TakenDown: true}, // no hit of ours
			}
			s.put(b)
		}
		got, err := s.Hit(s.ctx(), was.Item.ID)
		s.ok(err)
		was.TakenDown = true
		same(s, "hit", got, was)
		as := s.amendments(0, 99)
		if len(as) != 1 || as[0].Seq != 3 || !as[0].TakenDown || as[0].Hit.Item.Title != was.Item.Title || as[0].Hit.Item.Link != "" {
			s.Fatalf("amendments: %+v", as)
		}
	}},
	{"WhatIsBackIsToldOnce", func(s *suite) {
		was := s.hits(t0, "a", 2, "r")[0]
		put := func(h classifier.Hit) {
			b := batch(s.claimOne(h.Found), h.Found, item("a", 1)) // which lists another
			b.Hits = []classifier.Hit{h}
			s.put(b)
		}
		down := classifier.Hit{Item: feed.Item{ID: was.Item.ID, FeedID: "a"}, Found: after(60), TakenDown: true}
		put(down)
		for n := range 2 {
			put(classifier.Hit{Item: was.Item, Found: after(200 + 100*n)})
		}
		got, err := s.Hit(s.ctx(), was.Item.ID)
		s.ok(err)
		same(s, "hit", got, was)
		as := s.amendments(3, 99)
		if len(as) != 1 || as[0].Seq != 4 || !as[0].Back || as[0].TakenDown || as[0].Was != "" || as[0].Hit.Item.Link != was.Item.Link {
			s.Fatalf("amendments: %+v", as)
		}
		down.Found = after(400)
		put(down)
		it := was.Item
		it.Title = "Two were held, not one"
		s.put(s.edit(after(500), it, it.Title, "r"))
		as = s.amendments(5, 99)
		if len(as) != 1 || !as[0].Back || as[0].Was != was.Item.Title || as[0].Hit.Item.Title != it.Title {
			s.Fatalf("under another headline: %+v", as)
		}
	}},
	{"AnEditOfWhatIsNoHitIsNone", func(s *suite) {
		s.sync(t0, "a")
		it := item("a", 1)
		same(s, "new in the log", s.put(s.edit(t0, it, it.Title)), nil)
		same(s, "new in the log", s.put(s.edit(after(60), it, "Another")), nil)
		same(s, "hits and head", []int64{int64(s.counts().Hits), s.counts().Head}, []int64{0, 0})
		_, err := s.Hit(s.ctx(), it.ID)
		s.is(err, store.ErrNotFound)
	}},
	{"WhatNobodyWasSentHasNoAmendment", func(s *suite) {
		s.sync(t0, "a")
		it := item("a", 1)
		b := s.edit(t0, it, it.Title, "r")
		b.Hits[0].Quiet = true
		s.put(b)
		b = s.edit(after(60), it, "Another", "r")
		b.Hits[0].Quiet = true
		s.put(b)
		s.ok(s.Purge(s.ctx(), it.ID, after(61)))
		same(s, "head", s.counts().Head, int64(0))
	}},
	{"OtherPunctuationIsNoOtherHeadline", func(s *suite) {
		it := s.hits(t0, "a", 1, "r")[0].Item
		s.put(s.edit(after(60), it, "“"+strings.ToUpper(it.Title)+"”…", "r"))
		same(s, "amendments", s.amendments(0, 99), nil)
	}},
	{"APurgeWithdrawsWhatWasAmended", func(s *suite) {
		it := s.hits(t0, "a", 2, "r")[0].Item
		s.put(s.edit(after(60), it, "The secret name", "r"))
		s.ok(s.Purge(s.ctx(), it.ID, after(61)))
		s.ok(s.Purge(s.ctx(), it.ID, after(62)))
		got := s.amendments(0, 99)
		if len(got) != 1 || got[0].Seq != 4 || !got[0].Withdrawn || !got[0].At.Equal(after(61)) || got[0].Hit.Item.ID != it.ID {
			s.Fatalf("amendments: %+v", got)
		}
		j, err := json.Marshal(got)
		s.ok(err)
		for _, secret := range []string{it.Title, "secret", it.Link} {
			if strings.Contains(string(j), secret) {
				s.Errorf("the withdrawal tells %q: %s", secret, j)
			}
		}
		same(s, "head", s.counts().Head, int64(4))
	}},
	{"APurgeLeavesNoCorrectionInDigests", func(s *suite) {
		s.enrol(t0, "desk")
		hits := s.hits(t0, "a", 2, "r")
		tn := s.turn(t0)
		d := digest(tn, hits[1:], t0)
		d.Corrections = []notify.Correction{
			{Item: hits[0].Item.ID, Title: "Now", Was: "Before"},
			{Item: item("a", 7).ID, Withdrawn: true},
		}
		s.ok(s.Seal(s.ctx(), tn.Lease, d))
		s.ok(s.Purge(s.ctx(), hits[0].Item.ID, after(1)))
		s.ok(s.Release(s.ctx(), tn.Lease, after(2)))
		tn = s.turn(after(2))
		same(s, "corrections", tn.Pending.Corrections, d.Corrections[1:])
		s.ok(s.Ack(s.ctx(), tn.Lease, after(2), after(3)))
		tn = s.turn(after(3))
		s.is(s.Seal(s.ctx(), tn.Lease, d), store.ErrPurged)
		d.Corrections = d.Corrections[1:]
		s.ok(s.Purge(s.ctx(), hits[1].Item.ID, after(3)))
		d.Groups, d.Corrections = nil, append(d.Corrections, notify.Correction{Item: hits[1].Item.ID, Withdrawn: true})
		s.ok(s.Seal(s.ctx(), tn.Lease, d))
	}},
	{"ASubscriberKnowsWhereItsLogBegan", func(s *suite) {
		s.hits(after(-60), "a", 2, "r")
		s.enrol(t0, "desk")
		same(s, "begin", s.turn(t0).Begin, int64(2))
		same(s, "begin", standing(s, "desk").Begin, int64(2))
	}},
	{"SweepTakesOldAmendments", func(s *suite) {
		it := s.hits(t0, "a", 1, "r")[0].Item
		s.put(s.edit(after(60), it, "Another", "r"))
		sw, err := s.Sweep(s.ctx(), after(120), store.Retention{Hits: time.Hour})
		s.ok(err)
		same(s, "at the very age", sw, store.Swept{Hits: 1})
		sw, err = s.Sweep(s.ctx(), after(121), store.Retention{Hits: time.Hour})
		s.ok(err)
		same(s, "swept", sw, store.Swept{Amendments: 1})
		same(s, "left", s.amendments(0, 99), nil)
	}},
}
