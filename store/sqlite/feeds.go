package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/lease"
	"github.com/newswatch/newswatch/store"
)

// SyncFeeds makes the queue hold exactly these feeds.
func (s *Store) SyncFeeds(ctx context.Context, ids []string, now time.Time) error {
	return s.w.do(ctx, func(t *tx) error {
		there := make(map[string]bool) // whether the feed is in the queue
		err := t.rows(func(r scanner) error {
			var id string
			var in bool
			if err := r.Scan(&id, &in); err != nil {
				return err
			}
			there[id] = in
			return nil
		}, `SELECT id, left_at IS NULL FROM feeds`)
		if err != nil {
			return err
		}
		for _, id := range ids {
			in, known := there[id]
			delete(there, id)
			switch {
			case !known:
				state, err := store.EncodeState(&fetcher.State{FeedID: id})
				if err != nil {
					return err
				}
				// A repeated id comes by here twice.
				if _, err := t.exec(`INSERT INTO feeds (id, next, state) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
					id, now.UnixMilli(), state); err != nil {
					return err
				}
			case !in:
				if _, err := t.exec(`UPDATE feeds SET left_at = NULL WHERE id = ?`, id); err != nil {
					return err
				}
			}
		}
		for id, in := range there {
			if !in {
				continue
			}
			if _, err := t.exec(`UPDATE feeds SET left_at = ? WHERE id = ?`, now.UnixMilli(), id); err != nil {
				return err
			}
		}
		return nil
	})
}

// dueFeeds are those that may be claimed: those that are due and that nobody has, and
// those whose lease has run out, with the mark that was on it. CROSS JOIN has SQLite look
// at the leases first, which are few.
const dueFeeds = `SELECT ` + stateColumns + `, n, old FROM (
	SELECT ` + stateColumns + `, n, NULL AS old, due AS at, id FROM feeds
		WHERE due <= ?1 AND NOT EXISTS (SELECT 1 FROM leases WHERE feed = n)
	UNION ALL SELECT ` + stateColumns + `, n, marked, until, id FROM leases CROSS JOIN feeds ON n = feed
		WHERE until <= ?1 AND left_at IS NULL AND paused IS NULL
	ORDER BY at, id LIMIT ?2)`

// ClaimFeeds leases feeds that are due.
func (s *Store) ClaimFeeds(ctx context.Context, now time.Time, max int, ttl time.Duration) ([]store.Claim, error) {
	var claims []store.Claim
	until := store.Time(now.Add(ttl))
	err := s.w.repeatable(ctx, func(t *tx) error {
		claims = nil
		var feeds, expired []int64
		var n int64
		var old sql.NullInt64
		row := newStateRow(&n, &old)
		err := t.rows(func(r scanner) error {
			claims = append(claims, store.Claim{})
			c := &claims[len(claims)-1]
			if err := row.scan(r, &c.State); err != nil {
				return err
			}
			c.Lease = lease.Lease{Key: store.FeedKey(c.State.FeedID), Until: until}
			if old.Valid {
				expired = append(expired, n)
				c.State.Poisoned += int(old.Int64)
			}
			feeds = append(feeds, n)
			return nil
		}, dueFeeds, now.UnixMilli(), maxRows(max))
		if err != nil || len(claims) == 0 {
			return err
		}
		for _, n := range expired {
			if err := t.expire(n); err != nil {
				return err
			}
		}
		return t.lease(claims, feeds, until)
	})
	if err != nil {
		return nil, err
	}
	return claims, nil
}

// lease gives the claims their tokens.
func (t *tx) lease(claims []store.Claim, feeds []int64, until time.Time) error {
	last, err := t.advance("token", len(claims))
	if err != nil {
		return err
	}
	first := last - int64(len(claims)) + 1
	for i := range claims {
		claims[i].Lease.Token = first + int64(i)
	}
	list, err := json.Marshal(feeds)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO leases (token, feed, until) SELECT ? + key, value, ? FROM json_each(?)`, first, until.UnixMilli(), string(list))
	return err
}

// expire takes a feed's lease from a holder whose time has run out. A mark that it
// leaves is laid to the feed.
func (t *tx) expire(n int64) error {
	var marked bool
	if err := t.row(`DELETE FROM leases WHERE feed = ? RETURNING marked`, n).Scan(&marked); err != nil || !marked {
		return err
	}
	_, err := t.exec(`UPDATE feeds SET poisoned = poisoned + 1 WHERE n = ?`, n)
	return err
}

// ofFeed finds the lease of a feed, by its id and the lease's token, while it is held.
const ofFeed = `feed = (SELECT n FROM feeds WHERE id = ?) AND token = ?`

// advance adds n to one of the counters of meta and returns its new value.
func (t *tx) advance(counter string, n int) (int64, error) {
	var v int64
	err := t.row(`UPDATE meta SET value = value + ? WHERE key = ? RETURNING value`, n, counter).Scan(&v)
	return v, err
}

// maxRows is max as a LIMIT: to SQLite a negative one is none.
func maxRows(n int) int { return max(n, 0) }

// Renew extends leases of feeds and of subscribers.
func (s *Store) Renew(ctx context.Context, ls []lease.Lease, until time.Time) ([]lease.Lease, error) {
	var held []lease.Lease
	err := s.w.repeatable(ctx, func(t *tx) error {
		held = nil
		for _, l := range ls {
			id, isFeed, ok := store.SplitKey(l.Key)
			if !ok {
				continue
			}
			q := `UPDATE subscribers SET until = max(until, ?) WHERE id = ? AND token = ? AND until IS NOT NULL RETURNING until`
			if isFeed {
				q = `UPDATE leases SET until = max(until, ?) WHERE ` + ofFeed + ` RETURNING until`
			}
			var end int64
			err := t.row(q, until.UnixMilli(), id, l.Token).Scan(&end)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return err
			}
			l.Until = store.FromMilli(end)
			held = append(held, l)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return held, nil
}

// NextDue returns when the next feed or subscriber is due.
func (s *Store) NextDue(ctx context.Context) (time.Time, error) {
	var ms sql.NullInt64
	err := s.row(ctx, []any{&ms}, `SELECT min(at) FROM (
		SELECT min(due) AS at FROM feeds WHERE due IS NOT NULL AND NOT EXISTS (SELECT 1 FROM leases WHERE feed = n)
		UNION ALL SELECT min(until) FROM leases CROSS JOIN feeds ON n = feed WHERE left_at IS NULL AND paused IS NULL
		UNION ALL SELECT min(due) FROM subscribers WHERE due IS NOT NULL)`)
	return at(ms), err
}

// PollNow makes feeds due at now.
func (s *Store) PollNow(ctx context.Context, ids []string, now time.Time) error {
	const (
		set = `UPDATE feeds SET next = min(?1, coalesce(next, ?1)) WHERE left_at IS NULL`
		ask = `UPDATE leases SET asked = min(?1, coalesce(asked, ?1)) WHERE feed IN (SELECT n FROM feeds WHERE left_at IS NULL`
	)
	return s.w.do(ctx, func(t *tx) error {
		if len(ids) == 0 {
			if _, err := t.exec(set, now.UnixMilli()); err != nil {
				return err
			}
			_, err := t.exec(ask+`)`, now.UnixMilli())
			return err
		}
		for _, id := range ids {
			if _, err := t.exec(set+` AND id = ?2`, now.UnixMilli(), id); err != nil {
				return err
			}
			if _, err := t.exec(ask+` AND id = ?2)`, now.UnixMilli(), id); err != nil {
				return err
			}
		}
		return nil
	})
}

// MarkParsing notes that the holder of the lease is about to parse, or has
// parsed.
func (s *Store) MarkParsing(ctx context.Context, l lease.Lease, parsing bool) error {
	id, isFeed, _ := store.SplitKey(l.Key)
	if !isFeed {
		return lease.ErrLost
	}
	return s.w.repeatable(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE leases SET marked = ? WHERE `+ofFeed, parsing, id, l.Token)
		if err == nil && n == 0 {
			err = lease.ErrLost
		}
		return err
	})
}

// ReleaseFeeds gives leases back untouched.
func (s *Store) ReleaseFeeds(ctx context.Context, ls []lease.Lease) error {
	return s.w.repeatable(ctx, func(t *tx) error {
		for _, l := range ls {
			id, isFeed, _ := store.SplitKey(l.Key)
			if !isFeed {
				continue
			}
			n, err := t.exec(`DELETE FROM leases WHERE `+ofFeed, id, l.Token)
			if err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			// The lease before this one is not the newest any more, and a Record
			// under it is not one that is repeated.
			if _, err := t.exec(`UPDATE feeds SET recorded = 0 WHERE id = ?`, id); err != nil {
				return err
			}
		}
		return nil
	})
}
