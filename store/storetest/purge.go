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

var purgeTests = []testCase{
	{"PurgeRemovesAnItemFromEverywhere", testPurge},
	{"APurgedItemNeverComesBack", func(s *suite) {
		hits := s.hits(t0, "a", 2, "r")
		id := hits[0].Item.ID
		c := s.claimOne(after(60))
		// The poll that is under way was classified before the purge.
		it, other := item("a", 0), item("a", 1)
		it.Title = "Edited"
		b := batch(c, after(60), it, other)
		b.Hits = []classifier.Hit{hit(it, after(60), "r", "r2"), hit(other, after(60), "r", "r2")}
		s.ok(s.Purge(s.ctx(), id, after(60)))
		fresh := s.put(b)
		same(s, "new in the log", titles(fresh), []string{other.Title})
		_, err := s.Hit(s.ctx(), id)
		s.is(err, store.ErrNotFound)
		same(s, "items", s.counts().Items, 1)
		nov, err := s.Unseen(s.ctx(), "a", sightings(it, other, item("a", 3)))
		s.ok(err)
		same(s, "novelty", nov, []store.Novelty{store.Purged, store.Known, store.New})
		// Nor when the feed was forgotten in between.
		s.sync(after(61))
		_, err = s.Sweep(s.ctx(), after(1_000_000), store.Retention{Hits: time.Hour, Items: time.Hour, Seen: time.Hour})
		s.ok(err)
		s.sync(after(1_000_000), "a")
		nov, err = s.Unseen(s.ctx(), "a", sightings(it, other))
		s.ok(err)
		same(s, "novelty", nov, []store.Novelty{store.Purged, store.New})
	}},
	{"ADigestThatWasBuiltBeforeAPurgeIsNotSealed", func(s *suite) {
		s.enrol(t0, "desk")
		hits := s.hits(t0, "a", 2, "r")
		tn := s.turn(t0)
		d := digest(tn, hits, t0)
		s.ok(s.Purge(s.ctx(), hits[1].Item.ID, after(1)))
		s.is(s.Seal(s.ctx(), tn.Lease, d), store.ErrPurged)
		same(s, "pending", standing(s, "desk").Pending, "")
		also := digest(tn, hits[:1], t0)
		also.Groups[0].Entries[0].Also = []notify.Report{{Item: hits[1].Item.ID}}
		s.is(s.Seal(s.ctx(), tn.Lease, also), store.ErrPurged)
		earlier := digest(tn, hits[:1], t0)
		earlier.Groups[0].Entries[0].Earlier = notify.Earlier{Item: hits[1].Item.ID}
		s.is(s.Seal(s.ctx(), tn.Lease, earlier), store.ErrPurged)
		s.ok(s.Seal(s.ctx(), tn.Lease, digest(tn, hits[:1], t0)))
	}},
	{"PurgeKnowsWhatWasSeenAndNoMore", func(s *suite) {
		s.hits(t0, "a", 1, "r")
		s.hits(t0, "b", 3, "r")
		_, err := s.Sweep(s.ctx(), after(60), store.Retention{Hits: time.Minute, Items: time.Minute})
		s.ok(err)
		same(s, "hits and items", s.counts().Hits+s.counts().Items, 0)
		s.ok(s.Purge(s.ctx(), item("b", 1).ID, after(61)))
		s.ok(s.Purge(s.ctx(), item("b", 1).ID, after(62)))
		nov, err := s.Unseen(s.ctx(), "b", sightings(item("b", 0), item("b", 1)))
		s.ok(err)
		same(s, "novelty", nov, []store.Novelty{store.Known, store.Purged})
		s.is(s.Purge(s.ctx(), feed.NewItemID("b", "never", "", ""), after(61)), store.ErrNotFound)
	}},
}

func testPurge(s *suite) {
	s.enrol(t0, "desk", "case")
	hits := s.hits(t0, "a", 3, "p-hunt")
	secret, lead := hits[0].Item, hits[1].Item

	ts := s.turns(t0)
	dead, pending := digest(ts[0], hits, t0), digest(ts[1], hits, t0)
	// In the dead letter the item leads a story that another outlet reports too.
	dead.Groups[0].Entries[0].Also = []notify.Report{{Item: lead.ID, Title: "Elsewhere", Link: "https://b.example/"}}
	dead.Groups[0].Entries = dead.Groups[0].Entries[:1]
	dead.Entries = 1
	pending.Groups[0].Entries[1].Earlier = notify.Earlier{Item: secret.ID, Title: secret.Title}
	s.ok(s.Seal(s.ctx(), ts[0].Lease, dead))
	s.ok(s.Bury(s.ctx(), ts[0].Lease, t0, after(60), notify.Burial{Reason: "rejected"}))
	s.ok(s.Seal(s.ctx(), ts[1].Lease, pending))

	s.ok(s.Purge(s.ctx(), secret.ID, after(1)))
	_, err := s.Hit(s.ctx(), secret.ID)
	s.is(err, store.ErrNotFound)
	window, err := s.Window(s.ctx(), 0, 99)
	s.ok(err)
	same(s, "window", titles(window), []string{hits[1].Item.Title, hits[2].Item.Title})
	listed, err := s.Hits(s.ctx(), store.HitQuery{Text: "report 0"})
	s.ok(err)
	same(s, "hits", titles(listed), nil)
	for it, err := range s.StoredItems(s.ctx(), time.Time{}) {
		s.ok(err)
		if it.Item.ID == secret.ID {
			s.Fatal("the item is still kept")
		}
	}

	s.ok(s.Release(s.ctx(), ts[1].Lease, after(2)))
	got := s.turn(after(2)).Pending
	mentions(s, "pending", got, secret)
	same(s, "id", got.ID, pending.ID)
	same(s, "entries and hits", []int{got.Entries, got.Hits, len(got.Groups[0].Entries)}, []int{2, 2, 2})
	letter := s.letters()[0].Digest
	mentions(s, "dead letter", letter, secret)
	same(s, "the other outlet leads", letter.Groups[0].Entries[0].Title, "Elsewhere")
	same(s, "without the excerpt", letter.Groups[0].Entries[0].Excerpt, classifier.Excerpt{})
}

func mentions(s *suite, what string, v any, it feed.Item) {
	s.Helper()
	j, err := json.Marshal(v)
	s.ok(err)
	if strings.Contains(string(j), it.ID.String()) || strings.Contains(string(j), it.Title) {
		s.Fatalf("%s mentions the purged item: %s", what, j)
	}
}
