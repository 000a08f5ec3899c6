package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/newswatch/newswatch/lease"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// subscriber is a row. There are few subscribers and their steps are many, so a
// row is read, changed here, and written back whole.
type subscriber struct {
	n                    int64
	id, schedule         string
	cursor, begin        int64
	since, next          int64
	asked, until, leftAt sql.NullInt64
	token, ended         int64
	pending              []byte
	pendingID            string
	attempts             int
	firstTry, lastSent   sql.NullInt64
	lastError            string
	pausedAt             sql.NullInt64
	pausedBy, pausedWhy  string
	refusals             int
}

const subscriberColumns = `n, id, schedule, cursor, begin, since, next, asked, until, left_at, token, ended,
	pending, pending_id, attempts, first_try, last_sent, last_error, paused_at, paused_by, paused_why, refusals`

func (s *subscriber) scan(r scanner) error {
	return r.Scan(&s.n, &s.id, &s.schedule, &s.cursor, &s.begin, &s.since, &s.next, &s.asked, &s.until, &s.leftAt, &s.token, &s.ended,
		&s.pending, &s.pendingID, &s.attempts, &s.firstTry, &s.lastSent, &s.lastError,
		&s.pausedAt, &s.pausedBy, &s.pausedWhy, &s.refusals)
}

func (t *tx) save(s *subscriber) error {
	_, err := t.exec(`UPDATE subscribers SET schedule = ?, cursor = ?, begin = ?, since = ?, next = ?, asked = ?, until = ?, left_at = ?,
		token = ?, ended = ?, pending = ?, pending_id = ?, attempts = ?, first_try = ?, last_sent = ?, last_error = ?,
		paused_at = ?, paused_by = ?, paused_why = ?, refusals = ? WHERE n = ?`,
		s.schedule, s.cursor, s.begin, s.since, s.next, s.asked, s.until, s.leftAt,
		s.token, s.ended, s.pending, s.pendingID, s.attempts, s.firstTry, s.lastSent, s.lastError,
		s.pausedAt, s.pausedBy, s.pausedWhy, s.refusals, s.n)
	return err
}

// pause puts the subscriber on hold, unless it is already.
func (s *subscriber) pause(p notify.Pause) {
	if !s.pausedAt.Valid {
		s.pausedAt, s.pausedBy, s.pausedWhy = milli(p.Since), string(p.By), p.Why
	}
}

// paused is the pause that the subscriber is in, or nil.
func (s *subscriber) paused() *notify.Pause {
	if !s.pausedAt.Valid {
		return nil
	}
	return &notify.Pause{Since: at(s.pausedAt), By: notify.PausedBy(s.pausedBy), Why: s.pausedWhy}
}

// digest decodes the pending digest, or returns nil.
func (s *subscriber) digest() (*notify.Digest, error) {
	if s.pending == nil {
		return nil, nil
	}
	d := new(notify.Digest)
	return d, store.Decode(s.pending, d)
}

// clear takes the pending digest away.
func (s *subscriber) clear() {
	s.pending, s.pendingID, s.attempts, s.firstTry, s.lastError = nil, "", 0, sql.NullInt64{}, ""
}

// moveOn puts the cursor behind a digest, unless it is there already.
func (s *subscriber) moveOn(d *notify.Digest) {
	s.cursor = max(s.cursor, d.To)
	s.since = max(s.since, d.Until.UnixMilli())
}

// ask makes the subscriber due at a time; during a turn it is remembered until
// that ends.
func (s *subscriber) ask(ms int64) {
	s.next = ms
	if s.until.Valid && (!s.asked.Valid || ms < s.asked.Int64) {
		s.asked = sql.NullInt64{Int64: ms, Valid: true}
	}
}

// Claim leases subscribers whose time has come.
func (s *Store) Claim(ctx context.Context, now time.Time, max int, ttl time.Duration) ([]notify.Turn, error) {
	var turns []notify.Turn
	until := store.Time(now.Add(ttl))
	err := s.w.do(ctx, func(t *tx) error {
		turns = nil
		var due []*subscriber
		err := t.rows(func(r scanner) error {
			sub := new(subscriber)
			due = append(due, sub)
			return sub.scan(r)
		}, `SELECT `+subscriberColumns+` FROM subscribers WHERE due <= ? ORDER BY due, id LIMIT ?`, now.UnixMilli(), maxRows(max))
		if err != nil || len(due) == 0 {
			return err
		}
		head, err := t.head()
		if err != nil {
			return err
		}
		last, err := t.advance("token", len(due))
		if err != nil {
			return err
		}
		for i, sub := range due {
			if err := t.promote(sub); err != nil {
				return err
			}
			sub.token = last - int64(len(due)-1-i)
			sub.until, sub.asked = milli(until), sql.NullInt64{}
			if err := t.save(sub); err != nil {
				return err
			}
			pending, err := sub.digest()
			if err != nil {
				return err
			}
			turns = append(turns, notify.Turn{
				Lease:      lease.Lease{Key: store.SubscriberKey(sub.id), Token: sub.token, Until: until},
				Subscriber: sub.id, Cursor: sub.cursor, Since: store.FromMilli(sub.since), Head: head, Begin: sub.begin,
				Pending: pending, Attempts: sub.attempts, FirstTry: at(sub.firstTry), Refusals: sub.refusals,
			})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return turns, nil
}

// promote makes the dead letter that waits longest to be sent again the pending
// digest, if there is none.
func (t *tx) promote(sub *subscriber) error {
	if sub.pending != nil {
		return nil
	}
	err := t.row(`DELETE FROM letters WHERE n = (SELECT n FROM letters WHERE subscriber = ? AND resend IS NOT NULL
		ORDER BY resend, n LIMIT 1) RETURNING id, digest`, sub.id).Scan(&sub.pendingID, &sub.pending)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// errEnded is how a turn's write learns that it was written before.
var errEnded = errors.New("sqlite: the turn has ended")

// turn runs one write of a turn, if its lease is still held.
func (s *Store) turn(ctx context.Context, l lease.Lease, run func(*tx, *subscriber) error) error {
	id, isFeed, ok := store.SplitKey(l.Key)
	if isFeed || !ok {
		return lease.ErrLost
	}
	return s.w.do(ctx, func(t *tx) error {
		sub := new(subscriber)
		err := sub.scan(t.row(`SELECT `+subscriberColumns+` FROM subscribers WHERE id = ?`, id))
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return lease.ErrLost
		case err != nil:
			return err
		case sub.token == l.Token && sub.ended == l.Token:
			return errEnded
		case sub.token != l.Token || !sub.until.Valid:
			return lease.ErrLost
		}
		if err := run(t, sub); err != nil {
			return err
		}
		return t.save(sub)
	})
}

// end runs the last write of a turn. One that is repeated after a lost answer
// changes nothing.
func (s *Store) end(ctx context.Context, l lease.Lease, next time.Time, run func(*tx, *subscriber) error) error {
	err := s.turn(ctx, l, func(t *tx, sub *subscriber) error {
		if err := run(t, sub); err != nil {
			return err
		}
		sub.next = next.UnixMilli()
		if sub.asked.Valid {
			sub.next = min(sub.next, sub.asked.Int64)
		}
		if sub.pending == nil {
			var resend sql.NullInt64
			if err := t.row(`SELECT min(resend) FROM letters WHERE subscriber = ? AND resend IS NOT NULL`, sub.id).Scan(&resend); err != nil {
				return err
			}
			if resend.Valid {
				sub.next = min(sub.next, resend.Int64)
			}
		}
		sub.asked, sub.until, sub.ended = sql.NullInt64{}, sql.NullInt64{}, sub.token
		return nil
	})
	if errors.Is(err, errEnded) {
		return nil
	}
	return err
}

// Seal stores the pending digest.
func (s *Store) Seal(ctx context.Context, l lease.Lease, d notify.Digest) error {
	body, err := store.Encode(d)
	if err != nil {
		return err
	}
	err = s.turn(ctx, l, func(t *tx, sub *subscriber) error {
		if err := store.Sealable(d, sub.id, sub.pendingID); err != nil || sub.pending != nil {
			return err
		}
		if err := t.unpurged(d); err != nil {
			return err
		}
		sub.clear()
		sub.pending, sub.pendingID = body, d.ID
		return nil
	})
	if errors.Is(err, errEnded) {
		return lease.ErrLost
	}
	return err
}

// Advance moves the cursor past a stretch without anything to send.
func (s *Store) Advance(ctx context.Context, l lease.Lease, to int64, until, next time.Time) error {
	return s.end(ctx, l, next, func(_ *tx, sub *subscriber) error {
		if sub.pending != nil {
			return fmt.Errorf("%w: %s is pending", store.ErrPending, sub.pendingID)
		}
		sub.cursor = max(sub.cursor, to)
		sub.since = max(sub.since, until.UnixMilli())
		return nil
	})
}

// Ack ends the turn: the pending digest was accepted.
func (s *Store) Ack(ctx context.Context, l lease.Lease, now, next time.Time) error {
	return s.end(ctx, l, next, func(t *tx, sub *subscriber) error {
		d, err := s.pending(sub)
		if err != nil {
			return err
		}
		if _, err := t.exec(`INSERT INTO deliveries (digest, subscriber, entries, hits, attempts, accepted) VALUES (?, ?, ?, ?, ?, ?)`,
			d.ID, sub.id, d.Entries, d.Hits, sub.attempts+1, now.UnixMilli()); err != nil {
			return err
		}
		sub.moveOn(d)
		sub.clear()
		sub.lastSent, sub.refusals = milli(now), 0
		return nil
	})
}

// Retry ends the turn: the pending digest was not accepted.
func (s *Store) Retry(ctx context.Context, l lease.Lease, now, next time.Time, reason string) error {
	return s.end(ctx, l, next, func(_ *tx, sub *subscriber) error {
		if _, err := s.pending(sub); err != nil {
			return err
		}
		sub.attempts++
		if !sub.firstTry.Valid {
			sub.firstTry = milli(now)
		}
		sub.lastError = reason
		return nil
	})
}

// Bury ends the turn: the pending digest becomes a dead letter.
func (s *Store) Bury(ctx context.Context, l lease.Lease, now, next time.Time, b notify.Burial) error {
	return s.end(ctx, l, next, func(t *tx, sub *subscriber) error {
		d, err := s.pending(sub)
		if err != nil {
			return err
		}
		if _, err := t.exec(`INSERT INTO letters (id, subscriber, digest, reason, attempts, buried) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, reason = excluded.reason, attempts = excluded.attempts,
			buried = excluded.buried, resend = NULL`,
			d.ID, sub.id, sub.pending, b.Reason, sub.attempts+1, now.UnixMilli()); err != nil {
			return err
		}
		sub.moveOn(d)
		sub.clear()
		sub.lastError = b.Reason
		if b.Refused {
			sub.refusals++
		}
		if b.Pause {
			sub.pause(notify.Pause{Since: now, By: notify.ByReceiver, Why: b.Reason})
		}
		return nil
	})
}

// Release ends the turn without a change.
func (s *Store) Release(ctx context.Context, l lease.Lease, next time.Time) error {
	return s.end(ctx, l, next, func(*tx, *subscriber) error { return nil })
}

// pending is the digest that a turn's end speaks of; there must be one.
func (s *Store) pending(sub *subscriber) (*notify.Digest, error) {
	d, err := sub.digest()
	if err == nil && d == nil {
		err = fmt.Errorf("%w: subscriber %s", store.ErrNoPending, sub.id)
	}
	return d, err
}
