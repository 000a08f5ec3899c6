package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/lease"
	"github.com/newswatch/newswatch/store"
)

var stateTests = []testCase{
	{"APausedFeedIsNotClaimed", func(s *suite) {
		s.sync(t0, "a", "b")
		s.ok(s.PauseFeeds(s.ctx(), []string{"a", "nobody"}, true, after(1)))
		s.ok(s.PauseFeeds(s.ctx(), []string{"a"}, true, after(2)))
		same(s, "since when", s.state("a").Paused, after(1))
		same(s, "grade", s.state("a").Grade(), fetcher.Paused)
		same(s, "claimed", names(s.claim(after(60))), []string{"b"})
		s.ok(s.PollNow(s.ctx(), nil, after(61)))
		same(s, "claimed when all are asked for", names(s.claim(after(66))), []string{"b"})
		due, err := s.NextDue(s.ctx())
		s.ok(err)
		same(s, "next due", due, after(71))

		s.ok(s.PauseFeeds(s.ctx(), nil, false, after(67)))
		same(s, "no ids mean no feeds", names(s.claim(after(67))), nil)
		s.ok(s.PauseFeeds(s.ctx(), []string{"a"}, false, after(67)))
		c := s.claimOne(after(67))
		same(s, "due as it was", c.State.NextCheck, t0)
		same(s, "paused", c.State.Paused, time.Time{})
	}},
	{"AFeedMayBePausedWhileItIsPolled", func(s *suite) {
		s.sync(t0, "a")
		c := s.claimOne(t0)
		s.ok(s.PauseFeeds(s.ctx(), []string{"a"}, true, t0))
		held, err := s.Renew(s.ctx(), []lease.Lease{c.Lease}, after(9))
		s.ok(err)
		same(s, "held", len(held), 1)
		s.put(batch(c, after(1), item("a", 1)))
		same(s, "recorded, and paused", s.state("a").Paused, t0)
		same(s, "last poll", s.state("a").LastPoll, after(1))
		same(s, "claimed", names(s.claim(after(600))), nil)
		s.ok(s.PauseFeeds(s.ctx(), []string{"a"}, false, after(600)))
		s.claimOne(after(600))
	}},
	{"APauseOutlivesAnAbsence", func(s *suite) {
		s.sync(t0, "a", "b")
		s.ok(s.PauseFeeds(s.ctx(), []string{"a"}, true, t0))
		s.sync(t0, "b")
		s.ok(s.PauseFeeds(s.ctx(), []string{"a"}, false, t0)) // it is not there
		s.sync(t0, "a", "b")
		same(s, "claimed", names(s.claim(t0)), []string{"b"})
	}},
	{"FeedsAreCountedByGradeAndByTheLastRead", func(s *suite) {
		s.sync(t0, "a", "b", "c", "d", "e")
		census := func(late time.Time) store.Census {
			s.Helper()
			c, err := s.Census(s.ctx(), late)
			s.ok(err)
			return c
		}
		reads := func() store.Reads {
			s.Helper()
			r, err := s.Reads(s.ctx())
			s.ok(err)
			return r
		}
		same(s, "new feeds", census(t0), store.Census{Feeds: 5, Grades: map[fetcher.Grade]int{fetcher.Unread: 5}})
		same(s, "reads of new feeds", reads(), nil)
		same(s, "late", census(after(1)).Late, 5)
		for i, c := range s.claim(t0) {
			b := batch(c, after(i/2))
			b.State.Health.Grade = []fetcher.Grade{fetcher.Fine, fetcher.Fine, fetcher.Hard, fetcher.Silent, fetcher.Fine}[i]
			if i == 2 {
				b.State.LastSuccess = time.Time{}
			}
			s.put(b)
		}
		got, read := census(after(62)), reads() // those of the first minutes are due again
		same(s, "after a poll", got, store.Census{Feeds: 5, Grades: map[fetcher.Grade]int{fetcher.Fine: 3, fetcher.Silent: 1, fetcher.Hard: 1}, Late: 4})
		minute := t0.Unix() / 60
		same(s, "reads", read, store.Reads{{Minute: minute, Feeds: 2}, {Minute: minute + 1, Feeds: 1}, {Minute: minute + 2, Feeds: 1}})
		same(s, "read since", []int{read.Since(after(-9)), read.Since(t0.Add(time.Second)), read.Since(after(1)), read.Since(after(9))}, []int{4, 4, 2, 0})

		s.ok(s.PauseFeeds(s.ctx(), []string{"a", "c"}, true, t0))
		s.sync(t0, "a", "b", "c", "e")
		same(s, "with two paused and one gone", census(t0), store.Census{Feeds: 4, Grades: map[fetcher.Grade]int{fetcher.Fine: 2, fetcher.Paused: 2}})
		same(s, "reads with one gone", reads(), store.Reads{{Minute: minute, Feeds: 2}, {Minute: minute + 2, Feeds: 1}})
		s.ok(s.PauseFeeds(s.ctx(), []string{"a", "c"}, false, t0))
		s.sync(t0, "a", "b", "c", "d", "e")
		got.Late = 0
		same(s, "as it was", census(t0), got)
		same(s, "reads as they were", reads(), read)
	}},
	{"StatesComeInPages", func(s *suite) {
		var ids []string
		for i := range 25 {
			ids = append(ids, fmt.Sprintf("feed-%02d", i))
		}
		s.sync(t0, ids...)
		cs, err := s.ClaimFeeds(s.ctx(), t0, 100, ttl)
		s.ok(err)
		for i, c := range cs {
			b := batch(c, t0)
			b.State.Health.Grade = fetcher.Grades[i%3] // fine, unread, paused: the last by a mistake of ours
			s.put(b)
		}
		list := func(q store.StateQuery) (out []string) {
			s.Helper()
			states, err := s.States(s.ctx(), q)
			s.ok(err)
			for _, st := range states {
				out = append(out, st.FeedID)
			}
			return out
		}
		same(s, "first page", list(store.StateQuery{Limit: 2}), ids[:2])
		same(s, "next page", list(store.StateQuery{Limit: 2, After: ids[1]}), ids[2:4])
		same(s, "fine ones", list(store.StateQuery{Limit: 2, After: ids[3], Grades: []fetcher.Grade{fetcher.Fine}}), []string{ids[6], ids[9]})
		same(s, "unread ones", list(store.StateQuery{Limit: 2, Grades: []fetcher.Grade{fetcher.Unread, fetcher.Unread}}), []string{ids[1], ids[4]})
		same(s, "of two grades", list(store.StateQuery{Limit: 3, After: ids[2], Grades: []fetcher.Grade{fetcher.Fine, fetcher.Unread}}), []string{ids[3], ids[4], ids[6]})
		same(s, "of none that is there", list(store.StateQuery{Grades: []fetcher.Grade{fetcher.Soft}}), nil)
		some := []string{ids[7], "nobody", ids[6], ids[7], ids[8], ids[3]}
		same(s, "of some", list(store.StateQuery{IDs: some}), []string{ids[3], ids[6], ids[7], ids[8]})
		same(s, "the next of some", list(store.StateQuery{IDs: some, After: ids[3], Limit: 2}), []string{ids[6], ids[7]})
		same(s, "the fine ones of some", list(store.StateQuery{IDs: some, After: ids[3], Grades: []fetcher.Grade{fetcher.Fine}}), []string{ids[6]})
		same(s, "the unread ones of some", list(store.StateQuery{IDs: some, Grades: []fetcher.Grade{fetcher.Unread, fetcher.Hard}}), []string{ids[7]})
		same(s, "of one that is not there", list(store.StateQuery{IDs: []string{"nobody"}}), nil)
		s.sync(t0, append(slices.Clone(ids[:6]), ids[7:]...)...)
		same(s, "of one that left", list(store.StateQuery{IDs: ids[6:8]}), ids[7:8])
		s.sync(t0, ids...)
		var all []string
		for st, err := range store.AllStates(s.ctx(), s, store.StateQuery{}) {
			s.ok(err)
			all = append(all, st.FeedID)
		}
		same(s, "all", all, ids)
	}},
}
