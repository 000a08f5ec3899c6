package storetest

import (
	"strings"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/store"
)

var recordTests = []testCase{
	{"UnseenTellsNewFromEditedFromKnown", func(s *suite) {
		s.sync(t0, "a")
		one, two := item("a", 1), item("a", 2)
		nov, err := s.Unseen(s.ctx(), "a", sightings(one, two))
		s.ok(err)
		same(s, "before the first poll", nov, []store.Novelty{store.New, store.New})
		s.put(batch(s.claimOne(t0), t0, one, two))
		edited := two
		edited.Title = "Another title"
		nov, err = s.Unseen(s.ctx(), "a", sightings(item("a", 3), edited, one))
		s.ok(err)
		same(s, "after it", nov, []store.Novelty{store.New, store.Edited, store.Known})
		nov, err = s.Unseen(s.ctx(), "nobody", sightings(one))
		s.ok(err)
		same(s, "of an unknown feed", nov, []store.Novelty{store.New})
		nov, err = s.Unseen(s.ctx(), "a", nil)
		s.ok(err)
		same(s, "of nothing", len(nov), 0)
	}},
	{"AnItemThatWasGoneIsStillKnown", func(s *suite) {
		s.sync(t0, "a")
		one, two := item("a", 1), item("a", 2)
		s.put(batch(s.claimOne(t0), t0, one))
		s.put(batch(s.claimOne(after(60)), after(60), two))
		s.put(batch(s.claimOne(after(120)), after(120)))
		nov, err := s.Unseen(s.ctx(), "a", sightings(one, two))
		s.ok(err)
		same(s, "novelty", nov, []store.Novelty{store.Known, store.Known})
		same(s, "seen", s.counts().Seen, 2)
	}},
	{"AHitIsStoredWithoutItsText", func(s *suite) {
		s.sync(t0, "a")
		it := item("a", 1)
		b := batch(s.claimOne(t0), t0, it)
		found := t0.Add(300 * time.Microsecond)
		b.Hits = []classifier.Hit{hit(it, found, "p-hunt", "csam")}
		fresh := s.put(b)
		want := hit(it, t0, "p-hunt", "csam")
		want.Item.Content = ""
		want.Rules[0].Seq, want.Rules[1].Seq = 1, 2
		same(s, "new in the log", fresh, []classifier.Hit{want})
		got, err := s.Hit(s.ctx(), it.ID)
		s.ok(err)
		same(s, "stored", got, want)
		same(s, "the caller's own", b.Hits[0].Rules[0].Seq, int64(0))
		for st, err := range s.StoredItems(s.ctx(), time.Time{}) {
			s.ok(err)
			same(s, "item", st, b.Items[0])
		}
		_, err = s.Hit(s.ctx(), feed.NewItemID("a", "none", "", ""))
		s.is(err, store.ErrNotFound)
	}},
	{"TheSameBatchTwiceChangesNothing", func(s *suite) {
		s.sync(t0, "a")
		it := item("a", 1)
		b := batch(s.claimOne(t0), t0, it)
		b.Hits = []classifier.Hit{hit(it, t0, "p-hunt")}
		first := s.put(b)
		s.ok(s.PollNow(s.ctx(), []string{"a"}, after(1)))
		before := s.counts()
		same(s, "answer", s.put(b), first)
		after := s.counts()
		before.Bytes, after.Bytes = 0, 0
		same(s, "counts", after, before)
		same(s, "still due by PollNow", s.state("a").NextCheck, t0.Add(time.Minute))
	}},
	{"TheSameItemsUnderAnotherLeaseAreNoNews", func(s *suite) {
		s.sync(t0, "a")
		it := item("a", 1)
		b := batch(s.claimOne(t0), t0, it)
		b.Hits = []classifier.Hit{hit(it, t0, "p-hunt")}
		s.put(b)
		c := s.claimOne(after(60))
		b.Lease, b.State.NextCheck = c.Lease, after(120)
		same(s, "new in the log", len(s.put(b)), 0)
		same(s, "head", s.counts().Head, int64(1))
	}},
	{"AnEditedItemUpdatesItsHit", func(s *suite) {
		s.sync(t0, "a")
		it := item("a", 1)
		b := batch(s.claimOne(t0), t0, it)
		b.Hits = []classifier.Hit{hit(it, t0, "p-hunt", "csam")}
		s.put(b)

		it.Title = "Report 1, corrected"
		b = batch(s.claimOne(after(60)), after(60), it)
		h := hit(it, after(60), "arrests", "csam")
		h.Ruleset, h.Story, h.Searched = "r2", "another", classifier.SearchedArticle
		b.Hits = []classifier.Hit{h}
		fresh := s.put(b)

		got, err := s.Hit(s.ctx(), it.ID)
		s.ok(err)
		same(s, "new in the log", fresh, []classifier.Hit{got})
		same(s, "seqs", seqs(got), map[string]int64{"p-hunt": 1, "csam": 2, "arrests": 3})
		same(s, "order of the rules", []string{got.Rules[0].Rule, got.Rules[1].Rule, got.Rules[2].Rule}, []string{"arrests", "csam", "p-hunt"})
		same(s, "found", got.Found, t0)
		same(s, "title", got.Item.Title, it.Title)
		same(s, "the rest is new", []string{got.Ruleset, got.Story, string(got.Searched)}, []string{"r2", "another", "article"})
		same(s, "excerpt of a rule that matches", got.Rules[1].Excerpt.Text, it.Title)
		same(s, "excerpt of one that does no more", got.Rules[2].Excerpt.Text, "Report 1 of a")
		same(s, "items", s.counts().Items, 1)
	}},
	{"AnEditedItemThatMatchesNoMoreKeepsItsHit", func(s *suite) {
		was := s.hits(t0, "a", 1, "p-hunt")[0]
		it := item("a", 0)
		it.Title = "Something else"
		s.put(batch(s.claimOne(after(60)), after(60), it))
		got, err := s.Hit(s.ctx(), it.ID)
		s.ok(err)
		same(s, "hit", got, was)
	}},
	{"AnItemThatMatchesAfterAnEditBecomesAHit", func(s *suite) {
		s.sync(t0, "a")
		it := item("a", 1)
		s.put(batch(s.claimOne(t0), t0, it))
		it.Title = "Operation P-Hunt"
		b := batch(s.claimOne(after(60)), after(60), it)
		b.Hits = []classifier.Hit{hit(it, after(60), "p-hunt")}
		fresh := s.put(b)
		same(s, "new in the log", len(fresh), 1)
		same(s, "seqs", seqs(fresh[0]), map[string]int64{"p-hunt": 1})
	}},
	{"QuietHitsStayOutOfTheLog", func(s *suite) {
		s.sync(t0, "a")
		it := item("a", 1)
		b := batch(s.claimOne(t0), t0, it)
		h := hit(it, t0, "p-hunt")
		h.Quiet = true
		b.Hits = []classifier.Hit{h}
		same(s, "new in the log", len(s.put(b)), 0)
		same(s, "head", s.counts().Head, int64(0))
		got, err := s.Hit(s.ctx(), it.ID)
		s.ok(err)
		same(s, "quiet", got.Quiet, true)

		// An edit that matches the same rule is no news; another rule is.
		b = batch(s.claimOne(after(60)), after(60), it)
		b.Hits = []classifier.Hit{hit(it, after(60), "p-hunt", "csam")}
		fresh := s.put(b)
		same(s, "new in the log", len(fresh), 1)
		same(s, "seqs", seqs(fresh[0]), map[string]int64{"p-hunt": 0, "csam": 1})
		same(s, "quiet", fresh[0].Quiet, false)
	}},
	{"AQuietUpdateDoesNotSilenceAHit", func(s *suite) {
		s.hits(t0, "a", 1, "p-hunt")
		it := item("a", 0)
		b := batch(s.claimOne(after(60)), after(60), it)
		h := hit(it, after(60), "p-hunt", "csam")
		h.Quiet = true
		b.Hits = []classifier.Hit{h}
		same(s, "new in the log", len(s.put(b)), 0)
		got, err := s.Hit(s.ctx(), it.ID)
		s.ok(err)
		same(s, "seqs", seqs(got), map[string]int64{"p-hunt": 1, "csam": 0})
		same(s, "quiet", got.Quiet, false)
	}},
	{"RepeatsWithinABatchCountOnce", func(s *suite) {
		s.sync(t0, "a")
		it := item("a", 1)
		b := batch(s.claimOne(t0), t0, it, it)
		b.Hits = []classifier.Hit{hit(it, t0, "p-hunt", "p-hunt"), hit(it, t0, "csam")}
		fresh := s.put(b)
		same(s, "new in the log", len(fresh), 1)
		same(s, "seqs", seqs(fresh[0]), map[string]int64{"p-hunt": 1})
		c := s.counts()
		same(s, "seen, items, hits", []int{c.Seen, c.Items, c.Hits}, []int{1, 1, 1})
	}},
	{"ABatchThatIsNotWholeIsRefusedAndWritesNothing", func(s *suite) {
		s.sync(t0, "a")
		c := s.claimOne(t0)
		it := item("a", 1)
		for name, spoil := range map[string]func(*store.Batch){
			"another feed's lease":  func(b *store.Batch) { b.Lease.Key = store.FeedKey("b") },
			"no feed":               func(b *store.Batch) { b.State.FeedID = "" },
			"no time of the poll":   func(b *store.Batch) { b.State.LastPoll = time.Time{} },
			"no next check":         func(b *store.Batch) { b.State.NextCheck = time.Time{} },
			"an item not seen":      func(b *store.Batch) { b.Seen = nil },
			"another feed's item":   func(b *store.Batch) { b.Items[0].Item.FeedID = "b" },
			"a hit not seen":        func(b *store.Batch) { b.Hits[0].Item.ID[3]++ },
			"an item beyond bounds": func(b *store.Batch) { b.Items[0].Item.Content = noise(store.MaxValue + 1) },
		} {
			b := batch(c, t0, it)
			b.Hits = []classifier.Hit{hit(it, t0, "p-hunt")}
			spoil(&b)
			if _, err := s.Record(s.ctx(), b); err == nil {
				s.Errorf("%s was accepted", name)
			}
		}
		got := s.counts()
		same(s, "written", []int{got.Seen, got.Items, got.Hits}, []int{0, 0, 0})
		s.put(batch(c, t0, it))
	}},
	{"AFeedThatWasNeverPolledIsPutOff", func(s *suite) {
		s.sync(t0, "a")
		c := s.claimOne(t0)
		c.State.PutOff, c.State.NextCheck = c.State.NextCheck, after(5)
		s.put(store.Batch{Lease: c.Lease, State: c.State})
		same(s, "claims before its time", len(s.claim(after(4))), 0)
		c = s.claimOne(after(5))
		same(s, "due since", c.State.PutOff, t0)
		same(s, "never polled", c.State.LastPoll.IsZero(), true)
		b := store.Batch{Lease: c.Lease, State: c.State, Seen: sightings(item("a", 1))}
		if _, err := s.Record(s.ctx(), b); err == nil {
			s.Error("a batch of items without a time was accepted")
		}
	}},
	{"WhatOutsidersSendDoesNotStopAFeed", func(s *suite) {
		s.sync(t0, "a")
		it := item("a", 1)
		it.Published = time.Date(40_000, 1, 1, 0, 0, 0, 0, time.UTC)
		it.Updated = time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC)
		it.Title = "\x00 a title \xff\xfe of odd bytes \u202e"
		it.Content = strings.Repeat("long ", 1<<20)
		b := batch(s.claimOne(t0), t0, it)
		b.State.LastItem = it.Published
		b.Hits = []classifier.Hit{hit(it, t0, "p-hunt")}
		s.put(b)
		got, err := s.Hit(s.ctx(), it.ID)
		s.ok(err)
		same(s, "dates", []time.Time{got.Item.Published, got.Item.Updated, s.state("a").LastItem}, make([]time.Time, 3))
		same(s, "title", got.Item.Title, "\x00 a title \ufffd\ufffd of odd bytes \u202e")
		for st, err := range s.StoredItems(s.ctx(), time.Time{}) {
			s.ok(err)
			same(s, "content", st.Item.Content == it.Content, true)
		}
	}},
	{"StoredItemsComeOldestFirst", func(s *suite) {
		s.sync(t0, "a")
		const n = 450 // several pages of any engine
		var items []feed.Item
		for i := range n {
			items = append(items, item("a", i))
		}
		b := batch(s.claimOne(t0), t0, items...)
		for i := range b.Items {
			b.Items[i].Stored = after(i / 3)
		}
		s.put(b)
		var last time.Time
		count := 0
		for it, err := range s.StoredItems(s.ctx(), after(10)) {
			s.ok(err)
			if it.Stored.Before(last) || it.Stored.Before(after(10)) {
				s.Fatalf("%v after %v", it.Stored, last)
			}
			last = it.Stored
			count++
		}
		same(s, "items", count, n-30)
		for _, err := range s.StoredItems(s.ctx(), time.Time{}) {
			s.ok(err)
			break // the reader may stop early
		}
	}},
}

// noise does not compress.
func noise(n int) string {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = 'a' + byte(x>>24)%26
	}
	return string(b)
}
