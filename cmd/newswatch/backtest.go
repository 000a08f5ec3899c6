package main

import (
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/newswatch/newswatch/backtest"
	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/store"
)

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
		Args: noArguments,
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
			known := byID(loaded.Feeds)
			read, finish := a.backtestProgress(progress)
			test := backtest.Test{Rules: rules, Before: before, Limit: limit, Read: read, Feed: func(id string) feed.Feed {
				if f, ok := known[id]; ok {
					return f
				}
				return feed.Feed{ID: id} // taken out of the configuration since
			}}
			var report *backtest.Report
			err = a.withStoreOf(cmd.Context(), loaded, func(st store.Store) (err error) {
				defer finish()
				report, err = test.Run(cmd.Context(), st.StoredItems(cmd.Context(), from))
				return err
			})
			if err != nil {
				return err
			}
			return a.printBacktest(report)
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

func (a *app) printBacktest(b *backtest.Report) error {
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
		_, err = fmt.Fprintf(a.stdout, "%s, %s: +%d −%d\n", counted(b.Items, "item"), counted(len(b.Rules), "rule"), added, removed)
	default:
		_, err = fmt.Fprintf(a.stdout, "%s, %s: %d found\n", counted(b.Items, "item"), counted(len(b.Rules), "rule"), found)
	}
	return err
}

// printFinding prints the headline and, where the rule matched below it, the
// sentence.
func (a *app) printFinding(f backtest.Finding) {
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
