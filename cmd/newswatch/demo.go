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
		Args: asUsage(cobra.NoArgs),
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

	return a.withStoreOf(ctx, loaded, func(st store.Store) error {
		d, err := daemon.New(loaded, st, daemon.Options{Version: version, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			return err
		}
		defer d.Close()
		fmt.Fprintf(a.stdout, "%d feeds are served from this machine; %d rules watch them.\n\n", len(loaded.Feeds), len(loaded.Rules.Rules()))
		digest, err := a.demoPass(ctx, loaded, st, d)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.stdout, "\nThe digest, as a mail reader without HTML shows it:\n\n%s\n", indent(notify.Text(digest)))
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

// demoPass polls, prints the hits as they come, and returns the digest that was
// sent.
func (a *app) demoPass(ctx context.Context, loaded *configs.Loaded, st store.Store, d *daemon.Daemon) (notify.Digest, error) {
	begun := time.Now()
	_, err := d.Once(ctx, daemon.OnceOptions{Polled: func(p daemon.Poll) {
		fmt.Fprintf(a.stdout, "%s: %d items\n", p.Feed.Name, p.Items)
		for _, h := range p.Hits {
			fmt.Fprintf(a.stdout, "  hit  %s\n       %s\n", h.Item.Title, a.dim(strings.Join(export.RuleIDs(h), ", ")))
		}
	}})
	if err != nil {
		return notify.Digest{}, err
	}
	return daemon.Preview(ctx, loaded, st, "demo", begun, time.Now())
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
