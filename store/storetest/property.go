package storetest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/lease"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// modelTime is after which no further history is begun. On a loaded machine, whose
// disk is slow too, all of them would need most of the time that the tests of a
// package have; which ones are run differs from run to run.
const modelTime = 30 * time.Second

// testModel runs random histories, under a clock that also goes back, on the
// engine and on the model, and demands the same answers and the same end.
func testModel(t *testing.T, opener Opener) {
	begun, histories, sound := time.Now(), 0, true
	defer func() { t.Logf("%d histories", histories) }()
	rapid.Check(t, func(rt *rapid.T) {
		if sound && time.Since(begun) > modelTime {
			return
		}
		sound = false // until its end: one that fails is run again, to make it shorter
		histories++
		h := &history{T: rt, ctx: t.Context(), model: newModel(), Store: opener(t)(), now: t0}
		defer func() {
			if err := h.Store.Close(); err != nil {
				t.Error(err)
			}
		}()
		rt.Repeat(map[string]func(*rapid.T){
			"sync":        h.sync,
			"claimFeeds":  h.claimFeeds,
			"claimFeeds2": h.claimFeeds, // most of what follows needs one
			"renew":       h.renew,
			"pollNow":     h.pollNow,
			"mark":        h.mark,
			"pauseFeeds":  h.pauseFeeds,
			"post":        h.post,
			"release":     h.releaseFeeds,
			"record":      h.record,
			"record2":     h.record,
			"record3":     h.record,
			"purge":       h.purge,
			"enrol":       h.enrol,
			"sendNow":     h.sendNow,
			"claim":       h.claimTurns,
			"claim2":      h.claimTurns,
			"turn":        h.turn,
			"turn2":       h.turn,
			"turn3":       h.turn,
			"letter":      h.letter,
			"reader":      h.reader,
			"reader2":     h.reader,
			"claimLetter": h.claimLetters,
			"erase":       h.erase,
			"pause":       h.pause,
			"sweep":       h.sweep,
			"":            h.check,
		})
		sound = true
	})
}

// history is one random run.
type history struct {
	*rapid.T
	store.Store
	ctx   context.Context
	model *model
	now   time.Time
	// What was leased, ended and lost leases too: late writes use them.
	claims  []store.Claim
	turns   []lease.Lease
	digests int
	built   notify.Digest // the last that was built
}

var (
	feedIDs = []string{"a", "b", "c"}
	subIDs  = []string{"desk", "case"}
	ruleIDs = []string{"r1", "r2", "r3"}
)

func (h *history) tick(rt *rapid.T) time.Time {
	h.now = h.now.Add(time.Duration(rapid.IntRange(-90, 600).Draw(rt, "seconds"))*time.Second + time.Duration(rapid.IntRange(0, 999).Draw(rt, "ms"))*time.Millisecond)
	return h.now
}

func (h *history) equal(rt *rapid.T, what string, got, want any) {
	rt.Helper()
	if d := diff(got, want); d != "" {
		rt.Fatalf("%s at %v (-model +engine):\n%s", what, h.now, d)
	}
}

func (h *history) errs(rt *rapid.T, what string, got, want error) {
	rt.Helper()
	if (want == nil) != (got == nil) || (want != nil && !errors.Is(got, want)) {
		rt.Fatalf("%s at %v: engine says %v, model says %v", what, h.now, got, want)
	}
}

func subset(rt *rapid.T, of []string) []string {
	return slices.DeleteFunc(slices.Clone(of), func(s string) bool { return rapid.Bool().Draw(rt, "without "+s) })
}

func (h *history) sync(rt *rapid.T) {
	ids, now := subset(rt, feedIDs), h.tick(rt)
	h.model.syncFeeds(ids, now)
	h.errs(rt, "SyncFeeds", h.SyncFeeds(h.ctx, ids, now), nil)
}

func (h *history) claimFeeds(rt *rapid.T) {
	n, now := rapid.IntRange(1, 3).Draw(rt, "max"), h.tick(rt)
	got, err := h.ClaimFeeds(h.ctx, now, n, ttl)
	h.errs(rt, "ClaimFeeds", err, nil)
	want := h.model.claimable(now)
	want = want[:min(n, len(want))]
	if len(got) != len(want) {
		rt.Fatalf("ClaimFeeds: %d, the model has %d", len(got), len(want))
	}
	for i, f := range want {
		l := lease.Lease{Key: store.FeedKey(f.id), Token: got[i].Lease.Token, Until: now.Add(ttl)}
		if l.Token <= f.due.token {
			rt.Fatalf("token %d after %d", l.Token, f.due.token)
		}
		h.model.claimFeed(f, l)
		h.equal(rt, "claim", got[i], store.Claim{Lease: l, State: f.shown()})
	}
	h.claims = append(h.claims, got...)
}

func (h *history) renew(rt *rapid.T) {
	ls := slices.Clone(h.turns)
	for _, c := range h.claims {
		ls = append(ls, c.Lease)
	}
	if len(ls) == 0 {
		return
	}
	ls = rapid.SliceOfN(rapid.SampledFrom(ls), 1, 3).Draw(rt, "leases")
	until := h.tick(rt).Add(ttl)
	got, err := h.Renew(h.ctx, ls, until)
	h.errs(rt, "Renew", err, nil)
	h.equal(rt, "Renew", got, h.model.renew(ls, until))
}

func (h *history) pollNow(rt *rapid.T) {
	ids, now := subset(rt, feedIDs), h.tick(rt)
	h.errs(rt, "PollNow", h.PollNow(h.ctx, ids, now), nil)
	for _, f := range h.model.feeds {
		if f.in && (len(ids) == 0 || slices.Contains(ids, f.id)) {
			f.due.ask(now)
		}
	}
}

// claimed picks a claim, a recent one as a rule.
func (h *history) claimed(rt *rapid.T) (store.Claim, bool) {
	if len(h.claims) == 0 {
		return store.Claim{}, false
	}
	last := len(h.claims) - 1
	return h.claims[rapid.IntRange(max(0, last-4), last).Draw(rt, "claim")], true
}

func (h *history) mark(rt *rapid.T) {
	c, ok := h.claimed(rt)
	if !ok {
		return
	}
	var want error = lease.ErrLost
	parsing := rapid.Bool().Draw(rt, "parsing")
	if f := h.model.feeds[c.State.FeedID]; f != nil && f.due.held(c.Lease) {
		f.marked, want = parsing, nil
	}
	h.errs(rt, "MarkParsing", h.MarkParsing(h.ctx, c.Lease, parsing), want)
}

func (h *history) releaseFeeds(rt *rapid.T) {
	c, ok := h.claimed(rt)
	if !ok {
		return
	}
	if f := h.model.feeds[c.State.FeedID]; f != nil && f.due.held(c.Lease) {
		f.due.until, f.due.asked, f.marked = time.Time{}, time.Time{}, false
	}
	h.errs(rt, "ReleaseFeeds", h.ReleaseFeeds(h.ctx, []lease.Lease{c.Lease}), nil)
}

func (h *history) record(rt *rapid.T) {
	c, ok := h.claimed(rt)
	if !ok {
		return
	}
	now := h.tick(rt)
	b := batch(c, now)
	b.State.Poisoned = rapid.IntRange(0, 2).Draw(rt, "poisoned")
	b.State.ETag = rapid.SampledFrom([]string{"", "x", "y"}).Draw(rt, "etag")
	b.State.NextCheck = now.Add(time.Duration(rapid.IntRange(-60, 900).Draw(rt, "next")) * time.Second)
	if rapid.IntRange(0, 9).Draw(rt, "retired") == 0 {
		b.State.Retired, b.State.NextCheck = true, time.Time{}
	}
	b.State.Health.Grade = rapid.SampledFrom(fetcher.Grades).Draw(rt, "grade")
	if rapid.Bool().Draw(rt, "failed") {
		b.State.LastSuccess = c.State.LastSuccess
	}
	if rapid.IntRange(0, 3).Draw(rt, "notice") == 0 {
		b.Notices = append(b.Notices, h.notice(rt, now))
	}
	for n := range 4 {
		kind := rapid.IntRange(0, 4).Draw(rt, "item")
		if kind == 0 {
			continue
		}
		it := item(c.State.FeedID, n)
		it.Title += fmt.Sprint(rapid.IntRange(0, 1).Draw(rt, "edit"))
		b.Seen = append(b.Seen, sightings(it)...)
		if kind == 1 {
			if rapid.IntRange(0, 3).Draw(rt, "taken down") == 0 {
				b.Hits = append(b.Hits, classifier.Hit{Item: it, Found: now, TakenDown: true})
			}
			continue
		}
		b.Items = append(b.Items, store.StoredItem{Item: it, Searched: classifier.SearchedFeed, Stored: now})
		if rules := subset(rt, ruleIDs); kind > 2 {
			x := hit(it, now, rules...)
			x.Quiet = rapid.IntRange(0, 3).Draw(rt, "quiet") == 0
			b.Hits = append(b.Hits, x)
		}
	}
	nov, err := h.Unseen(h.ctx, c.State.FeedID, b.Seen)
	h.errs(rt, "Unseen", err, nil)
	h.equal(rt, "Unseen", nov, h.model.unseen(c.State.FeedID, b.Seen))
	for range rapid.IntRange(1, 2).Draw(rt, "times") {
		want, wantErr := h.model.record(b)
		got, err := h.Record(h.ctx, b)
		h.errs(rt, "Record", err, wantErr)
		h.equal(rt, "new in the log", got, want)
	}
}

func (h *history) notice(rt *rapid.T, at time.Time) notify.Notice {
	return notify.Notice{
		ID: rapid.SampledFrom([]string{"n1", "n2", "n3", "n4"}).Draw(rt, "notice"), At: at, Kind: notify.SourceLost, Subject: "a", Text: "It is lost.",
	}
}

func (h *history) post(rt *rapid.T) {
	n := h.notice(rt, h.tick(rt))
	h.errs(rt, "Post", h.Post(h.ctx, n), nil)
	h.model.post(n)
}

func (h *history) pauseFeeds(rt *rapid.T) {
	ids, now, paused := subset(rt, feedIDs), h.tick(rt), rapid.Bool().Draw(rt, "paused")
	h.errs(rt, "PauseFeeds", h.PauseFeeds(h.ctx, ids, paused, now), nil)
	for _, id := range ids {
		switch f := h.model.feeds[id]; {
		case f == nil || !f.in:
		case !paused:
			f.paused = time.Time{}
		case f.paused.IsZero():
			f.paused = now
		}
	}
}

func (h *history) purge(rt *rapid.T) {
	id := item(rapid.SampledFrom(feedIDs).Draw(rt, "feed"), rapid.IntRange(0, 3).Draw(rt, "item")).ID
	if rapid.IntRange(0, 3).Draw(rt, "rarely") > 0 {
		return
	}
	now := h.tick(rt)
	h.errs(rt, "Purge", h.Purge(h.ctx, id, now), h.model.purge(id, now))
}

func (h *history) sweep(rt *rapid.T) {
	age := func(what string) time.Duration {
		return time.Duration(rapid.IntRange(0, 90).Draw(rt, what)) * time.Minute
	}
	keep := store.Retention{Hits: age("hits"), Items: age("items"), Seen: age("seen")}
	now := h.tick(rt)
	if rapid.IntRange(0, 7).Draw(rt, "much later") == 0 {
		now = now.Add(store.PendingFor)
	}
	got, err := h.Sweep(h.ctx, now, keep)
	h.errs(rt, "Sweep", err, nil)
	h.equal(rt, "Sweep", got, h.model.sweep(now, keep))
}

// checkStates compares what the engine tells of all feeds with their states.
func (h *history) checkStates(rt *rapid.T, states []fetcher.State) {
	got, err := h.States(h.ctx, store.StateQuery{})
	h.errs(rt, "States", err, nil)
	h.equal(rt, "States", got, states)
	grades := slices.DeleteFunc(slices.Clone(fetcher.Grades), func(fetcher.Grade) bool { return rapid.Bool().Draw(rt, "without") })
	if len(grades) > 0 {
		q := store.StateQuery{Grades: grades, After: rapid.SampledFrom([]string{"", "a", "b"}).Draw(rt, "after"), Limit: rapid.IntRange(1, 3).Draw(rt, "limit")}
		got, err = h.States(h.ctx, q)
		h.errs(rt, "States", err, nil)
		want := slices.DeleteFunc(slices.Clone(states), func(st fetcher.State) bool {
			return st.FeedID <= q.After || !slices.Contains(grades, st.Grade())
		})
		h.equal(rt, "States of some grades", got, want[:min(len(want), q.Limit)])
		q.IDs = rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d", "nobody"}), 1, 4).Draw(rt, "ids")
		got, err = h.States(h.ctx, q)
		h.errs(rt, "States", err, nil)
		want = slices.DeleteFunc(want, func(st fetcher.State) bool { return !slices.Contains(q.IDs, st.FeedID) })
		h.equal(rt, "States of some feeds of some grades", got, want[:min(len(want), q.Limit)])
	}
	late := h.now.Add(-time.Duration(rapid.IntRange(-10, 10).Draw(rt, "late")) * time.Minute)
	want := store.Census{Feeds: len(states), Grades: make(map[fetcher.Grade]int)}
	reads := make(map[int64]int)
	for _, st := range states {
		want.Grades[st.Grade()]++
		if !st.LastSuccess.IsZero() {
			reads[st.LastSuccess.Unix()/60]++
		}
		if at := h.model.feeds[st.FeedID].due.at(); st.Paused.IsZero() && !at.IsZero() && at.Before(late) {
			want.Late++
		}
	}
	var wantReads store.Reads
	for _, m := range slices.Sorted(maps.Keys(reads)) {
		wantReads = append(wantReads, store.ReadsIn{Minute: m, Feeds: reads[m]})
	}
	gotReads, err := h.Reads(h.ctx)
	h.errs(rt, "Reads", err, nil)
	h.equal(rt, "Reads", gotReads, wantReads)
	census, err := h.Census(h.ctx, late)
	h.errs(rt, "Census", err, nil)
	h.equal(rt, "Census", census, want)
}

// check compares all that can be seen of the two.
func (h *history) check(rt *rapid.T) {
	var due time.Time
	var states []fetcher.State
	counts := store.Counts{Hits: len(h.model.hits), Items: len(h.model.items), DeadLetters: len(h.model.letters), Head: h.model.head}
	for _, f := range h.model.feeds {
		counts.Seen += len(f.listed) + len(f.gone)
		if !f.in {
			continue
		}
		counts.Feeds++
		states = append(states, f.shown())
		if at := f.due.at(); f.queued() && !at.IsZero() {
			due = sooner(due, at)
		}
	}
	for _, s := range h.model.subs {
		if s.in {
			counts.Subscribers++
			if s.paused == nil {
				due = sooner(due, s.due.at())
			}
		}
	}
	slices.SortFunc(states, func(a, b fetcher.State) int { return cmp.Compare(a.FeedID, b.FeedID) })

	gotDue, err := h.NextDue(h.ctx)
	h.errs(rt, "NextDue", err, nil)
	h.equal(rt, "NextDue", gotDue, due)
	h.checkStates(rt, states)
	gotCounts, err := h.Counts(h.ctx)
	h.errs(rt, "Counts", err, nil)
	gotCounts.Bytes = 0
	h.equal(rt, "Counts", gotCounts, counts)
	from := int64(rapid.IntRange(0, int(h.model.head)).Draw(rt, "from"))
	window, err := h.Window(h.ctx, from, h.model.head)
	h.errs(rt, "Window", err, nil)
	h.equal(rt, "Window", window, h.model.window(from, h.model.head))
	amendments, err := h.Amendments(h.ctx, from, h.model.head)
	h.errs(rt, "Amendments", err, nil)
	h.equal(rt, "Amendments", amendments, h.model.amendments(from, h.model.head))
	notices, err := h.Notices(h.ctx, from, h.model.head)
	h.errs(rt, "Notices", err, nil)
	h.equal(rt, "Notices", notices, h.model.noticesIn(from, h.model.head))
	hits, err := h.Hits(h.ctx, store.HitQuery{Quiet: true, Limit: 1000})
	h.errs(rt, "Hits", err, nil)
	var wantHits []classifier.Hit
	for _, x := range h.model.hits {
		wantHits = append(wantHits, *x)
	}
	slices.SortFunc(wantHits, func(a, b classifier.Hit) int {
		return cmp.Or(b.Found.Compare(a.Found), bytes.Compare(b.Item.ID[:], a.Item.ID[:]))
	})
	h.equal(rt, "Hits", hits, wantHits)
	edges := []time.Time{h.now.Add(-time.Hour), h.now.Add(-10 * time.Minute), h.now.Add(time.Hour)}
	tally, err := h.Tally(h.ctx, edges)
	h.errs(rt, "Tally", err, nil)
	h.equal(rt, "Tally", tally, h.model.tally(edges))
	var items []feed.ItemID
	for it, err := range h.StoredItems(h.ctx, time.Time{}) {
		h.errs(rt, "StoredItems", err, nil)
		h.equal(rt, "item", it, h.model.items[it.Item.ID])
		one, err := h.Stored(h.ctx, it.Item.ID)
		h.errs(rt, "Stored", err, nil)
		h.equal(rt, "one item", one, it)
		items = append(items, it.Item.ID)
	}
	h.equal(rt, "items", len(items), len(h.model.items))
	h.checkTurns(rt)
	h.checkReaders(rt)
}
