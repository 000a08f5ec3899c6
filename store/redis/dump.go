package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

var _ store.Portable = (*Store)(nil)

// errEnough ends a dump whose reader wants no more.
type errEnough struct{}

func (errEnough) Error() string { return "redis: enough" }

// Dump yields everything.
func (s *Store) Dump(ctx context.Context) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		put := func(r store.Row) error {
			if !yield(r, nil) {
				return errEnough{}
			}
			return nil
		}
		for _, part := range []func(context.Context, func(store.Row) error) error{
			s.dumpCounters, s.dumpFeeds, s.dumpItems, s.dumpHits, s.dumpNotices, s.dumpPurged, s.dumpSubscribers, s.dumpLetters, s.dumpDeliveries,
			s.dumpReaders, s.dumpAmendments,
		} {
			err := part(ctx, put)
			if errors.Is(err, errEnough{}) {
				return
			}
			if err != nil {
				yield(store.Row{}, err)
				return
			}
		}
	}
}

func (s *Store) dumpCounters(ctx context.Context, put func(store.Row) error) error {
	v, err := s.c.HMGet(ctx, keyTotals(), "head", "token").Result()
	if err != nil {
		return wrap(ctx, err)
	}
	return put(store.Row{Counters: &store.Counters{Head: integer(text(v[0])), Token: integer(text(v[1]))}})
}

// all reads the rows of a queue's members, those that left it included.
func (s *Store) all(ctx context.Context, in, left string, read func(redis.Pipeliner, string) error, got func(id string, left time.Time, cmd redis.Cmder) error) error {
	for _, set := range []string{in, left} {
		zs, err := s.c.ZRangeWithScores(ctx, set, 0, -1).Result()
		if err != nil {
			return wrap(ctx, err)
		}
		err = each(ctx, s.c, zs, func(p redis.Pipeliner, z redis.Z) error {
			return read(p, z.Member.(string))
		}, func(z redis.Z, cmd redis.Cmder) error {
			var when time.Time
			if set == left {
				when = store.FromMilli(int64(z.Score))
			}
			return got(z.Member.(string), when, cmd)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) dumpFeeds(ctx context.Context, put func(store.Row) error) error {
	return s.all(ctx, keyQueue(), keyLeft(), func(p redis.Pipeliner, id string) error {
		return p.Get(ctx, keyFeed(id)).Err()
	}, func(id string, left time.Time, cmd redis.Cmder) error {
		r, err := parseRow(cmd.(*redis.StringCmd).Val())
		if err != nil {
			return err
		}
		f := &store.FeedRow{Left: left}
		if f.State, err = r.feedState(id); err != nil {
			return err
		}
		if r.marked {
			f.State.Poisoned++ // its reader died: the next claim would say so
		}
		if r.seen != "" {
			f.Seen = []byte(r.seen)
		}
		return put(store.Row{Feed: f})
	})
}

func (s *Store) dumpItems(ctx context.Context, put func(store.Row) error) error {
	for it, err := range s.StoredItems(ctx, time.Time{}) {
		if err != nil {
			return err
		}
		if err := put(store.Row{Item: &it}); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) dumpHits(ctx context.Context, put func(store.Row) error) error {
	return s.walk(ctx, keyHits(), false, "-inf", "+inf", func(zs []redis.Z) (bool, error) {
		hits, err := s.load(ctx, members(zs))
		if err != nil {
			return false, err
		}
		for _, h := range hits {
			if err := put(store.Row{Hit: &h}); err != nil {
				return false, err
			}
		}
		return true, nil
	})
}

func (s *Store) dumpNotices(ctx context.Context, put func(store.Row) error) error {
	for from := int64(0); ; {
		page, err := s.notices(ctx, redis.ZRangeArgs{Start: "(" + strconv.FormatInt(from, 10), Stop: "+inf", Count: 200})
		if err != nil || len(page) == 0 {
			return err
		}
		for _, n := range page {
			if err := put(store.Row{Notice: &n}); err != nil {
				return err
			}
			from = n.Seq
		}
	}
}

func (s *Store) dumpPurged(ctx context.Context, put func(store.Row) error) error {
	scan := s.c.HScan(ctx, keyPurged(), 0, "", 1000).Iterator()
	for scan.Next(ctx) {
		p := new(store.PurgedRow)
		copy(p.Item[:], scan.Val())
		if !scan.Next(ctx) {
			break
		}
		p.Feed = scan.Val()
		if err := put(store.Row{Purged: p}); err != nil {
			return err
		}
	}
	return wrap(ctx, scan.Err())
}

func (s *Store) dumpSubscribers(ctx context.Context, put func(store.Row) error) error {
	fields := []string{"sched", "cursor", "since", "next", "pend", "att", "first", "err", "sent", "pat", "pby", "pwhy", "ref", "begin"}
	return s.all(ctx, keySubs(), keySubsLeft(), func(p redis.Pipeliner, id string) error {
		return p.HMGet(ctx, keySub(id), fields...).Err()
	}, func(id string, left time.Time, cmd redis.Cmder) error {
		v := cmd.(*redis.SliceCmd).Val()
		r := &store.SubscriberRow{
			ID: id, Schedule: text(v[0]), Cursor: integer(text(v[1])), Since: at(text(v[2])), Next: at(text(v[3])), Left: left,
			Attempts: int(integer(text(v[5]))), FirstTry: at(text(v[6])), LastError: text(v[7]), LastSent: at(text(v[8])),
			Paused: paused(v[9:12]), Refusals: int(integer(text(v[12]))), Begin: integer(text(v[13])),
		}
		if pend := text(v[4]); pend != "" {
			r.Pending = new(notify.Digest)
			if err := store.Decode([]byte(pend), r.Pending); err != nil {
				return err
			}
		}
		return put(store.Row{Subscriber: r})
	})
}

func (s *Store) dumpLetters(ctx context.Context, put func(store.Row) error) error {
	ids, err := s.c.ZRange(ctx, keyLetters(), 0, -1).Result()
	if err != nil {
		return wrap(ctx, err)
	}
	type numbered struct {
		row *store.LetterRow
		n   int64
	}
	var found []numbered
	err = each(ctx, s.c, ids, func(p redis.Pipeliner, id string) error {
		return p.HMGet(ctx, keyLetter(id), "sub", "d", "reason", "att", "buried", "resend", "n").Err()
	}, func(_ string, cmd redis.Cmder) error {
		v := cmd.(*redis.SliceCmd).Val()
		if v[1] == nil {
			return nil // dropped since
		}
		l := &store.LetterRow{Subscriber: text(v[0]), Asked: at(text(v[5]))}
		l.Reason, l.Attempts, l.Buried, l.Resending = text(v[2]), int(integer(text(v[3]))), at(text(v[4])), v[5] != nil
		found = append(found, numbered{l, integer(text(v[6]))})
		return store.Decode([]byte(text(v[1])), &l.Digest)
	})
	if err != nil {
		return err
	}
	slices.SortFunc(found, func(a, b numbered) int { return int(a.n - b.n) })
	for _, l := range found {
		if err := put(store.Row{Letter: l.row}); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) dumpDeliveries(ctx context.Context, put func(store.Row) error) error {
	return s.walk(ctx, keyDeliveries(), false, "-inf", "+inf", func(zs []redis.Z) (bool, error) {
		for _, z := range zs {
			d, err := delivery(z)
			if err != nil {
				return false, err
			}
			if err := put(store.Row{Delivery: &d}); err != nil {
				return false, err
			}
		}
		return true, nil
	})
}

// delivery reads a member of the deliveries: number:attempts:JSON.
func delivery(z redis.Z) (notify.Delivery, error) {
	_, rest, _ := strings.Cut(z.Member.(string), ":")
	attempts, j, _ := strings.Cut(rest, ":")
	var d notify.Delivery
	if err := json.Unmarshal([]byte(j), &d); err != nil {
		return d, fmt.Errorf("redis: a delivery: %w", err)
	}
	d.Attempts, d.Accepted = int(integer(attempts)), store.FromMilli(int64(z.Score))
	return d, nil
}
