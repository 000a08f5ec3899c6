package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
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
				state, err := store.EncodeState(fetcher.State{FeedID: id})
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

// ClaimFeeds leases feeds that are due.
func (s *Store) ClaimFeeds(ctx context.Context, now time.Time, max int, ttl time.Duration) ([]store.Claim, error) {
	var claims []store.Claim
	until := store.Time(now.Add(ttl))
	err := s.w.do(ctx, func(t *tx) error {
		claims = nil
		err := t.rows(func(r scanner) error {
			c := store.Claim{Lease: lease.Lease{Until: until}}
			if err := scanState(r, &c.State, &c.Lease.Token); err != nil {
				return err
			}
			c.Lease.Key = store.FeedKey(c.State.FeedID)
			claims = append(claims, c)
			return nil
		}, `UPDATE feeds SET until = ?1, token = (SELECT value FROM meta WHERE key = 'token') + place, asked = NULL,
			poisoned = poisoned + marked, marked = 0
			FROM (SELECT n AS which, row_number() OVER (ORDER BY due, id) AS place
				FROM (SELECT n, due, id FROM feeds WHERE due <= ?2 ORDER BY due, id LIMIT ?3))
			WHERE n = which RETURNING `+stateColumns+`, token`, until.UnixMilli(), now.UnixMilli(), maxRows(max))
		if err != nil || len(claims) == 0 {
			return err
		}
		_, err = t.advance("token", len(claims))
		return err
	})
	if err != nil {
		return nil, err
	}
	// They were updated in no order that is promised.
	slices.SortFunc(claims, func(a, b store.Claim) int { return cmp.Compare(a.Lease.Token, b.Lease.Token) })
	return claims, nil
}

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
	err := s.w.do(ctx, func(t *tx) error {
		held = nil
		for _, l := range ls {
			id, isFeed, ok := store.SplitKey(l.Key)
			if !ok {
				continue
			}
			q := `UPDATE subscribers SET until = max(until, ?) WHERE id = ? AND token = ? AND until IS NOT NULL RETURNING until`
			if isFeed {
				q = `UPDATE feeds SET until = max(until, ?) WHERE id = ? AND token = ? AND until IS NOT NULL RETURNING until`
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
	err := s.row(ctx, []any{&ms}, `SELECT min(due) FROM (
		SELECT min(due) AS due FROM feeds WHERE due IS NOT NULL
		UNION ALL SELECT min(due) FROM subscribers WHERE due IS NOT NULL)`)
	return at(ms), err
}

// PollNow makes feeds due at now.
func (s *Store) PollNow(ctx context.Context, ids []string, now time.Time) error {
	const set = `UPDATE feeds SET next = min(?1, coalesce(next, ?1)),
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

// MarkParsing notes that the holder of the lease is about to parse, or has
// parsed.
func (s *Store) MarkParsing(ctx context.Context, l lease.Lease, parsing bool) error {
	id, isFeed, _ := store.SplitKey(l.Key)
	if !isFeed {
		return lease.ErrLost
	}
	return s.w.do(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE feeds SET marked = ? WHERE id = ? AND token = ? AND until IS NOT NULL`, parsing, id, l.Token)
		if err == nil && n == 0 {
			err = lease.ErrLost
		}
		return err
	})
}

// ReleaseFeeds gives leases back untouched.
func (s *Store) ReleaseFeeds(ctx context.Context, ls []lease.Lease) error {
	return s.w.do(ctx, func(t *tx) error {
		for _, l := range ls {
			id, isFeed, _ := store.SplitKey(l.Key)
			if !isFeed {
				continue
			}
			if _, err := t.exec(`UPDATE feeds SET until = NULL, asked = NULL, marked = 0
				WHERE id = ? AND token = ? AND until IS NOT NULL`, id, l.Token); err != nil {
				return err
			}
		}
		return nil
	})
}
