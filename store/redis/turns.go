package redis

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/newswatch/newswatch/lease"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// Claim leases subscribers whose time has come.
func (s *Store) Claim(ctx context.Context, now time.Time, max int, ttl time.Duration) ([]notify.Turn, error) {
	if max <= 0 {
		return nil, nil
	}
	until := store.Time(now.Add(ttl))
	out, err := s.list(ctx, claimTurns, now.UnixMilli(), max, until.UnixMilli())
	if err != nil {
		return nil, err
	}
	var turns []notify.Turn
	head := integer(out[0])
	for out = out[1:]; len(out) >= 9; out = out[9:] {
		tn := notify.Turn{
			Lease:      lease.Lease{Key: store.SubscriberKey(out[0]), Token: integer(out[1]), Until: until},
			Subscriber: out[0], Cursor: integer(out[2]), Since: at(out[3]), Head: head,
			Attempts: int(integer(out[5])), FirstTry: at(out[6]), Refusals: int(integer(out[7])), Begin: integer(out[8]),
		}
		if out[4] != "" {
			tn.Pending = new(notify.Digest)
			if err := store.Decode([]byte(out[4]), tn.Pending); err != nil {
				return nil, err
			}
		}
		turns = append(turns, tn)
	}
	return turns, nil
}

// outcome turns what seal and endTurn answer into an error.
func outcome(out []string, subscriber string) error {
	switch out[0] {
	case "ok":
		return nil
	case "lost":
		return lease.ErrLost
	case "pending":
		return fmt.Errorf("%w: %s", store.ErrPending, out[1])
	case "purged":
		return fmt.Errorf("%w, for subscriber %s", store.ErrPurged, subscriber)
	case "nopending":
		return fmt.Errorf("%w: subscriber %s", store.ErrNoPending, subscriber)
	}
	return fmt.Errorf("redis: a script answered %q", out)
}

// Seal stores the pending digest.
func (s *Store) Seal(ctx context.Context, l lease.Lease, d notify.Digest) error {
	id, isFeed, ok := store.SplitKey(l.Key)
	if isFeed || !ok {
		return lease.ErrLost
	}
	if err := store.Sealable(d, id, ""); err != nil {
		return err
	}
	body, err := store.Encode(d)
	if err != nil {
		return err
	}
	args := []any{id, l.Token, d.ID, body}
	for _, it := range store.Mentions(d) {
		args = append(args, it[:])
	}
	out, err := s.promising().list(ctx, seal, args...)
	if err != nil {
		return err
	}
	return outcome(out, id)
}

// end is the last write of a turn.
type end struct {
	how       string
	next, now time.Time
	cursor    int64
	since     time.Time
	burial    notify.Burial // of a retry, the reason alone
}

func (s *Store) end(ctx context.Context, l lease.Lease, e end) error {
	id, isFeed, ok := store.SplitKey(l.Key)
	if isFeed || !ok {
		return lease.ErrLost
	}
	for range tries {
		version, told := "", ""
		if e.how == "ack" || e.how == "retry" || e.how == "bury" {
			body, err := s.c.HMGet(ctx, keySub(id), "pend").Result()
			if err != nil {
				return wrap(ctx, err)
			}
			if pend := text(body[0]); pend != "" {
				var d notify.Digest
				if err := store.Decode([]byte(pend), &d); err != nil {
					return err
				}
				version, e.cursor, e.since = hash(pend), d.To, d.Until
				if told, err = deliveryJSON(notify.Delivery{Digest: d.ID, Subscriber: id, Entries: d.Entries, Hits: d.Hits}); err != nil {
					return err
				}
			}
		}
		out, err := s.promising().list(ctx, endTurn, id, l.Token, e.how, e.next.UnixMilli(), e.now.UnixMilli(),
			e.cursor, e.since.UnixMilli(), e.burial.Reason, version, told, e.burial.Refused, e.burial.Pause)
		if err != nil {
			return err
		}
		if out[0] != "conflict" {
			return outcome(out, id)
		}
	}
	return s.errBusy(id)
}

// Advance moves the cursor past a stretch without anything to send.
func (s *Store) Advance(ctx context.Context, l lease.Lease, to int64, until, next time.Time) error {
	return s.end(ctx, l, end{how: "advance", next: next, cursor: to, since: until})
}

// Ack ends the turn: the pending digest was accepted.
func (s *Store) Ack(ctx context.Context, l lease.Lease, now, next time.Time) error {
	return s.end(ctx, l, end{how: "ack", now: now, next: next})
}

// Retry ends the turn: the pending digest was not accepted.
func (s *Store) Retry(ctx context.Context, l lease.Lease, now, next time.Time, reason string) error {
	return s.end(ctx, l, end{how: "retry", now: now, next: next, burial: notify.Burial{Reason: reason}})
}

// Bury ends the turn: the pending digest becomes a dead letter.
func (s *Store) Bury(ctx context.Context, l lease.Lease, now, next time.Time, b notify.Burial) error {
	return s.end(ctx, l, end{how: "bury", now: now, next: next, burial: b})
}

// Release ends the turn without a change.
func (s *Store) Release(ctx context.Context, l lease.Lease, next time.Time) error {
	return s.end(ctx, l, end{how: "release", next: next})
}

// Enrol makes the queue hold exactly these subscribers.
func (s *Store) Enrol(ctx context.Context, subs []store.Enrolment, now time.Time) error {
	args := []any{now.UnixMilli(), store.ReaderPrefix}
	for _, e := range subs {
		args = append(args, e.ID, e.Next.UnixMilli(), e.Schedule, e.Since.UnixMilli(), ceilMilli(e.Since))
	}
	_, err := s.run(ctx, enrol, args...)
	return err
}

// SendNow makes subscribers due at now.
func (s *Store) SendNow(ctx context.Context, ids []string, now time.Time) error {
	_, err := s.run(ctx, dueNow, withIDs([]any{"s", now.UnixMilli()}, ids)...)
	return err
}

// Pause keeps a subscriber from being claimed.
func (s *Store) Pause(ctx context.Context, id string, p notify.Pause) error {
	n, err := s.promising().number(ctx, pause, id, p.Since.UnixMilli(), string(p.By), p.Why)
	if err == nil && n == 0 {
		err = store.ErrNotFound
	}
	return err
}

// Resume ends a pause.
func (s *Store) Resume(ctx context.Context, id string, now time.Time) error {
	n, err := s.promising().number(ctx, resume, id, now.UnixMilli())
	if err == nil && n == 0 {
		err = store.ErrNotFound
	}
	return err
}

// paused reads pat, pby and pwhy.
func paused(v []any) *notify.Pause {
	if v[0] == nil {
		return nil
	}
	return &notify.Pause{Since: at(text(v[0])), By: notify.PausedBy(text(v[1])), Why: text(v[2])}
}

// Standings lists every enrolled subscriber.
func (s *Store) Standings(ctx context.Context) ([]store.Standing, error) {
	ids, err := s.ordered(ctx, keySubs())
	if err != nil {
		return nil, err
	}
	var all []store.Standing
	err = each(ctx, s.c, ids, func(p redis.Pipeliner, id string) error {
		return p.HMGet(ctx, keySub(id), "cursor", "since", "next", "pid", "att", "err", "sent", "pat", "pby", "pwhy", "ref", "begin").Err()
	}, func(id string, cmd redis.Cmder) error {
		v := cmd.(*redis.SliceCmd).Val()
		all = append(all, store.Standing{
			Subscriber: id, Cursor: integer(text(v[0])), Since: at(text(v[1])), Next: at(text(v[2])), Pending: text(v[3]),
			Attempts: int(integer(text(v[4]))), LastError: text(v[5]), LastSent: at(text(v[6])),
			Paused: paused(v[7:10]), Refusals: int(integer(text(v[10]))), Begin: integer(text(v[11])),
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// DeadLetters lists the digests that could not be delivered.
func (s *Store) DeadLetters(ctx context.Context) ([]notify.DeadLetter, error) {
	ids, err := s.c.ZRange(ctx, keyLetters(), 0, -1).Result()
	if err != nil {
		return nil, wrap(ctx, err)
	}
	type numbered struct {
		notify.DeadLetter
		n int64
	}
	var found []numbered
	err = each(ctx, s.c, ids, func(p redis.Pipeliner, id string) error {
		return p.HMGet(ctx, keyLetter(id), "d", "reason", "att", "buried", "resend", "n").Err()
	}, func(_ string, cmd redis.Cmder) error {
		v := cmd.(*redis.SliceCmd).Val()
		if v[0] == nil {
			return nil // dropped since
		}
		l := numbered{n: integer(text(v[5]))}
		l.Reason, l.Attempts, l.Buried, l.Resending = text(v[1]), int(integer(text(v[2]))), at(text(v[3])), v[4] != nil
		found = append(found, l)
		return store.Decode([]byte(text(v[0])), &found[len(found)-1].Digest)
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b numbered) int {
		if c := a.Buried.Compare(b.Buried); c != 0 {
			return c
		}
		return int(a.n - b.n)
	})
	all := make([]notify.DeadLetter, len(found))
	for i, l := range found {
		all[i] = l.DeadLetter
	}
	return all, nil
}

// Resend lets a dead letter wait to be sent again.
func (s *Store) Resend(ctx context.Context, digestID string, now time.Time) error {
	n, err := s.promising().number(ctx, resend, digestID, now.UnixMilli())
	if err == nil && n == 0 {
		err = store.ErrNotFound
	}
	return err
}

// Drop deletes a dead letter.
func (s *Store) Drop(ctx context.Context, digestID string) error {
	n, err := s.promising().number(ctx, drop, digestID)
	if err == nil && n == 0 {
		err = store.ErrNotFound
	}
	return err
}

// Deliveries lists the digests that were accepted.
func (s *Store) Deliveries(ctx context.Context, id string, limit int) ([]notify.Delivery, error) {
	limit = store.PageSize(limit)
	var all []notify.Delivery
	err := s.walk(ctx, keyDeliveries(), true, "+inf", "-inf", func(zs []redis.Z) (bool, error) {
		for _, z := range zs {
			d, err := delivery(z)
			if err != nil {
				return false, err
			}
			if len(all) < limit && (id == "" || d.Subscriber == id) {
				all = append(all, d)
			}
		}
		return len(all) < limit, nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}
