package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/daemon"
	"github.com/newswatch/newswatch/demo"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/store/export"
)

func (a *app) demoCommand() *cobra.Command {
	var keep string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the whole line offline, in seconds",
		Long: `Serves a few invented feeds from this machine, polls them with the built-in rules, prints the
hits as they come and the digest at the end. Nothing is sent and nothing is kept, unless --keep
names a folder for the database and the digest's files.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.demo(cmd.Context(), keep) },
	}
	cmd.Flags().StringVar(&keep, "keep", "", "keep the database and the digest's files in this `FOLDER`")
	return cmd
}

func (a *app) demo(ctx context.Context, keep string) (err error) {
	dir := keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "newswatch-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	loaded, _, err := configs.Default()
	if err != nil {
		return err
	}
	server, err := demo.Serve(ctx, time.Now())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()

	loaded.Feeds = server.Feeds()
	loaded.Data = dir
	loaded.Store = configs.Store{Engine: configs.EngineSQLite, Path: filepath.Join(dir, "newswatch.db")}
	loaded.Fetch.AllowNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	digests := filepath.Join(dir, "digests")
	loaded.Subscribers = []configs.Subscriber{demoSubscriber(loaded, digests)}

	return a.withAnyStore(ctx, loaded, func(st store.Store) error {
		d, err := daemon.New(loaded, st, daemon.Options{Version: version, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			return err
		}
		defer d.Close()
		if !a.json {
			fmt.Fprintf(a.stdout, "%s are served from this machine; %s watch them.\n\n", counted(len(loaded.Feeds), "feed"), counted(len(loaded.Rules.Rules()), "rule"))
		}
		shown := demoShown{Hits: []classifier.Hit{}}
		begun := time.Now()
		if shown.Pass, err = d.Once(ctx, daemon.OnceOptions{Polled: func(p daemon.Poll) {
			shown.Hits = append(shown.Hits, p.Hits...)
			a.printDemoPoll(p)
		}}); err != nil {
			return err
		}
		if shown.Digest, err = daemon.Preview(ctx, loaded, st, "demo", begun, time.Now()); err != nil {
			return err
		}
		if a.json {
			if keep != "" {
				shown.Kept = digests
			}
			return a.printJSON(shown)
		}
		fmt.Fprintf(a.stdout, "\nThe digest, as a mail reader without HTML shows it:\n\n%s\n", indent(notify.Text(shown.Digest)))
		if keep != "" {
			fmt.Fprintf(a.stdout, "\nIts .eml and .html files are in %s.\n", digests)
		}
		return nil
	})
}

// demoSubscriber gets everything, into files.
func demoSubscriber(loaded *configs.Loaded, dir string) configs.Subscriber {
	schedule, err := notify.ParseSchedule("immediate", time.Local)
	if err != nil {
		panic(err) // a constant of ours
	}
	return configs.Subscriber{
		Subscriber: notify.Subscriber{
			ID: "demo", Schedule: schedule, Timezone: time.Local, WhenEmpty: notify.Send, Cap: loaded.Digest.Cap,
		},
		Channel: configs.FileChannel{Dir: dir},
	}
}

// demoShown is what "demo --json" prints: what "once", "hits" and "digest preview"
// print with it.
type demoShown struct {
	Pass   daemon.Summary   `json:"pass"`
	Hits   []classifier.Hit `json:"hits"`
	Digest notify.Digest    `json:"digest"`
	// Kept is the folder of the digest's files, with --keep.
	Kept string `json:"kept,omitempty"`
}

// printDemoPoll prints hits as they come.
func (a *app) printDemoPoll(p daemon.Poll) {
	if a.json {
		return
	}
	fmt.Fprintf(a.stdout, "%s: %s\n", p.Feed.Name, counted(p.Items, "item"))
	for _, h := range p.Hits {
		fmt.Fprintf(a.stdout, "  hit  %s\n       %s\n", h.Item.Title, a.dim(strings.Join(export.RuleIDs(h), ", ")))
	}
}

// dim makes a text recede, on a terminal.
func (a *app) dim(s string) string {
	if !onTerminal(a.stdout) || os.Getenv("NO_COLOR") != "" {
		return s
	}
	return "\x1b[2m" + s + "\x1b[0m"
}

// indent sets a text off from what is around it.
func indent(s string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n    ")
}
