package redis

import (
	"context"
	"math"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/lease"
	"github.com/newswatch/newswatch/store"
)

// SyncFeeds makes the queue hold exactly these feeds.
func (s *Store) SyncFeeds(ctx context.Context, ids []string, now time.Time) error {
	_, err := s.run(ctx, syncFeeds, withIDs([]any{now.UnixMilli()}, ids)...)
	return err
}

func withIDs(args []any, ids []string) []any {
	for _, id := range ids {
		args = append(args, id)
	}
	return args
}

// ClaimFeeds leases feeds that are due.
func (s *Store) ClaimFeeds(ctx context.Context, now time.Time, max int, ttl time.Duration) ([]store.Claim, error) {
	if max <= 0 {
		return nil, nil
	}
	until := store.Time(now.Add(ttl))
	out, err := s.list(ctx, claimFeeds, now.UnixMilli(), max, until.UnixMilli())
	if err != nil {
		return nil, err
	}
	var claims []store.Claim
	for ; len(out) >= 5; out = out[5:] {
		st, err := state(out[0], out[1], out[2], out[3])
		if err != nil {
			return nil, err
		}
		claims = append(claims, store.Claim{
			State: st, Lease: lease.Lease{Key: store.FeedKey(out[0]), Token: integer(out[4]), Until: until},
		})
	}
	return claims, nil
}

// state puts a feed's state together. The queue has the last word on the two
// that it keeps itself.
func state(id, body, next, poisoned string) (fetcher.State, error) {
	st := fetcher.State{FeedID: id}
	if body != "" {
		if err := store.Decode([]byte(body), &st); err != nil {
			return st, err
		}
	}
	st.NextCheck, st.Poisoned = at(next), int(integer(poisoned))
	return st, nil
}

// Renew extends leases of feeds and of subscribers.
func (s *Store) Renew(ctx context.Context, ls []lease.Lease, until time.Time) ([]lease.Lease, error) {
	args := []any{until.UnixMilli()}
	var asked []lease.Lease
	for _, l := range ls {
		id, isFeed, ok := store.SplitKey(l.Key)
		if !ok {
			continue
		}
		kind := "s"
		if isFeed {
			kind = "f"
		}
		args = append(args, kind, id, l.Token)
		asked = append(asked, l)
	}
	out, err := s.list(ctx, renew, args...)
	if err != nil {
		return nil, err
	}
	var held []lease.Lease
	for i, l := range asked {
		if i < len(out) && out[i] != "" {
			l.Until = at(out[i])
			held = append(held, l)
		}
	}
	return held, nil
}

// NextDue returns when the next feed or subscriber is due.
func (s *Store) NextDue(ctx context.Context) (time.Time, error) {
	pipe := s.c.Pipeline()
	cmds := []*redis.ZSliceCmd{
		pipe.ZRangeWithScores(ctx, keyDue(false), 0, 0), pipe.ZRangeWithScores(ctx, keyDue(true), 0, 0),
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return time.Time{}, wrap(ctx, err)
	}
	first := math.Inf(1)
	for _, cmd := range cmds {
		for _, z := range cmd.Val() {
			first = min(first, z.Score)
		}
	}
	if math.IsInf(first, 1) {
		return time.Time{}, nil
	}
	return store.FromMilli(int64(first)), nil
}

// PollNow makes feeds due at now.
func (s *Store) PollNow(ctx context.Context, ids []string, now time.Time) error {
	_, err := s.run(ctx, dueNow, withIDs([]any{"f", now.UnixMilli()}, ids)...)
	return err
}

// MarkParsing notes that the holder of the lease is about to parse, or has
// parsed.
func (s *Store) MarkParsing(ctx context.Context, l lease.Lease, parsing bool) error {
	id, isFeed, _ := store.SplitKey(l.Key)
	if !isFeed {
		return lease.ErrLost
	}
	on := 0
	if parsing {
		on = 1
	}
	n, err := s.number(ctx, mark, id, l.Token, on)
	if err == nil && n == 0 {
		err = lease.ErrLost
	}
	return err
}

// ReleaseFeeds gives leases back untouched.
func (s *Store) ReleaseFeeds(ctx context.Context, ls []lease.Lease) error {
	var args []any
	for _, l := range ls {
		if id, isFeed, _ := store.SplitKey(l.Key); isFeed {
			args = append(args, id, l.Token)
		}
	}
	_, err := s.run(ctx, release, args...)
	return err
}

// States returns the state of every feed in the queue.
func (s *Store) States(ctx context.Context) ([]fetcher.State, error) {
	ids, err := s.c.ZRange(ctx, keyQueue(), 0, -1).Result()
	if err != nil {
		return nil, wrap(ctx, err)
	}
	states := make([]fetcher.State, 0, len(ids))
	err = each(ctx, s.c, ids, func(p redis.Pipeliner, id string) error {
		return p.HMGet(ctx, keyFeed(id), "st", "next", "poi").Err()
	}, func(id string, cmd redis.Cmder) error {
		v := cmd.(*redis.SliceCmd).Val()
		st, err := state(id, text(v[0]), text(v[1]), text(v[2]))
		states = append(states, st)
		return err
	})
	if err != nil {
		return nil, err
	}
	return states, nil
}

// State returns one feed's state.
func (s *Store) State(ctx context.Context, id string) (fetcher.State, error) {
	pipe := s.c.Pipeline()
	in := pipe.ZScore(ctx, keyQueue(), id)
	row := pipe.HMGet(ctx, keyFeed(id), "st", "next", "poi")
	if _, err := pipe.Exec(ctx); err != nil {
		return fetcher.State{}, wrap(ctx, err)
	}
	if err := in.Err(); err != nil {
		return fetcher.State{}, wrap(ctx, err)
	}
	v := row.Val()
	return state(id, text(v[0]), text(v[1]), text(v[2]))
}
