package sqlite

import (
	"context"
	"math"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

const noticeColumns = `seq, id, at, kind, subject, text`

func scanNotice(r scanner) (notify.Notice, error) {
	var n notify.Notice
	var at int64
	err := r.Scan(&n.Seq, &n.ID, &at, &n.Kind, &n.Subject, &n.Text)
	n.At = store.FromMilli(at)
	return n, err
}

// Post gives a notice the log's next place.
func (s *Store) Post(ctx context.Context, n notify.Notice) error {
	n, err := store.NormalNotice(n)
	if err != nil {
		return err
	}
	return s.w.do(ctx, func(t *tx) error { return t.post(n) })
}

func (t *tx) post(n notify.Notice) error {
	there := 0
	if err := t.row(`SELECT count(*) FROM notices WHERE id = ?`, n.ID).Scan(&there); err != nil || there > 0 {
		return err
	}
	seq, err := t.advance("head", 1)
	if err != nil {
		return err
	}
	n.Seq = seq
	return t.putNotice(n)
}

// putNotice stores a notice as it is.
func (t *tx) putNotice(n notify.Notice) error {
	_, err := t.exec(`INSERT INTO notices (`+noticeColumns+`) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, at = excluded.at, kind = excluded.kind, subject = excluded.subject, text = excluded.text`,
		n.Seq, n.ID, n.At.UnixMilli(), n.Kind, n.Subject, n.Text)
	return err
}

// Notices returns the notices of a stretch of the log.
func (s *Store) Notices(ctx context.Context, from, to int64) ([]notify.Notice, error) {
	return s.notices(ctx, `SELECT `+noticeColumns+` FROM notices WHERE seq > ? AND seq <= ? ORDER BY seq`, from, to)
}

// LatestNotices lists notices, the last in the log first.
func (s *Store) LatestNotices(ctx context.Context, before int64, limit int) ([]notify.Notice, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	return s.notices(ctx, `SELECT `+noticeColumns+` FROM notices WHERE seq < ? ORDER BY seq DESC LIMIT ?`, before, store.PageSize(limit))
}

func (s *Store) notices(ctx context.Context, q string, args ...any) ([]notify.Notice, error) {
	var out []notify.Notice
	err := s.rows(ctx, func(r scanner) error {
		n, err := scanNotice(r)
		out = append(out, n)
		return err
	}, q, args...)
	if err != nil {
		return nil, err
	}
	return out, nil
}
