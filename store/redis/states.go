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

// readMinute is the minute by which a state counts in a Census; 0 when it does not.
func readMinute(st fetcher.State) int64 {
	minute, ok := store.ReadMinute(st)
	if !ok {
		return 0
	}
	return minute
}

// State returns one feed's state.
func (s *Store) State(ctx context.Context, id string) (fetcher.State, error) {
	pipe := s.c.Pipeline()
	in := pipe.ZScore(ctx, keyQueue(), id)
	get := pipe.Get(ctx, keyFeed(id))
	if _, err := pipe.Exec(ctx); err != nil {
		return fetcher.State{}, wrap(ctx, err)
	}
	if err := in.Err(); err != nil {
		return fetcher.State{}, wrap(ctx, err)
	}
	r, err := parseRow(get.Val())
	if err != nil {
		return fetcher.State{}, err
	}
	return r.feedState(id)
}

// States lists the states of feeds in the queue.
func (s *Store) States(ctx context.Context, q store.StateQuery) ([]fetcher.State, error) {
	ids, err := s.graded(ctx, q)
	if err != nil {
		return nil, err
	}
	states := make([]fetcher.State, 0, len(ids))
	err = each(ctx, s.c, ids, func(p redis.Pipeliner, id string) error {
		return p.Get(ctx, keyFeed(id)).Err()
	}, func(id string, cmd redis.Cmder) error {
		r, err := parseRow(cmd.(*redis.StringCmd).Val())
		if err != nil {
			return err
		}
		st, err := r.feedState(id)
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

// queued are the next feeds of the queue behind an id. The queue is in the order
// of its turns, and a second set in the order of the ids would take a tenth of the
// memory of a feed; so all ids are read and sorted here, which at 100,000 feeds
// takes some tens of milliseconds a page.
func (s *Store) queued(ctx context.Context, after string, limit int) ([]string, error) {
	ids, err := s.ordered(ctx, keyQueue())
	if err != nil {
		return nil, err
	}
	at, found := slices.BinarySearch(ids, after)
	if found {
		at++
	}
	ids = ids[at:]
	return ids[:min(len(ids), limit)], nil
}

// ordered returns the members of a queue by their ids.
func (s *Store) ordered(ctx context.Context, queue string) ([]string, error) {
	ids, err := s.c.ZRange(ctx, queue, 0, -1).Result()
	slices.Sort(ids)
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
	before := pipe.ZCount(ctx, keyQueue(), "-inf", "("+strconv.FormatInt(late.UnixMilli(), 10))
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
		local r = F.get(id)
		if ARGV[1] == '' then r.pause = nil else r.pause = r.pause or tonumber(ARGV[1]) end
		F.put(id, r)
		requeue(F, id)
		remark(id)
	end
end
`)
