package redis

import (
	"context"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// amendmentArgs are the arguments of a script for what may be an amendment: when
// it was, and its body without the seq that the script gives; both empty where
// there is none.
func amendmentArgs(a notify.Amendment, ok bool) ([]any, error) {
	if !ok {
		return []any{"", ""}, nil
	}
	a.Seq = 0
	body, err := store.Encode(a)
	return []any{a.At.UnixMilli(), body}, err
}

// Amendments returns the amendments of a stretch of the log.
func (s *Store) Amendments(ctx context.Context, from, to int64) ([]notify.Amendment, error) {
	return s.amendments(ctx, redis.ZRangeArgs{Start: "(" + strconv.FormatInt(from, 10), Stop: strconv.FormatInt(to, 10)})
}

// amendments reads the amendments of a part of their log.
func (s *Store) amendments(ctx context.Context, part redis.ZRangeArgs) ([]notify.Amendment, error) {
	part.Key, part.ByScore = keyAmendmentLog(), true
	places, err := s.c.ZRangeArgs(ctx, part).Result()
	if err != nil {
		return nil, wrap(ctx, err)
	}
	var out []notify.Amendment
	err = each(ctx, s.c, places, func(p redis.Pipeliner, place string) error {
		item, seq := splitPlace(place)
		return p.HMGet(ctx, keyAmended(item), seq).Err()
	}, func(place string, cmd redis.Cmder) error {
		body := text(cmd.(*redis.SliceCmd).Val()[0])
		if body == "" {
			return nil // swept or purged since
		}
		var a notify.Amendment
		err := store.Decode([]byte(body), &a)
		_, seq := splitPlace(place)
		a.Seq = integer(seq)
		out = append(out, a)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// splitPlace takes apart what stands in a log: an item's id and its place.
func splitPlace(place string) (item, seq string) {
	n := min(len(feed.ItemID{}), len(place))
	return place[:n], place[n:]
}

func (s *Store) dumpAmendments(ctx context.Context, put func(store.Row) error) error {
	for from := int64(0); ; {
		page, err := s.amendments(ctx, redis.ZRangeArgs{Start: "(" + strconv.FormatInt(from, 10), Stop: "+inf", Count: page})
		if err != nil || len(page) == 0 {
			return err
		}
		for _, a := range page {
			if err := put(store.Row{Amendment: &a}); err != nil {
				return err
			}
			from = a.Seq
		}
	}
}
