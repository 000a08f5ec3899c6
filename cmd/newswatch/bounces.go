package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/newswatch/newswatch/daemon"
	"github.com/newswatch/newswatch/notify/email"
	"github.com/newswatch/newswatch/store"
)

func (a *app) bouncesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "bounces [FILE|MAILDIR]...",
		Short: "Take in reports of mail that came back, and pause whose mailbox takes nothing",
		Long: `A mail server may accept a message and report later that it could not be delivered. The
reports come to smtp.bounce_to; hand them in as a message, an mbox or a maildir, or on
standard input. With smtp.verp on, the address that a report came to tells whose it is; one
that came to another changes nothing. No file is changed, and handing the same in twice
counts once.

  newswatch bounces /var/mail/bounces       what came since you moved the last away
  newswatch bounces ~bounces/Maildir
  newswatch bounces < report.eml            as a mail server's pipe does; exit code 75 keeps it there
                                            while the store is away`,
		RunE: func(cmd *cobra.Command, paths []string) error {
			loaded, err := a.load()
			if err != nil {
				return err
			}
			err = a.withStoreOf(cmd.Context(), loaded, func(st store.Store) error {
				b, err := daemon.NewBounces(cmd.Context(), loaded, st)
				if err != nil {
					return err
				}
				if len(paths) == 0 {
					return a.takeBounces(cmd.Context(), b, a.stdin)
				}
				for _, path := range paths {
					if err := a.openBounces(cmd.Context(), b, path); err != nil {
						return err
					}
				}
				return nil
			})
			if len(paths) == 0 && errors.Is(err, store.ErrUnavailable) {
				return &exitError{exitLater, err}
			}
			return err
		},
	}
}

// openBounces reads a file, or those of a maildir that are whole.
func (a *app) openBounces(ctx context.Context, b *daemon.Bounces, path string) error {
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	files := []string{path}
	if st.IsDir() {
		files = nil
		for _, sub := range []string{"new", "cur"} {
			found, err := os.ReadDir(filepath.Join(path, sub))
			if err != nil {
				return fmt.Errorf("this is no maildir: %w", err)
			}
			for _, f := range found {
				if f.Type().IsRegular() {
					files = append(files, filepath.Join(path, sub, f.Name()))
				}
			}
		}
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		err = a.takeBounces(ctx, b, f)
		_ = f.Close() // it was only read
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

func (a *app) takeBounces(ctx context.Context, b *daemon.Bounces, r io.Reader) error {
	for report, err := range email.Reports(r) {
		if errors.Is(err, email.ErrNoReport) {
			fmt.Fprintln(a.stderr, "passed over: no report of a delivery that was given up")
			continue
		}
		if err != nil {
			return err
		}
		taken, err := b.Take(ctx, report)
		if err != nil {
			return err
		}
		if len(taken) == 0 {
			fmt.Fprintln(a.stderr, "passed over: the report did not come to the address of anybody who is sent mail")
		}
		for _, one := range taken {
			if err := a.printBounced(one); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *app) printBounced(one daemon.Bounced) error {
	if a.json {
		return a.printJSON(one)
	}
	what := fmt.Sprintf("came back on %d of the %d days after which it is paused", one.Days, one.After)
	switch {
	case one.Paused:
		what = "is paused; it gets nothing until: newswatch subscribers resume " + one.Subscriber
	case one.After == 0:
		what = "not counted: that is too old, or no fault of the mailbox"
	case one.Days == 0:
		what = "counted before its last pause"
	case one.Days >= one.After:
		what = "not paused: nothing was sent to it by this store"
	}
	_, err := fmt.Fprintf(a.stdout, "%s: %s: %s\n", one.Subscriber, one.Reason, what)
	return err
}
