package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/store"
)

// nearMiss is an item that only a NOT kept away from a rule.
type nearMiss struct {
	Item   string    `json:"item"`
	Title  string    `json:"title"`
	Link   string    `json:"link,omitempty"`
	Outlet string    `json:"outlet,omitempty"`
	Stored time.Time `json:"stored"`
	Rule   string    `json:"rule"`
	Why    []string  `json:"why"`
}

func (a *app) nearMissesCommand() *cobra.Command {
	var since, only string
	cmd := &cobra.Command{
		Use:   "near-misses",
		Short: "List the items that only a NOT kept away from a rule",
		Long: `Reads the items that are kept with their text and lists those that a rule would have matched
but for its exclusions: once a week is a good time to see whether a NOT keeps out more than it
was meant to.

  newswatch digest near-misses --since 7d
  newswatch digest near-misses --rule operation-p-hunt --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			from, err := sinceTime(cmd, since)
			if err != nil {
				return err
			}
			return a.nearMisses(cmd, from, only)
		},
	}
	cmd.Flags().StringVar(&since, "since", "7d", "items stored within this time")
	cmd.Flags().StringVar(&only, "rule", "", "only this rule")
	return cmd
}

func (a *app) nearMisses(cmd *cobra.Command, since time.Time, only string) error {
	loaded, err := a.load()
	if err != nil {
		return err
	}
	rules := loaded.Rules
	if _, ok := rules.Rule(only); only != "" && !ok {
		return unknown("rule", only, ruleIDs(rules))
	}
	relaxed := rules.WithoutExclusions()
	feeds := byID(loaded.Feeds)
	return a.withStoreOf(cmd.Context(), loaded, func(st store.Store) error {
		read, listed := 0, 0
		for item, err := range st.StoredItems(cmd.Context(), since) {
			if err != nil {
				return err
			}
			read++
			f := feeds[item.Item.FeedID]
			doc := classifier.NewDoc(item.Item, f)
			for _, m := range relaxed.Match(&doc) {
				if only != "" && m.Rule != only || rules.Matches(m.Rule, &doc) {
					continue
				}
				x, err := rules.Explain(m.Rule, &doc)
				if err != nil {
					return err
				}
				listed++
				miss := nearMiss{
					Item: item.Item.ID.String(), Title: item.Item.Title, Link: item.Item.Link,
					Outlet: item.Item.Outlet, Stored: item.Stored, Rule: m.Rule, Why: x.NearMisses,
				}
				if miss.Outlet == "" {
					miss.Outlet = f.Name
				}
				if err := a.printNearMiss(miss); err != nil {
					return err
				}
			}
		}
		if !a.json {
			_, err := fmt.Fprintf(a.stdout, "%s among %s\n", counted(listed, "near miss"), counted(read, "item"))
			return err
		}
		return nil
	})
}

func (a *app) printNearMiss(m nearMiss) error {
	if a.json {
		return a.printJSON(m)
	}
	_, err := fmt.Fprintf(a.stdout, "%s\n  %s: %s\n  %s\n\n", oneLine(m.Title), m.Rule, strings.Join(m.Why, "; "), a.dim(m.Link))
	return err
}
