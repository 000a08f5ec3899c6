package storetest

import (
	"cmp"
	"slices"
	"time"

	"github.com/newswatch/newswatch/lease"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

type modelSub struct {
	id, schedule  string
	in            bool
	left          time.Time
	due           turnQueue
	ended         int64
	cursor, begin int64
	since         time.Time
	pending       *notify.Digest
	attempts      int
	firstTry      time.Time
	lastError     string
	lastSent      time.Time
	paused        *notify.Pause
	refusals      int
}

type modelLetter struct {
	notify.DeadLetter
	subscriber string
	asked      time.Time
}

func (m *model) enrol(subs []store.Enrolment, now time.Time) {
	for _, e := range subs {
		m.enlist(e)
	}
	for id, s := range m.subs {
		if s.in && !store.IsReader(id) && !slices.ContainsFunc(subs, func(e store.Enrolment) bool { return e.ID == id }) {
			s.in, s.left = false, now
		}
	}
}

func (m *model) enlist(e store.Enrolment) {
	s := m.subs[e.ID]
	if s == nil {
		s = &modelSub{id: e.ID, schedule: e.Schedule, since: e.Since, cursor: m.head}
		s.due.next = e.Next
		for _, h := range m.hits {
			if first := firstIn(h, 0, m.head); first > 0 && !h.Found.Before(e.Since) {
				s.cursor = min(s.cursor, first-1)
			}
		}
		for _, n := range m.notices {
			if !n.At.Before(e.Since) {
				s.cursor = min(s.cursor, n.Seq-1)
			}
		}
		s.begin = s.cursor
		m.subs[e.ID] = s
	}
	if s.schedule != e.Schedule {
		s.schedule = e.Schedule
		if s.pending == nil {
			s.due.next = e.Next
			if !s.due.until.IsZero() {
				s.due.asked = sooner(s.due.asked, e.Next)
			}
		}
	}
	s.in, s.left = true, time.Time{}
}

func (m *model) turnable(now time.Time) []*modelSub {
	var out []*modelSub
	for _, s := range m.subs {
		if s.in && s.paused == nil && !s.due.at().After(now) {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b *modelSub) int {
		return cmp.Or(a.due.at().Compare(b.due.at()), cmp.Compare(a.id, b.id))
	})
	return out
}

// claimTurn leases the subscriber's turn and says what the store must answer.
func (m *model) claimTurn(s *modelSub, l lease.Lease) notify.Turn {
	if s.pending == nil {
		if l := m.nextLetter(s.id); l != nil {
			d := l.Digest
			s.pending = &d
			m.letters = slices.DeleteFunc(m.letters, func(o *modelLetter) bool { return o == l })
		}
	}
	s.due.token, s.due.until, s.due.asked = l.Token, l.Until, time.Time{}
	return notify.Turn{
		Lease: l, Subscriber: s.id, Cursor: s.cursor, Begin: s.begin, Since: s.since, Head: m.head,
		Pending: s.pending, Attempts: s.attempts, FirstTry: s.firstTry, Refusals: s.refusals,
	}
}

// nextLetter is the letter of a subscriber that has waited longest to be sent
// again.
func (m *model) nextLetter(sub string) *modelLetter {
	var best *modelLetter
	for _, l := range m.letters {
		if l.subscriber == sub && l.Resending && (best == nil || l.asked.Before(best.asked)) {
			best = l
		}
	}
	return best
}

// end runs the last write of a turn.
func (m *model) end(l lease.Lease, next time.Time, run func(*modelSub) error) error {
	id, _, _ := store.SplitKey(l.Key)
	s := m.subs[id]
	switch {
	case s == nil:
		return lease.ErrLost
	case s.due.token == l.Token && s.ended == l.Token:
		return nil
	case !s.due.held(l):
		return lease.ErrLost
	}
	if err := run(s); err != nil {
		return err
	}
	s.due.end(next)
	if l := m.nextLetter(s.id); l != nil && s.pending == nil {
		s.due.next = sooner(s.due.next, l.asked)
	}
	s.ended = l.Token
	return nil
}

func (m *model) seal(l lease.Lease, d notify.Digest) error {
	id, _, _ := store.SplitKey(l.Key)
	s := m.subs[id]
	switch {
	case s == nil || !s.due.held(l):
		return lease.ErrLost
	case s.pending != nil && s.pending.ID != d.ID:
		return store.ErrPending
	case s.pending == nil:
		for _, g := range d.Groups {
			for _, e := range g.Entries {
				if m.purged[e.Item] {
					return store.ErrPurged
				}
			}
		}
		s.pending, s.attempts, s.firstTry, s.lastError = &d, 0, time.Time{}, ""
	}
	return nil
}

func (m *model) advance(l lease.Lease, to int64, until, next time.Time) error {
	return m.end(l, next, func(s *modelSub) error {
		if s.pending != nil {
			return store.ErrPending
		}
		s.moveOn(to, until)
		return nil
	})
}

func (s *modelSub) moveOn(to int64, until time.Time) {
	s.cursor = max(s.cursor, to)
	if until.After(s.since) {
		s.since = until
	}
}

func (m *model) ack(l lease.Lease, now, next time.Time) error {
	return m.end(l, next, func(s *modelSub) error {
		d := s.pending
		if d == nil {
			return store.ErrNoPending
		}
		m.sent = append(m.sent, notify.Delivery{
			Digest: d.ID, Subscriber: s.id, Entries: d.Entries, Hits: d.Hits, Attempts: s.attempts + 1, Accepted: now,
		})
		s.moveOn(d.To, d.Until)
		s.pending, s.attempts, s.firstTry, s.lastError, s.lastSent = nil, 0, time.Time{}, "", now
		s.refusals = 0
		return nil
	})
}

func (m *model) retry(l lease.Lease, now, next time.Time, reason string) error {
	return m.end(l, next, func(s *modelSub) error {
		if s.pending == nil {
			return store.ErrNoPending
		}
		s.attempts++
		s.lastError = reason
		if s.firstTry.IsZero() {
			s.firstTry = now
		}
		return nil
	})
}

func (m *model) bury(l lease.Lease, now, next time.Time, b notify.Burial) error {
	return m.end(l, next, func(s *modelSub) error {
		d := s.pending
		if d == nil {
			return store.ErrNoPending
		}
		m.letters = append(m.letters, &modelLetter{subscriber: s.id, DeadLetter: notify.DeadLetter{
			Digest: *d, Reason: b.Reason, Attempts: s.attempts + 1, Buried: now,
		}})
		s.moveOn(d.To, d.Until)
		s.pending, s.attempts, s.firstTry, s.lastError = nil, 0, time.Time{}, b.Reason
		if b.Refused {
			s.refusals++
		}
		if b.Pause && s.paused == nil {
			s.paused = &notify.Pause{Since: now, By: notify.ByReceiver, Why: b.Reason}
		}
		return nil
	})
}

func (m *model) pause(id string, p notify.Pause) error {
	s := m.subs[id]
	if s == nil {
		return store.ErrNotFound
	}
	if s.paused == nil {
		s.paused = &p
	}
	return nil
}

func (m *model) resume(id string, now time.Time) error {
	s := m.subs[id]
	if s == nil {
		return store.ErrNotFound
	}
	if s.paused == nil {
		return nil
	}
	s.paused, s.refusals = nil, 0
	if s.pending != nil && s.due.until.IsZero() {
		s.due.next = sooner(s.due.next, now)
	}
	return nil
}

func (m *model) resend(id string, now time.Time) error {
	i := slices.IndexFunc(m.letters, func(l *modelLetter) bool { return l.Digest.ID == id })
	if i < 0 {
		return store.ErrNotFound
	}
	l := m.letters[i]
	if !l.Resending {
		l.Resending, l.asked = true, now
	}
	if s := m.subs[l.subscriber]; s != nil && s.due.until.IsZero() && s.pending == nil {
		s.due.next = sooner(s.due.next, now)
	}
	return nil
}

func (m *model) drop(id string) error {
	n := len(m.letters)
	m.letters = slices.DeleteFunc(m.letters, func(l *modelLetter) bool { return l.Digest.ID == id })
	if len(m.letters) == n {
		return store.ErrNotFound
	}
	return nil
}

func (m *model) standings() []store.Standing {
	var out []store.Standing
	for _, s := range m.subs {
		if !s.in {
			continue
		}
		st := store.Standing{
			Subscriber: s.id, Cursor: s.cursor, Begin: s.begin, Since: s.since, Next: s.due.next,
			Attempts: s.attempts, LastError: s.lastError, LastSent: s.lastSent,
			Paused: s.paused, Refusals: s.refusals,
		}
		if s.pending != nil {
			st.Pending = s.pending.ID
		}
		out = append(out, st)
	}
	slices.SortFunc(out, func(a, b store.Standing) int { return cmp.Compare(a.Subscriber, b.Subscriber) })
	return out
}

func (m *model) deadLetters() []notify.DeadLetter {
	var out []notify.DeadLetter
	for _, l := range m.letters {
		out = append(out, l.DeadLetter)
	}
	slices.SortStableFunc(out, func(a, b notify.DeadLetter) int { return a.Buried.Compare(b.Buried) })
	return out
}

func (m *model) deliveries() []notify.Delivery {
	out := slices.Clone(m.sent)
	slices.Reverse(out)
	slices.SortStableFunc(out, func(a, b notify.Delivery) int { return b.Accepted.Compare(a.Accepted) })
	return out
}
