package redis

import (
	"context"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// Post gives a notice the log's next place.
func (s *Store) Post(ctx context.Context, n notify.Notice) error {
	n, err := store.NormalNotice(n)
	if err != nil {
		return err
	}
	args, err := noticeArgs([]notify.Notice{n})
	if err != nil {
		return err
	}
	_, err = s.promising().run(ctx, postNotice, args...)
	return err
}

// noticeArgs are the arguments of a script for notices: for each its id, time and
// body, which is without the seq that the script gives.
func noticeArgs(ns []notify.Notice) ([]any, error) {
	var args []any
	for _, n := range ns {
		n.Seq = 0
		body, err := store.Encode(n)
		if err != nil {
			return nil, err
		}
		args = append(args, n.ID, n.At.UnixMilli(), body)
	}
	return args, nil
}

// Notices returns the notices of a stretch of the log.
func (s *Store) Notices(ctx context.Context, from, to int64) ([]notify.Notice, error) {
	return s.notices(ctx, redis.ZRangeArgs{Start: "(" + strconv.FormatInt(from, 10), Stop: strconv.FormatInt(to, 10)})
}

// LatestNotices lists notices, the last in the log first.
func (s *Store) LatestNotices(ctx context.Context, before int64, limit int) ([]notify.Notice, error) {
	last := "+inf"
	if before > 0 {
		last = "(" + strconv.FormatInt(before, 10)
	}
	return s.notices(ctx, redis.ZRangeArgs{Rev: true, Start: last, Stop: "-inf", Count: int64(store.PageSize(limit))})
}

// notices reads the notices of a part of their log.
func (s *Store) notices(ctx context.Context, part redis.ZRangeArgs) ([]notify.Notice, error) {
	part.Key, part.ByScore = keyNoticeLog(), true
	ids, err := s.c.ZRangeArgs(ctx, part).Result()
	if err != nil {
		return nil, wrap(ctx, err)
	}
	var out []notify.Notice
	err = each(ctx, s.c, ids, func(p redis.Pipeliner, id string) error {
		return p.HMGet(ctx, keyNotice(id), "b", "s").Err()
	}, func(_ string, cmd redis.Cmder) error {
		v := cmd.(*redis.SliceCmd).Val()
		if v[0] == nil {
			return nil // swept since
		}
		var n notify.Notice
		err := store.Decode([]byte(text(v[0])), &n)
		n.Seq = integer(text(v[1]))
		out = append(out, n)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// postNotice gives a notice the log's next place.
//
//	KEYS    1 prefix
//	ARGV    1 id, 2 at, 3 body
//	result  nothing
//	cost    O(log n)
var postNotice = script(`post(ARGV[1], ARGV[2], ARGV[3])`)
