package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// Enrol makes the queue hold exactly these subscribers.
func (s *Store) Enrol(ctx context.Context, subs []store.Enrolment, now time.Time) error {
	return s.w.do(ctx, func(t *tx) error {
		known := make(map[string]*subscriber)
		err := t.rows(func(r scanner) error {
			sub := new(subscriber)
			if err := sub.scan(r); err != nil {
				return err
			}
			known[sub.id] = sub
			return nil
		}, `SELECT `+subscriberColumns+` FROM subscribers`)
		if err != nil {
			return err
		}
		for _, e := range subs {
			sub, ok := known[e.ID]
			if !ok {
				if err := t.enlist(e); err != nil {
					return err
				}
				continue
			}
			delete(known, e.ID)
			if err := t.reenlist(sub, e); err != nil {
				return err
			}
		}
		for _, sub := range known {
			if sub.leftAt.Valid || store.IsReader(sub.id) {
				continue
			}
			sub.leftAt = milli(now)
			if err := t.save(sub); err != nil {
				return err
			}
		}
		return nil
	})
}

// enlist adds a new subscriber, whose log begins at the first hit or notice that
// is news to it. An id that is given twice counts once.
func (t *tx) enlist(e store.Enrolment) error {
	_, err := t.exec(`INSERT INTO subscribers (id, schedule, next, since, cursor, begin)
		SELECT ?1, ?2, ?3, ?4, first, first FROM (SELECT coalesce(
			(SELECT min(first) - 1 FROM (
				SELECT min(seq) AS first FROM hits JOIN hit_rules ON hit = n WHERE found >= ?5 AND seq IS NOT NULL
				UNION ALL SELECT min(seq) FROM notices WHERE at >= ?5)),
			(SELECT value FROM meta WHERE key = 'head')) AS first) WHERE true
		ON CONFLICT DO NOTHING`, e.ID, e.Schedule, e.Next.UnixMilli(), e.Since.UnixMilli(), ceilMilli(e.Since))
	return err
}

// reenlist brings one that is known in step with its enrolment.
func (t *tx) reenlist(sub *subscriber, e store.Enrolment) error {
	sub.leftAt = sql.NullInt64{}
	if sub.schedule != e.Schedule {
		sub.schedule = e.Schedule
		if sub.pending == nil {
			sub.ask(e.Next.UnixMilli())
		}
	}
	return t.save(sub)
}

// SendNow makes subscribers due at now.
func (s *Store) SendNow(ctx context.Context, ids []string, now time.Time) error {
	const set = `UPDATE subscribers SET next = min(?1, next),
		asked = CASE WHEN until IS NOT NULL THEN min(?1, coalesce(asked, ?1)) END WHERE left_at IS NULL`
	return s.w.do(ctx, func(t *tx) error {
		if len(ids) == 0 {
			_, err := t.exec(set, now.UnixMilli())
			return err
		}
		for _, id := range ids {
			if _, err := t.exec(set+` AND id = ?2`, now.UnixMilli(), id); err != nil {
				return err
			}
		}
		return nil
	})
}

// Pause keeps a subscriber from being claimed.
func (s *Store) Pause(ctx context.Context, id string, p notify.Pause) error {
	return s.change(ctx, id, func(sub *subscriber) { sub.pause(p) })
}

// Resume ends a pause.
func (s *Store) Resume(ctx context.Context, id string, now time.Time) error {
	return s.change(ctx, id, func(sub *subscriber) {
		if !sub.pausedAt.Valid {
			return
		}
		sub.pausedAt, sub.pausedBy, sub.pausedWhy, sub.refusals = sql.NullInt64{}, "", "", 0
		if sub.pending != nil && !sub.until.Valid {
			sub.next = min(sub.next, now.UnixMilli())
		}
	})
}

// change rewrites the row of a subscriber that need not have a turn.
func (s *Store) change(ctx context.Context, id string, run func(*subscriber)) error {
	return s.w.do(ctx, func(t *tx) error {
		sub := new(subscriber)
		err := sub.scan(t.row(`SELECT `+subscriberColumns+` FROM subscribers WHERE id = ?`, id))
		if errors.Is(err, sql.ErrNoRows) {
			return store.ErrNotFound
		}
		if err != nil {
			return err
		}
		run(sub)
		return t.save(sub)
	})
}

// Standings lists every enrolled subscriber.
func (s *Store) Standings(ctx context.Context) ([]store.Standing, error) {
	var all []store.Standing
	err := s.rows(ctx, func(r scanner) error {
		var sub subscriber
		if err := sub.scan(r); err != nil {
			return err
		}
		all = append(all, store.Standing{
			Subscriber: sub.id, Cursor: sub.cursor, Begin: sub.begin, Since: store.FromMilli(sub.since), Next: store.FromMilli(sub.next),
			Pending: sub.pendingID, Attempts: sub.attempts, LastError: sub.lastError, LastSent: at(sub.lastSent),
			Paused: sub.paused(), Refusals: sub.refusals,
		})
		return nil
	}, `SELECT `+subscriberColumns+` FROM subscribers WHERE left_at IS NULL ORDER BY id`)
	if err != nil {
		return nil, err
	}
	return all, nil
}

// DeadLetters lists the digests that could not be delivered.
func (s *Store) DeadLetters(ctx context.Context) ([]notify.DeadLetter, error) {
	var all []notify.DeadLetter
	err := s.rows(ctx, func(r scanner) error {
		var l notify.DeadLetter
		var body []byte
		var buried int64
		if err := r.Scan(&body, &l.Reason, &l.Attempts, &buried, &l.Resending); err != nil {
			return err
		}
		if err := store.Decode(body, &l.Digest); err != nil {
			return err
		}
		l.Buried = store.FromMilli(buried)
		all = append(all, l)
		return nil
	}, `SELECT digest, reason, attempts, buried, resend IS NOT NULL FROM letters ORDER BY buried, n`)
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Resend lets a dead letter wait to be sent again.
func (s *Store) Resend(ctx context.Context, digestID string, now time.Time) error {
	return s.w.do(ctx, func(t *tx) error {
		var id string
		err := t.row(`UPDATE letters SET resend = coalesce(resend, ?) WHERE id = ? RETURNING subscriber`, now.UnixMilli(), digestID).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return store.ErrNotFound
		}
		if err != nil {
			return err
		}
		sub := new(subscriber)
		err = sub.scan(t.row(`SELECT `+subscriberColumns+` FROM subscribers WHERE id = ?`, id))
		if errors.Is(err, sql.ErrNoRows) {
			return nil // it left and was forgotten; the letter waits should it come back
		}
		if err != nil {
			return err
		}
		// During a turn, or behind a pending digest, the turn's end sees the letter.
		if sub.until.Valid || sub.pending != nil {
			return nil
		}
		sub.next = min(sub.next, now.UnixMilli())
		return t.save(sub)
	})
}

// Drop deletes a dead letter.
func (s *Store) Drop(ctx context.Context, digestID string) error {
	return s.w.do(ctx, func(t *tx) error {
		n, err := t.exec(`DELETE FROM letters WHERE id = ?`, digestID)
		if err == nil && n == 0 {
			err = store.ErrNotFound
		}
		return err
	})
}

// Deliveries lists the digests that were accepted.
func (s *Store) Deliveries(ctx context.Context, id string, limit int) ([]notify.Delivery, error) {
	q, args := `SELECT digest, subscriber, entries, hits, attempts, accepted FROM deliveries `, []any{}
	if id != "" {
		q += `WHERE subscriber = ? `
		args = append(args, id)
	}
	var all []notify.Delivery
	err := s.rows(ctx, func(r scanner) error {
		var d notify.Delivery
		var accepted int64
		if err := r.Scan(&d.Digest, &d.Subscriber, &d.Entries, &d.Hits, &d.Attempts, &accepted); err != nil {
			return err
		}
		d.Accepted = store.FromMilli(accepted)
		all = append(all, d)
		return nil
	}, q+`ORDER BY accepted DESC, n DESC LIMIT ?`, append(args, store.PageSize(limit))...)
	if err != nil {
		return nil, err
	}
	return all, nil
}
