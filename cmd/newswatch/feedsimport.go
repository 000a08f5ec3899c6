package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/daemon"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/fetcher/document"
)

// importReport is what became of a list; "feeds import --json" prints it.
type importReport struct {
	Added []feedConfig `json:"added"`
	// Known were watched already, Repeated stand in the list twice.
	Known    int `json:"known"`
	Repeated int `json:"repeated"`
	// Refused are those that cannot be polled, or failed the check, and why.
	Refused []refusal `json:"refused"`
	File    string    `json:"file,omitempty"`
	DryRun  bool      `json:"dry_run,omitempty"`
}

type refusal struct {
	URL string `json:"url,omitempty"`
	Why string `json:"why"`
}

func (a *app) feedsImportCommand() *cobra.Command {
	var tags []string
	var file string
	var dryRun, check bool
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Watch the feeds of an OPML list",
		Long: `Reads an OPML list, or a text with one address on each line, and puts its feeds at the
end of the file of feeds, which otherwise stays as it is. Folders and categories become
tags. What is watched already, or stands in the list twice, is left out. Lists that are
not well-formed are read all the same. "-" reads standard input.

  newswatch feeds import subscriptions.opml --dry-run
  newswatch feeds import subscriptions.opml --tag imported --check

With --check each feed is read first, and only those that can be are added. Without it
the daemon finds out: "newswatch feeds list --failing" shows those that do not answer.`,
		Args: oneArgument,
		RunE: func(cmd *cobra.Command, args []string) error {
			loaded, err := a.load()
			if err != nil {
				return err
			}
			body, err := a.readFile(args[0])
			if err != nil {
				return err
			}
			list, skipped, err := document.ParseOPML(cmd.Context(), body, "")
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			report := &importReport{Added: []feedConfig{}, Refused: []refusal{}, DryRun: dryRun}
			for range skipped {
				report.Refused = append(report.Refused, refusal{Why: "an entry without an address that can be polled"})
			}
			feeds := report.choose(loaded, list, tags)
			if check {
				if feeds, err = a.checkFeeds(cmd.Context(), loaded, feeds, report); err != nil {
					return err
				}
			}
			return a.finishImport(loaded, file, feeds, report)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&tags, "tag", nil, "a tag for all of them; may be given several times")
	flags.StringVar(&file, "file", "", "the `FILE` of feeds (default: the last that include.feeds names)")
	flags.BoolVar(&dryRun, "dry-run", false, "show what would be written, and write nothing")
	flags.BoolVar(&check, "check", false, "read each feed first, and leave out those that cannot be")
	return cmd
}

// choose takes those of a list that are new.
func (r *importReport) choose(loaded *configs.Loaded, list []document.Subscription, tags []string) []feed.Feed {
	known := byAddress(loaded.Feeds)
	seen := make(map[string]bool)
	var feeds []feed.Feed
	for _, s := range list {
		f, err := configs.Tidy(feed.Feed{URL: s.URL, Lang: s.Lang, Tags: slices.Clone(tags)})
		if err != nil {
			r.Refused = append(r.Refused, refusal{s.URL, err.Error()})
			continue
		}
		key := configs.LooseURL(f.URL)
		switch {
		case known[key].ID != "":
			r.Known++
			continue
		case seen[key]:
			r.Repeated++
			continue
		}
		seen[key] = true
		if s.Title != s.URL {
			f.Name = s.Title
		}
		if s.Sitemap {
			f.Kind = feed.KindSitemap
		}
		for _, g := range s.Groups {
			if t := configs.Tag(g); t != "" && !slices.Contains(f.Tags, t) {
				f.Tags = append(f.Tags, t)
			}
		}
		feeds = append(feeds, f)
	}
	return feeds
}

// checkFeeds reads every feed, and returns those that could be.
func (a *app) checkFeeds(ctx context.Context, loaded *configs.Loaded, feeds []feed.Feed, report *importReport) ([]feed.Feed, error) {
	client := daemon.NewFetcher(loaded.Config.Fetch, version, nil)
	defer client.Close()
	step, finish := func() {}, func() {}
	if onTerminal(a.stderr) && !a.quiet {
		bar := progressbar.NewOptions(len(feeds), progressbar.OptionSetWriter(a.stderr), progressbar.OptionSetDescription("reading feeds"),
			progressbar.OptionShowCount(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
		step, finish = func() { _ = bar.Add(1) }, func() { _ = bar.Finish() }
	}
	var mu sync.Mutex
	why := make(map[string]string)
	var group errgroup.Group
	group.SetLimit(loaded.Config.Fetch.Concurrency)
	for _, f := range feeds {
		group.Go(func() error {
			defer step()
			_, err := client.Fetch(ctx, f, fetcher.State{FeedID: f.ID}, nil)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if fe, ok := errors.AsType[*fetcher.Error](err); ok {
				mu.Lock()
				defer mu.Unlock()
				why[f.URL] = fe.Err.Error()
				return nil
			}
			return err
		})
	}
	err := group.Wait()
	finish()
	if err != nil {
		return nil, fmt.Errorf("nothing was added: %w", err)
	}
	return slices.DeleteFunc(feeds, func(f feed.Feed) bool {
		w, failed := why[f.URL]
		if failed {
			report.Refused = append(report.Refused, refusal{f.URL, w})
		}
		return failed
	}), nil
}

// finishImport writes the file and says what became of the list.
func (a *app) finishImport(loaded *configs.Loaded, file string, feeds []feed.Feed, report *importReport) error {
	var edit *configs.FeedEdit
	if len(feeds) > 0 {
		var err error
		if edit, err = loaded.AddFeeds(file, feeds); err != nil {
			return err
		}
		if !report.DryRun {
			if err := edit.Write(); err != nil {
				return err
			}
		}
		report.File = edit.Path
		for _, f := range edit.Added {
			report.Added = append(report.Added, feedConfig{f.ID, f.URL, f.Name, f.Tags, f.Lang})
		}
	}
	if a.json {
		return a.printJSON(report)
	}
	for _, r := range report.Refused {
		fmt.Fprintln(a.stderr, "left out:", oneLine(strings.TrimSpace(r.URL+": "+r.Why)))
	}
	if edit != nil && report.DryRun {
		fmt.Fprint(a.stdout, edit.Lines)
	}
	where := ""
	if edit != nil {
		where = " to " + edit.Path
	}
	verb := "added"
	if report.DryRun {
		verb = "would be added"
	}
	_, err := fmt.Fprintf(a.stdout, "%d %s%s; %d watched already, %d twice in the list, %d left out\n",
		len(report.Added), verb, where, report.Known, report.Repeated, len(report.Refused))
	return err
}

func (a *app) feedsExportCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Print the feeds as OPML, for another reader",
		Long: `Prints the feeds on standard output: as OPML 2.0, with their first tag for a folder and
all tags for categories; as CSV; or their addresses, one on a line. --json prints one
object a line, with the columns of the CSV.

  newswatch feeds export > newswatch.opml
  newswatch feeds export --format csv --tag kerala`,
		Args: noArguments,
	}
	var tag string
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		loaded, err := a.load()
		if err != nil {
			return err
		}
		if format, err = a.formatOf(cmd, format, ""); err != nil {
			return err
		}
		var tags []string
		for _, f := range loaded.Feeds {
			tags = append(tags, f.Tags...)
		}
		if tag != "" && !slices.Contains(tags, tag) {
			return unknown("feed with the tag", tag, tags)
		}
		feeds := slices.DeleteFunc(slices.Clone(loaded.Feeds), func(f feed.Feed) bool { return tag != "" && !f.HasTag(tag) })
		if a.json {
			for _, f := range feeds {
				if err := a.printJSON(exported{f.ID, f.URL, f.Name, append([]string{}, f.Tags...), f.Lang, f.Kind}); err != nil {
					return err
				}
			}
			return nil
		}
		switch format {
		case "opml":
			list := make([]document.Subscription, len(feeds))
			for i, f := range feeds {
				list[i] = document.Subscription{URL: f.URL, Title: f.Name, Groups: f.Tags, Lang: f.Lang, Sitemap: f.Kind == feed.KindSitemap}
			}
			return document.WriteOPML(a.stdout, "newswatch", time.Now(), list)
		case "csv":
			w := csv.NewWriter(a.stdout)
			_ = w.Write([]string{"id", "url", "name", "tags", "lang", "kind"})
			for _, f := range feeds {
				_ = w.Write([]string{f.ID, f.URL, f.Name, strings.Join(f.Tags, " "), f.Lang, string(f.Kind)})
			}
			w.Flush()
			return w.Error()
		case "urls":
			for _, f := range feeds {
				if _, err := fmt.Fprintln(a.stdout, f.URL); err != nil {
					return err
				}
			}
			return nil
		}
		return &usageError{cmd.CommandPath(), errors.New("--format is opml, csv or urls")}
	}
	cmd.Flags().StringVar(&format, "format", "opml", "opml, csv or urls")
	cmd.Flags().StringVar(&tag, "tag", "", "only feeds with this tag")
	return cmd
}

// exported is a feed as a line of JSON.
type exported struct {
	ID   string    `json:"id"`
	URL  string    `json:"url"`
	Name string    `json:"name"`
	Tags []string  `json:"tags"`
	Lang string    `json:"lang"`
	Kind feed.Kind `json:"kind"`
}

// readFile reads a file, or standard input for "-", up to maxFile.
func (a *app) readFile(name string) ([]byte, error) {
	r := a.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	body, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxFile {
		return nil, fmt.Errorf("%s: larger than %d MiB", name, maxFile>>20)
	}
	return body, nil
}
