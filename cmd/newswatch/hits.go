package main

import (
	"encoding/csv"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/store"
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
  newswatch hits --purge ID                       remove an item everywhere, for good`,
		Args: asUsage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if purge != "" {
				return a.purge(cmd, purge)
			}
			var err error
			if q.Since, err = sinceTime(cmd, since); err != nil {
				return err
			}
			if a.json {
				format = "jsonl"
			}
			q.Quiet = !reported
			show, flush, err := a.hitPrinter(format)
			if err != nil {
				return &usageError{cmd.CommandPath(), err}
			}
			return a.withStore(cmd.Context(), func(st store.Store) error {
				if err := eachHit(cmd, st, q, limit, show); err != nil {
					return err
				}
				return flush()
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&since, "since", "", "only hits found within this time, such as 24h or 30d")
	f.StringVar(&q.Rule, "rule", "", "only hits of this rule")
	f.StringVar(&q.Feed, "feed", "", "only hits from this feed")
	f.StringVar(&q.Text, "text", "", "only hits with these words in title, summary or excerpt")
	f.BoolVar(&reported, "reported", false, "only hits that digests tell of: not what a feed's back catalogue held at first sight")
	f.IntVar(&limit, "limit", 100, "at most this many; 0 for all")
	f.StringVar(&format, "format", "table", "table, csv or jsonl")
	f.StringVar(&purge, "purge", "", "remove the item with this `ID` everywhere, and keep it from coming back")
	return cmd
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
		_, err := fmt.Fprintf(a.stderr, "purged %s: the item, its hit, and its place in digests that wait; digests that were sent are out of reach\n", id)
		return err
	})
}

// eachHit pages through the store, so that an export of everything takes no more
// memory than a page.
func eachHit(cmd *cobra.Command, st store.Store, q store.HitQuery, limit int, show func(classifier.Hit) error) error {
	const page = 500
	for left := limit; limit == 0 || left > 0; {
		q.Limit = page
		if limit > 0 {
			q.Limit = min(page, left)
		}
		hits, err := st.Hits(cmd.Context(), q)
		if err != nil {
			return err
		}
		for _, h := range hits {
			if err := show(h); err != nil {
				return err
			}
		}
		if len(hits) < q.Limit {
			return nil
		}
		last := hits[len(hits)-1]
		q.BeforeTime, q.BeforeID = last.Found, last.Item.ID
		left -= len(hits)
	}
	return nil
}

// hitPrinter returns how one hit is printed, and what ends the listing.
func (a *app) hitPrinter(format string) (show func(classifier.Hit) error, flush func() error, err error) {
	switch format {
	case "table":
		w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, "FOUND\tSEVERITY\tRULES\tOUTLET\tTITLE\tLINK")
		return func(h classifier.Hit) error {
			_, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n",
				h.Found.Local().Format("2006-01-02 15:04"), topSeverity(h), ruleList(h, ","), cell(h.Outlet()), cell(h.Item.Title), h.Item.Link)
			return err
		}, w.Flush, nil
	case "csv":
		w := csv.NewWriter(a.stdout)
		if err := w.Write([]string{"id", "found", "published", "severity", "rules", "outlet", "lang", "title", "link", "excerpt"}); err != nil {
			return nil, nil, err
		}
		return func(h classifier.Hit) error {
				return w.Write([]string{
					h.Item.ID.String(), stamp(h.Found), stamp(h.Item.Published), topSeverity(h).String(), ruleList(h, " "),
					formula(h.Outlet()), h.Item.Lang, formula(h.Item.Title), h.Item.Link, formula(excerpt(h)),
				})
			}, func() error {
				w.Flush()
				return w.Error()
			}, nil
	case "jsonl":
		return func(h classifier.Hit) error { return a.printJSON(h) }, func() error { return nil }, nil
	default:
		return nil, nil, fmt.Errorf("--format %q: want table, csv or jsonl", format)
	}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func topSeverity(h classifier.Hit) classifier.Severity {
	top := classifier.Low
	for _, r := range h.Rules {
		top = max(top, r.Severity)
	}
	return top
}

func ruleList(h classifier.Hit, sep string) string {
	ids := make([]string, len(h.Rules))
	for i, r := range h.Rules {
		ids[i] = r.Rule
	}
	return strings.Join(ids, sep)
}

func excerpt(h classifier.Hit) string {
	for _, r := range h.Rules {
		if r.Excerpt.Text != "" {
			return r.Excerpt.Text
		}
	}
	return ""
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

// formula keeps a spreadsheet from running what a publisher wrote: a cell that
// begins with one of these characters would be a formula (OWASP, CSV injection).
func formula(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
