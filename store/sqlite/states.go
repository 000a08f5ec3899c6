package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/store"
)

// stateColumns are what a state is put together from.
const stateColumns = `state, next, poisoned, paused`

// stateRow is where the rows of one query are scanned into, one after the other.
type stateRow struct {
	body         sql.RawBytes
	next, paused sql.NullInt64
	poisoned     int
	dest         []any
}

// newStateRow is for rows of stateColumns, and what follows them.
func newStateRow(more ...any) *stateRow {
	row := new(stateRow)
	row.dest = append([]any{&row.body, &row.next, &row.poisoned, &row.paused}, more...)
	return row
}

// scan reads one row. The queue has the last word on what it keeps itself.
func (row *stateRow) scan(r scanner, st *fetcher.State) error {
	if err := r.Scan(row.dest...); err != nil {
		return err
	}
	if err := store.Decode(row.body, st); err != nil {
		return err
	}
	st.NextCheck, st.Poisoned, st.Paused = at(row.next), row.poisoned, at(row.paused)
	return nil
}

// State returns one feed's state.
func (s *Store) State(ctx context.Context, id string) (fetcher.State, error) {
	var st fetcher.State
	found, row := false, newStateRow()
	err := s.rows(ctx, func(r scanner) error {
		found = true
		return row.scan(r, &st)
	}, `SELECT `+stateColumns+` FROM feeds WHERE id = ? AND left_at IS NULL`, id)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return st, err
}

// States lists the states of feeds in the queue.
func (s *Store) States(ctx context.Context, q store.StateQuery) ([]fetcher.State, error) {
	where, args := `left_at IS NULL`, []any{}
	if len(q.Grades) > 0 {
		// The fine ones have no remark, and so are not in its index.
		fine := false
		var marks []string
		for _, g := range q.Grades {
			if g == fetcher.Fine {
				fine = true
				continue
			}
			marks = append(marks, "?")
			args = append(args, int(g))
		}
		where = `remark IN (` + strings.Join(marks, ", ") + `)`
		if fine {
			where = `left_at IS NULL AND (remark IS NULL OR ` + where + `)`
		}
	}
	if len(q.IDs) > 0 {
		ids, err := json.Marshal(q.IDs)
		if err != nil {
			return nil, fmt.Errorf("sqlite: ids: %w", err)
		}
		where += ` AND id IN (SELECT value FROM json_each(?))`
		args = append(args, string(ids))
	}
	args = append(args, q.After, store.PageSize(q.Limit))
	var states []fetcher.State
	row := newStateRow()
	err := s.rows(ctx, func(r scanner) error {
		var st fetcher.State
		err := row.scan(r, &st)
		states = append(states, st)
		return err
	}, `SELECT `+stateColumns+` FROM feeds WHERE `+where+` AND id > ? ORDER BY id LIMIT ?`, args...)
	if err != nil {
		return nil, err
	}
	return states, nil
}

// Census counts the feeds in the queue.
func (s *Store) Census(ctx context.Context, late time.Time) (store.Census, error) {
	c := store.Census{Grades: make(map[fetcher.Grade]int)}
	err := s.row(ctx, []any{&c.Feeds, &c.Late}, `SELECT
		(SELECT count(*) FROM feeds) - (SELECT count(*) FROM feeds WHERE left_at IS NOT NULL),
		(SELECT count(*) FROM feeds WHERE due < ?1)
			- (SELECT count(*) FROM leases CROSS JOIN feeds ON n = feed WHERE due < ?1)
			+ (SELECT count(*) FROM leases CROSS JOIN feeds ON n = feed WHERE until < ?1 AND left_at IS NULL AND paused IS NULL)`, late.UnixMilli())
	if err != nil {
		return c, err
	}
	fine := c.Feeds
	err = s.rows(ctx, func(r scanner) error {
		var grade, n int
		err := r.Scan(&grade, &n)
		c.Grades[fetcher.Grade(grade)] = n //nolint:gosec // what is in the column is a grade
		fine -= n
		return err
	}, `SELECT remark, count(*) FROM feeds WHERE remark IS NOT NULL GROUP BY remark`)
	if fine > 0 {
		c.Grades[fetcher.Fine] = fine
	}
	return c, err
}

// Reads counts the feeds in the queue by their last good poll. An index of these
// would be written at every poll, for a figure that digests alone ask for.
func (s *Store) Reads(ctx context.Context) (store.Reads, error) {
	var reads store.Reads
	err := s.rows(ctx, func(r scanner) error {
		var in store.ReadsIn
		err := r.Scan(&in.Minute, &in.Feeds)
		reads = append(reads, in)
		return err
	}, `SELECT success / 60000 AS minute, count(*) FROM feeds WHERE left_at IS NULL AND success IS NOT NULL GROUP BY minute ORDER BY minute`)
	if err != nil {
		return nil, err
	}
	return reads, nil
}

// PauseFeeds takes feeds out of the queue, or puts them back in.
func (s *Store) PauseFeeds(ctx context.Context, ids []string, paused bool, now time.Time) error {
	return s.w.do(ctx, func(t *tx) error {
		for _, id := range ids {
			if _, err := t.exec(`UPDATE feeds SET paused = CASE WHEN ? THEN coalesce(paused, ?) END WHERE id = ? AND left_at IS NULL`,
				paused, now.UnixMilli(), id); err != nil {
				return err
			}
		}
		return nil
	})
}
