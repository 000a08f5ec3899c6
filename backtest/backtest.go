// Package backtest tries rules on the items that are kept: what they would have
// found, and how that differs from what other rules would have.
package backtest

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/store"
)

// Report is what came of it.
type Report struct {
	Items int `json:"items"`
	// Partial says that the time was up before the last item.
	Partial bool `json:"partial,omitempty"`
	// Against says that the rules were compared with others.
	Against bool    `json:"against"`
	Rules   []*Rule `json:"rules"`
}

// Rule is one rule of either set. The counts are complete; of the findings there
// are as many as were asked for.
type Rule struct {
	Rule     string    `json:"rule"`
	Found    int       `json:"found"`
	Was      int       `json:"was"`
	Added    int       `json:"added"`
	Removed  int       `json:"removed"`
	Findings []Finding `json:"findings"`
}

// Finding is an item that the rule finds. Change is "+" or "-" beside another
// set of rules, and empty without one.
type Finding struct {
	Change   string             `json:"change,omitempty"`
	Item     string             `json:"item"`
	Title    string             `json:"title"`
	Link     string             `json:"link,omitempty"`
	Outlet   string             `json:"outlet,omitempty"`
	Lang     string             `json:"lang,omitempty"`
	Date     time.Time          `json:"date,omitzero"`
	Sentence classifier.Excerpt `json:"sentence,omitzero"`
}

// Test is what is to be tried. Rules is required.
type Test struct {
	Rules *classifier.Ruleset
	// Before are the rules to compare with; nil means none.
	Before *classifier.Ruleset
	// Feed returns the feed of an item, or one with the id alone.
	Feed func(id string) feed.Feed
	// Limit bounds the findings of each rule; zero means no bound.
	Limit int
	// Read, where not nil, is called after each item.
	Read func()
}

// Run tries the rules on each of the items. When ctx ends with a deadline of its
// own that has passed, what was found by then is the report, and says so; any
// other end is an error.
func (t Test) Run(ctx context.Context, items iter.Seq2[store.StoredItem, error]) (*Report, error) {
	r := &Report{Against: t.Before != nil, Rules: []*Rule{}}
	byID := map[string]*Rule{}
	for _, rs := range []*classifier.Ruleset{t.Rules, t.Before} {
		if rs == nil {
			continue
		}
		for _, rule := range rs.Rules() {
			if byID[rule.ID] == nil {
				byID[rule.ID] = &Rule{Rule: rule.ID, Findings: []Finding{}}
				r.Rules = append(r.Rules, byID[rule.ID])
			}
		}
	}
	for item, err := range items {
		if late := ctx.Err() == context.DeadlineExceeded; late {
			r.Partial = true
			return r, nil
		}
		if err != nil {
			return nil, err
		}
		doc := classifier.NewDoc(item.Item, t.Feed(item.Item.FeedID))
		var was []classifier.RuleMatch
		if t.Before != nil {
			was = t.Before.Match(&doc)
		}
		t.count(byID, item, doc, t.Rules.Match(&doc), was)
		r.Items++
		if t.Read != nil {
			t.Read()
		}
	}
	return r, nil
}

// count adds one item's matches by the rules, and by those before.
func (t Test) count(byID map[string]*Rule, item store.StoredItem, doc classifier.Doc, now, was []classifier.RuleMatch) {
	for _, m := range now {
		r := byID[m.Rule]
		r.Found++
		switch {
		case t.Before == nil:
			t.show(r, "", item, doc, m)
		case !has(was, m.Rule):
			r.Added++
			t.show(r, "+", item, doc, m)
		}
	}
	for _, m := range was {
		r := byID[m.Rule]
		r.Was++
		if !has(now, m.Rule) {
			r.Removed++
			t.show(r, "-", item, doc, m)
		}
	}
}

func has(matches []classifier.RuleMatch, rule string) bool {
	return slices.ContainsFunc(matches, func(m classifier.RuleMatch) bool { return m.Rule == rule })
}

func (t Test) show(r *Rule, change string, item store.StoredItem, doc classifier.Doc, m classifier.RuleMatch) {
	if t.Limit > 0 && len(r.Findings) == t.Limit {
		return
	}
	r.Findings = append(r.Findings, Finding{
		Change: change, Item: item.Item.ID.String(), Title: item.Item.Title, Link: item.Item.Link, Outlet: doc.Source,
		Lang: doc.Lang, Date: item.Item.Published, Sentence: m.Excerpt,
	})
}
