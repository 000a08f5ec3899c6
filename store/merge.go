package store

import (
	"fmt"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/notify"
)

// MergeHit returns the hit to store when next was found and old, if not nil, is
// what the store has of the same item. The rules that the caller must give a
// seq, in order, are those whose indexes it returns. See Batch.Hits for what is
// kept; next must come from Batch.Normal. A next without rules is of an item that
// matches no more, is taken down, or is back, and then old must not be nil.
func MergeHit(old *classifier.Hit, next classifier.Hit) (merged classifier.Hit, unnumbered []int) {
	if next.TakenDown {
		merged = *old
		merged.TakenDown = true
		return merged, nil
	}
	if len(next.Rules) == 0 {
		merged = *old
		merged.Item, merged.TakenDown = next.Item, false
		return merged, nil
	}
	merged = next
	merged.Rules = append([]classifier.RuleMatch(nil), next.Rules...)
	known := make(map[string]int64)
	if old != nil {
		merged.Found = old.Found
		merged.Quiet = old.Quiet
		for _, r := range old.Rules {
			known[r.Rule] = r.Seq
		}
	}
	for i := range merged.Rules {
		r := &merged.Rules[i]
		seq, ok := known[r.Rule]
		r.Seq = seq
		if !ok && !next.Quiet {
			unnumbered = append(unnumbered, i)
		}
		delete(known, r.Rule)
	}
	if old != nil {
		for _, r := range old.Rules {
			if _, left := known[r.Rule]; left {
				merged.Rules = append(merged.Rules, r)
			}
		}
	}
	if len(unnumbered) > 0 {
		merged.Quiet = false
	}
	return merged, unnumbered
}

// Reported returns whether a rule of the hit stands in the log at from < seq <=
// to, and the first such seq.
func Reported(h classifier.Hit, from, to int64) (first int64, ok bool) {
	for _, r := range h.Rules {
		if r.Seq > from && r.Seq <= to && (!ok || r.Seq < first) {
			first, ok = r.Seq, true
		}
	}
	return first, ok
}

// Sealable says why a digest cannot become the pending one of a subscriber whose
// pending digest has the id given, if it has one. The same digest once more is
// what a caller seals again whose first answer was lost.
func Sealable(d notify.Digest, subscriber, pendingID string) error {
	switch {
	case d.ID == "" || d.Subscriber != subscriber:
		return fmt.Errorf("store: digest %q of subscriber %q sealed in a turn of %q", d.ID, d.Subscriber, subscriber)
	case pendingID != "" && pendingID != d.ID:
		return fmt.Errorf("%w: %s, so %s cannot be", ErrPending, pendingID, d.ID)
	}
	return nil
}

// Mentions lists the items that a digest tells of.
func Mentions(d notify.Digest) []feed.ItemID {
	var ids []feed.ItemID
	for _, g := range d.Groups {
		for _, e := range g.Entries {
			ids = append(ids, e.Item)
			for _, r := range e.Also {
				ids = append(ids, r.Item)
			}
			if e.Earlier != (notify.Earlier{}) {
				ids = append(ids, e.Earlier.Item)
			}
		}
	}
	for _, c := range d.Corrections {
		if !c.Withdrawn { // which names the item, so that a receiver can delete it too
			ids = append(ids, c.Item)
		}
	}
	return ids
}

// WithoutItem returns the digest with every mention of the item taken out, and
// whether there was one. Where the item led an entry that other outlets report
// too, the first of these leads it: the story is still news. It is left without
// an excerpt, because the excerpt was the removed item's. The digest's ID is the
// same, since it is still the digest of its window.
func WithoutItem(d notify.Digest, id feed.ItemID) (notify.Digest, bool) {
	found := false
	groups := make([]notify.Group, 0, len(d.Groups))
	d.Entries = d.More // those that the cap left out stay counted
	for _, g := range d.Groups {
		entries := make([]notify.Entry, 0, len(g.Entries))
		for _, e := range g.Entries {
			also := make([]notify.Report, 0, len(e.Also))
			for _, r := range e.Also {
				if r.Item == id {
					found = true
					d.Hits--
					continue
				}
				also = append(also, r)
			}
			e.Also = also
			if e.Item == id {
				found = true
				d.Hits--
				if len(also) == 0 {
					continue
				}
				lead := also[0]
				e = notify.Entry{
					Item: lead.Item, Title: lead.Title, Link: lead.Link, Outlet: lead.Outlet,
					Found: e.Found, AlsoRules: e.AlsoRules, Also: also[1:], Earlier: e.Earlier,
				}
			}
			if e.Earlier != (notify.Earlier{}) && e.Earlier.Item == id {
				found = true
				e.Earlier = notify.Earlier{}
			}
			entries = append(entries, e)
		}
		if len(entries) == 0 {
			continue
		}
		g.Entries = entries
		groups = append(groups, g)
		d.Entries += len(entries)
	}
	d.Groups = groups
	d.Hits = max(d.Hits, 0)
	corrections := make([]notify.Correction, 0, len(d.Corrections))
	for _, c := range d.Corrections {
		if c.Item == id && !c.Withdrawn {
			found = true
			continue
		}
		corrections = append(corrections, c)
	}
	d.Corrections = corrections
	return d, found
}
