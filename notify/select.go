package notify

import (
	"slices"
	"strings"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
)

// News returns the hits that are news to the selection in the window
// from < seq <= to, each once and in order, with only the rules that the
// selection follows and without what no digest shows. See Build for what makes
// a hit news.
func News(sel Selection, from, to int64, hits []classifier.Hit) []classifier.Hit {
	var out []classifier.Hit
	seen := make(map[feed.ItemID]bool)
	for _, h := range hits {
		if h.Quiet || seen[h.Item.ID] || !sel.language(h.Item.Lang) {
			continue
		}
		if first := firstFollowed(sel, h); first <= from || first > to {
			continue
		}
		// What is shown is settled by all rules, whoever follows them.
		show := h.Show()
		var rules []classifier.RuleMatch
		for _, r := range h.Rules {
			if r.Seq > 0 && sel.follows(r, h.FeedTags) {
				r.Matches, r.Show = nil, show
				rules = append(rules, r)
			}
		}
		seen[h.Item.ID] = true
		h.Rules = rules
		h.Item.Content, h.Item.Summary, h.Item.Authors, h.Item.Categories = "", "", nil, nil
		out = append(out, h)
	}
	return out
}

// told reports whether the selection asks for a hit, whenever it was logged, and it is
// still to be had.
func (s Selection) told(h classifier.Hit) bool {
	return !h.Quiet && !h.TakenDown && s.language(h.Item.Lang) && slices.ContainsFunc(h.Rules, func(r classifier.RuleMatch) bool {
		return r.Seq > 0 && s.follows(r, h.FeedTags)
	})
}

func (s Selection) follows(r classifier.RuleMatch, feedTags []string) bool {
	if r.Severity < s.Severity {
		return false
	}
	if len(s.Rules) > 0 && !slices.Contains(s.Rules, r.Rule) {
		return false
	}
	return len(s.Tags) == 0 || slices.ContainsFunc(s.Tags, func(t string) bool {
		return slices.Contains(r.Tags, t) || slices.Contains(feedTags, t)
	})
}

// language compares BCP 47 tags by their first subtags (RFC 4647 §3.3.1, basic
// filtering): en asks for en-IN as well. A report whose language nobody named
// passes: a story that is never told is worse than one in another language.
func (s Selection) language(tag string) bool {
	if len(s.Languages) == 0 || tag == "" {
		return true
	}
	tag = strings.ToLower(strings.ReplaceAll(tag, "_", "-"))
	return slices.ContainsFunc(s.Languages, func(want string) bool {
		want = strings.ToLower(want)
		return tag == want || strings.HasPrefix(tag, want+"-")
	})
}
