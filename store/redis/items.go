package redis

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/store"
)

const page = 200

// walk goes through a sorted set in pages, up or down, from a score on. What is
// added meanwhile does not make it miss or repeat a member.
func (s *Store) walk(ctx context.Context, key string, down bool, from, to string, visit func([]redis.Z) (bool, error)) error {
	var last redis.Z
	same := 0 // members of last.Score that were visited
	for {
		by := redis.ZRangeArgs{Key: key, ByScore: true, Start: from, Stop: to, Rev: down, Offset: int64(same), Count: page}
		zs, err := s.c.ZRangeArgsWithScores(ctx, by).Result()
		if err != nil {
			return wrap(ctx, err)
		}
		if len(zs) == 0 {
			return nil
		}
		if more, err := visit(zs); err != nil || !more {
			return err
		}
		if len(zs) < page {
			return nil
		}
		if end := zs[len(zs)-1]; end.Score != last.Score {
			last, same = end, 0
		}
		for _, z := range zs {
			if z.Score == last.Score {
				same++
			}
		}
		from = strconv.FormatFloat(last.Score, 'f', -1, 64)
	}
}

func members(zs []redis.Z) []string {
	ids := make([]string, len(zs))
	for i, z := range zs {
		ids[i] = z.Member.(string)
	}
	return ids
}

// Hits lists stored hits, the newest first.
func (s *Store) Hits(ctx context.Context, q store.HitQuery) ([]classifier.Hit, error) {
	from, to := "+inf", "-inf"
	if !q.Until.IsZero() {
		from = "(" + strconv.FormatInt(ceilMilli(q.Until), 10)
	}
	if !q.BeforeTime.IsZero() && (q.Until.IsZero() || q.BeforeTime.Before(q.Until)) {
		from = strconv.FormatInt(q.BeforeTime.UnixMilli(), 10)
	}
	if !q.Since.IsZero() {
		to = strconv.FormatInt(ceilMilli(q.Since), 10)
	}
	words, limit := store.Words(q.Text), store.PageSize(q.Limit)
	var out []classifier.Hit
	err := s.walk(ctx, keyHits(), true, from, to, func(zs []redis.Z) (bool, error) {
		if !q.BeforeTime.IsZero() {
			before := float64(q.BeforeTime.UnixMilli())
			zs = slices.DeleteFunc(slices.Clone(zs), func(z redis.Z) bool {
				return z.Score == before && z.Member.(string) >= string(q.BeforeID[:])
			})
		}
		hits, err := s.load(ctx, members(zs))
		if err != nil {
			return false, err
		}
		for _, h := range hits {
			if len(out) < limit && selects(q, words, h) {
				out = append(out, h)
			}
		}
		return len(out) < limit, nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// selects reports whether a hit meets the conditions of a query but those on its
// time.
func selects(q store.HitQuery, words []string, h classifier.Hit) bool {
	if h.Quiet && !q.Quiet || q.Feed != "" && h.Item.FeedID != q.Feed {
		return false
	}
	if q.Rule != "" && !slices.ContainsFunc(h.Rules, func(r classifier.RuleMatch) bool { return r.Rule == q.Rule }) {
		return false
	}
	lang := store.LangKey(h.Item.Lang) + "-"
	switch {
	case q.Tag != "" && !slices.Contains(store.HitTags(h), q.Tag),
		q.Outlet != "" && store.OutletKey(h.Outlet()) != store.OutletKey(q.Outlet),
		q.Lang != "" && !strings.HasPrefix(lang, store.LangKey(q.Lang)+"-"),
		store.HitSeverity(h) < q.Severity:
		return false
	case len(words) == 0:
		return true
	}
	all := store.HitWords(h)
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(all, " "+w) })
}

// Tally counts the hits of stretches of time, from the list that holds no more of a
// hit than its rules.
func (s *Store) Tally(ctx context.Context, edges []time.Time) (store.Tally, error) {
	n := max(0, len(edges)-1)
	t := store.Tally{Hits: make([]int, n), Rules: make(map[string][]int)}
	stretches := make([]int, n)
	for i := range stretches {
		stretches[i] = i
	}
	err := each(ctx, s.c, stretches, func(p redis.Pipeliner, i int) error {
		return p.ZRangeArgs(ctx, redis.ZRangeArgs{
			Key: keyHitRules(), ByScore: true, Start: ceilMilli(edges[i]), Stop: "(" + strconv.FormatInt(ceilMilli(edges[i+1]), 10),
		}).Err()
	}, func(i int, cmd redis.Cmder) error {
		for _, m := range cmd.(*redis.StringSliceCmd).Val() {
			t.Hits[i]++
			for rule := range strings.SplitSeq(m[len(feed.ItemID{})+1:], "\x00") {
				if t.Rules[rule] == nil {
					t.Rules[rule] = make([]int, n)
				}
				t.Rules[rule][i]++
			}
		}
		return nil
	})
	if err != nil {
		return store.Tally{}, err
	}
	return t, nil
}

// Window returns the hits of a stretch of the log.
func (s *Store) Window(ctx context.Context, from, to int64) ([]classifier.Hit, error) {
	places, err := s.c.ZRangeArgs(ctx, redis.ZRangeArgs{
		Key: keyLog(), ByScore: true, Start: "(" + strconv.FormatInt(from, 10), Stop: strconv.FormatInt(to, 10),
	}).Result()
	if err != nil {
		return nil, wrap(ctx, err)
	}
	var ids []string
	have := make(map[string]bool)
	for _, p := range places {
		if id := p[:len(feed.ItemID{})]; !have[id] {
			have[id] = true
			ids = append(ids, id)
		}
	}
	return s.load(ctx, ids)
}

// Stored returns one item that is kept with its text.
func (s *Store) Stored(ctx context.Context, id feed.ItemID) (store.StoredItem, error) {
	var it store.StoredItem
	body, err := s.c.Get(ctx, keyItem(string(id[:]))).Bytes()
	if errors.Is(err, redis.Nil) {
		return it, store.ErrNotFound
	}
	if err != nil {
		return it, wrap(ctx, err)
	}
	return it, store.Decode(body, &it)
}

// StoredItems yields the items that are kept with their text.
func (s *Store) StoredItems(ctx context.Context, since time.Time) iter.Seq2[store.StoredItem, error] {
	return func(yield func(store.StoredItem, error) bool) {
		from := "-inf"
		if !since.IsZero() {
			from = strconv.FormatInt(ceilMilli(since), 10)
		}
		err := s.walk(ctx, keyItems(), false, from, "+inf", func(zs []redis.Z) (bool, error) {
			var items []store.StoredItem
			err := each(ctx, s.c, members(zs), func(p redis.Pipeliner, id string) error {
				return p.Get(ctx, keyItem(id)).Err()
			}, func(_ string, cmd redis.Cmder) error {
				body := cmd.(*redis.StringCmd).Val()
				if body == "" {
					return nil // swept since
				}
				var it store.StoredItem
				err := store.Decode([]byte(body), &it)
				items = append(items, it)
				return err
			})
			if err != nil {
				return false, err
			}
			for _, it := range items {
				if !yield(it, nil) {
					return false, nil
				}
			}
			return true, nil
		})
		if err != nil {
			yield(store.StoredItem{}, err)
		}
	}
}

// Counts returns totals.
func (s *Store) Counts(ctx context.Context) (store.Counts, error) {
	pipe := s.c.Pipeline()
	var cards []*redis.IntCmd
	for _, key := range []string{keyQueue(), keyHits(), keyItems(), keySubs(), keyLetters()} {
		cards = append(cards, pipe.ZCard(ctx, key))
	}
	totals := pipe.HMGet(ctx, keyTotals(), "seen", "head")
	info := pipe.InfoMap(ctx, "memory")
	if _, err := pipe.Exec(ctx); err != nil {
		return store.Counts{}, wrap(ctx, err)
	}
	return store.Counts{
		Feeds: int(cards[0].Val()), Hits: int(cards[1].Val()), Items: int(cards[2].Val()),
		Subscribers: int(cards[3].Val()), DeadLetters: int(cards[4].Val()),
		Seen: int(integer(text(totals.Val()[0]))), Head: integer(text(totals.Val()[1])),
		Bytes: integer(info.Val()["Memory"]["used_memory"]),
	}, nil
}
