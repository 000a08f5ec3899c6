// Package storetest is the conformance suite of the store: what every engine
// must do, tested from outside and with the clock in the test's hand.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/lease"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// Opener prepares an empty place for a store, and returns a function that opens
// it. Every call of that function gives another handle on the same place. The
// opener closes what it opened when the test ends; closing twice is no error.
type Opener func(t testing.TB) func() store.Store

// Run tests an engine.
func Run(t *testing.T, opener Opener) {
	for _, group := range [][]testCase{feedTests, stateTests, noticeTests, amendmentTests, recordTests, hitTests, turnTests, letterTests, pauseTests, purgeTests, sweepTests, robustTests, readerTests} {
		for _, c := range group {
			t.Run(c.name, func(t *testing.T) {
				open := opener(t)
				c.run(&suite{T: t, open: open, Store: open()})
			})
		}
	}
	t.Run("CheckFindsWhatMustNotBe", func(t *testing.T) { testCheck(t, opener) })
	t.Run("EqualsTheModel", func(t *testing.T) { testModel(t, opener) })
}

type testCase struct {
	name string
	run  func(*suite)
}

// suite is one test on one store.
type suite struct {
	*testing.T
	store.Store
	open func() store.Store
}

// t0 is when every test begins: a time with milliseconds, in UTC.
var t0 = time.Date(2026, 11, 23, 9, 30, 0, int(125*time.Millisecond), time.UTC)

// after is t0 and some minutes.
func after(minutes int) time.Time { return t0.Add(time.Duration(minutes) * time.Minute) }

const ttl = 5 * time.Minute

func (s *suite) ctx() context.Context { return s.T.Context() }

// ok fails the test on an error.
func (s *suite) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// is fails the test unless err wraps want.
func (s *suite) is(err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Fatalf("got error %v, want %v", err, want)
	}
}

// same fails the test when got is not want. Nil and empty slices are alike.
func same[V any](s *suite, what string, got, want V) {
	s.Helper()
	if d := diff(got, want); d != "" {
		s.Fatalf("%s (-want +got):\n%s", what, d)
	}
}

func diff(got, want any) string { return cmp.Diff(want, got, cmpopts.EquateEmpty()) }

// sync puts feeds into the queue.
func (s *suite) sync(now time.Time, ids ...string) {
	s.Helper()
	s.ok(s.SyncFeeds(s.ctx(), ids, now))
}

// claim claims up to ten feeds.
func (s *suite) claim(now time.Time) []store.Claim {
	s.Helper()
	cs, err := s.ClaimFeeds(s.ctx(), now, 10, ttl)
	s.ok(err)
	return cs
}

// claimOne claims the one feed that is due.
func (s *suite) claimOne(now time.Time) store.Claim {
	s.Helper()
	cs := s.claim(now)
	if len(cs) != 1 {
		s.Fatalf("%d feeds are due at %v, want one: %v", len(cs), now, names(cs))
	}
	return cs[0]
}

func names(cs []store.Claim) []string {
	var ids []string
	for _, c := range cs {
		ids = append(ids, c.State.FeedID)
	}
	return ids
}

// put records a batch and returns what is new in the log.
func (s *suite) put(b store.Batch) []classifier.Hit {
	s.Helper()
	hits, err := s.Record(s.ctx(), b)
	s.ok(err)
	return hits
}

// batch is what a poll at now leaves behind: the items given are the document's,
// all of them new or edited. The next check is in an hour.
func batch(c store.Claim, now time.Time, items ...feed.Item) store.Batch {
	st := c.State
	st.LastPoll, st.LastSuccess, st.NextCheck = now, now, now.Add(time.Hour)
	if st.FirstSuccess.IsZero() {
		st.FirstSuccess = now
	}
	b := store.Batch{Lease: c.Lease, State: st, Seen: sightings(items...)}
	for _, it := range items {
		b.Items = append(b.Items, store.StoredItem{Item: it, Searched: classifier.SearchedFeed, Stored: now})
	}
	return b
}

func sightings(items ...feed.Item) []store.Sighting {
	var out []store.Sighting
	for _, it := range items {
		out = append(out, store.Sighting{ID: it.ID, Fingerprint: it.Fingerprint()})
	}
	return out
}

// item is the nth item of a feed.
func item(feedID string, n int) feed.Item {
	guid := fmt.Sprintf("urn:%s:%d", feedID, n)
	return feed.Item{
		ID: feed.NewItemID(feedID, guid, "", ""), FeedID: feedID, GUID: guid,
		Title: fmt.Sprintf("Report %d of %s", n, feedID), Link: fmt.Sprintf("https://%s.example/%d", feedID, n),
		Published: t0.Add(-time.Duration(n) * time.Hour), Summary: "Police said.", Content: "The whole text, which a hit does not keep.",
		Authors: []string{"A. Reporter"}, Lang: "en",
	}
}

// hit is an item that the rules match, found at now.
func hit(it feed.Item, now time.Time, rules ...string) classifier.Hit {
	h := classifier.Hit{
		Item: it, Source: "Example", FeedTags: []string{"kerala"}, Searched: classifier.SearchedFeed,
		Ruleset: "r1", Found: now, Story: "story-" + it.GUID,
	}
	for _, r := range rules {
		h.Rules = append(h.Rules, classifier.RuleMatch{
			Rule: r, Name: "Rule " + r, Severity: classifier.High, Tags: []string{"tag"},
			Matches: []classifier.Match{{Rule: r, Field: classifier.FieldTitle, Start: 0, End: 6, Text: "Report"}},
			Excerpt: classifier.Excerpt{Field: classifier.FieldTitle, Text: it.Title, Marks: [][2]int{{0, 6}}},
		})
	}
	return h
}

// hits syncs, claims and records one feed whose items are hits of one rule.
func (s *suite) hits(now time.Time, feedID string, n int, rule string) []classifier.Hit {
	s.Helper()
	s.sync(now, feedID)
	var items []feed.Item
	for i := range n {
		items = append(items, item(feedID, i))
	}
	b := batch(s.claimOne(now), now, items...)
	for _, it := range items {
		b.Hits = append(b.Hits, hit(it, now, rule))
	}
	return s.put(b)
}

// seqs are the places in the log of a hit's rules.
func seqs(h classifier.Hit) map[string]int64 {
	m := make(map[string]int64)
	for _, r := range h.Rules {
		m[r.Rule] = r.Seq
	}
	return m
}

func titles(hs []classifier.Hit) []string {
	var out []string
	for _, h := range hs {
		out = append(out, h.Item.Title)
	}
	return out
}

// enrol makes the subscribers due at now, with a log that begins at t0.
func (s *suite) enrol(now time.Time, ids ...string) {
	s.Helper()
	var subs []store.Enrolment
	for _, id := range ids {
		subs = append(subs, store.Enrolment{ID: id, Next: now, Schedule: "@hourly", Since: t0})
	}
	s.ok(s.Enrol(s.ctx(), subs, now))
}

// turns claims up to ten subscribers.
func (s *suite) turns(now time.Time) []notify.Turn {
	s.Helper()
	ts, err := s.Claim(s.ctx(), now, 10, ttl)
	s.ok(err)
	return ts
}

func (s *suite) turn(now time.Time) notify.Turn {
	s.Helper()
	ts := s.turns(now)
	if len(ts) != 1 {
		s.Fatalf("%d subscribers are due at %v, want one", len(ts), now)
	}
	return ts[0]
}

// digest is what is sealed in a turn.
func digest(tn notify.Turn, hits []classifier.Hit, now time.Time) notify.Digest {
	d := notify.Digest{
		ID: fmt.Sprintf("%s-%d-%d", tn.Subscriber, tn.Cursor, tn.Head), Subscriber: tn.Subscriber, From: tn.Cursor, To: tn.Head,
		Since: tn.Since, Until: now, Sealed: now, Timezone: "Asia/Kolkata", Hits: len(hits),
		Coverage: notify.Coverage{Feeds: 3, Checked: 2, Failing: []notify.SourceNote{{Feed: "a", Note: "dns"}}, FailingCount: 1, Ruleset: "r1", Rules: 7},
	}
	g := notify.Group{Rule: "p-hunt", Name: "Operation P-Hunt", Severity: classifier.High}
	for _, h := range hits {
		g.Entries = append(g.Entries, notify.Entry{
			Item: h.Item.ID, Title: h.Item.Title, Link: h.Item.Link, Found: h.Found, Excerpt: h.Rules[0].Excerpt,
			Published: h.Item.Published.In(time.FixedZone("IST", 19800)),
		})
	}
	if len(g.Entries) > 0 {
		d.Groups = []notify.Group{g}
	}
	d.Entries = len(g.Entries)
	return d
}

func standing(s *suite, id string) store.Standing {
	s.Helper()
	all, err := s.Standings(s.ctx())
	s.ok(err)
	i := slices.IndexFunc(all, func(st store.Standing) bool { return st.Subscriber == id })
	if i < 0 {
		s.Fatalf("no standing of %s", id)
	}
	return all[i]
}

func (s *suite) state(id string) fetcher.State {
	s.Helper()
	st, err := s.State(s.ctx(), id)
	s.ok(err)
	return st
}

func (s *suite) counts() store.Counts {
	s.Helper()
	c, err := s.Counts(s.ctx())
	s.ok(err)
	return c
}

func leases(turns ...notify.Turn) []lease.Lease {
	var out []lease.Lease
	for _, tn := range turns {
		out = append(out, tn.Lease)
	}
	return out
}

func keys(ls []lease.Lease) []string {
	var out []string
	for _, l := range ls {
		out = append(out, l.Key)
	}
	return out
}
