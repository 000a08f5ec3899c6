package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/newswatch/newswatch/store"
)

// SigningKey returns the key that links are signed with, and makes it first.
func (s *Store) SigningKey(ctx context.Context) ([]byte, error) {
	key, err := s.c.Get(ctx, keySigning()).Bytes()
	if err == nil || !errors.Is(err, redis.Nil) {
		return key, wrap(ctx, err)
	}
	fresh := make([]byte, 32)
	if _, err := rand.Read(fresh); err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	out, err := s.promising().list(ctx, signingKey, fresh)
	if err != nil {
		return nil, err
	}
	return []byte(out[0]), nil
}

// Reader returns one reader.
func (s *Store) Reader(ctx context.Context, id string) (store.Reader, error) {
	r, _, err := s.reader(ctx, id)
	return r, err
}

// ReaderOf returns the reader with a contact.
func (s *Store) ReaderOf(ctx context.Context, c store.Contact) (store.Reader, error) {
	r, _, err := s.readerOf(ctx, c)
	return r, err
}

// reader returns a reader, and its text as it is kept.
func (s *Store) reader(ctx context.Context, id string) (r store.Reader, body string, err error) {
	if body, err = s.c.HGet(ctx, keyReader(id), "b").Result(); err != nil {
		return r, "", wrap(ctx, err)
	}
	return r, body, store.Decode([]byte(body), &r)
}

func (s *Store) readerOf(ctx context.Context, c store.Contact) (store.Reader, string, error) {
	// An unknown contact leads to the reader without an id, which is not there: the
	// second question is put in any case, or the answer to the unknown would come
	// a round trip sooner.
	id, err := s.c.HGet(ctx, keyContacts(), string(c[:])).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return store.Reader{}, "", wrap(ctx, err)
	}
	return s.reader(ctx, id)
}

// Readers yields all readers, ordered by id.
func (s *Store) Readers(ctx context.Context) iter.Seq2[store.Reader, error] {
	return func(yield func(store.Reader, error) bool) {
		ids, err := s.c.ZRange(ctx, keyReaders(), 0, -1).Result()
		if err != nil {
			yield(store.Reader{}, wrap(ctx, err))
			return
		}
		err = each(ctx, s.c, ids, func(p redis.Pipeliner, id string) error {
			return p.HMGet(ctx, keyReader(id), "b").Err()
		}, func(_ string, cmd redis.Cmder) error {
			body := text(cmd.(*redis.SliceCmd).Val()[0])
			if body == "" {
				return nil // erased since
			}
			var r store.Reader
			if err := store.Decode([]byte(body), &r); err != nil {
				return err
			}
			if !yield(r, nil) {
				return errEnough{}
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough{}) {
			yield(store.Reader{}, err)
		}
	}
}

// AdmitReader stores a reader under a contact.
func (s *Store) AdmitReader(ctx context.Context, c store.Contact, change func(store.Reader) (store.Amendment, error)) (store.Reader, error) {
	return s.amendReader(ctx, change, func() (store.Reader, string, error) {
		r, body, err := s.readerOf(ctx, c)
		if errors.Is(err, store.ErrNotFound) {
			return store.Reader{}, "", nil
		}
		return r, body, err
	})
}

// AmendReader changes the reader with an id.
func (s *Store) AmendReader(ctx context.Context, id string, change func(store.Reader) (store.Amendment, error)) (store.Reader, error) {
	return s.amendReader(ctx, change, func() (store.Reader, string, error) { return s.reader(ctx, id) })
}

// amendReader computes an amendment from what is read, and has it written if that
// is still so.
func (s *Store) amendReader(ctx context.Context, change func(store.Reader) (store.Amendment, error), read func() (store.Reader, string, error)) (store.Reader, error) {
	for range tries {
		old, body, err := read()
		if err != nil {
			return store.Reader{}, err
		}
		a, err := change(old)
		if err == nil {
			a, err = a.Normal(old)
		}
		if err != nil {
			return store.Reader{}, err
		}
		args, err := readerArgs(a.Reader, body)
		if err != nil {
			return store.Reader{}, err
		}
		args = append(args, rand.Text())
		switch e := a.Turn; {
		case a.Reader.State != store.ReaderActive && old.State == store.ReaderActive:
			args = append(args, "unlist") // others have no place, and looking costs
		case e != nil:
			args = append(args, "list", e.Next.UnixMilli(), e.Schedule, e.Since.UnixMilli(), ceilMilli(e.Since))
		default:
			args = append(args, "")
		}
		n, err := s.promising().number(ctx, amend, args...)
		if err != nil {
			return store.Reader{}, err
		}
		if n == 1 {
			return a.Reader, nil
		}
	}
	return store.Reader{}, s.errBusy("a reader")
}

// readerArgs are what a script needs to put a reader in its place; read is what
// it replaces.
func readerArgs(r store.Reader, read string) ([]any, error) {
	body, err := store.Encode(r)
	if err != nil {
		return nil, err
	}
	due, before := "", ""
	if r.Letter != nil {
		due = milli(r.Letter.Due)
	}
	if read != "" {
		before = hash(read)
	}
	return []any{r.ID, before, body, r.Contact[:], due, milli(r.Expires())}, nil
}

// ClaimLetters returns readers to whom a letter is owed.
func (s *Store) ClaimLetters(ctx context.Context, now time.Time, max int, until time.Time) ([]store.Reader, error) {
	if max <= 0 {
		return nil, nil
	}
	bodies, err := s.list(ctx, claimLetters, now.UnixMilli(), max, until.UnixMilli())
	if err != nil {
		return nil, err
	}
	var out []store.Reader
	for _, body := range bodies {
		var r store.Reader
		if err := store.Decode([]byte(body), &r); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// Erase deletes all that is held of a subscriber. Its deliveries go in a second
// step, when none can be added to them.
func (s *Store) Erase(ctx context.Context, id string) error {
	n, err := s.promising().number(ctx, erase, id)
	if err != nil {
		return err
	}
	var told []any
	err = s.walk(ctx, keyDeliveries(), false, "-inf", "+inf", func(zs []redis.Z) (bool, error) {
		for _, z := range zs {
			d, err := delivery(z)
			if err != nil {
				return false, err
			}
			if d.Subscriber == id {
				told = append(told, z.Member)
			}
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(told, 500) {
		if err := s.c.ZRem(ctx, keyDeliveries(), chunk...).Err(); err != nil {
			return wrap(ctx, err)
		}
	}
	if n == 0 && len(told) == 0 {
		return store.ErrNotFound
	}
	return nil
}

func (s *Store) dumpReaders(ctx context.Context, put func(store.Row) error) error {
	for r, err := range s.Readers(ctx) {
		if err != nil {
			return err
		}
		if err := put(store.Row{Reader: &r}); err != nil {
			return err
		}
	}
	key, err := s.c.Get(ctx, keySigning()).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil
	}
	if err != nil {
		return wrap(ctx, err)
	}
	return put(store.Row{SigningKey: key})
}
