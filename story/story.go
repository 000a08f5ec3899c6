// Package story tells which hits tell the same story, so that twenty outlets of
// one wire report become one entry with twenty links.
package story

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/newswatch/newswatch/classifier"
)

// Story is the hits that tell one story. Nothing is left out: every hit that was
// grouped is in exactly one story.
type Story struct {
	// Lead is the earliest report.
	Lead classifier.Hit
	// Also are the others, the earliest first.
	Also []classifier.Hit
}

// Each returns the story with every report put through f.
func (s Story) Each(f func(classifier.Hit) classifier.Hit) Story {
	out := Story{Lead: f(s.Lead), Also: make([]classifier.Hit, len(s.Also))}
	for i, h := range s.Also {
		out.Also[i] = f(h)
	}
	return out
}

// maxGap is how long after one report of a title another with the same title
// still tells the same story. Columns and bulletins use their titles again.
const maxGap = 72 * time.Hour

// Key returns the key of the hit's story: hits with equal keys tell the same
// one. It is made of the title where that is telling, else of the link, else of
// the item itself.
func Key(h classifier.Hit) string {
	kind, text := "title", titleKey(h)
	if text == "" {
		kind, text = "link", linkKey(h.Item.Link)
	}
	if text == "" {
		kind, text = "item", h.Item.ID.String()
	}
	sum := sha256.Sum256([]byte(kind + "\x00" + text))
	return hex.EncodeToString(sum[:16])
}

// Group returns the stories that the hits tell, the one with the newest lead
// first. Two hits tell the same story when they lead to the same page, or when
// their titles, or the Story that was recorded on them, are the same and no more
// than three days lie between them.
//
// A page to which one feed sends several items, under different titles or none, is
// a list, not an article, and joins nothing.
func Group(hits []classifier.Hit) []Story {
	byTime := slices.Clone(hits)
	slices.SortStableFunc(byTime, func(a, b classifier.Hit) int {
		return cmp.Or(When(a).Compare(When(b)), slices.Compare(a.Item.ID[:], b.Item.ID[:]))
	})
	lists := listPages(byTime)
	sets := newSets(len(byTime))
	last := make(map[string]int) // a key's newest hit so far
	for i, h := range byTime {
		title := titleKey(h)
		for _, k := range []string{"title\x00" + title, "story\x00" + h.Story} {
			if k == "title\x00" || k == "story\x00" {
				continue
			}
			if j, ok := last[k]; ok && When(h).Sub(When(byTime[j])) <= maxGap {
				sets.join(i, j)
			}
			last[k] = i
		}
		link := linkKey(h.Item.Link)
		if link == "" || lists[link] {
			continue
		}
		if j, ok := last["link\x00"+link]; ok {
			sets.join(i, j)
		}
		last["link\x00"+link] = i
	}
	at := make(map[int]int)
	var out []Story
	for i, h := range byTime {
		root := sets.root(i)
		if n, ok := at[root]; ok {
			out[n].Also = append(out[n].Also, h)
			continue
		}
		at[root] = len(out)
		out = append(out, Story{Lead: h})
	}
	slices.Reverse(out)
	return out
}

// When is the time of a report: what the publisher says, unless that is more
// than a week before it was found, or after: then when it was found.
func When(h classifier.Hit) time.Time {
	t := h.Item.Time()
	if t.IsZero() || t.After(h.Found) || h.Found.Sub(t) > 7*24*time.Hour {
		return h.Found
	}
	return t
}

// listPages finds the links that one feed gives to different titles, or to several
// items without one.
func listPages(hits []classifier.Hit) map[string]bool {
	type place struct{ feed, link string }
	titles := make(map[place]string)
	lists := make(map[string]bool)
	for _, h := range hits {
		link := linkKey(h.Item.Link)
		if link == "" {
			continue
		}
		p := place{h.Item.FeedID, link}
		if t, seen := titles[p]; seen && (t != h.Item.Title || t == "") {
			lists[link] = true
		}
		titles[p] = h.Item.Title
	}
	return lists
}

// sets is a forest of disjoint sets.
type sets []int

func newSets(n int) sets {
	s := make(sets, n)
	for i := range s {
		s[i] = i
	}
	return s
}

func (s sets) root(i int) int {
	for s[i] != i {
		s[i] = s[s[i]]
		i = s[i]
	}
	return i
}

func (s sets) join(i, j int) { s[s.root(i)] = s.root(j) }
