package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/newswatch/newswatch/daemon"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// toItself is no address, since there is no @ in it.
const toItself = "itself"

func (a *app) digestTestCommand() *cobra.Command {
	var id, to, since string
	cmd := &cobra.Command{
		Use:   "test --subscriber ID --to ADDRESS|itself",
		Short: "Send the digest that a subscriber would get to yourself, or to it once",
		Long: `Builds the digest that a subscriber would get now, from the stored hits, and mails it to the address
given, through the mail server of the configuration. No cursor moves, and the subscriber gets nothing.

With --to itself it goes to the subscriber, by its own channel: so you see whether a room, an endpoint
or a mailbox works, and if not, why. It is one message more than the schedule's; no cursor moves.

  newswatch digest test --subscriber desk --to me@example.org
  newswatch digest test --subscriber desk --to me@example.org --since 7d
  newswatch digest test --subscriber room --to itself`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case id == "":
				return &usageError{cmd.CommandPath(), errors.New("--subscriber: whose digest?")}
			case to == "":
				return &usageError{cmd.CommandPath(), errors.New("--to: write an address, or \"itself\" to send it to the subscriber by its own channel")}
			}
			from, err := sinceTime(cmd, since)
			if err != nil {
				return err
			}
			return a.sendTest(cmd.Context(), id, to, from)
		},
	}
	f := cmd.Flags()
	f.StringVar(&id, "subscriber", "", "the subscriber's `ID`")
	f.StringVar(&to, "to", "", "the `ADDRESS` to mail it to, or \"itself\" for the subscriber's own channel")
	f.StringVar(&since, "since", "", "all hits found within this time, such as 7d, whatever was sent already")
	return cmd
}

func (a *app) sendTest(ctx context.Context, id, to string, since time.Time) error {
	loaded, err := a.load()
	if err != nil {
		return err
	}
	return a.withStoreOf(ctx, loaded, func(st store.Store) error {
		d, err := daemon.Preview(ctx, loaded, st, id, since, time.Now())
		if err != nil {
			return err
		}
		if to == toItself {
			err = daemon.SendTestItself(ctx, loaded, d, version)
		} else {
			err = daemon.SendTest(ctx, loaded.Config, d, to)
		}
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(map[string]any{"subscriber": id, "entries": d.Entries, "hits": d.Hits})
		}
		_, err = fmt.Fprintf(a.stdout, "sent: %s\n", notify.Subject(d))
		return err
	})
}

func (a *app) digestTemplatesCommand() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "templates DIR",
		Short: "Write the built-in templates of digests, to begin your own with",
		Long: `Writes digest.txt and digest.html into a folder. Edit them, and name them in newswatch.yaml:

  digest: {text_template: templates/digest.txt, html_template: templates/digest.html}

Where one of them is there already nothing is written, unless --force says that your own may go. A
template that does not fit is refused at the next load, with its line. docs/digests.md tells what
templates are given.`,
		Args: oneArgument,
		RunE: func(_ *cobra.Command, args []string) error { return a.writeTemplates(args[0], force) },
	}
	cmd.Flags().BoolVar(&force, "force", false, "write over what is there")
	return cmd
}

// writeTemplates writes both files or, where an operator's own work would be lost to a
// command that was given twice, neither.
func (a *app) writeTemplates(dir string, force bool) error {
	text, html := notify.Templates()
	files := []struct{ name, content string }{{filepath.Join(dir, "digest.txt"), text}, {filepath.Join(dir, "digest.html"), html}}
	var there []string
	for _, f := range files {
		// What cannot be looked at is found out by the write.
		if _, err := os.Lstat(f.name); err == nil {
			there = append(there, f.name)
		}
	}
	if len(there) > 0 && !force {
		return fmt.Errorf("nothing was written, since there is %s: name another folder, or give --force to write over it", strings.Join(there, " and "))
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	how := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		how = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	for _, f := range files {
		if err := writeFile(f.name, f.content, how); err != nil {
			return err
		}
		fmt.Fprintln(a.stderr, "wrote", f.name)
	}
	return nil
}

func writeFile(name, content string, how int) error {
	f, err := os.OpenFile(name, how, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(content); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}
