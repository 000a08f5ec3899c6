package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/newswatch/newswatch/daemon"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

func (a *app) digestCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "digest",
		Short: "See what subscribers will get",
		Args:  noArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.digestPreviewCommand(), a.digestTestCommand(), a.digestTemplatesCommand(), a.nearMissesCommand())
	return cmd
}

func (a *app) digestPreviewCommand() *cobra.Command {
	var id, format, since string
	cmd := &cobra.Command{
		Use:   "preview --subscriber ID",
		Short: "Print the digest that a subscriber would get now",
		Long: `Builds the digest that a subscriber would get if its turn came now, from the stored hits.
Nothing is sent, and no cursor moves.

  newswatch digest preview --subscriber desk
  newswatch digest preview --subscriber desk --since 7d --format html > week.html`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if id == "" {
				return &usageError{cmd.CommandPath(), fmt.Errorf("--subscriber: whose digest?")}
			}
			from, err := sinceTime(cmd, since)
			if err != nil {
				return err
			}
			if format, err = a.formatOf(cmd, format, "json"); err != nil {
				return err
			}
			return a.preview(cmd.Context(), cmd.CommandPath(), id, format, from)
		},
	}
	f := cmd.Flags()
	f.StringVar(&id, "subscriber", "", "the subscriber's `ID`")
	f.StringVar(&format, "format", "text", "text, html, eml or json")
	f.StringVar(&since, "since", "", "all hits found within this time, such as 7d, whatever was sent already")
	return cmd
}

func (a *app) preview(ctx context.Context, command, id, format string, since time.Time) error {
	loaded, err := a.load()
	if err != nil {
		return err
	}
	var show func(notify.Digest) error
	switch format {
	case "text":
		show = func(d notify.Digest) error {
			_, err := fmt.Fprintf(a.stdout, "Subject: %s\n\n%s", notify.Subject(d), loaded.Digest.Layout.Text(d))
			return err
		}
	case "html":
		show = func(d notify.Digest) error {
			_, err := fmt.Fprint(a.stdout, loaded.Digest.Layout.HTML(d))
			return err
		}
	case "eml":
		show = func(d notify.Digest) error {
			msg, err := daemon.Message(loaded.Config, d)
			if err == nil {
				_, err = a.stdout.Write(msg)
			}
			return err
		}
	case "json":
		show = func(d notify.Digest) error { return a.printJSON(d) }
	default:
		return &usageError{command, fmt.Errorf("--format %q: want text, html, eml or json", format)}
	}
	return a.withStoreOf(ctx, loaded, func(st store.Store) error {
		d, err := daemon.Preview(ctx, loaded, st, id, since, time.Now())
		if err != nil {
			return err
		}
		return show(d)
	})
}
