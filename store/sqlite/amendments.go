package sqlite

import (
	"context"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// Amendments returns the amendments of a stretch of the log.
func (s *Store) Amendments(ctx context.Context, from, to int64) ([]notify.Amendment, error) {
	var out []notify.Amendment
	err := s.rows(ctx, func(r scanner) error {
		a, err := scanAmendment(r)
		out = append(out, a)
		return err
	}, `SELECT seq, body FROM amendments WHERE seq > ? AND seq <= ? ORDER BY seq`, from, to)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func scanAmendment(r scanner) (a notify.Amendment, err error) {
	var seq int64
	var body []byte
	if err := r.Scan(&seq, &body); err != nil {
		return a, err
	}
	err = store.Decode(body, &a)
	a.Seq = seq
	return a, err
}

// amend gives an amendment the log's next place.
func (t *tx) amend(a notify.Amendment) (err error) {
	if a.Seq, err = t.advance("head", 1); err != nil {
		return err
	}
	return t.putAmendment(a)
}

// putAmendment stores an amendment as it is.
func (t *tx) putAmendment(a notify.Amendment) error {
	seq := a.Seq
	a.Seq = 0
	body, err := store.Encode(a)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO amendments (seq, item, at, body) VALUES (?, ?, ?, ?)
		ON CONFLICT (seq) DO UPDATE SET item = excluded.item, at = excluded.at, body = excluded.body`,
		seq, a.Hit.Item.ID[:], a.At.UnixMilli(), body)
	return err
}

// withdraw puts the withdrawal of a hit in the place of its amendments.
func (t *tx) withdraw(h classifier.Hit, now time.Time) error {
	if _, err := t.exec(`DELETE FROM amendments WHERE item = ?`, h.Item.ID[:]); err != nil {
		return err
	}
	if a, ok := store.Withdrawn(h, now); ok {
		return t.amend(a)
	}
	return nil
}
