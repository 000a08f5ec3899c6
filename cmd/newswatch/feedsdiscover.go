package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/daemon"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
)

func (a *app) feedsDiscoverCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "discover URL",
		Short: "Find the feeds and sitemaps of a site",
		Long: `Looks for feeds where a site may have them: what its page announces and links to, the
sitemaps that its robots.txt names, and the usual places. Each one is read as the
daemon would read it, and listed with what is in it, the likeliest to be wanted first.

  newswatch feeds discover https://www.example.org/kerala
  newswatch feeds discover --json example.org | jq -r .url`,
		Args: oneArgument,
		RunE: func(cmd *cobra.Command, args []string) error {
			loaded, err := a.load()
			if err != nil {
				return err
			}
			d, err := a.discover(cmd.Context(), loaded, withScheme(args[0]))
			if err != nil {
				return err
			}
			if len(d.Found) == 0 {
				return fmt.Errorf("no feed was found at %s; tried: %s. Some sites have theirs on another host: look for \"RSS\" at the foot of their pages", args[0], counted(d.Tried, "address"))
			}
			return a.printFound(loaded, d.Found)
		},
	}
}

// withScheme lets a site be named as people name it.
func withScheme(address string) string {
	if !strings.Contains(address, "://") {
		return "https://" + address
	}
	return address
}

// discover looks for feeds, and tells a terminal how far it is.
func (a *app) discover(ctx context.Context, loaded *configs.Loaded, address string) (*fetcher.Discovery, error) {
	client := daemon.NewFetcher(loaded.Config.Fetch, version, nil)
	defer client.Close()
	var try func(string)
	if onTerminal(a.stderr) && !a.quiet {
		try = func(url string) { fmt.Fprintf(a.stderr, "trying %s\n", oneLine(url)) }
	}
	return client.Discover(ctx, address, try)
}

// foundLine is one feed of "feeds discover --json".
type foundLine struct {
	URL    string     `json:"url"`
	Kind   feed.Kind  `json:"kind"`
	Format string     `json:"format"`
	Title  string     `json:"title"`
	Lang   string     `json:"lang"`
	Items  int        `json:"items"`
	Newest *time.Time `json:"newest"`
	Via    string     `json:"via"`
	// Feed is the id of the feed that is watched there already.
	Feed string `json:"feed,omitempty"`
}

func (a *app) printFound(loaded *configs.Loaded, found []fetcher.Found) error {
	known := byAddress(loaded.Feeds)
	w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
	if !a.json {
		fmt.Fprintln(w, "FORMAT\tITEMS\tNEWEST\tLANG\tTITLE\tHOW\tURL")
	}
	suggest := ""
	for _, f := range found {
		watched := known[configs.LooseURL(f.URL)]
		if a.json {
			line := foundLine{
				URL: f.URL, Kind: f.Kind, Format: string(f.Format), Title: f.Title, Lang: f.Lang, Items: f.Items,
				Via: string(f.Via), Feed: watched.ID,
			}
			if !f.Newest.IsZero() {
				line.Newest = &f.Newest
			}
			if err := a.printJSON(line); err != nil {
				return err
			}
			continue
		}
		how := string(f.Via)
		if watched.ID != "" {
			how = "watched already, as " + watched.ID
		} else if suggest == "" && f.Items > 0 {
			suggest = addCommand(f)
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\n", f.Format, f.Items, when(f.Newest), orDash(f.Lang), orDash(oneLine(f.Title)), how, oneLine(f.URL))
	}
	if err := w.Flush(); err != nil || suggest == "" {
		return err
	}
	_, err := fmt.Fprintf(a.stdout, "\nTo watch the first that is not watched yet:\n\n  %s\n", suggest)
	return err
}

// addCommand is what adds a feed. The address is quoted for a shell.
func addCommand(f fetcher.Found) string {
	return "newswatch feeds add '" + strings.ReplaceAll(oneLine(f.URL), "'", "%27") + "'"
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// byAddress finds feeds by what configs.LooseURL makes of their addresses.
func byAddress(feeds []feed.Feed) map[string]feed.Feed {
	known := make(map[string]feed.Feed, len(feeds))
	for _, f := range feeds {
		known[configs.LooseURL(f.URL)] = f
	}
	return known
}

func (a *app) feedsAddCommand() *cobra.Command {
	var f feed.Feed
	var fullText, file string
	var dryRun, unchecked, first bool
	cmd := &cobra.Command{
		Use:   "add URL",
		Short: "Watch one more feed: try it, and write it into the file of feeds",
		Long: `Reads the address as the daemon would, and puts the feed at the end of the file of
feeds, which otherwise stays as it is, comments included. The address may be that of a
page: what it announces is found, and where there are several, --first takes the
likeliest. Whether it is a feed or a sitemap, and its language, are found out.

  newswatch feeds add https://www.example.org/feed/ --tag kerala --tag police
  newswatch feeds add example.org --first --dry-run`,
		Args: oneArgument,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch f.FullText = feed.FullText(fullText); f.FullText {
			case "", feed.FullTextAuto, feed.FullTextAlways, feed.FullTextNever:
			default:
				return &usageError{cmd.CommandPath(), errors.New("--full-text is auto, always or never")}
			}
			loaded, err := a.load()
			if err != nil {
				return err
			}
			f.URL = withScheme(args[0])
			if err := refuseKnown(loaded, f.URL); err != nil {
				return err
			}
			if !unchecked {
				if err := a.settle(cmd.Context(), loaded, &f, first); err != nil {
					return err
				}
			}
			edit, err := loaded.AddFeeds(file, []feed.Feed{f})
			if err != nil {
				return err
			}
			return a.finishEdit(edit, dryRun)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.ID, "id", "", "the feed's id (default: made of its address)")
	flags.StringVar(&f.Name, "name", "", "what digests call it (default: what it calls itself)")
	flags.StringSliceVar(&f.Tags, "tag", nil, "a tag for subscribers and rules; may be given several times")
	flags.StringVar(&f.Lang, "lang", "", "the language of its items, such as ml")
	flags.StringVar(&fullText, "full-text", "", "auto, always or never, where it differs from fetch.full_text")
	flags.StringVar(&file, "file", "", "the `FILE` of feeds (default: the last that include.feeds names)")
	flags.BoolVar(&dryRun, "dry-run", false, "show what would be written, and write nothing")
	flags.BoolVar(&first, "first", false, "where a page has several feeds, take the likeliest")
	flags.BoolVar(&unchecked, "unchecked", false, "add it as it is, without reading it")
	return cmd
}

func refuseKnown(loaded *configs.Loaded, url string) error {
	if f, ok := byAddress(loaded.Feeds)[configs.LooseURL(url)]; ok {
		return fmt.Errorf("that feed is watched already, as %s", f.ID)
	}
	return nil
}

// settle finds out what is at the feed's address, and completes the feed by it.
func (a *app) settle(ctx context.Context, loaded *configs.Loaded, f *feed.Feed, first bool) error {
	d, err := a.discover(ctx, loaded, f.URL)
	if err != nil {
		return fmt.Errorf("%w; --unchecked adds it all the same", err)
	}
	switch n := len(d.Found); {
	case n == 0:
		return fmt.Errorf("%s is not a feed, and nothing else of the site is one; tried: %s", f.URL, counted(d.Tried, "address"))
	case n > 1 && !first:
		if err := a.printFound(loaded, d.Found); err != nil {
			return err
		}
		return fmt.Errorf("%s is a page with %d feeds: add one of them by its address, or the first with --first", f.URL, n)
	}
	found := d.Found[0]
	if err := refuseKnown(loaded, found.URL); err != nil {
		return err
	}
	f.URL, f.Kind = found.URL, found.Kind
	if f.Name == "" {
		f.Name = found.Title
	}
	if f.Lang == "" {
		f.Lang = found.Lang
	}
	if !a.json {
		fmt.Fprintf(a.stderr, "%s: %s, %s, the newest of %s\n", oneLine(f.URL), found.Format, counted(found.Items, "item"), when(found.Newest))
	}
	return nil
}

// finishEdit writes a file of feeds, or shows what would be written.
func (a *app) finishEdit(edit *configs.FeedEdit, dryRun bool) error {
	if !dryRun {
		if err := edit.Write(); err != nil {
			return err
		}
	}
	if a.json {
		for _, f := range edit.Added {
			if err := a.printJSON(feedConfig{f.ID, f.URL, f.Name, f.Tags, f.Lang}); err != nil {
				return err
			}
		}
		return nil
	}
	what := "added to"
	if dryRun {
		what = "would be added to"
		fmt.Fprint(a.stdout, edit.Lines)
	}
	_, err := fmt.Fprintf(a.stdout, "%d %s %s", len(edit.Added), what, edit.Path)
	if len(edit.Added) == 1 {
		fmt.Fprintf(a.stdout, ", as %s", edit.Added[0].ID)
	}
	if edit.Creates {
		fmt.Fprint(a.stdout, ", a new file that begins with the default feeds")
	}
	fmt.Fprintln(a.stdout)
	return err
}
