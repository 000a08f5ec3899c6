package store

import (
	"fmt"
	"slices"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/notify"
)

// Normal returns the batch as an engine writes it, or says what is wrong with
// it. A batch is whole when its lease is of its feed, LastPoll is set unless the
// feed was only put off, NextCheck is set unless the feed is retired, and every item
// and hit is of this feed and was seen. A feed without a next check would die in silence, which is the
// first thing that newswatch must never do; so it is an error, not a default.
//
// What only an outsider can have put in is not an error, because that would stop
// the feed for good: of two items, hits, or rules of one hit with the same id
// the first is kept, and a date beyond year 9999, which JSON cannot write, is
// dropped.
func (b Batch) Normal() (Batch, error) {
	st := b.State
	switch {
	case st.FeedID == "" || b.Lease.Key != FeedKey(st.FeedID):
		return b, fmt.Errorf("store: batch of feed %q under a lease of %q", st.FeedID, b.Lease.Key)
	case st.LastPoll.IsZero() && (st.PutOff.IsZero() || len(b.Seen)+len(b.Items)+len(b.Hits)+len(b.Notices) > 0):
		return b, fmt.Errorf("store: batch of feed %q has no time of its poll", st.FeedID)
	case st.NextCheck.IsZero() && !st.Retired:
		return b, fmt.Errorf("store: batch of feed %q has no next check", st.FeedID)
	}
	st.LastItem = writable(st.LastItem)
	b.State = st

	var seen map[feed.ItemID]bool
	if len(b.Items)+len(b.Hits) > 0 {
		seen = make(map[feed.ItemID]bool, len(b.Seen))
		for _, s := range b.Seen {
			seen[s.ID] = true
		}
	}
	listed := func(it feed.Item) error {
		if !seen[it.ID] {
			return fmt.Errorf("store: item %s of feed %q is not among those seen", it.ID, st.FeedID)
		}
		if it.FeedID != st.FeedID {
			return fmt.Errorf("store: item %s is of feed %q, not %q", it.ID, it.FeedID, st.FeedID)
		}
		return nil
	}

	items := make([]StoredItem, 0, len(b.Items))
	have := make(map[feed.ItemID]bool, len(b.Items))
	for _, it := range b.Items {
		if err := listed(it.Item); err != nil {
			return b, err
		}
		if have[it.Item.ID] {
			continue
		}
		have[it.Item.ID] = true
		it.Item = datesWritable(it.Item)
		it.Stored = Time(it.Stored)
		items = append(items, it)
	}
	b.Items = items

	hits := make([]classifier.Hit, 0, len(b.Hits))
	clear(have)
	for _, h := range b.Hits {
		switch err := listed(h.Item); {
		case h.TakenDown && len(h.Rules) > 0:
			return b, fmt.Errorf("store: item %s is taken down with %d rules", h.Item.ID, len(h.Rules))
		case len(h.Rules) == 0 && h.Item.FeedID != st.FeedID:
			return b, fmt.Errorf("store: item %s is of feed %q, not %q", h.Item.ID, h.Item.FeedID, st.FeedID)
		case err != nil && len(h.Rules) > 0:
			return b, err
		}
		if have[h.Item.ID] {
			continue
		}
		have[h.Item.ID] = true
		hits = append(hits, normalHit(h))
	}
	b.Hits = hits

	notices := make([]notify.Notice, 0, len(b.Notices))
	for _, n := range b.Notices {
		n, err := NormalNotice(n)
		if err != nil {
			return b, err
		}
		notices = append(notices, n)
	}
	b.Notices = notices
	return b, nil
}

// NormalNotice returns the notice as an engine writes it, or says what is wrong
// with it.
func NormalNotice(n notify.Notice) (notify.Notice, error) {
	switch {
	case n.ID == "" || n.At.IsZero() || n.Text == "":
		return n, fmt.Errorf("store: a notice of %q about %q lacks its id, time or text", n.Kind, n.Subject)
	case !slices.Contains(notify.NoticeKinds, n.Kind):
		return n, fmt.Errorf("store: notice %s is of kind %q, which is none", n.ID, n.Kind)
	}
	n.At, n.Seq = Time(n.At), 0
	return n, nil
}

// normalHit copies what it changes: the caller still owns its slices.
func normalHit(h classifier.Hit) classifier.Hit {
	h.Item = datesWritable(h.Item)
	h.Item.Content = ""
	h.Found = Time(h.Found)
	rules := make([]classifier.RuleMatch, 0, len(h.Rules))
	have := make(map[string]bool, len(h.Rules))
	for _, r := range h.Rules {
		if have[r.Rule] {
			continue
		}
		have[r.Rule] = true
		r.Seq = 0
		rules = append(rules, r)
	}
	h.Rules = rules
	return h
}

func datesWritable(it feed.Item) feed.Item {
	it.Published, it.Updated = writable(it.Published), writable(it.Updated)
	return it
}

// writable drops a date that encoding/json refuses to write.
func writable(t time.Time) time.Time {
	if y := t.UTC().Year(); y < 1 || y > 9999 {
		return time.Time{}
	}
	return t.UTC()
}

// Time returns t as the store keeps it: in UTC, to the millisecond.
func Time(t time.Time) time.Time { return FromMilli(t.UnixMilli()) }

// FromMilli is the inverse of time.Time.UnixMilli, in UTC. The zero time comes
// back as the zero time.
func FromMilli(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
