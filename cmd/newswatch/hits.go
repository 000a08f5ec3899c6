package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/store/export"
)

func (a *app) hitsCommand() *cobra.Command {
	var (
		q      store.HitQuery
		since  string
		format string
		limit  int
		purge  string

		reported bool
	)
	cmd := &cobra.Command{
		Use:   "hits",
		Short: "Search the stored hits, or export them",
		Long: `Lists stored hits, the newest first.

  newswatch hits --since 7d --rule operation-p-hunt
  newswatch hits --text "darknet arrest" --format csv > hits.csv
  newswatch hits --json --limit 0 | jq .          every hit as JSON Lines
  newswatch hits --purge ID                       remove an item everywhere, for good;
                                                  --format csv and --json show IDs`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("purge") { // "" too: a script's variable that was not set
				return a.purge(cmd, purge)
			}
			if limit < 0 {
				return &usageError{cmd.CommandPath(), fmt.Errorf("--limit %d: want 0 for all, or more", limit)}
			}
			var err error
			if q.Since, err = sinceTime(cmd, since); err != nil {
				return err
			}
			if format, err = a.formatOf(cmd, format, "jsonl"); err != nil {
				return err
			}
			q.Quiet = !reported
			show, flush, err := a.hitPrinter(format)
			if err != nil {
				return &usageError{cmd.CommandPath(), err}
			}
			loaded, err := a.load()
			if err != nil {
				return err
			}
			return a.withStoreOf(cmd.Context(), loaded, func(st store.Store) error {
				if err := refuseUnknown(cmd.Context(), loaded, st, q); err != nil {
					return err
				}
				for h, err := range export.Hits(cmd.Context(), st, q, limit) {
					if err != nil {
						return err
					}
					if err := show(h); err != nil {
						return err
					}
				}
				return flush()
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&since, "since", "", "only hits found within this time, such as 24h or 30d")
	f.StringVar(&q.Rule, "rule", "", "only hits of this rule")
	f.StringVar(&q.Feed, "feed", "", "only hits from this feed")
	f.StringVar(&q.Tag, "tag", "", "only hits with this tag, of a rule or of the feed")
	f.StringVar(&q.Outlet, "outlet", "", "only hits that this outlet published")
	f.StringVar(&q.Lang, "lang", "", "only hits in this language: en means en-IN as well")
	f.TextVar(&q.Severity, "severity", classifier.Low, "only hits of a rule of at least this `SEVERITY`: low, medium, high or critical")
	f.StringVar(&q.Text, "text", "", "only hits with these words in title, summary or excerpt")
	f.BoolVar(&reported, "reported", false, "only hits that digests tell of: not what a feed's back catalogue held at first sight")
	f.IntVar(&limit, "limit", 100, "at most this many; 0 for all")
	f.StringVar(&format, "format", "table", "table, csv or jsonl")
	f.StringVar(&purge, "purge", "", "remove the item with this `ID` everywhere, and keep it from coming back")
	return cmd
}

// refuseUnknown tells a rule, a feed or a tag that nobody ever had from one without
// hits. What the configuration had once is known for as long as a hit of it is kept.
func refuseUnknown(ctx context.Context, loaded *configs.Loaded, st store.Store, q store.HitQuery) error {
	var feeds, tags []string
	for _, f := range loaded.Feeds {
		feeds, tags = append(feeds, f.ID), append(tags, f.Tags...)
	}
	for _, r := range loaded.Rules.Rules() {
		tags = append(tags, r.Tags...)
	}
	for _, asked := range []struct {
		what, name string
		known      []string
		alone      store.HitQuery
	}{
		{"rule", q.Rule, ruleIDs(loaded.Rules), store.HitQuery{Rule: q.Rule}},
		{"feed", q.Feed, feeds, store.HitQuery{Feed: q.Feed}},
		{"tag", q.Tag, tags, store.HitQuery{Tag: q.Tag}},
	} {
		if asked.name == "" || slices.Contains(asked.known, asked.name) {
			continue
		}
		asked.alone.Quiet, asked.alone.Limit = true, 1
		hits, err := st.Hits(ctx, asked.alone)
		if err != nil {
			return err
		}
		if len(hits) == 0 {
			return unknown(asked.what, asked.name, asked.known)
		}
	}
	return nil
}

func (a *app) purge(cmd *cobra.Command, arg string) error {
	id, err := feed.ParseItemID(arg)
	if err != nil {
		return &usageError{cmd.CommandPath(), err}
	}
	return a.withStore(cmd.Context(), func(st store.Store) error {
		if err := st.Purge(cmd.Context(), id, time.Now()); err != nil {
			return err
		}
		_, err := fmt.Fprintf(a.stderr, "purged %s: the item, its hit, and its place in digests that wait; those who were sent it are told to delete it\n", id)
		return err
	})
}

// hitPrinter returns how one hit is printed, and what ends the listing.
func (a *app) hitPrinter(format string) (show func(classifier.Hit) error, flush func() error, err error) {
	switch format {
	case "table":
		w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
		none := true
		return func(h classifier.Hit) error {
				if none {
					fmt.Fprintln(w, "FOUND\tSEVERITY\tRULES\tOUTLET\tTITLE\tLINK")
					none = false
				}
				_, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n",
					h.Found.Local().Format("2006-01-02 15:04"), store.HitSeverity(h), strings.Join(export.RuleIDs(h), ","), cell(h.Outlet()), cell(h.Item.Title), h.Item.Link)
				return err
			}, func() error {
				if none {
					fmt.Fprintln(w, "no hits")
				}
				return w.Flush()
			}, nil
	case "csv":
		w := export.NewCSV(a.stdout)
		return w.Write, w.Flush, nil
	case "jsonl":
		return func(h classifier.Hit) error { return a.printJSON(h) }, func() error { return nil }, nil
	default:
		return nil, nil, fmt.Errorf("--format %q: want table, csv or jsonl", format)
	}
}

// cell fits a text into one cell of a table: a tab or a line break in it would
// shift the columns.
func cell(s string) string {
	s = oneLine(s)
	const most = 100
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
