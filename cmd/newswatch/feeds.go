package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/newswatch/newswatch/daemon"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/fetcher/document"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/web/desk"
)

func (a *app) feedsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "feeds",
		Short: "See how the feeds do, find and add others, try one",
		Args:  noArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		a.feedsListCommand(), a.feedsDiscoverCommand(), a.feedsAddCommand(),
		a.feedsImportCommand(), a.feedsExportCommand(), a.feedsParseCommand(),
	)
	return cmd
}

// feedLine is one feed of "feeds list --json".
type feedLine struct {
	feedConfig
	State *fetcher.State `json:"state,omitempty"`
}

type feedConfig struct {
	ID   string   `json:"id"`
	URL  string   `json:"url"`
	Name string   `json:"name,omitempty"`
	Tags []string `json:"tags,omitempty"`
	Lang string   `json:"lang,omitempty"`
}

func (a *app) feedsListCommand() *cobra.Command {
	var failing bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the feeds and their health",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			loaded, err := a.load()
			if err != nil {
				return err
			}
			states := map[string]fetcher.State{}
			err = a.withStoreOf(cmd.Context(), loaded, func(st store.Store) error {
				for s, err := range store.AllStates(cmd.Context(), st, store.StateQuery{}) {
					if err != nil {
						return err
					}
					states[s.FeedID] = s
				}
				return nil
			})
			if err != nil {
				return err
			}
			return a.printFeeds(loaded.Feeds, states, failing)
		},
	}
	cmd.Flags().BoolVar(&failing, "failing", false, "only feeds whose last poll failed")
	return cmd
}

func (a *app) printFeeds(feeds []feed.Feed, states map[string]fetcher.State, failing bool) error {
	w, now, none := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0), time.Now(), true
	for _, f := range feeds {
		s, polled := states[f.ID]
		if failing && s.LastError == "" {
			continue
		}
		if a.json {
			line := feedLine{feedConfig: feedConfig{f.ID, f.URL, f.Name, f.Tags, f.Lang}}
			if polled {
				line.State = &s
			}
			if err := a.printJSON(line); err != nil {
				return err
			}
			continue
		}
		if none {
			fmt.Fprintln(w, "FEED\tHEALTH\tPUBLISHES\tITEMS\tLAST SUCCESS\tNEXT CHECK\tNOTE")
			none = false
		}
		note := s.LastError
		switch {
		case s.Grade() == fetcher.Silent:
			note = daemon.Silence(s, now)
		case note == "" && !s.PutOff.IsZero():
			note = "due since " + when(s.PutOff) + ": its host has had no turn for it"
		case note == "" && s.Truncated:
			note = "its document breaks off; what was whole of it was read"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\t%s\n", f.ID, health(s), cmp.Or(desk.Rhythm(s.PerDay(now)), "-"), s.Items,
			when(s.LastSuccess), when(s.NextCheck), oneLine(note))
	}
	switch {
	case a.json || !none:
	case len(feeds) == 0:
		fmt.Fprintln(w, "no feeds")
	default:
		fmt.Fprintln(w, "no feed fails")
	}
	return w.Flush()
}

// health is how a feed does, by the grade that the pages, the API and the metrics
// have, and how far that has gone.
func health(s fetcher.State) string {
	text := s.Grade().String()
	if s.Failures > 0 {
		text += fmt.Sprintf(" ×%d", s.Failures)
	}
	switch {
	case s.Retired:
		text += ", gone"
	case !s.Health.Lost.IsZero():
		text += ", lost"
	}
	return text
}

func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04")
}

func (a *app) feedsParseCommand() *cobra.Command {
	var base, contentType, id string
	cmd := &cobra.Command{
		Use:   "parse FILE-or-URL",
		Short: "Read one feed document and print its items as JSON Lines",
		Long: `Reads one document the way the daemon does and prints each item as one line of JSON:
{"id","title","link","published","updated","summary","content","authors","categories","lang"}.
"-" reads standard input. The store is not touched.

  newswatch feeds parse https://example.org/feed.xml
  newswatch feeds parse --base https://example.org/ saved.xml`,
		Args: oneArgument,
		RunE: func(cmd *cobra.Command, args []string) error {
			for name, why := range map[string]string{"base": "a URL is its own", "content-type": "of a URL the server says it"} {
				if isURL(args[0]) && cmd.Flags().Changed(name) {
					return &usageError{cmd.CommandPath(), fmt.Errorf("--%s is for a file: %s", name, why)}
				}
			}
			doc, err := a.readDocument(cmd.Context(), args[0], base, contentType, id)
			if err != nil {
				return err
			}
			for _, it := range doc.Items {
				if err := a.printJSON(newItemLine(it)); err != nil {
					return err
				}
			}
			if doc.Dropped > 0 {
				fmt.Fprintf(a.stderr, "%s beyond what a document may have: left out\n", counted(doc.Dropped, "item"))
			}
			if doc.Truncated {
				fmt.Fprintln(a.stderr, "the document breaks off: what was whole of it was read")
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&base, "base", "", "the `URL` that relative links of a file start at")
	cmd.Flags().StringVar(&contentType, "content-type", "", "what the server would say of a file, such as \"text/xml; charset=iso-8859-1\"")
	cmd.Flags().StringVar(&id, "id", "", "the feed's id, which goes into the items' ids")
	return cmd
}

// itemLine is an item with every key there, so that a script need not ask which
// are. Dates that are not known are null.
type itemLine struct {
	ID         feed.ItemID `json:"id"`
	GUID       string      `json:"guid"`
	Title      string      `json:"title"`
	Link       string      `json:"link"`
	Published  *time.Time  `json:"published"`
	Updated    *time.Time  `json:"updated"`
	Summary    string      `json:"summary"`
	Content    string      `json:"content"`
	Authors    []string    `json:"authors"`
	Categories []string    `json:"categories"`
	Lang       string      `json:"lang"`
	Outlet     string      `json:"outlet"`
}

func newItemLine(it feed.Item) itemLine {
	known := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		return &t
	}
	return itemLine{
		ID: it.ID, GUID: it.GUID, Title: it.Title, Link: it.Link,
		Published: known(it.Published), Updated: known(it.Updated),
		Summary: it.Summary, Content: it.Content,
		Authors: append([]string{}, it.Authors...), Categories: append([]string{}, it.Categories...),
		Lang: it.Lang, Outlet: it.Outlet,
	}
}

// maxFile bounds what is read of a file, as fetch.max_body does for a URL.
const maxFile = 64 << 20

func (a *app) readDocument(ctx context.Context, name, base, contentType, id string) (*document.Document, error) {
	if isURL(name) {
		return a.readURL(ctx, name, id)
	}
	body, err := a.readFile(name)
	if err != nil {
		return nil, err
	}
	doc, err := document.Parse(ctx, document.Input{
		Body: body, ContentType: contentType, URL: base, FeedID: id, Sitemap: true, Now: time.Now(),
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return doc, nil
}

func isURL(name string) bool {
	return strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://")
}

func (a *app) readURL(ctx context.Context, url, id string) (*document.Document, error) {
	loaded, err := a.load()
	if err != nil {
		return nil, err
	}
	client := daemon.NewFetcher(loaded.Config.Fetch, version, nil)
	defer client.Close()
	res, err := client.Fetch(ctx, feed.Feed{ID: id, URL: url, Kind: feed.KindSitemap}, fetcher.State{FeedID: id}, nil)
	if err != nil {
		return nil, err
	}
	return &document.Document{Items: res.Items, Dropped: res.Dropped, Truncated: res.State.Truncated}, nil
}
