package sqlite

import (
	"context"
	"iter"
	"math"
	"strings"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/store"
)

// Hits lists stored hits, the newest first.
func (s *Store) Hits(ctx context.Context, q store.HitQuery) ([]classifier.Hit, error) {
	var where []string
	var args []any
	and := func(cond string, a ...any) {
		where = append(where, cond)
		args = append(args, a...)
	}
	if !q.Since.IsZero() {
		and("found >= ?", ceilMilli(q.Since))
	}
	if !q.Until.IsZero() {
		and("found < ?", ceilMilli(q.Until))
	}
	if q.Rule != "" {
		and("EXISTS (SELECT 1 FROM hit_rules WHERE hit = hits.n AND rule = ?)", q.Rule)
	}
	if q.Feed != "" {
		and("feed = ?", q.Feed)
	}
	if q.Tag != "" {
		and("instr(tags, ?) > 0", tagLines(q.Tag))
	}
	if q.Outlet != "" {
		and("outlet = ?", store.OutletKey(q.Outlet))
	}
	if q.Lang != "" {
		and("instr(lang, ?) = 1", store.LangKey(q.Lang)+"-")
	}
	if q.Severity > 0 {
		and("severity >= ?", q.Severity)
	}
	for _, w := range store.Words(q.Text) {
		and("instr(words, ?) > 0", " "+w)
	}
	if !q.Quiet {
		and("quiet = 0")
	}
	if !q.BeforeTime.IsZero() {
		and("(found, id) < (?, ?)", q.BeforeTime.UnixMilli(), q.BeforeID[:])
	}
	sql := "SELECT body FROM hits"
	if len(where) > 0 {
		sql += " WHERE " + strings.Join(where, " AND ")
	}
	sql += " ORDER BY found DESC, id DESC LIMIT ?"
	args = append(args, store.PageSize(q.Limit))

	// Not kept prepared: there are as many texts as there are combinations.
	return hits(func(scan func(scanner) error) error {
		rows, err := s.read.QueryContext(ctx, sql, args...)
		return wrap(ctx, each(rows, err, scan))
	})
}

// Tally counts the hits of stretches of time.
func (s *Store) Tally(ctx context.Context, edges []time.Time) (store.Tally, error) {
	n := max(0, len(edges)-1)
	t := store.Tally{Hits: make([]int, n), Rules: make(map[string][]int)}
	for i := range n {
		from, to := ceilMilli(edges[i]), ceilMilli(edges[i+1])
		err := s.row(ctx, []any{&t.Hits[i]}, `SELECT count(*) FROM hits WHERE found >= ? AND found < ? AND quiet = 0`, from, to)
		if err != nil {
			return store.Tally{}, err
		}
		if t.Hits[i] == 0 {
			continue
		}
		err = s.rows(ctx, func(r scanner) error {
			var rule string
			var count int
			if err := r.Scan(&rule, &count); err != nil {
				return err
			}
			if t.Rules[rule] == nil {
				t.Rules[rule] = make([]int, n)
			}
			t.Rules[rule][i] = count
			return nil
		}, `SELECT rule, count(*) FROM hits JOIN hit_rules ON hit = n WHERE found >= ? AND found < ? AND quiet = 0 GROUP BY rule`, from, to)
		if err != nil {
			return store.Tally{}, err
		}
	}
	return t, nil
}

// ceilMilli is the first millisecond that is not before t, so that a bound
// between two of them does not take in one that lies before it.
func ceilMilli(t time.Time) int64 {
	ms := t.UnixMilli()
	if t.After(time.UnixMilli(ms)) {
		ms++
	}
	return ms
}

// hits decodes the bodies that query scans.
func hits(query func(func(scanner) error) error) ([]classifier.Hit, error) {
	var out []classifier.Hit
	err := query(func(r scanner) error {
		var body []byte
		if err := r.Scan(&body); err != nil {
			return err
		}
		var h classifier.Hit
		if err := store.Decode(body, &h); err != nil {
			return err
		}
		out = append(out, h)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Hit returns one hit.
func (s *Store) Hit(ctx context.Context, id feed.ItemID) (classifier.Hit, error) {
	var h classifier.Hit
	var body []byte
	if err := s.row(ctx, []any{&body}, `SELECT body FROM hits WHERE id = ?`, id[:]); err != nil {
		return h, err
	}
	return h, store.Decode(body, &h)
}

// Window returns the hits of a stretch of the log.
func (s *Store) Window(ctx context.Context, from, to int64) ([]classifier.Hit, error) {
	return hits(func(scan func(scanner) error) error {
		return s.rows(ctx, scan, `SELECT body FROM hits
			JOIN (SELECT hit, min(seq) AS first FROM hit_rules WHERE seq > ? AND seq <= ? GROUP BY hit) ON hit = n
			ORDER BY first`, from, to)
	})
}

// Stored returns one item that is kept with its text.
func (s *Store) Stored(ctx context.Context, id feed.ItemID) (store.StoredItem, error) {
	var it store.StoredItem
	var body []byte
	if err := s.row(ctx, []any{&body}, `SELECT body FROM items WHERE id = ?`, id[:]); err != nil {
		return it, err
	}
	return it, store.Decode(body, &it)
}

// itemsPage is how many items StoredItems reads at a time: a reader that takes
// its time between two must not hold back the checkpoints of the log.
const itemsPage = 200

// StoredItems yields the items that are kept with their text.
func (s *Store) StoredItems(ctx context.Context, since time.Time) iter.Seq2[store.StoredItem, error] {
	return func(yield func(store.StoredItem, error) bool) {
		stored, id := int64(math.MinInt64), []byte{}
		if !since.IsZero() {
			stored = ceilMilli(since)
		}
		for {
			var page []store.StoredItem
			err := s.rows(ctx, func(r scanner) error {
				var body []byte
				if err := r.Scan(&stored, &id, &body); err != nil {
					return err
				}
				var it store.StoredItem
				if err := store.Decode(body, &it); err != nil {
					return err
				}
				page = append(page, it)
				return nil
			}, `SELECT stored, id, body FROM items WHERE (stored, id) > (?, ?) ORDER BY stored, id LIMIT ?`, stored, id, itemsPage)
			if err != nil {
				yield(store.StoredItem{}, err)
				return
			}
			for _, it := range page {
				if !yield(it, nil) {
					return
				}
			}
			if len(page) < itemsPage {
				return
			}
		}
	}
}

// Counts returns totals.
func (s *Store) Counts(ctx context.Context) (store.Counts, error) {
	var c store.Counts
	err := s.row(ctx, []any{&c.Feeds, &c.Hits, &c.Items, &c.Seen, &c.Subscribers, &c.DeadLetters, &c.Head, &c.Bytes}, `SELECT
		(SELECT count(*) FROM feeds) - (SELECT count(*) FROM feeds WHERE left_at IS NOT NULL),
		(SELECT count(*) FROM hits),
		(SELECT count(*) FROM items),
		(SELECT coalesce(sum(count), 0) FROM seen),
		(SELECT count(*) FROM subscribers WHERE left_at IS NULL),
		(SELECT count(*) FROM letters),
		(SELECT value FROM meta WHERE key = 'head'),
		(SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size)`)
	return c, err
}
