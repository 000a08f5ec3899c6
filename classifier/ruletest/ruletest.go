// Package ruletest runs the tests that rule authors write beside their rules:
// the texts that a rule must match, and those that it must not.
package ruletest

import (
	"fmt"
	"strings"

	"github.com/newswatch/newswatch/classifier"
)

// Result is what a run of all tests came to.
type Result struct {
	// Rules have a test, out of those of the rule set; Tests is the number of
	// texts that were tried.
	Rules, Tests int
	// Untested are the rules without a must_match, one finding for each.
	Untested []classifier.Finding
	// Failures are in the order of the rules.
	Failures classifier.Errors
}

// Err is the failures as an error, nil if there are none.
func (r Result) Err() error {
	if len(r.Failures) == 0 {
		return nil
	}
	return r.Failures
}

// Run tries every must_match and must_not_match of the rules.
//
// A text is tried twice, as the headline of an item and as its body; where it
// has more than one line, once, with the first line as the headline and the
// others as the body. A must_match passes if the rule matches either time, a
// must_not_match if it matches neither. The item comes from a feed that the
// rule takes, in no stated language, at no address.
func Run(rs *classifier.Ruleset) Result {
	var res Result
	for _, r := range rs.Rules() {
		if len(r.MustMatch)+len(r.MustNotMatch) > 0 {
			res.Rules++
		}
		if len(r.MustMatch) == 0 {
			res.Untested = append(res.Untested, untested(r))
		}
		for _, src := range r.MustMatch {
			res.Tests++
			docs := documents(r, src.Text)
			if !matchesAny(rs, r.ID, docs) {
				res.Failures = append(res.Failures, failure(rs, r, src, &docs[0], "must_match: the rule does not match this text"))
			}
		}
		for _, src := range r.MustNotMatch {
			res.Tests++
			for _, d := range documents(r, src.Text) {
				if matchesAny(rs, r.ID, []classifier.Doc{d}) {
					res.Failures = append(res.Failures, failure(rs, r, src, &d, "must_not_match: the rule matches this text"))
					break
				}
			}
		}
	}
	return res
}

func untested(r classifier.Rule) classifier.Finding {
	f := classifier.Finding{
		Check: classifier.NoTest, Pos: r.Pos, Rule: r.ID, Msg: "the rule has no test",
		Suggestion: "put a headline that it is for under must_match",
	}
	if r.Line != nil && r.Pos.Line > 0 {
		f.Line, f.Caret = classifier.Clip(r.Line(r.Pos.Line), r.Pos.Column-1)
	}
	return f
}

// documents are the items that a text is tried as.
func documents(r classifier.Rule, text string) []classifier.Doc {
	origin := classifier.Doc{FeedTags: r.FeedTags}
	if len(r.Feeds) > 0 {
		origin.FeedID = r.Feeds[0]
	}
	title, body, lines := strings.Cut(strings.TrimSpace(text), "\n")
	if lines {
		origin.Title, origin.Body = title, body
		return []classifier.Doc{origin}
	}
	asTitle, asBody := origin, origin
	asTitle.Title, asBody.Body = title, title
	return []classifier.Doc{asTitle, asBody}
}

func matchesAny(rs *classifier.Ruleset, id string, docs []classifier.Doc) bool {
	for i := range docs {
		if rs.Matches(id, &docs[i]) {
			return true
		}
	}
	return false
}

// failure says in a line or two why a test failed.
func failure(rs *classifier.Ruleset, r classifier.Rule, src classifier.Source, doc *classifier.Doc, msg string) *classifier.Error {
	e := src.Errorf(0, r.ID, "", "%s", msg)
	x, err := rs.Explain(r.ID, doc)
	if err != nil { // the rule is of this rule set
		return e
	}
	e.Suggestion = why(x)
	return e
}

func why(x classifier.Explanation) string {
	if len(x.NearMisses) > 0 {
		return strings.Join(x.NearMisses, "\n    ")
	}
	if !x.Matched {
		return "the rule is " + x.Canonical + "; nothing that it asks for is near"
	}
	var found []string
	for _, c := range x.Clauses {
		if c.Holds && len(c.Found) > 0 {
			found = append(found, fmt.Sprintf("%s found %q", c.Expr, c.Found[0].Text))
		}
	}
	if len(found) == 0 {
		return "the rule " + x.Canonical + " holds for a text with none of its words"
	}
	return strings.Join(found, "; ")
}
