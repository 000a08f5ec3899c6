package redis

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/store"
)

// readMinute is the minute by which a state counts in Reads; 0 when it does not.
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
	if len(q.IDs) > 0 {
		return s.asked(ctx, q, limit)
	}
	if len(q.Grades) == 0 {
		ids, err := s.queued(ctx, q.After)
		return ids[:min(len(ids), limit)], err
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

// asked are the feeds that a query names, of the grades that it names.
func (s *Store) asked(ctx context.Context, q store.StateQuery, limit int) ([]string, error) {
	ids := slices.DeleteFunc(slices.Clone(q.IDs), func(id string) bool { return id <= q.After })
	slices.Sort(ids)
	ids = slices.Compact(ids)
	graded := make(map[string]fetcher.Grade, len(ids))
	err := each(ctx, s.c, ids, func(p redis.Pipeliner, id string) error {
		return p.ZScore(ctx, keyQueue(), id).Err()
	}, func(id string, cmd redis.Cmder) error {
		if cmd.Err() == nil {
			graded[id] = fetcher.Fine
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, s.c, ids, func(p redis.Pipeliner, id string) error {
		return p.ZScore(ctx, keyRemarks(), id).Err()
	}, func(id string, cmd redis.Cmder) error {
		if _, queued := graded[id]; queued && cmd.Err() == nil {
			graded[id] = fetcher.Grade(cmd.(*redis.FloatCmd).Val())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	ids = slices.DeleteFunc(ids, func(id string) bool {
		g, queued := graded[id]
		return !queued || len(q.Grades) > 0 && !slices.Contains(q.Grades, g)
	})
	return ids[:min(len(ids), limit)], nil
}

// queued are the feeds of the queue behind an id. The queue is in the order
// of its turns, and a second set in the order of the ids would take a tenth of the
// memory of a feed; so all ids are read and sorted here, which at 100,000 feeds
// takes some tens of milliseconds a page.
func (s *Store) queued(ctx context.Context, after string) ([]string, error) {
	ids, err := s.ordered(ctx, keyQueue())
	if err != nil {
		return nil, err
	}
	at, found := slices.BinarySearch(ids, after)
	if found {
		at++
	}
	return ids[at:], nil
}

// ordered returns the members of a queue by their ids.
func (s *Store) ordered(ctx context.Context, queue string) ([]string, error) {
	ids, err := s.c.ZRange(ctx, queue, 0, -1).Result()
	slices.Sort(ids)
	return ids, wrap(ctx, err)
}

// fine are the next feeds behind an id that have no remark. Both sets are read once,
// whatever share of the feeds is fine.
func (s *Store) fine(ctx context.Context, after string, limit int) ([]string, error) {
	ids, err := s.queued(ctx, after)
	if err != nil {
		return nil, err
	}
	remarks, err := s.c.ZRange(ctx, keyRemarks(), 0, -1).Result()
	if err != nil {
		return nil, wrap(ctx, err)
	}
	remarked := make(map[string]bool, len(remarks))
	for _, id := range remarks {
		remarked[id] = true
	}
	found := make([]string, 0, limit)
	for _, id := range ids {
		if len(found) == limit {
			break
		}
		if !remarked[id] {
			found = append(found, id)
		}
	}
	return found, nil
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
	return c, nil
}

// Reads counts the feeds in the queue by their last good poll.
func (s *Store) Reads(ctx context.Context) (store.Reads, error) {
	counted, err := s.c.HGetAll(ctx, keyReads()).Result()
	if err != nil {
		return nil, wrap(ctx, err)
	}
	var reads store.Reads
	for minute, n := range counted {
		reads = append(reads, store.ReadsIn{Minute: integer(minute), Feeds: int(integer(n))})
	}
	slices.SortFunc(reads, func(a, b store.ReadsIn) int { return cmp.Compare(a.Minute, b.Minute) })
	return reads, nil
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
