package redis

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/lease"
	"github.com/newswatch/newswatch/store"
)

// tries bounds how often a write is computed anew because what it was computed
// from had changed. Only a purge or a sweep of the same feed can do that.
const tries = 20

func (s *Store) errBusy(what string) error {
	return fmt.Errorf("%w: %s was changed by others %d times in a row", store.ErrUnavailable, what, tries)
}

// hash is what a script calls redis.sha1hex; it tells versions apart and guards
// against nobody.
func hash(s string) string {
	h := sha1.Sum([]byte(s))
	return hex.EncodeToString(h[:])
}

// Unseen compares sightings with what the feed listed before.
func (s *Store) Unseen(ctx context.Context, feedID string, sightings []store.Sighting) ([]store.Novelty, error) {
	if len(sightings) == 0 {
		return nil, nil
	}
	fields := make([]string, len(sightings))
	for i, g := range sightings {
		fields[i] = string(g.ID[:])
	}
	var get *redis.StringCmd
	var purged *redis.SliceCmd
	err := s.b.do(ctx, true, func(p redis.Pipeliner) {
		get = p.Get(s.b.life, keyFeed(feedID))
		purged = p.HMGet(s.b.life, keyPurged(), fields...)
	})
	if err != nil {
		return nil, wrap(ctx, err)
	}
	_, seen, err := readRow(ctx, get)
	if err != nil {
		return nil, err
	}
	if err := purged.Err(); err != nil {
		return nil, wrap(ctx, err)
	}
	out := seen.Compare(sightings)
	for i := range out {
		if purged.Val()[i] != nil {
			out[i] = store.Purged
		}
	}
	return out, nil
}

// readRow takes a feed's row, and its seen ids, from an answer.
func readRow(ctx context.Context, get *redis.StringCmd) (row, store.Seen, error) {
	if err := get.Err(); err != nil && !errors.Is(err, redis.Nil) {
		return row{}, store.Seen{}, wrap(ctx, err)
	}
	r, err := parseRow(get.Val())
	if err != nil {
		return r, store.Seen{}, err
	}
	seen, err := store.ParseSeen([]byte(r.seen))
	return r, seen, err
}

// Record writes what one poll leaves behind.
func (s *Store) Record(ctx context.Context, b store.Batch) ([]classifier.Hit, error) {
	b, err := b.Normal()
	if err != nil {
		return nil, err
	}
	st, err := encodeState(b.State)
	if err != nil {
		return nil, err
	}
	var items []any
	for _, it := range b.Items {
		body, err := store.Encode(it)
		if err != nil {
			return nil, err
		}
		items = append(items, it.Item.ID[:], it.Stored.UnixMilli(), body)
	}
	notices, err := noticeArgs(b.Notices)
	if err != nil {
		return nil, err
	}
	defer s.b.finish(b.State.FeedID)
	for try := range tries {
		args := []any{b.State.FeedID, b.Lease.Token, st, milli(b.State.NextCheck), b.State.Poisoned}
		var hits []merged
		noNews := try == 0 && len(b.Items)+len(b.Hits) == 0
		if noNews {
			args = append(args, nothingNew(b, notices)...)
		} else if args, hits, err = s.merge(ctx, b, args, items, notices); err != nil {
			return nil, err
		}
		writer := s.bundling(noNews)
		if len(b.Hits)+len(b.Notices) > 0 {
			writer = s.promising()
		}
		out, err := writer.list(ctx, record, args...)
		if err != nil {
			return nil, err
		}
		switch out[0] {
		case "lost":
			return nil, lease.ErrLost
		case "again":
			return s.again(ctx, b, integer(out[1]), integer(out[2]))
		case "ok":
			return fresh(hits, out[1:])
		}
	}
	return nil, s.errBusy(b.State.FeedID)
}

// nothingNew is the part of the arguments from the seen ids to the notices when the
// feed lists what it listed before, as most polls find it. The script sees by itself
// whether that is so; nothing needs to be read first.
func nothingNew(b store.Batch, notices []any) []any {
	begins := ""
	if len(b.Seen) > 0 {
		begins = string(store.ListedBytes(b.Seen))
	}
	args := []any{len(begins), hash(begins), "", 0, "", int(b.State.Health.Grade), readMinute(b.State), 0, len(b.Notices)}
	return append(args, notices...)
}

// merged is a hit as it will be stored, and which of its rules are new.
type merged struct {
	hit        classifier.Hit
	unnumbered []int
}

// merge reads what the batch changes, and adds the changes to the arguments.
func (s *Store) merge(ctx context.Context, b store.Batch, args, items, notices []any) ([]any, []merged, error) {
	var get *redis.StringCmd
	rows := make([]*redis.SliceCmd, len(b.Hits))
	err := s.b.do(ctx, false, func(p redis.Pipeliner) {
		get = p.Get(s.b.life, keyFeed(b.State.FeedID))
		for i, h := range b.Hits {
			rows[i] = p.HMGet(s.b.life, keyHit(string(h.Item.ID[:])), "b", "s")
		}
	})
	if err != nil {
		return nil, nil, wrap(ctx, err)
	}
	old, seen, err := readRow(ctx, get)
	if err != nil {
		return nil, nil, err
	}
	seen = seen.After(b.Seen, b.State.LastPoll)
	packed, oldest := string(seen.Bytes()), ""
	if packed == old.seen || len(b.Seen) == 0 {
		packed = ""
	}
	if gone, ok := seen.OldestGone(); ok {
		oldest = strconv.FormatInt(gone.Unix(), 10)
	}
	args = append(args, len(old.seen), hash(old.seen), packed, seen.Len(), oldest, int(b.State.Health.Grade), readMinute(b.State),
		len(b.Items), len(b.Notices))
	args = append(append(args, items...), notices...)

	var hits []merged
	for i, next := range b.Hits {
		if err := rows[i].Err(); err != nil {
			return nil, nil, wrap(ctx, err)
		}
		was, version, err := stored(rows[i].Val())
		if err != nil {
			return nil, nil, err
		}
		if was == nil && len(next.Rules) == 0 {
			continue
		}
		var m merged
		m.hit, m.unnumbered = store.MergeHit(was, next)
		hits = append(hits, m)
		body, seqs, err := split(m.hit, m.unnumbered)
		if err != nil {
			return nil, nil, err
		}
		amendment, err := amendmentArgs(store.Amended(was, next, b.State.LastPoll))
		if err != nil {
			return nil, nil, err
		}
		args = append(append(args, next.Item.ID[:], version, body, m.hit.Found.UnixMilli(), tallied(m.hit), seqs), amendment...)
	}
	return args, hits, nil
}

// stored reads a hit's hash; nil where there is none. The version is of what was
// read.
func stored(v []any) (h *classifier.Hit, version string, err error) {
	body, seqs := text(v[0]), text(v[1])
	if body == "" {
		return nil, "", nil
	}
	h = new(classifier.Hit)
	if err := store.Decode([]byte(body), h); err != nil {
		return nil, "", err
	}
	for i, seq := range strings.Fields(seqs) {
		if i < len(h.Rules) {
			h.Rules[i].Seq = integer(seq)
		}
	}
	return h, hash(body + seqs), nil
}

// split encodes a hit without its seqs, which the script gives, and lists these,
// with a + for each that is still to be given.
func split(h classifier.Hit, unnumbered []int) (body []byte, seqs string, err error) {
	list := make([]string, len(h.Rules))
	rules := make([]classifier.RuleMatch, len(h.Rules))
	for i, r := range h.Rules {
		list[i] = strconv.FormatInt(r.Seq, 10)
		r.Seq = 0
		rules[i] = r
	}
	for _, i := range unnumbered {
		list[i] = "+"
	}
	h.Rules = rules
	body, err = store.Encode(h)
	return body, strings.Join(list, " "), err
}

// tallied are the rules of a hit as Tally reads them, each behind a zero byte; none
// where it does not count.
func tallied(h classifier.Hit) string {
	var rules strings.Builder
	for _, r := range h.Rules {
		if !h.Quiet {
			rules.WriteString("\x00" + r.Rule)
		}
	}
	return rules.String()
}

// fresh are the hits that are new in the log, with the seqs that they were given.
func fresh(hits []merged, seqs []string) ([]classifier.Hit, error) {
	var out []classifier.Hit
	for i, m := range hits {
		given := strings.Fields(seqs[i])
		if len(given) == 0 || len(m.unnumbered) == 0 {
			continue // purged, or no news
		}
		for r := range m.hit.Rules {
			m.hit.Rules[r].Seq = integer(given[r])
		}
		out = append(out, m.hit)
	}
	return out, nil
}

// again answers a batch that is written already, as the first time.
func (s *Store) again(ctx context.Context, b store.Batch, from, to int64) ([]classifier.Hit, error) {
	ids := make([]string, len(b.Hits))
	for i, h := range b.Hits {
		ids[i] = string(h.Item.ID[:])
	}
	hits, err := s.load(ctx, ids)
	var out []classifier.Hit
	for _, h := range hits {
		if _, ok := store.Reported(h, from, to); ok {
			out = append(out, h)
		}
	}
	return out, err
}

// load reads hits by the bytes of their ids, and leaves out those that are gone.
func (s *Store) load(ctx context.Context, ids []string) ([]classifier.Hit, error) {
	var out []classifier.Hit
	err := each(ctx, s.c, ids, func(p redis.Pipeliner, id string) error {
		return p.HMGet(ctx, keyHit(id), "b", "s").Err()
	}, func(_ string, cmd redis.Cmder) error {
		h, _, err := stored(cmd.(*redis.SliceCmd).Val())
		if h != nil {
			out = append(out, *h)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Hit returns one hit.
func (s *Store) Hit(ctx context.Context, id feed.ItemID) (classifier.Hit, error) {
	hits, err := s.load(ctx, []string{string(id[:])})
	if err != nil {
		return classifier.Hit{}, err
	}
	if len(hits) == 0 {
		return classifier.Hit{}, store.ErrNotFound
	}
	return hits[0], nil
}
