package redis

import (
	"context"
	"math"
	"time"

	"github.com/redis/go-redis/v9"

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
		st, err := state(out[0], []byte(out[1]), at(out[2]), time.Time{}, int(integer(out[3])))
		if err != nil {
			return nil, err
		}
		claims = append(claims, store.Claim{
			State: st, Lease: lease.Lease{Key: store.FeedKey(out[0]), Token: integer(out[4]), Until: until},
		})
	}
	s.b.begin(claims)
	return claims, nil
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
		pipe.ZRangeWithScores(ctx, keyQueue(), 0, 0), pipe.ZRangeWithScores(ctx, keySubs(), 0, 0),
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
	n, err := s.bundling(false).number(ctx, mark, id, l.Token, on)
	if err == nil && n == 0 {
		s.b.finish(id)
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
			s.b.finish(id)
		}
	}
	_, err := s.run(ctx, release, args...)
	return err
}
