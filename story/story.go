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
	// Lead is the widest report: the one with the longest text, up to that of a report
	// in full; of those that are about as long, the earliest. Only one feed speaks for
	// each site, see grouping.voices.
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

// Group returns the stories that the hits tell, the one with the newest report
// first. Two hits tell the same story when they lead to the same page; when their
// titles, or the Story that was recorded on them, are the same and no more than
// three days lie between them; or when, within that time, their texts are the same
// or their headlines and first words agree in what they say, see account.tells.
//
// A page to which one feed sends several items, under different titles or none, is
// a list, not an article, and joins nothing.
func Group(hits []classifier.Hit) []Story {
	byTime := slices.Clone(hits)
	slices.SortStableFunc(byTime, func(a, b classifier.Hit) int {
		return cmp.Or(When(a).Compare(When(b)), slices.Compare(a.Item.ID[:], b.Item.ID[:]))
	})
	accounts := make([]account, len(byTime))
	for i, h := range byTime {
		accounts[i] = accountOf(h)
	}
	g := &grouping{hits: byTime, accounts: accounts, sets: newSets(len(byTime))}
	g.byKeys()
	g.byContent()
	return g.stories()
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
