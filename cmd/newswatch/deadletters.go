package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

func (a *app) deadLettersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "deadletters",
		Aliases: []string{"dead-letters"},
		Short:   "List digests that could not be delivered, send them again, or drop them",
		Long: `A digest that its receiver did not accept within the last try becomes a dead letter.
It does not hold up what follows, and it waits here until you decide.

  newswatch deadletters                 list them
  newswatch deadletters resend ID       send one again; the daemon does it within a minute
  newswatch deadletters resend --all
  newswatch deadletters drop ID`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withStore(cmd.Context(), func(st store.Store) error {
				letters, err := st.DeadLetters(cmd.Context())
				if err != nil {
					return err
				}
				return a.printLetters(letters)
			})
		},
	}
	cmd.AddCommand(
		a.letterCommand("resend", "Send dead letters again", "will be sent again", func(cmd *cobra.Command, st store.Store, id string) error {
			return a.resend(cmd.Context(), st, id)
		}),
		a.letterCommand("drop", "Delete dead letters", "dropped", func(cmd *cobra.Command, st store.Store, id string) error {
			return st.Drop(cmd.Context(), id)
		}),
	)
	return cmd
}

// resend puts a letter back into the queue. A subscriber that is paused gets it only
// when it is resumed, which nobody would guess from silence.
func (a *app) resend(ctx context.Context, st store.Store, id string) error {
	letters, err := st.DeadLetters(ctx)
	if err != nil {
		return err
	}
	if err := st.Resend(ctx, id, time.Now()); err != nil {
		return err
	}
	standings, err := st.Standings(ctx)
	if err != nil {
		return err
	}
	for _, l := range letters {
		for _, s := range standings {
			if l.Digest.ID == id && s.Subscriber == l.Digest.Subscriber && s.Paused != nil {
				fmt.Fprintf(a.stderr, "%s: %s is paused; it goes out after: newswatch subscribers resume %s\n", id, s.Subscriber, s.Subscriber)
			}
		}
	}
	return nil
}

func (a *app) printLetters(letters []notify.DeadLetter) error {
	if a.json {
		for _, l := range letters {
			if err := a.printJSON(l); err != nil {
				return err
			}
		}
		return nil
	}
	if len(letters) == 0 {
		_, err := fmt.Fprintln(a.stdout, "no dead letters")
		return err
	}
	w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "DIGEST\tSUBSCRIBER\tSEALED\tENTRIES\tTRIES\tREASON")
	for _, l := range letters {
		reason := l.Reason
		if l.Resending {
			reason = "(waits to be sent again) " + reason
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\n", l.Digest.ID, l.Digest.Subscriber,
			l.Digest.Sealed.Local().Format("2006-01-02 15:04"), l.Digest.Entries, l.Attempts, oneLine(reason))
	}
	return w.Flush()
}

// letterCommand is a subcommand that does one thing to some letters or to all.
func (a *app) letterCommand(use, short, done string, do func(*cobra.Command, store.Store, string) error) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   use + " [ID ...]",
		Short: short,
		Args: asUsage(func(_ *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return fmt.Errorf("name the digests by their ids, or give --all")
			}
			return nil
		}),
		RunE: func(cmd *cobra.Command, ids []string) error {
			return a.withStore(cmd.Context(), func(st store.Store) error {
				if all {
					letters, err := st.DeadLetters(cmd.Context())
					if err != nil {
						return err
					}
					for _, l := range letters {
						ids = append(ids, l.Digest.ID)
					}
					if len(ids) == 0 {
						fmt.Fprintln(a.stderr, "no dead letters")
					}
				}
				for _, id := range ids {
					err := do(cmd, st, id)
					if errors.Is(err, store.ErrNotFound) {
						return fmt.Errorf("there is no dead letter %q; newswatch deadletters lists them", id)
					}
					if err != nil {
						return fmt.Errorf("digest %s: %w", id, err)
					}
					fmt.Fprintf(a.stderr, "%s: %s\n", id, done)
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "every dead letter")
	return cmd
}
