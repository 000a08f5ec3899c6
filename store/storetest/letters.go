package storetest

import (
	"fmt"
	"time"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// bury makes a dead letter of a digest with the subscriber's n-th id, and leaves
// the subscriber due at the given minute.
func (s *suite) bury(n, minute, next int) notify.Digest {
	s.Helper()
	tn := s.turn(after(minute))
	d := digest(tn, nil, after(minute))
	d.ID = fmt.Sprintf("letter-%d", n)
	s.ok(s.Seal(s.ctx(), tn.Lease, d))
	s.ok(s.Bury(s.ctx(), tn.Lease, after(minute), after(next), notify.Burial{Reason: "rejected"}))
	return d
}

func (s *suite) letters() []notify.DeadLetter {
	s.Helper()
	ls, err := s.DeadLetters(s.ctx())
	s.ok(err)
	return ls
}

var letterTests = []testCase{
	{"ADeadLetterDoesNotBlockWhatFollows", func(s *suite) {
		s.hits(t0, "a", 2, "r")
		s.enrol(t0, "desk")
		tn := s.turn(t0)
		d := digest(tn, nil, t0)
		s.ok(s.Seal(s.ctx(), tn.Lease, d))
		s.ok(s.Retry(s.ctx(), tn.Lease, t0, after(1), "deferred"))
		tn = s.turn(after(1))
		s.ok(s.Bury(s.ctx(), tn.Lease, after(1), after(60), notify.Burial{Reason: "rejected"}))
		same(s, "letters", s.letters(), []notify.DeadLetter{{Digest: d, Reason: "rejected", Attempts: 2, Buried: after(1)}})
		same(s, "standing", standing(s, "desk"), store.Standing{
			Subscriber: "desk", Cursor: 2, Since: t0, Next: after(60), LastError: "rejected",
		})
		same(s, "count", s.counts().DeadLetters, 1)
		tn = s.turn(after(60))
		if tn.Pending != nil {
			s.Fatal("the dead letter is still pending")
		}
		s.ok(s.Seal(s.ctx(), tn.Lease, digest(tn, nil, after(60))))
	}},
	{"LettersAreListedOldestFirst", func(s *suite) {
		s.enrol(t0, "desk")
		s.bury(1, 5, 0)
		s.bury(2, 3, 0)
		s.bury(3, 3, 0)
		var ids []string
		for _, l := range s.letters() {
			ids = append(ids, l.Digest.ID)
		}
		same(s, "ids", ids, []string{"letter-2", "letter-3", "letter-1"})
	}},
	{"LettersAreResentInTheOrderAskedFor", func(s *suite) {
		s.enrol(t0, "desk")
		one, two, three := s.bury(1, 0, 1), s.bury(2, 1, 2), s.bury(3, 2, 1000)
		s.ok(s.Resend(s.ctx(), three.ID, after(10)))
		s.ok(s.Resend(s.ctx(), one.ID, after(11)))
		s.ok(s.Resend(s.ctx(), two.ID, after(11)))
		s.ok(s.Resend(s.ctx(), three.ID, after(12))) // asking twice does not put it back
		for _, l := range s.letters() {
			same(s, "resending", l.Resending, true)
		}
		for i, want := range []notify.Digest{three, one, two} {
			tn := s.turn(after(12))
			same(s, "pending", tn.Pending, &want)
			same(s, "attempts", tn.Attempts, 0)
			same(s, "left", len(s.letters()), 2-i)
			s.ok(s.Ack(s.ctx(), tn.Lease, after(12), after(1000)))
		}
		same(s, "turns", len(s.turns(after(999))), 0)
		ds, err := s.Deliveries(s.ctx(), "desk", 0)
		s.ok(err)
		same(s, "newest first", []string{ds[0].Digest, ds[1].Digest, ds[2].Digest}, []string{two.ID, one.ID, three.ID})
		ds, err = s.Deliveries(s.ctx(), "", 2)
		s.ok(err)
		same(s, "limit", len(ds), 2)
		ds, err = s.Deliveries(s.ctx(), "nobody", 0)
		s.ok(err)
		same(s, "another's", len(ds), 0)
	}},
	{"AResentLetterWaitsForThePendingDigest", func(s *suite) {
		s.enrol(t0, "desk")
		old := s.bury(1, 0, 1)
		tn := s.turn(after(1))
		d := digest(tn, nil, after(1))
		s.ok(s.Seal(s.ctx(), tn.Lease, d))
		s.ok(s.Retry(s.ctx(), tn.Lease, after(1), after(30), "deferred"))
		s.ok(s.Resend(s.ctx(), old.ID, after(2)))
		same(s, "the pending one keeps its time", len(s.turns(after(29))), 0)
		tn = s.turn(after(30))
		same(s, "pending", tn.Pending, &d)
		s.ok(s.Ack(s.ctx(), tn.Lease, after(30), after(1000)))
		tn = s.turn(after(31))
		same(s, "then the letter", tn.Pending, &old)
		s.ok(s.Bury(s.ctx(), tn.Lease, after(31), after(1000), notify.Burial{Reason: "again"}))
		same(s, "buried again", s.letters(), []notify.DeadLetter{{Digest: old, Reason: "again", Attempts: 1, Buried: after(31)}})
	}},
	{"AResentLetterDoesNotMoveTheCursorBack", func(s *suite) {
		s.hits(t0, "a", 3, "r")
		s.enrol(t0, "desk")
		for i, end := range []func(notify.Turn) error{
			func(tn notify.Turn) error { return s.Ack(s.ctx(), tn.Lease, after(9), after(10)) },
			func(tn notify.Turn) error {
				return s.Bury(s.ctx(), tn.Lease, after(9), after(10), notify.Burial{Reason: "again"})
			},
		} {
			now := after(20 * i)
			s.ok(s.SendNow(s.ctx(), nil, now))
			tn := s.turn(now)
			d := digest(tn, nil, t0.Add(-time.Hour))
			d.ID, d.To = fmt.Sprintf("old-%d", i), 1
			s.ok(s.Seal(s.ctx(), tn.Lease, d))
			s.ok(s.Bury(s.ctx(), tn.Lease, now, now, notify.Burial{Reason: "rejected"}))
			s.ok(s.Advance(s.ctx(), s.turn(now).Lease, 3, now, after(1000)))
			s.ok(s.Resend(s.ctx(), d.ID, now))
			s.ok(end(s.turn(now)))
			same(s, "cursor", standing(s, "desk").Cursor, int64(3))
			same(s, "since", standing(s, "desk").Since, now)
		}
	}},
	{"AResendDuringATurnIsNotForgotten", func(s *suite) {
		s.enrol(t0, "desk")
		old := s.bury(1, 0, 1)
		tn := s.turn(after(1))
		s.ok(s.Resend(s.ctx(), old.ID, after(2)))
		s.ok(s.Advance(s.ctx(), tn.Lease, 0, after(2), after(1000)))
		same(s, "pending", s.turn(after(2)).Pending, &old)
	}},
	{"ALetterOfOneThatLeftWaitsForIt", func(s *suite) {
		s.enrol(t0, "desk")
		old := s.bury(1, 0, 1000)
		s.ok(s.Enrol(s.ctx(), nil, after(1)))
		s.ok(s.Resend(s.ctx(), old.ID, after(2)))
		same(s, "turns", len(s.turns(after(3))), 0)
		s.enrol(after(4), "desk")
		same(s, "pending", s.turn(after(4)).Pending, &old)
	}},
	{"DropDeletesALetter", func(s *suite) {
		s.enrol(t0, "desk")
		old := s.bury(1, 0, 1000)
		s.ok(s.Drop(s.ctx(), old.ID))
		same(s, "letters", len(s.letters()), 0)
		s.is(s.Drop(s.ctx(), old.ID), store.ErrNotFound)
		s.is(s.Resend(s.ctx(), old.ID, after(1)), store.ErrNotFound)
	}},
}
