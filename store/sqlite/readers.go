package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"iter"
	"time"

	"github.com/newswatch/newswatch/store"
)

// SigningKey returns the key that links are signed with, and makes it first.
func (s *Store) SigningKey(ctx context.Context) ([]byte, error) {
	var key []byte
	err := s.row(ctx, []any{&key}, `SELECT key FROM signing`)
	if !errors.Is(err, store.ErrNotFound) {
		return key, err
	}
	fresh := make([]byte, 32)
	if _, err := rand.Read(fresh); err != nil {
		return nil, err
	}
	err = s.w.do(ctx, func(t *tx) error {
		if _, err := t.exec(`INSERT INTO signing VALUES (1, ?) ON CONFLICT DO NOTHING`, fresh); err != nil {
			return err
		}
		return t.row(`SELECT key FROM signing`).Scan(&key)
	})
	if err != nil {
		return nil, err
	}
	return key, nil
}

// Reader returns one reader.
func (s *Store) Reader(ctx context.Context, id string) (store.Reader, error) {
	return s.reader(ctx, `SELECT body FROM readers WHERE id = ?`, id)
}

// ReaderOf returns the reader with a contact.
func (s *Store) ReaderOf(ctx context.Context, c store.Contact) (store.Reader, error) {
	return s.reader(ctx, `SELECT body FROM readers WHERE contact = ?`, c[:])
}

func (s *Store) reader(ctx context.Context, q string, arg any) (r store.Reader, err error) {
	var body []byte
	if err := s.row(ctx, []any{&body}, q, arg); err != nil {
		return r, err
	}
	return r, store.Decode(body, &r)
}

// readerPage is how many readers are read at a time.
const readerPage = 500

// Readers yields all readers, ordered by id.
func (s *Store) Readers(ctx context.Context) iter.Seq2[store.Reader, error] {
	return func(yield func(store.Reader, error) bool) {
		for after := ""; ; {
			var page []store.Reader
			err := s.rows(ctx, func(r scanner) error {
				reader, err := decoded[store.Reader](r)
				if err == nil {
					page = append(page, *reader)
				}
				return err
			}, `SELECT body FROM readers WHERE id > ? ORDER BY id LIMIT ?`, after, readerPage)
			if err != nil {
				yield(store.Reader{}, err)
				return
			}
			for _, r := range page {
				if !yield(r, nil) {
					return
				}
			}
			if len(page) < readerPage {
				return
			}
			after = page[len(page)-1].ID
		}
	}
}

// AdmitReader stores a reader under a contact.
func (s *Store) AdmitReader(ctx context.Context, c store.Contact, change func(store.Reader) (store.Amendment, error)) (store.Reader, error) {
	return s.amend(ctx, change, true, `SELECT body FROM readers WHERE contact = ?`, c[:])
}

// AmendReader changes the reader with an id.
func (s *Store) AmendReader(ctx context.Context, id string, change func(store.Reader) (store.Amendment, error)) (store.Reader, error) {
	return s.amend(ctx, change, false, `SELECT body FROM readers WHERE id = ?`, id)
}

func (s *Store) amend(ctx context.Context, change func(store.Reader) (store.Amendment, error), admit bool, q string, arg any) (store.Reader, error) {
	var out store.Reader
	err := s.w.do(ctx, func(t *tx) error {
		var old store.Reader
		var body []byte
		err := t.row(q, arg).Scan(&body)
		switch {
		case errors.Is(err, sql.ErrNoRows) && !admit:
			return store.ErrNotFound
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return err
		default:
			if err := store.Decode(body, &old); err != nil {
				return err
			}
		}
		a, err := change(old)
		if err == nil {
			a, err = a.Normal(old)
		}
		if err != nil {
			return err
		}
		if err := t.putReader(a.Reader); err != nil {
			return err
		}
		out = a.Reader
		switch {
		case a.Reader.State != store.ReaderActive && old.State == store.ReaderActive:
			_, err = t.unlist(a.Reader.ID) // others have no place, and looking costs
		case a.Turn != nil:
			err = t.list(*a.Turn)
		}
		return err
	})
	return out, err
}

// putReader writes a reader. An amendment is no claim: its letter is due when it
// says.
func (t *tx) putReader(r store.Reader) error {
	body, err := store.Encode(r)
	if err != nil {
		return err
	}
	var letter sql.NullInt64
	if r.Letter != nil {
		letter = milli(r.Letter.Due)
	}
	_, err = t.exec(`INSERT INTO readers (id, contact, letter, expires, body) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET letter = excluded.letter, expires = excluded.expires, body = excluded.body`,
		r.ID, r.Contact[:], letter, milli(r.Expires()), body)
	return err
}

// list enrols one subscriber and leaves the others alone.
func (t *tx) list(e store.Enrolment) error {
	sub := new(subscriber)
	err := sub.scan(t.row(`SELECT `+subscriberColumns+` FROM subscribers WHERE id = ?`, e.ID))
	if errors.Is(err, sql.ErrNoRows) {
		return t.enlist(e)
	}
	if err != nil {
		return err
	}
	return t.reenlist(sub, e)
}

// unlist takes a subscriber's place away, with all that waits to be sent, and
// returns how much that was.
func (t *tx) unlist(id string) (int, error) {
	n, err := t.exec(`DELETE FROM subscribers WHERE id = ?`, id)
	if err != nil {
		return n, err
	}
	letters, err := t.exec(`DELETE FROM letters WHERE subscriber = ?`, id)
	return n + letters, err
}

// ClaimLetters returns readers to whom a letter is owed.
func (s *Store) ClaimLetters(ctx context.Context, now time.Time, max int, until time.Time) ([]store.Reader, error) {
	var out []store.Reader
	err := s.w.do(ctx, func(t *tx) error {
		out = nil
		err := t.rows(func(r scanner) error {
			reader, err := decoded[store.Reader](r)
			if err == nil {
				out = append(out, *reader)
			}
			return err
		}, `SELECT body FROM readers WHERE letter <= ? ORDER BY letter, id LIMIT ?`, now.UnixMilli(), maxRows(max))
		if err != nil {
			return err
		}
		for _, r := range out {
			if _, err := t.exec(`UPDATE readers SET letter = ? WHERE id = ?`, until.UnixMilli(), r.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Erase deletes all that is held of a subscriber.
func (s *Store) Erase(ctx context.Context, id string) error {
	return s.w.do(ctx, func(t *tx) error {
		n, err := t.unlist(id)
		if err != nil {
			return err
		}
		for _, q := range []string{`DELETE FROM deliveries WHERE subscriber = ?`, `DELETE FROM readers WHERE id = ?`} {
			m, err := t.exec(q, id)
			if err != nil {
				return err
			}
			n += m
		}
		if n == 0 {
			return store.ErrNotFound
		}
		return nil
	})
}
