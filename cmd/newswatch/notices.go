package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/newswatch/newswatch/store"
)

func (a *app) noticesCommand() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:   "notices",
		Short: "List what was noticed of how the watch is kept",
		Long: `Lists notices, the newest first: sources that were lost, fell silent or are back, floods, a
network that is down, mail that came back, subscribers that were paused, configurations
that were refused.

  newswatch notices
  newswatch notices --json --limit 0 | jq .       every notice as JSON Lines`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 0 {
				return &usageError{cmd.CommandPath(), fmt.Errorf("--limit %d: want 0 for all, or more", limit)}
			}
			return a.withStore(cmd.Context(), func(st store.Store) error { return a.listNotices(cmd, st, limit) })
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 100, "at most this many; 0 for all")
	return cmd
}

func (a *app) listNotices(cmd *cobra.Command, st store.Store, limit int) error {
	w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
	listed, before := 0, int64(0)
	for limit <= 0 || listed < limit {
		page := 100
		if limit > 0 {
			page = min(page, limit-listed)
		}
		notices, err := st.LatestNotices(cmd.Context(), before, page)
		if err != nil {
			return err
		}
		for _, n := range notices {
			switch {
			case a.json:
				err = a.printJSON(n)
			default:
				if listed == 0 {
					fmt.Fprintln(w, "AT\tKIND\tABOUT\tNOTICE")
				}
				_, err = fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", when(n.At), n.Kind, n.Subject, oneLine(n.Text))
			}
			if err != nil {
				return err
			}
			listed, before = listed+1, n.Seq
		}
		if len(notices) < page {
			break
		}
	}
	if listed == 0 && !a.json {
		fmt.Fprintln(w, "no notices")
	}
	return w.Flush()
}
