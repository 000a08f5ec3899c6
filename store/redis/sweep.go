package redis

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// sweepStep is how much one script of Sweep deletes: a server that runs a script
// does nothing else meanwhile.
const sweepStep = 200

// Sweep deletes what has outlived its retention.
func (s *Store) Sweep(ctx context.Context, now time.Time, keep store.Retention) (store.Swept, error) {
	var sw store.Swept
	for _, w := range []struct {
		what string
		age  time.Duration
		n    *int
	}{
		{"hits", keep.Hits, &sw.Hits},
		{"amendments", keep.Hits, &sw.Amendments},
		{"notices", keep.Hits, &sw.Notices},
		{"letters", keep.Hits, &sw.DeadLetters},
		{"deliveries", keep.Hits, &sw.Deliveries},
		{"items", keep.Items, &sw.Items},
		{"subs", keep.Seen, &sw.Subscribers},
		{"feeds", keep.Seen, &sw.Feeds},
	} {
		if w.age <= 0 {
			continue
		}
		for {
			v, err := s.run(ctx, sweep, w.what, now.Add(-w.age).UnixMilli(), sweepStep)
			if err != nil {
				return sw, err
			}
			counts := v.([]any)
			n := int(counts[0].(int64))
			*w.n += n
			sw.Seen += int(counts[1].(int64))
			if n < sweepStep || w.what == "letters" {
				break
			}
		}
	}
	if err := s.sweepExcess(ctx, &sw, keep.MaxItems); err != nil {
		return sw, err
	}
	for {
		n, err := s.number(ctx, sweepReaders, now.UnixMilli(), sweepStep)
		if err != nil {
			return sw, err
		}
		sw.Readers += int(n)
		if n < sweepStep {
			break
		}
	}
	if keep.Seen <= 0 {
		return sw, nil
	}
	n, err := s.sweepSeen(ctx, now.Add(-keep.Seen))
	sw.Seen += n
	return sw, err
}

// sweepExcess deletes the oldest items beyond a number. They are counted once: what
// comes meanwhile is for the next sweep.
func (s *Store) sweepExcess(ctx context.Context, sw *store.Swept, most int) error {
	if most <= 0 {
		return nil
	}
	have, err := s.c.ZCard(ctx, keyItems()).Result()
	if err != nil {
		return wrap(ctx, err)
	}
	for excess := int(have) - most; excess > 0; {
		v, err := s.run(ctx, sweep, "items", "+inf", min(excess, sweepStep))
		if err != nil {
			return err
		}
		n := int(v.([]any)[0].(int64))
		if n == 0 {
			return nil // another sweep was here
		}
		sw.Items += n
		excess -= n
	}
	return nil
}

// sweepSeen forgets the ids that feeds ceased to list before a time.
func (s *Store) sweepSeen(ctx context.Context, before time.Time) (int, error) {
	total := 0
	for range tries {
		feeds, err := s.c.ZRangeArgs(ctx, redis.ZRangeArgs{
			Key: keyGone(), ByScore: true, Start: "-inf", Stop: "(" + strconv.FormatInt(before.Unix(), 10),
		}).Result()
		if err != nil {
			return total, wrap(ctx, err)
		}
		if len(feeds) == 0 {
			return total, nil
		}
		for _, id := range feeds {
			old, seen, err := readRow(ctx, s.c.Get(ctx, keyFeed(id)))
			if err != nil {
				return total, err
			}
			rest, _ := seen.Forget(before)
			oldest := ""
			if gone, ok := rest.OldestGone(); ok {
				oldest = strconv.FormatInt(gone.Unix(), 10)
			}
			n, err := s.number(ctx, putSeen, id, hash(old.seen), rest.Bytes(), rest.Len(), oldest)
			if err != nil {
				return total, err
			}
			total += int(max(n, 0)) // one that changed meanwhile comes by again
		}
	}
	return total, nil // the rest is for the next sweep
}

// Purge removes an item from everywhere, for good.
func (s *Store) Purge(ctx context.Context, id feed.ItemID, now time.Time) error {
	for range tries {
		feedID, err := s.feedOf(ctx, id)
		if err != nil {
			return err
		}
		v, err := s.c.HMGet(ctx, keyHit(string(id[:])), "b", "s").Result()
		if err != nil {
			return wrap(ctx, err)
		}
		h, version, err := stored(v)
		if err != nil {
			return err
		}
		withdrawal := []any{"", ""}
		if h != nil {
			if withdrawal, err = amendmentArgs(store.Withdrawn(*h, now)); err != nil {
				return err
			}
		}
		args := append([]any{id[:], feedID, version}, withdrawal...)
		for _, set := range []struct {
			keys  []string
			field string
			key   func(string) string
		}{
			{[]string{keySubs(), keySubsLeft()}, "pend", keySub},
			{[]string{keyLetters()}, "d", keyLetter},
		} {
			for _, key := range set.keys {
				if args, err = s.without(ctx, id, args, key, set.field, set.key); err != nil {
					return err
				}
			}
		}
		n, err := s.promising().number(ctx, purge, args...)
		if err != nil || n == 1 {
			return err
		}
	}
	return s.errBusy("the hit, or a digest that tells of it,")
}

// without adds what is left of the digests of a set that mention the item.
func (s *Store) without(ctx context.Context, id feed.ItemID, args []any, set, field string, key func(string) string) ([]any, error) {
	ids, err := s.c.ZRange(ctx, set, 0, -1).Result()
	if err != nil {
		return nil, wrap(ctx, err)
	}
	err = each(ctx, s.c, ids, func(p redis.Pipeliner, name string) error {
		return p.HMGet(ctx, key(name), field).Err()
	}, func(name string, cmd redis.Cmder) error {
		body := text(cmd.(*redis.SliceCmd).Val()[0])
		if body == "" {
			return nil
		}
		var d notify.Digest
		if err := store.Decode([]byte(body), &d); err != nil {
			return err
		}
		rest, found := store.WithoutItem(d, id)
		if !found {
			return nil
		}
		next, err := store.Encode(rest)
		args = append(args, key(name), field, hash(body), next)
		return err
	})
	return args, err
}

// feedOf finds the feed of an item that is known by its id alone.
func (s *Store) feedOf(ctx context.Context, id feed.ItemID) (string, error) {
	h, err := s.Hit(ctx, id)
	if err == nil || !errors.Is(err, store.ErrNotFound) {
		return h.Item.FeedID, err
	}
	name, err := s.c.HGet(ctx, keyPurged(), string(id[:])).Result()
	if err == nil || !errors.Is(err, redis.Nil) {
		return name, wrap(ctx, err)
	}
	body, err := s.c.Get(ctx, keyItem(string(id[:]))).Result()
	if err == nil {
		var it store.StoredItem
		err = store.Decode([]byte(body), &it)
		return it.Item.FeedID, err
	}
	if !errors.Is(err, redis.Nil) {
		return "", wrap(ctx, err)
	}
	// Only the sets of seen ids are left to tell.
	for _, set := range []string{keyQueue(), keyLeft()} {
		ids, err := s.c.ZRange(ctx, set, 0, -1).Result()
		if err != nil {
			return "", wrap(ctx, err)
		}
		err = each(ctx, s.c, ids, func(p redis.Pipeliner, f string) error {
			return p.Get(ctx, keyFeed(f)).Err()
		}, func(f string, cmd redis.Cmder) error {
			get := cmd.(*redis.StringCmd)
			if !strings.Contains(get.Val(), string(store.SeenPart(id))) {
				return nil
			}
			_, seen, err := readRow(ctx, get)
			if err == nil && seen.Has(id) {
				name = f
			}
			return err
		})
		if err != nil || name != "" {
			return name, err
		}
	}
	return "", store.ErrNotFound
}
