package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/store"
)

// backtest is what rules would have found, and how that differs from what
// others would have.
type backtest struct {
	Items   int             `json:"items"`
	Against bool            `json:"against"`
	Rules   []*backtestRule `json:"rules"`

	byID  map[string]*backtestRule
	limit int
}

// backtestRule is one rule of either set. The counts are complete; of the
// findings there are as many as were asked for.
type backtestRule struct {
	Rule     string            `json:"rule"`
	Found    int               `json:"found"`
	Was      int               `json:"was"`
	Added    int               `json:"added"`
	Removed  int               `json:"removed"`
	Findings []backtestFinding `json:"findings"`
}

// backtestFinding is an item that the rule finds. Change is "+" or "-" beside
// another set of rules, and empty without one.
type backtestFinding struct {
	Change   string             `json:"change,omitempty"`
	Item     string             `json:"item"`
	Title    string             `json:"title"`
	Link     string             `json:"link,omitempty"`
	Outlet   string             `json:"outlet,omitempty"`
	Date     time.Time          `json:"date,omitzero"`
	Sentence classifier.Excerpt `json:"sentence,omitzero"`
}

func (a *app) backtestCommand() *cobra.Command {
	var (
		files, against []string
		since          string
		limit          int
		progress       bool
	)
	cmd := &cobra.Command{
		Use:   "backtest --rules FILE [--against FILE] [--since 30d]",
		Short: "Say what rules would have found among the items that are kept",
		Long: `Runs rules over the items that the store keeps with their text (retention.items) and prints
what each would have found, with the sentences. Nothing is stored or sent.

  newswatch backtest --rules new.yaml --since 30d
  newswatch backtest --rules new.yaml --against 'configs/rules/*.yaml'

With --against it prints the difference alone: what the rules find that those do not (+), and
what they no longer find (−), rule by rule.`,
		Args: asUsage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 0 {
				return &usageError{cmd.CommandPath(), fmt.Errorf("--limit %d: want 0 for all, or more", limit)}
			}
			from, err := sinceTime(cmd, since)
			if err != nil {
				return err
			}
			loaded, err := a.load()
			if err != nil {
				return err
			}
			rules := loaded.Rules
			if len(files) > 0 {
				if rules, err = a.rules(files); err != nil {
					return err
				}
			}
			var before *classifier.Ruleset
			if len(against) > 0 {
				if before, err = a.rules(against); err != nil {
					return err
				}
			}
			b := newBacktest(rules, before, limit)
			err = a.withStoreOf(cmd.Context(), loaded, func(st store.Store) error {
				return a.runBacktest(cmd.Context(), st, b, rules, before, loaded.Feeds, from, progress)
			})
			if err != nil {
				return err
			}
			return a.printBacktest(b)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&files, "rules", nil, "rule `FILE`, may be repeated; may be a pattern (default: the configuration's)")
	f.StringArrayVar(&against, "against", nil, "rule `FILE` to compare with, may be repeated; may be a pattern")
	f.StringVar(&since, "since", "", "only items stored within this time, such as 24h or 30d (default: all that are kept)")
	f.IntVar(&limit, "limit", 20, "show at most this many items of each rule; 0 for all")
	f.BoolVar(&progress, "progress", true, "count the items on a terminal while they are read")
	return cmd
}

func newBacktest(rules, before *classifier.Ruleset, limit int) *backtest {
	b := &backtest{Against: before != nil, Rules: []*backtestRule{}, byID: map[string]*backtestRule{}, limit: limit}
	for _, rs := range []*classifier.Ruleset{rules, before} {
		if rs == nil {
			continue
		}
		for _, r := range rs.Rules() {
			if b.byID[r.ID] == nil {
				b.byID[r.ID] = &backtestRule{Rule: r.ID, Findings: []backtestFinding{}}
				b.Rules = append(b.Rules, b.byID[r.ID])
			}
		}
	}
	return b
}

func (a *app) runBacktest(ctx context.Context, st store.Store, b *backtest, rules, before *classifier.Ruleset, feeds []feed.Feed, since time.Time, progress bool) error {
	read, finish := a.backtestProgress(progress)
	defer finish()
	known := byID(feeds)
	for item, err := range st.StoredItems(ctx, since) {
		if err != nil {
			return err
		}
		f, ok := known[item.Item.FeedID]
		if !ok { // taken out of the configuration since
			f = feed.Feed{ID: item.Item.FeedID}
		}
		doc := classifier.NewDoc(item.Item, f)
		var was []classifier.RuleMatch
		if before != nil {
			was = before.Match(&doc)
		}
		b.add(item, doc, rules.Match(&doc), was)
		read()
	}
	return nil
}

// backtestProgress shows a person that something is being done. How many items
// there are is not known before they are read.
func (a *app) backtestProgress(wanted bool) (read, finish func()) {
	if !wanted || a.json || !onTerminal(a.stderr) {
		return func() {}, func() {}
	}
	bar := progressbar.NewOptions(-1,
		progressbar.OptionSetWriter(a.stderr),
		progressbar.OptionSetDescription("reading items"),
		progressbar.OptionShowCount(),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)
	return func() { _ = bar.Add(1) }, func() { _ = bar.Finish() }
}

// add counts one item's matches by the rules, and by those before.
func (b *backtest) add(item store.StoredItem, doc classifier.Doc, now, was []classifier.RuleMatch) {
	b.Items++
	for _, m := range now {
		r := b.byID[m.Rule]
		r.Found++
		switch {
		case !b.Against:
			b.show(r, "", item, doc, m)
		case !slices.ContainsFunc(was, func(w classifier.RuleMatch) bool { return w.Rule == m.Rule }):
			r.Added++
			b.show(r, "+", item, doc, m)
		}
	}
	for _, m := range was {
		r := b.byID[m.Rule]
		r.Was++
		if !slices.ContainsFunc(now, func(n classifier.RuleMatch) bool { return n.Rule == m.Rule }) {
			r.Removed++
			b.show(r, "-", item, doc, m)
		}
	}
}

func (b *backtest) show(r *backtestRule, change string, item store.StoredItem, doc classifier.Doc, m classifier.RuleMatch) {
	if b.limit > 0 && len(r.Findings) == b.limit {
		return
	}
	r.Findings = append(r.Findings, backtestFinding{
		Change: change, Item: item.Item.ID.String(), Title: item.Item.Title, Link: item.Item.Link, Outlet: doc.Source,
		Date: item.Item.Published, Sentence: m.Excerpt,
	})
}

func (a *app) printBacktest(b *backtest) error {
	if a.json {
		return a.printJSON(b)
	}
	found, added, removed := 0, 0, 0
	for _, r := range b.Rules {
		found, added, removed = found+r.Found, added+r.Added, removed+r.Removed
		all := r.Found
		if b.Against {
			if all = r.Added + r.Removed; all == 0 {
				continue
			}
			fmt.Fprintf(a.stdout, "%s: +%d −%d (%d found, before %d)\n", r.Rule, r.Added, r.Removed, r.Found, r.Was)
		} else {
			fmt.Fprintf(a.stdout, "%s: %d found\n", r.Rule, r.Found)
		}
		for _, f := range r.Findings {
			a.printFinding(f)
		}
		if more := all - len(r.Findings); more > 0 {
			fmt.Fprintf(a.stdout, "  … %d more; --limit 0 shows all\n", more)
		}
	}
	var err error
	switch {
	case b.Items == 0:
		_, err = fmt.Fprintln(a.stdout, "no items are kept with their text from this time: see retention.items")
	case b.Against:
		_, err = fmt.Fprintf(a.stdout, "%d items, %d rules: +%d −%d\n", b.Items, len(b.Rules), added, removed)
	default:
		_, err = fmt.Fprintf(a.stdout, "%d items, %d rules: %d found\n", b.Items, len(b.Rules), found)
	}
	return err
}

// printFinding prints the headline and, where the rule matched below it, the
// sentence.
func (a *app) printFinding(f backtestFinding) {
	mark := map[string]string{"+": "+ ", "-": "− "}[f.Change]
	fmt.Fprintf(a.stdout, "  %s%s", mark, cell(f.Title))
	if f.Outlet != "" {
		fmt.Fprintf(a.stdout, " (%s)", cell(f.Outlet))
	}
	fmt.Fprintln(a.stdout)
	if f.Sentence.Text != "" && f.Sentence.Field != classifier.FieldTitle {
		fmt.Fprintf(a.stdout, "      %s\n", oneLine(f.Sentence.Text))
	}
}
