package redis

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/store"
)

// stateFields are what a state is put together from.
var stateFields = []string{"st", "next", "poi", "pat"}

// state puts a feed's state together. The queue has the last word on what it
// keeps itself.
func state(id, body, next, poisoned, paused string) (fetcher.State, error) {
	st := fetcher.State{FeedID: id}
	if body != "" {
		if err := store.Decode([]byte(body), &st); err != nil {
			return st, err
		}
	}
	st.NextCheck, st.Poisoned, st.Paused = at(next), int(integer(poisoned)), at(paused)
	return st, nil
}

// stateOf is state of the stateFields.
func stateOf(id string, v []any) (fetcher.State, error) {
	return state(id, text(v[0]), text(v[1]), text(v[2]), text(v[3]))
}

// readMinute is the minute by which a state counts in a Census; empty when it does
// not.
func readMinute(st fetcher.State) string {
	minute, ok := store.ReadMinute(st)
	if !ok {
		return ""
	}
	return strconv.FormatInt(minute, 10)
}

// State returns one feed's state.
func (s *Store) State(ctx context.Context, id string) (fetcher.State, error) {
	pipe := s.c.Pipeline()
	in := pipe.ZScore(ctx, keyQueue(), id)
	row := pipe.HMGet(ctx, keyFeed(id), stateFields...)
	if _, err := pipe.Exec(ctx); err != nil {
		return fetcher.State{}, wrap(ctx, err)
	}
	if err := in.Err(); err != nil {
		return fetcher.State{}, wrap(ctx, err)
	}
	return stateOf(id, row.Val())
}

// States lists the states of feeds in the queue.
func (s *Store) States(ctx context.Context, q store.StateQuery) ([]fetcher.State, error) {
	ids, err := s.graded(ctx, q)
	if err != nil {
		return nil, err
	}
	states := make([]fetcher.State, 0, len(ids))
	err = each(ctx, s.c, ids, func(p redis.Pipeliner, id string) error {
		return p.HMGet(ctx, keyFeed(id), stateFields...).Err()
	}, func(id string, cmd redis.Cmder) error {
		st, err := stateOf(id, cmd.(*redis.SliceCmd).Val())
		states = append(states, st)
		return err
	})
	if err != nil {
		return nil, err
	}
	return states, nil
}

// graded are the ids of the feeds that a query selects.
func (s *Store) graded(ctx context.Context, q store.StateQuery) ([]string, error) {
	limit := store.PageSize(q.Limit)
	if len(q.Grades) == 0 {
		return s.queued(ctx, q.After, limit)
	}
	var found []string
	for _, g := range q.Grades {
		if g == fetcher.Fine {
			fine, err := s.fine(ctx, q.After, limit)
			if err != nil {
				return nil, err
			}
			found = append(found, fine...)
			continue
		}
		grade := strconv.Itoa(int(g))
		ids, err := s.c.ZRangeArgs(ctx, redis.ZRangeArgs{Key: keyRemarks(), ByScore: true, Start: grade, Stop: grade}).Result()
		if err != nil {
			return nil, wrap(ctx, err)
		}
		found = append(found, ids...)
	}
	found = slices.DeleteFunc(found, func(id string) bool { return id <= q.After })
	slices.Sort(found)
	found = slices.Compact(found)
	return found[:min(len(found), limit)], nil
}

// queued are the next feeds of the queue behind an id.
func (s *Store) queued(ctx context.Context, after string, limit int) ([]string, error) {
	ids, err := s.c.ZRangeArgs(ctx, redis.ZRangeArgs{
		Key: keyQueue(), ByLex: true, Start: "(" + after, Stop: "+", Count: int64(limit),
	}).Result()
	return ids, wrap(ctx, err)
}

// fine are the next feeds behind an id that have no remark.
func (s *Store) fine(ctx context.Context, after string, limit int) ([]string, error) {
	var found []string
	for {
		ids, err := s.queued(ctx, after, limit)
		if err != nil || len(ids) == 0 {
			return found, err
		}
		err = each(ctx, s.c, ids, func(p redis.Pipeliner, id string) error {
			return p.ZScore(ctx, keyRemarks(), id).Err()
		}, func(id string, cmd redis.Cmder) error {
			if errors.Is(cmd.Err(), redis.Nil) {
				found = append(found, id)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		after = ids[len(ids)-1]
		if len(found) >= limit || len(ids) < limit {
			return found[:min(len(found), limit)], nil
		}
	}
}

// Census counts the feeds in the queue.
func (s *Store) Census(ctx context.Context, late time.Time) (store.Census, error) {
	pipe := s.c.Pipeline()
	feeds := pipe.ZCard(ctx, keyQueue())
	before := pipe.ZCount(ctx, keyDue(false), "-inf", "("+strconv.FormatInt(late.UnixMilli(), 10))
	graded := make(map[fetcher.Grade]*redis.IntCmd)
	for _, g := range fetcher.Grades {
		if g != fetcher.Fine {
			grade := strconv.Itoa(int(g))
			graded[g] = pipe.ZCount(ctx, keyRemarks(), grade, grade)
		}
	}
	reads := pipe.HGetAll(ctx, keyReads())
	if _, err := pipe.Exec(ctx); err != nil {
		return store.Census{}, wrap(ctx, err)
	}
	c := store.Census{Feeds: int(feeds.Val()), Late: int(before.Val()), Grades: make(map[fetcher.Grade]int)}
	fine := c.Feeds
	for g, cmd := range graded {
		if n := int(cmd.Val()); n > 0 {
			c.Grades[g] = n
			fine -= n
		}
	}
	if fine > 0 {
		c.Grades[fetcher.Fine] = fine
	}
	for minute, n := range reads.Val() {
		c.Reads = append(c.Reads, store.Reads{Minute: integer(minute), Feeds: int(integer(n))})
	}
	slices.SortFunc(c.Reads, func(a, b store.Reads) int { return cmp.Compare(a.Minute, b.Minute) })
	return c, nil
}

// PauseFeeds takes feeds out of the queue, or puts them back in.
func (s *Store) PauseFeeds(ctx context.Context, ids []string, paused bool, now time.Time) error {
	since := ""
	if paused {
		since = strconv.FormatInt(now.UnixMilli(), 10)
	}
	_, err := s.run(ctx, pauseFeeds, withIDs([]any{since}, ids)...)
	return err
}

// pauseFeeds takes feeds out of the queue, or puts them back in.
//
//	KEYS    1 prefix
//	ARGV    1 since when, or empty to put them back, 2… ids
//	result  nothing
//	cost    O(m log n)
var pauseFeeds = script(`
for i = 2, #ARGV do
	local id = ARGV[i]
	if call('ZSCORE', F.all, id) then
		if ARGV[1] ~= '' then
			call('HSETNX', F.row .. id, 'pat', ARGV[1])
		else
			call('HDEL', F.row .. id, 'pat')
		end
		requeue(F, id)
		remark(id)
	end
end
`)
