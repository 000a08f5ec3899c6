package storetest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// RunCopy moves everything from one engine to another, and looks whether it is
// there and goes on to work.
func RunCopy(t *testing.T, from, to Opener) {
	t.Run("Everything", func(t *testing.T) { testCopy(t, from, to) })
	t.Run("BrokenOff", func(t *testing.T) { testCopyBrokenOff(t, from, to) })
	t.Run("Occupied", func(t *testing.T) { testCopyOccupied(t, from, to) })
}

// furnished is a store with something of every kind in it.
func furnished(t *testing.T, opener Opener) *suite {
	t.Helper()
	open := opener(t)
	s := &suite{T: t, open: open, Store: open()}
	s.enrol(t0, "desk", "gone", "waits")
	s.hits(t0, "a", 3, "r1")
	// A feed that left, with a quiet hit, and items that it lists no more.
	s.sync(t0, "a", "b")
	b := batch(s.claimOne(t0), t0, item("b", 1), item("b", 2))
	quiet := hit(item("b", 1), t0, "r1")
	quiet.Quiet = true
	b.Hits = []classifier.Hit{quiet}
	s.put(b)
	for _, c := range s.claim(after(61)) {
		s.put(batch(c, after(61), item(c.State.FeedID, 0), item(c.State.FeedID, 9)))
	}
	s.sync(after(62), "a", "never")
	s.ok(s.PauseFeeds(s.ctx(), []string{"never"}, true, after(62)))
	s.ok(s.Post(s.ctx(), lost("a", after(62))))
	s.ok(s.Purge(s.ctx(), item("a", 9).ID, after(62)))
	// A headline that changed.
	s.ok(s.PollNow(s.ctx(), []string{"a"}, after(62)))
	edited := item("a", 0)
	edited.Title = "Another headline"
	b = batch(s.claimOne(after(62)), after(62), edited)
	b.Hits = []classifier.Hit{hit(edited, after(62))}
	s.put(b)

	// Delivered, given up, asked for again, and pending.
	for _, tn := range s.turns(after(63)) {
		hits, err := s.Window(s.ctx(), tn.Cursor, tn.Head)
		s.ok(err)
		s.ok(s.Seal(s.ctx(), tn.Lease, digest(tn, hits, after(63))))
		switch tn.Subscriber {
		case "desk":
			s.ok(s.Ack(s.ctx(), tn.Lease, after(63), after(90)))
		case "gone":
			s.ok(s.Bury(s.ctx(), tn.Lease, after(63), after(90), notify.Burial{Reason: "no such mailbox", Refused: true, Pause: true}))
			s.ok(s.Resend(s.ctx(), digest(tn, hits, after(63)).ID, after(64)))
		case "waits":
			s.ok(s.Retry(s.ctx(), tn.Lease, after(63), after(70), "busy"))
		}
	}
	s.ok(s.Enrol(s.ctx(), []store.Enrolment{
		{ID: "desk", Next: after(90), Schedule: "@hourly", Since: t0}, {ID: "waits", Next: after(90), Schedule: "@hourly", Since: t0},
	}, after(65)))
	key, err := s.SigningKey(s.ctx())
	s.ok(err)
	if len(key) != 32 {
		t.Fatalf("a key of %d bytes", len(key))
	}
	s.admit(pending("asks", after(65)), nil)
	s.join("reads", after(65))
	s.admit(gone(s.join("left", after(65)), after(66)), nil)
	return s
}

func portable(t *testing.T, s store.Store) store.Portable {
	t.Helper()
	p, ok := s.(store.Portable)
	if !ok {
		t.Fatalf("%T is not portable", s)
	}
	return p
}

func sound(t *testing.T, p store.Portable) {
	t.Helper()
	wrong, err := store.Check(t.Context(), p, after(70))
	if err != nil || len(wrong) > 0 {
		t.Errorf("the store is not sound: %v %v", wrong, err)
	}
}

func testCopy(t *testing.T, from, to Opener) {
	src := furnished(t, from)
	sound(t, portable(t, src.Store))
	open := to(t)
	dst := &suite{T: t, open: open, Store: open()}
	done := 0
	res, err := store.Copy(t.Context(), portable(t, src.Store), portable(t, dst.Store), func(n, of int) { done = n * 100 / of })
	dst.ok(err)
	same(dst, "what was copied", res.Counts, map[string]int{
		"counters": 1, "feeds": 3, "items": 7, "hits": 4, "purged": 1, "subscribers": 4, "dead letters": 1, "deliveries": 1, "notices": 1, "amendments": 1,
		"readers": 3, "signing keys": 1,
	})
	if done != 100 || res.Written != len(res.Rows) {
		t.Errorf("%d %% done, %d of %d rows written", done, res.Written, len(res.Rows))
	}
	sound(t, portable(t, dst.Store))

	// What is seen through the contract is the same, and so is what comes next.
	a, b := src.counts(), dst.counts()
	a.Bytes, b.Bytes = 0, 0
	same(dst, "counts", b, a)
	for _, s := range []*suite{src, dst} {
		s.enrol(after(66), "desk", "gone", "waits")
		s.sync(after(66), "a", "b", "never")
	}
	compare := func(what string, get func(*suite) any) {
		t.Helper()
		same(dst, what, get(dst), get(src))
	}
	compare("states", func(s *suite) any { v, err := s.States(s.ctx(), store.StateQuery{}); s.ok(err); return v })
	compare("standings", func(s *suite) any { v, err := s.Standings(s.ctx()); s.ok(err); return v })
	compare("hits", func(s *suite) any { v, err := s.Hits(s.ctx(), store.HitQuery{Quiet: true}); s.ok(err); return v })
	compare("the tally", func(s *suite) any { v, err := s.Tally(s.ctx(), []time.Time{t0, after(1)}); s.ok(err); return v })
	compare("the log", func(s *suite) any { v, err := s.Window(s.ctx(), 0, 100); s.ok(err); return v })
	compare("amendments", func(s *suite) any { v, err := s.Amendments(s.ctx(), 0, 100); s.ok(err); return v })
	compare("the census", func(s *suite) any { v, err := s.Census(s.ctx(), after(200)); s.ok(err); return v })
	compare("the reads", func(s *suite) any { v, err := s.Reads(s.ctx()); s.ok(err); return v })
	compare("notices", func(s *suite) any { v, err := s.LatestNotices(s.ctx(), 0, 0); s.ok(err); return v })
	compare("letters", func(s *suite) any { v, err := s.DeadLetters(s.ctx()); s.ok(err); return v })
	compare("deliveries", func(s *suite) any { v, err := s.Deliveries(s.ctx(), "", 0); s.ok(err); return v })
	compare("readers", func(s *suite) any { return s.allReaders() })
	compare("the signing key", func(s *suite) any { v, err := s.SigningKey(s.ctx()); s.ok(err); return v })
	compare("letters that are owed", func(s *suite) any {
		v, err := s.ClaimLetters(s.ctx(), after(90), 10, after(95))
		s.ok(err)
		return v
	})
	compare("what is new", func(s *suite) any {
		v, err := s.Unseen(s.ctx(), "a", sightings(item("a", 0), item("a", 1), item("a", 9), item("a", 5)))
		s.ok(err)
		return v
	})
	compare("resuming", func(s *suite) any { return s.Resume(s.ctx(), "gone", after(94)) })
	compare("turns", func(s *suite) any {
		ts := s.turns(after(95))
		for i := range ts {
			ts[i].Lease.Token = 0
		}
		return ts
	})
	compare("a poll", func(s *suite) any {
		var fresh []classifier.Hit
		for _, c := range s.claim(after(200)) {
			b := batch(c, after(200), item(c.State.FeedID, 20))
			b.Hits = []classifier.Hit{hit(item(c.State.FeedID, 20), after(200), "r1")}
			fresh = append(fresh, s.put(b)...)
		}
		return fresh
	})
	compare("deletions", func(s *suite) any {
		sw, err := s.Sweep(s.ctx(), after(1_000_000), store.Retention{Hits: time.Hour, Items: time.Hour, Seen: time.Hour})
		s.ok(err)
		return sw
	})
}

func testCopyBrokenOff(t *testing.T, from, to Opener) {
	src, dst := furnished(t, from), to(t)()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	// Broken off when half has been written, row by row.
	half := &stopAfter{Portable: portable(t, dst), rows: 8, stop: cancel}
	if _, err := store.Copy(ctx, portable(t, src.Store), half, nil); !errors.Is(err, context.Canceled) {
		t.Fatalf("broken off, Copy says %v", err)
	}
	res, err := store.Copy(t.Context(), portable(t, src.Store), portable(t, dst), nil)
	src.ok(err)
	if want := len(res.Rows) - 8; res.Written != want {
		t.Errorf("the second copy wrote %d rows, want the %d that were missing", res.Written, want)
	}
	again, err := store.Copy(t.Context(), portable(t, src.Store), portable(t, dst), nil)
	src.ok(err)
	if again.Written != 0 {
		t.Errorf("a third wrote %d rows", again.Written)
	}
	sound(t, portable(t, dst))
}

// stopAfter ends its context when so many rows were restored.
type stopAfter struct {
	store.Portable
	rows int
	stop func()
}

func (s *stopAfter) Restore(ctx context.Context, rows []store.Row) error {
	if err := s.Portable.Restore(ctx, rows[:min(s.rows, len(rows))]); err != nil {
		return err
	}
	s.stop()
	return ctx.Err()
}

func testCopyOccupied(t *testing.T, from, to Opener) {
	src, open := furnished(t, from), to(t)
	dst := &suite{T: t, open: open, Store: open()}
	dst.sync(t0, "another")
	if _, err := store.Copy(t.Context(), portable(t, src.Store), portable(t, dst.Store), nil); !errors.Is(err, store.ErrOccupied) {
		t.Errorf("Copy over another's feeds says %v", err)
	}
	same(dst, "its feeds", dst.counts().Feeds, 1)
}

// testCheck puts in what must not be, a thing at a time.
func testCheck(t *testing.T, opener Opener) {
	stray := item("a", 77)
	for name, c := range map[string]struct {
		row  store.Row
		want string
	}{
		"a hit without its item": {store.Row{Hit: &classifier.Hit{
			Item: stray, Found: t0, Rules: []classifier.RuleMatch{{Rule: "r", Seq: 3}},
		}}, "not among the items seen of feed a"},
		"an item that was not seen": {store.Row{Item: &store.StoredItem{Item: stray, Stored: t0}}, "not among the items seen of feed a"},
		"a cursor past the log": {store.Row{Subscriber: &store.SubscriberRow{
			ID: "desk", Schedule: "@hourly", Cursor: 99, Since: t0, Next: t0,
		}}, "the cursor of subscriber desk is at 99"},
		"a log that lost its head":     {store.Row{Counters: &store.Counters{Head: 1, Token: 100}}, "which ends at 1"},
		"a token that was never given": {store.Row{Counters: &store.Counters{Head: 3}}, "token that was never given"},
		"a feed that is never due":     {store.Row{Feed: &store.FeedRow{State: fetcher.State{FeedID: "z"}}}, "feed z has no next check"},
		"a hit that nobody hears of": {store.Row{Hit: &classifier.Hit{
			Item: item("a", 0), Found: t0, Rules: []classifier.RuleMatch{{Rule: "r"}},
		}}, "no digest tells of it"},
		"a reader that is sent nothing": {store.Row{Reader: &store.Reader{
			ID: readerID("idle"), Contact: contact("idle"), State: store.ReaderActive,
		}}, "is active and has no turn"},
		"an address that was to be forgotten": {store.Row{Reader: &store.Reader{
			ID: readerID("left"), Contact: contact("left"), State: store.ReaderLeft, Address: "left@example.org",
		}}, "has left and its address is kept"},
		"a turn of nobody": {store.Row{Subscriber: &store.SubscriberRow{
			ID: readerID("asks"), Schedule: "@hourly", Since: t0, Next: t0,
		}}, "has a turn and is no active reader"},
		"what a purged item said": {store.Row{Amendment: &notify.Amendment{
			Seq: 1, At: t0, Hit: classifier.Hit{Item: item("a", 9)}, Was: "Secret",
		}}, "an amendment tells what it said"},
		"a log that begins behind its cursor": {store.Row{Subscriber: &store.SubscriberRow{
			ID: "desk", Schedule: "@hourly", Cursor: 1, Begin: 2, Since: t0, Next: t0,
		}}, "the log of subscriber desk begins at 2, and its cursor is at 1"},
		"a purged item": {store.Row{Purged: &store.PurgedRow{Feed: "a", Item: item("a", 0).ID}}, "was purged and is there"},
	} {
		s := furnished(t, opener)
		p := portable(t, s.Store)
		sound(t, p)
		s.ok(p.Restore(s.ctx(), []store.Row{c.row}))
		wrong, err := store.Check(s.ctx(), p, after(70))
		s.ok(err)
		if !strings.Contains(strings.Join(wrong, "\n"), c.want) {
			t.Errorf("%s: Check says %q, want %q", name, wrong, c.want)
		}
	}
}
