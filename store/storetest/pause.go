package storetest

import (
	"time"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

func (s *suite) due() time.Time {
	s.Helper()
	at, err := s.NextDue(s.ctx())
	s.ok(err)
	return at
}

var pauseTests = []testCase{
	{"APausedSubscriberKeepsWhatIsItsOwn", func(s *suite) {
		s.hits(t0, "a", 2, "r")
		s.sync(t0) // so that only the subscriber is due
		s.enrol(t0, "desk")
		tn := s.turn(t0)
		d := digest(tn, nil, t0)
		s.ok(s.Seal(s.ctx(), tn.Lease, d))
		s.ok(s.Retry(s.ctx(), tn.Lease, t0, after(30), "busy"))
		p := notify.Pause{Since: after(1), By: notify.ByOperator, Why: "on leave"}
		s.ok(s.Pause(s.ctx(), "desk", p))
		s.ok(s.Pause(s.ctx(), "desk", notify.Pause{Since: after(2), By: notify.ByReceiver, Why: "later"}))
		want := store.Standing{Subscriber: "desk", Since: t0, Next: after(30), Pending: d.ID, Attempts: 1, LastError: "busy", Paused: &p}
		same(s, "standing", standing(s, "desk"), want)
		same(s, "due", s.due(), time.Time{})
		s.ok(s.SendNow(s.ctx(), nil, after(3)))
		same(s, "turns", len(s.turns(after(500))), 0)

		// Another process sees it too, and resumes it.
		s.ok(s.Store.Close())
		s.Store = s.open()
		same(s, "turns", len(s.turns(after(500))), 0)
		s.ok(s.Resume(s.ctx(), "desk", after(501)))
		s.ok(s.Resume(s.ctx(), "desk", after(502)))
		want.Paused, want.Next = nil, after(3)
		same(s, "resumed", standing(s, "desk"), want)
		tn = s.turn(after(501))
		same(s, "pending", tn.Pending, &d)
		same(s, "attempts", tn.Attempts, 1)
	}},
	{"ResumeSendsWhatIsPendingAtOnce", func(s *suite) {
		s.enrol(t0, "desk")
		tn := s.turn(t0)
		s.ok(s.Seal(s.ctx(), tn.Lease, digest(tn, nil, t0)))
		s.ok(s.Retry(s.ctx(), tn.Lease, t0, after(900), "busy"))
		s.ok(s.Pause(s.ctx(), "desk", notify.Pause{Since: t0, By: notify.ByOperator}))
		s.ok(s.Resume(s.ctx(), "desk", after(5)))
		same(s, "due", s.due(), after(5))
	}},
	{"ResumeKeepsTheNextTurn", func(s *suite) {
		s.enrol(after(60), "desk")
		s.ok(s.Resume(s.ctx(), "desk", t0)) // it was not paused
		s.ok(s.Pause(s.ctx(), "desk", notify.Pause{Since: t0, By: notify.ByOperator}))
		s.ok(s.Resume(s.ctx(), "desk", after(5)))
		same(s, "due", s.due(), after(60))
	}},
	{"ATurnUnderWayMayEndInAPause", func(s *suite) {
		s.enrol(t0, "desk")
		tn := s.turn(t0)
		s.ok(s.Pause(s.ctx(), "desk", notify.Pause{Since: t0, By: notify.ByOperator}))
		held, err := s.Renew(s.ctx(), leases(tn), after(20))
		s.ok(err)
		same(s, "held", keys(held), []string{"subscriber/desk"})
		same(s, "due", s.due(), time.Time{})
		s.ok(s.Seal(s.ctx(), tn.Lease, digest(tn, nil, t0)))
		s.ok(s.Ack(s.ctx(), tn.Lease, after(1), after(2)))
		same(s, "turns", len(s.turns(after(99))), 0)
		s.ok(s.Resume(s.ctx(), "desk", after(100)))
		same(s, "the turn that passed", len(s.turns(after(100))), 1)
	}},
	{"ALeaseThatRanOutInAPauseIsTakenOverAfterIt", func(s *suite) {
		s.enrol(t0, "desk")
		late := s.turn(t0)
		s.ok(s.Pause(s.ctx(), "desk", notify.Pause{Since: t0, By: notify.ByOperator}))
		s.ok(s.Resume(s.ctx(), "desk", after(1)))
		same(s, "while the lease lasts", len(s.turns(after(1))), 0)
		s.ok(s.Pause(s.ctx(), "desk", notify.Pause{Since: t0, By: notify.ByOperator}))
		same(s, "paused", len(s.turns(after(99))), 0)
		s.ok(s.Resume(s.ctx(), "desk", after(99)))
		if tn := s.turn(after(99)); tn.Lease.Token <= late.Lease.Token {
			s.Fatal("the token did not grow")
		}
	}},
	{"BuryCountsRefusalsAndPauses", func(s *suite) {
		s.enrol(t0, "desk")
		bury := func(minute int, b notify.Burial) notify.Digest {
			s.Helper()
			tn := s.turn(after(minute))
			d := digest(tn, nil, after(minute))
			d.ID += after(minute).String()
			s.ok(s.Seal(s.ctx(), tn.Lease, d))
			s.ok(s.Bury(s.ctx(), tn.Lease, after(minute), after(minute+1), b))
			s.ok(s.Bury(s.ctx(), tn.Lease, after(minute), after(minute+1), b)) // the answer to the first was lost
			return d
		}
		bury(0, notify.Burial{Reason: "too big"})
		same(s, "of the message's own fault", standing(s, "desk").Refusals, 0)
		bury(1, notify.Burial{Reason: "no such mailbox", Refused: true})
		same(s, "refused once", standing(s, "desk").Refusals, 1)
		tn := s.turn(after(2))
		same(s, "the turn's", tn.Refusals, 1)
		s.ok(s.Seal(s.ctx(), tn.Lease, digest(tn, nil, after(2))))
		s.ok(s.Ack(s.ctx(), tn.Lease, after(2), after(3)))
		same(s, "accepted", standing(s, "desk").Refusals, 0)
		d := bury(3, notify.Burial{Reason: "gone", Refused: true, Pause: true})
		st := standing(s, "desk")
		same(s, "paused", st.Paused, &notify.Pause{Since: after(3), By: notify.ByReceiver, Why: "gone"})
		same(s, "refusals", st.Refusals, 1)
		same(s, "turns", len(s.turns(after(500))), 0)
		// A dead letter that is asked for waits for the end of the pause.
		s.ok(s.Resend(s.ctx(), d.ID, after(501)))
		same(s, "turns", len(s.turns(after(501))), 0)
		s.ok(s.Resume(s.ctx(), "desk", after(502)))
		same(s, "refusals", standing(s, "desk").Refusals, 0)
		same(s, "pending", s.turn(after(502)).Pending, &d)
	}},
	{"AnOperatorsPauseIsNotTakenOver", func(s *suite) {
		s.enrol(t0, "desk")
		tn := s.turn(t0)
		s.ok(s.Seal(s.ctx(), tn.Lease, digest(tn, nil, t0)))
		p := notify.Pause{Since: after(1), By: notify.ByOperator, Why: "moved"}
		s.ok(s.Pause(s.ctx(), "desk", p))
		s.ok(s.Bury(s.ctx(), tn.Lease, after(2), after(3), notify.Burial{Reason: "gone", Refused: true, Pause: true}))
		same(s, "paused", standing(s, "desk").Paused, &p)
	}},
	{"OneThatLeftStaysPaused", func(s *suite) {
		s.is(s.Pause(s.ctx(), "desk", notify.Pause{Since: t0, By: notify.ByOperator}), store.ErrNotFound)
		s.is(s.Resume(s.ctx(), "desk", t0), store.ErrNotFound)
		s.enrol(t0, "desk")
		s.ok(s.Enrol(s.ctx(), nil, after(1)))
		s.ok(s.Pause(s.ctx(), "desk", notify.Pause{Since: after(2), By: notify.ByOperator}))
		s.ok(s.Enrol(s.ctx(), []store.Enrolment{{ID: "desk", Schedule: "another", Next: after(3), Since: t0}}, after(3)))
		same(s, "turns", len(s.turns(after(99))), 0)
		same(s, "paused", standing(s, "desk").Paused, &notify.Pause{Since: after(2), By: notify.ByOperator})
		s.ok(s.Resume(s.ctx(), "desk", after(99)))
		same(s, "turns", len(s.turns(after(99))), 1)
	}},
}
