package store

import (
	"slices"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/notify"
)

// Amended returns the amendment that tells of an edit at the time given, if there
// is anything to tell: old, the stored hit, stands in the log, and its headline has
// other words than next, or one of the two is taken down and the other is not. Its
// place in the log comes after those of the rules that are new to the hit.
func Amended(old *classifier.Hit, next classifier.Hit, at time.Time) (notify.Amendment, bool) {
	if old == nil {
		return notify.Amendment{}, false
	}
	if next.TakenDown {
		it := old.Item
		it.Link = ""
		h, ok := told(*old, it)
		return notify.Amendment{At: Time(at), Hit: h, TakenDown: true}, ok && !old.TakenDown
	}
	h, ok := told(*old, next.Item)
	a := notify.Amendment{At: Time(at), Hit: h, Back: old.TakenDown}
	reworded := !slices.Equal(Words(old.Item.Title), Words(next.Item.Title))
	if reworded {
		a.Was = old.Item.Title
	}
	return a, ok && (reworded || a.Back)
}

// Withdrawn returns the amendment that tells that a hit was purged, if it stands
// in the log. It says whose report it was, and nothing of what that said.
func Withdrawn(old classifier.Hit, at time.Time) (notify.Amendment, bool) {
	it := old.Item
	it.Title, it.Link = "", ""
	h, ok := told(old, it)
	return notify.Amendment{At: Time(at), Hit: h, Withdrawn: true}, ok
}

// told is what an amendment keeps of a hit whose item is the one given: no text but
// the title, and those of its rules alone that stand in the log. It reports whether
// there are any.
func told(h classifier.Hit, it feed.Item) (classifier.Hit, bool) {
	show := h.Show() // by all rules, those that are left out too
	out := classifier.Hit{Source: h.Source, FeedTags: h.FeedTags, Found: h.Found, Item: feed.Item{
		ID: it.ID, FeedID: it.FeedID, Title: it.Title, Link: it.Link, Published: it.Published, Updated: it.Updated, Lang: it.Lang, Outlet: it.Outlet,
	}}
	for _, r := range h.Rules {
		if r.Seq > 0 {
			out.Rules = append(out.Rules, classifier.RuleMatch{Rule: r.Rule, Name: r.Name, Severity: r.Severity, Tags: r.Tags, Show: show, Seq: r.Seq})
		}
	}
	return out, len(out.Rules) > 0
}
