package desk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/newswatch/newswatch/backtest"
	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/classifier/rulefile"
	"github.com/newswatch/newswatch/classifier/ruletest"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/guard"
)

const (
	// MaxText bounds a text that rules are tried on, and an edited rule file, in
	// bytes.
	MaxText = 256 << 10
	// trialTime is how long a rule file is tried on the items that are kept.
	trialTime = 20 * time.Second
	// trialFindings is how many items are shown of each rule.
	trialFindings = 10
	// maxExplained bounds the rules that are explained clause by clause: those
	// that match come first, then those that nearly do.
	maxExplained = 12
)

// Fault is a mistake in what the operator gave, in words meant for them. What is
// no Fault is a failure on our side.
type Fault struct{ err error }

func (f *Fault) Error() string { return f.err.Error() }
func (f *Fault) Unwrap() error { return f.err }

func faultf(format string, args ...any) error { return &Fault{fmt.Errorf(format, args...)} }

// Trial is what the rules in force make of one text.
type Trial struct {
	// Doc is the text that was tried.
	Doc classifier.Doc
	// Rules is how many were tried, Matched the ids of those that match.
	Rules   int
	Matched []string
	// Explained are the rules that match or nearly do, clause by clause, and the
	// one that was asked for whether it does or not.
	Explained []classifier.Explanation
	// More counts the rules that match or nearly do and are not explained.
	More int
}

// Match tries the rules in force on a text. rule, where not empty, is one to be
// explained whatever it makes of it.
func (d *Desk) Match(doc classifier.Doc, rule string) (Trial, error) {
	if doc.Title == "" && doc.Lead == "" && doc.Body == "" {
		return Trial{}, faultf("there is no text to try: give a headline, a summary or a body")
	}
	if n := len(doc.Title) + len(doc.Lead) + len(doc.Body); n > MaxText {
		return Trial{}, faultf("the text has %d bytes; at most %d are tried", n, MaxText)
	}
	rules := d.Rules()
	t := Trial{Doc: doc, Rules: len(rules.Rules()), Matched: []string{}, Explained: []classifier.Explanation{}}
	matched := map[string]bool{}
	for _, m := range rules.Match(&doc) {
		t.Matched = append(t.Matched, m.Rule)
		matched[m.Rule] = true
	}
	explain := func(id string) error {
		x, err := rules.Explain(id, &doc)
		if err != nil {
			return &Fault{err}
		}
		if id != rule && !x.Matched && len(x.NearMisses) == 0 {
			return nil
		}
		if len(t.Explained) == maxExplained {
			t.More++
			return nil
		}
		t.Explained = append(t.Explained, x)
		return nil
	}
	order := t.Matched
	if rule != "" && !matched[rule] {
		order = append([]string{rule}, order...)
	}
	for _, r := range rules.Rules() {
		if !matched[r.ID] && r.ID != rule && len(rules.Rules()) <= maxNearMisses {
			order = append(order, r.ID)
		}
	}
	for _, id := range order {
		if err := explain(id); err != nil {
			return Trial{}, err
		}
	}
	return t, nil
}

// maxNearMisses is up to how many rules are searched for near misses: each costs
// a compilation of its own.
const maxNearMisses = 500

// MatchItem tries the rules on an item that is kept with its text.
func (d *Desk) MatchItem(ctx context.Context, id feed.ItemID, rule string) (Trial, error) {
	it, err := d.Store.Stored(ctx, id)
	if err != nil {
		return Trial{}, err
	}
	return d.Match(classifier.NewDoc(it.Item, d.feed(it.Item.FeedID)), rule)
}

// MatchURL tries the rules on the article that a link leads to. The page's first
// line stands for its headline.
func (d *Desk) MatchURL(ctx context.Context, link, rule string) (Trial, error) {
	if d.Article == nil {
		return Trial{}, faultf("pages cannot be read here: paste the text instead")
	}
	text, err := d.Article(ctx, link)
	if err != nil {
		if ctx.Err() != nil {
			return Trial{}, err
		}
		return Trial{}, &Fault{err}
	}
	title, body, _ := strings.Cut(text, "\n")
	return d.Match(classifier.Doc{Title: title, Body: strings.TrimSpace(body), URL: link}, rule)
}

// Backtest tries an edited rule file on the items that are kept, beside the rules
// in force that have the same ids. The file may name the concepts in force, or
// bring its own. What is found within some seconds is told.
func (d *Desk) Backtest(ctx context.Context, file string) (*backtest.Report, error) {
	rules, err := d.readRules(file)
	if err != nil {
		return nil, err
	}
	var same []classifier.Rule
	for _, r := range d.Rules().Rules() {
		if _, edited := rules.Rule(r.ID); edited {
			same = append(same, r)
		}
	}
	before, _, err := classifier.Compile(same, d.Rules().Concepts())
	if err != nil {
		return nil, fmt.Errorf("desk: rules in force: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, trialTime)
	defer cancel()
	test := backtest.Test{Rules: rules, Before: before, Feed: d.feed, Limit: trialFindings}
	report, err := test.Run(ctx, d.Store.StoredItems(ctx, time.Time{}))
	if err != nil || d.Status().Unguarded {
		return report, err
	}
	for _, r := range report.Rules {
		for i := range r.Findings {
			f := &r.Findings[i]
			f.Sentence = guard.Excerpt(f.Sentence, f.Title)
			f.Title = guard.Title(f.Title)
		}
	}
	return report, nil
}

// readRules compiles a rule file as it was typed, and runs its tests.
func (d *Desk) readRules(file string) (*classifier.Ruleset, error) {
	if len(file) > MaxText {
		return nil, faultf("the rule file has %d bytes; at most %d are tried", len(file), MaxText)
	}
	rules, concepts, err := rulefile.Parse([]rulefile.File{{Name: "rules.yaml", Data: []byte(file)}})
	if err != nil {
		return nil, &Fault{err}
	}
	if len(rules) == 0 {
		return nil, faultf("the file holds no rule")
	}
	own := map[string]bool{}
	for _, c := range concepts {
		own[c.ID] = true
	}
	for _, c := range d.Rules().Concepts() {
		if !own[c.ID] {
			concepts = append(concepts, c)
		}
	}
	set, _, err := classifier.Compile(rules, concepts)
	if err != nil {
		return nil, &Fault{err}
	}
	if err := ruletest.Run(set).Err(); err != nil {
		return nil, &Fault{err}
	}
	return set, nil
}

// IsFault reports whether err is the operator's to mend.
func IsFault(err error) bool {
	var f *Fault
	return errors.As(err, &f)
}

// feed returns the feed with an id; one that left the configuration has only
// that.
func (d *Desk) feed(id string) feed.Feed {
	f := d.Status().Feeds[id]
	f.ID = id
	return f
}
