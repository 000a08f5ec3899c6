package storetest

import (
	"time"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// lost is a notice that a feed is lost.
func lost(feedID string, now time.Time) notify.Notice {
	return notify.Notice{
		ID: notify.NoticeID(notify.SourceLost, feedID, now.UTC().Format(time.RFC3339)), At: now,
		Kind: notify.SourceLost, Subject: feedID, Text: feedID + " is lost.",
	}
}

func texts(ns []notify.Notice) (out []string) {
	for _, n := range ns {
		out = append(out, n.Text)
	}
	return out
}

// notices are those of a stretch of the log.
func (s *suite) notices(from, to int64) []notify.Notice {
	s.Helper()
	ns, err := s.Notices(s.ctx(), from, to)
	s.ok(err)
	return ns
}

var noticeTests = []testCase{
	{"ANoticeTakesAPlaceInTheLog", func(s *suite) {
		s.hits(t0, "a", 2, "r")
		n := lost("a", t0.In(time.FixedZone("IST", 19800)).Add(time.Microsecond))
		s.ok(s.Post(s.ctx(), n))
		s.ok(s.Post(s.ctx(), n)) // a second replica
		s.ok(s.Post(s.ctx(), lost("b", after(1))))
		want := n
		want.Seq, want.At = 3, t0
		same(s, "the log's", s.notices(0, 99)[0], want)
		same(s, "head", s.counts().Head, int64(4))
		same(s, "before it", texts(s.notices(0, 2)), nil)
		same(s, "up to it", texts(s.notices(2, 3)), []string{"a is lost."})
		same(s, "behind it", texts(s.notices(3, 99)), []string{"b is lost."})
		window, err := s.Window(s.ctx(), 0, 99)
		s.ok(err)
		same(s, "hits", len(window), 2)
		latest, err := s.LatestNotices(s.ctx(), 0, 1)
		s.ok(err)
		same(s, "latest", texts(latest), []string{"b is lost."})
		latest, err = s.LatestNotices(s.ctx(), latest[0].Seq, 9)
		s.ok(err)
		same(s, "before that", texts(latest), []string{"a is lost."})
	}},
	{"ANoticeOfAPollIsRecordedWithIt", func(s *suite) {
		s.sync(t0, "a")
		late := s.claimOne(t0)
		c := s.claimOne(after(10))
		b := batch(c, after(10), item("a", 1))
		b.Hits = append(b.Hits, hit(item("a", 1), after(10), "r"))
		b.Notices = []notify.Notice{lost("a", after(10)), lost("a", after(10))}
		stale := b
		stale.Lease = late.Lease
		if _, err := s.Record(s.ctx(), stale); err == nil {
			s.Fatal("a late holder could write")
		}
		same(s, "of a late holder", texts(s.notices(0, 99)), nil)
		for range 2 { // the answer to the first was lost
			same(s, "new in the log", len(s.put(b)), 1)
		}
		same(s, "the log's", texts(s.notices(1, 99)), []string{"a is lost."})
		same(s, "head", s.counts().Head, int64(2))
		// The same transition, noticed again by a process that was restored from a
		// backup.
		b = batch(s.claimOne(after(100)), after(100))
		b.Notices = []notify.Notice{lost("a", after(10))}
		s.put(b)
		same(s, "head", s.counts().Head, int64(2))
	}},
	{"ANoticeThatIsNoneIsRefused", func(s *suite) {
		s.sync(t0, "a")
		c := s.claimOne(t0)
		for _, n := range []notify.Notice{
			{},
			{ID: "x", At: t0, Kind: "gossip", Text: "x"},
			{ID: "x", At: t0, Kind: notify.SourceLost},
			{ID: "x", Kind: notify.SourceLost, Text: "x"},
			{At: t0, Kind: notify.SourceLost, Text: "x"},
		} {
			if s.Post(s.ctx(), n) == nil {
				s.Errorf("%+v was posted", n)
			}
			b := batch(c, t0)
			b.Notices = []notify.Notice{n}
			if _, err := s.Record(s.ctx(), b); err == nil {
				s.Errorf("%+v was recorded", n)
			}
		}
		same(s, "head", s.counts().Head, int64(0))
	}},
	{"ANewSubscriberHearsOfRecentNotices", func(s *suite) {
		s.ok(s.Post(s.ctx(), lost("old", after(-60))))
		s.ok(s.Post(s.ctx(), lost("new", t0)))
		s.enrol(after(1), "desk")
		tn := s.turn(after(1))
		same(s, "news", texts(s.notices(tn.Cursor, tn.Head)), []string{"new is lost."})
	}},
	{"SweepTakesOldNotices", func(s *suite) {
		s.ok(s.Post(s.ctx(), lost("old", t0)))
		s.ok(s.Post(s.ctx(), lost("new", after(10))))
		sw, err := s.Sweep(s.ctx(), after(60), store.Retention{Hits: time.Hour})
		s.ok(err)
		same(s, "at the very age", sw, store.Swept{})
		sw, err = s.Sweep(s.ctx(), after(61), store.Retention{Hits: time.Hour})
		s.ok(err)
		same(s, "swept", sw, store.Swept{Notices: 1})
		same(s, "left", texts(s.notices(0, 99)), []string{"new is lost."})
	}},
}
