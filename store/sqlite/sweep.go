package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// sweepStep is how many rows one transaction of Sweep deletes.
const sweepStep = 200

// Sweep deletes what has outlived its retention.
func (s *Store) Sweep(ctx context.Context, now time.Time, keep store.Retention) (store.Swept, error) {
	var sw store.Swept
	before := func(d time.Duration) int64 { return now.Add(-d).UnixMilli() }
	remove := func(count *int, q string, limit int64) error {
		return s.steps(ctx, count, func(t *tx) (int, error) { return t.exec(q, limit, sweepStep) })
	}
	if keep.Hits > 0 {
		limit := before(keep.Hits)
		for _, d := range []struct {
			count *int
			q     string
		}{
			{&sw.Hits, `DELETE FROM hits WHERE n IN (SELECT n FROM hits WHERE found < ? LIMIT ?)`},
			{&sw.Amendments, `DELETE FROM amendments WHERE seq IN (SELECT seq FROM amendments WHERE at < ? LIMIT ?)`},
			{&sw.Notices, `DELETE FROM notices WHERE seq IN (SELECT seq FROM notices WHERE at < ? LIMIT ?)`},
			{&sw.DeadLetters, `DELETE FROM letters WHERE n IN (SELECT n FROM letters WHERE buried < ? AND resend IS NULL LIMIT ?)`},
			{&sw.Deliveries, `DELETE FROM deliveries WHERE n IN (SELECT n FROM deliveries WHERE accepted < ? LIMIT ?)`},
		} {
			if err := remove(d.count, d.q, limit); err != nil {
				return sw, err
			}
		}
	}
	if err := remove(&sw.Readers, `DELETE FROM readers WHERE n IN (SELECT n FROM readers WHERE expires <= ? LIMIT ?)`, now.UnixMilli()); err != nil {
		return sw, err
	}
	if keep.Items > 0 {
		if err := remove(&sw.Items, `DELETE FROM items WHERE n IN (SELECT n FROM items WHERE stored < ? LIMIT ?)`, before(keep.Items)); err != nil {
			return sw, err
		}
	}
	if err := s.sweepExcess(ctx, &sw, keep.MaxItems); err != nil {
		return sw, err
	}
	if keep.Seen > 0 {
		limit := before(keep.Seen)
		if err := remove(&sw.Subscribers, `DELETE FROM subscribers WHERE n IN (SELECT n FROM subscribers WHERE left_at < ? LIMIT ?)`, limit); err != nil {
			return sw, err
		}
		if err := s.sweepFeeds(ctx, &sw, limit); err != nil {
			return sw, err
		}
		return sw, s.sweepSeen(ctx, &sw, now.Add(-keep.Seen))
	}
	return sw, nil
}

// sweepExcess deletes the oldest items beyond a number. They are counted once: what
// comes meanwhile is for the next sweep.
func (s *Store) sweepExcess(ctx context.Context, sw *store.Swept, most int) error {
	if most <= 0 {
		return nil
	}
	excess := -1
	return s.steps(ctx, &sw.Items, func(t *tx) (int, error) {
		if excess < 0 {
			if err := t.row(`SELECT max(count(*) - ?, 0) FROM items`, most).Scan(&excess); err != nil {
				return 0, err
			}
		}
		n, err := t.exec(`DELETE FROM items WHERE n IN (SELECT n FROM items ORDER BY stored, n LIMIT ?)`, min(excess, sweepStep))
		excess -= n
		return n, err
	})
}

// steps runs a step until it finds nothing left to do, and adds up what each
// came to.
func (s *Store) steps(ctx context.Context, total *int, step func(*tx) (int, error)) error {
	for {
		var n int
		err := s.w.do(ctx, func(t *tx) (err error) {
			n, err = step(t)
			return err
		})
		if err != nil {
			return err
		}
		*total += n
		if n < sweepStep {
			return nil
		}
	}
}

func (s *Store) sweepFeeds(ctx context.Context, sw *store.Swept, limit int64) error {
	return s.steps(ctx, &sw.Feeds, func(t *tx) (int, error) {
		const old = `FROM feeds WHERE left_at < ? ORDER BY left_at, n LIMIT ?`
		var seen int
		if err := t.row(`SELECT coalesce(sum(count), 0) FROM seen WHERE feed IN (SELECT n `+old+`)`, limit, sweepStep).Scan(&seen); err != nil {
			return 0, err
		}
		sw.Seen += seen
		return t.exec(`DELETE FROM feeds WHERE n IN (SELECT n `+old+`)`, limit, sweepStep)
	})
}

func (s *Store) sweepSeen(ctx context.Context, sw *store.Swept, limit time.Time) error {
	feeds := 0
	return s.steps(ctx, &feeds, func(t *tx) (int, error) {
		sets := make(map[int64]store.Seen)
		err := t.rows(func(r scanner) error {
			var n int64
			var ids []byte
			if err := r.Scan(&n, &ids); err != nil {
				return err
			}
			seen, err := store.ParseSeen(ids)
			sets[n] = seen
			return err
		}, `SELECT feed, ids FROM seen WHERE oldest < ? LIMIT ?`, limit.Truncate(time.Second).UnixMilli(), sweepStep)
		if err != nil {
			return 0, err
		}
		for n, seen := range sets {
			rest, gone := seen.Forget(limit)
			if err := t.putSeen(n, rest); err != nil {
				return 0, err
			}
			sw.Seen += gone
		}
		return len(sets), nil
	})
}

// Purge removes an item from everywhere, for good.
func (s *Store) Purge(ctx context.Context, id feed.ItemID, now time.Time) error {
	return s.w.do(ctx, func(t *tx) error {
		feedID, err := t.feedOf(id)
		if err != nil {
			return err
		}
		old, err := t.hit(id)
		if err != nil {
			return err
		}
		if old != nil {
			if err := t.withdraw(*old, now); err != nil {
				return err
			}
		}
		for _, q := range []string{`DELETE FROM hits WHERE id = ?`, `DELETE FROM items WHERE id = ?`} {
			if _, err := t.exec(q, id[:]); err != nil {
				return err
			}
		}
		if _, err := t.exec(`INSERT INTO purged (feed, id, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, feedID, id[:], now.UnixMilli()); err != nil {
			return err
		}
		if err := t.purgeDigests(id, `SELECT n, pending FROM subscribers WHERE pending IS NOT NULL`,
			`UPDATE subscribers SET pending = ? WHERE n = ?`); err != nil {
			return err
		}
		return t.purgeDigests(id, `SELECT n, digest FROM letters`, `UPDATE letters SET digest = ? WHERE n = ?`)
	})
}

// unpurged refuses a digest that was built before a purge of what it tells.
func (t *tx) unpurged(d notify.Digest) error {
	purged := make(map[feed.ItemID]bool)
	if err := t.rows(func(r scanner) error { return scanID(r, purged) }, `SELECT id FROM purged`); err != nil {
		return err
	}
	for _, id := range store.Mentions(d) {
		if purged[id] {
			return fmt.Errorf("%w: %s", store.ErrPurged, id)
		}
	}
	return nil
}

// feedOf finds the feed of an item that is known by its id alone.
func (t *tx) feedOf(id feed.ItemID) (feedID string, err error) {
	err = t.row(`SELECT feed FROM hits WHERE id = ?1 UNION ALL SELECT feed FROM purged WHERE id = ?1 LIMIT 1`, id[:]).Scan(&feedID)
	if !errors.Is(err, sql.ErrNoRows) {
		return feedID, err
	}
	var body []byte
	err = t.row(`SELECT body FROM items WHERE id = ?`, id[:]).Scan(&body)
	if err == nil {
		var it store.StoredItem
		err = store.Decode(body, &it)
		return it.Item.FeedID, err
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return "", err
	}
	// Only the sets of seen ids are left to tell. They are read one after the
	// other, where the database finds the bytes of the id somewhere in them.
	err = t.rows(func(r scanner) error {
		var name string
		var ids []byte
		if err := r.Scan(&name, &ids); err != nil {
			return err
		}
		seen, err := store.ParseSeen(ids)
		if err == nil && seen.Has(id) {
			feedID = name
		}
		return err
	}, `SELECT id, ids FROM seen JOIN feeds ON n = feed WHERE instr(ids, ?) > 0`, store.SeenPart(id))
	if err == nil && feedID == "" {
		err = store.ErrNotFound
	}
	return feedID, err
}

// purgeDigests rewrites the digests of a query that mention the item.
func (t *tx) purgeDigests(id feed.ItemID, query, update string) error {
	changed := make(map[int64][]byte)
	err := t.rows(func(r scanner) error {
		var n int64
		var body []byte
		if err := r.Scan(&n, &body); err != nil {
			return err
		}
		var d notify.Digest
		if err := store.Decode(body, &d); err != nil {
			return err
		}
		rest, found := store.WithoutItem(d, id)
		if !found {
			return nil
		}
		var err error
		changed[n], err = store.Encode(rest)
		return err
	}, query)
	if err != nil {
		return err
	}
	for n, body := range changed {
		if _, err := t.exec(update, body, n); err != nil {
			return err
		}
	}
	return nil
}
