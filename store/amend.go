package store

import (
	"strings"
	"time"
	"unicode"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/classifier/text"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/notify"
)

// Amended returns the amendment that tells of an edit at the time given, if there
// is anything to tell: old, the stored hit, stands in the log, and its headline has
// other words than next, or next is taken down. Its place in the log comes after
// those of the rules that are new to the hit.
func Amended(old *classifier.Hit, next classifier.Hit, at time.Time) (notify.Amendment, bool) {
	switch {
	case old == nil:
		return notify.Amendment{}, false
	case next.TakenDown:
		it := old.Item
		h, ok := told(*old, feed.Item{ID: it.ID, FeedID: it.FeedID, Title: it.Title, Published: it.Published, Updated: it.Updated, Lang: it.Lang, Outlet: it.Outlet})
		return notify.Amendment{At: Time(at), Hit: h, TakenDown: true}, ok && !old.TakenDown
	case words(old.Item.Title) == words(next.Item.Title):
		return notify.Amendment{}, false
	}
	it := next.Item
	stub := feed.Item{
		ID: it.ID, FeedID: it.FeedID, Title: it.Title, Link: it.Link, Published: it.Published, Updated: it.Updated, Lang: it.Lang, Outlet: it.Outlet,
	}
	h, ok := told(*old, stub)
	return notify.Amendment{At: Time(at), Hit: h, Was: old.Item.Title}, ok
}

// Withdrawn returns the amendment that tells that a hit was purged, if it stands
// in the log. It says whose report it was, and nothing of what that said.
func Withdrawn(old classifier.Hit, at time.Time) (notify.Amendment, bool) {
	it := old.Item
	h, ok := told(old, feed.Item{ID: it.ID, FeedID: it.FeedID, Published: it.Published, Updated: it.Updated, Lang: it.Lang, Outlet: it.Outlet})
	return notify.Amendment{At: Time(at), Hit: h, Withdrawn: true}, ok
}

// told is the hit with another item and those of its rules alone that stand in
// the log, and whether there are any.
func told(h classifier.Hit, it feed.Item) (classifier.Hit, bool) {
	show := h.Show() // by all rules, those that are left out too
	stub := classifier.Hit{Item: it, Source: h.Source, FeedTags: h.FeedTags, Found: h.Found}
	for _, r := range h.Rules {
		if r.Seq > 0 {
			stub.Rules = append(stub.Rules, classifier.RuleMatch{Rule: r.Rule, Name: r.Name, Severity: r.Severity, Tags: r.Tags, Show: show, Seq: r.Seq})
		}
	}
	return stub, len(stub.Rules) > 0
}

// words is a headline as it is compared: another case, other quotation marks or
// spaces are no other headline.
func words(s string) string {
	return strings.Join(strings.FieldsFunc(text.Fold(s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsNumber(r)
	}), " ")
}
