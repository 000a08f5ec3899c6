package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/newswatch/newswatch/classifier/ruletest"
	"github.com/newswatch/newswatch/configs"
)

// checked is what "check --json" prints.
type checked struct {
	OK          bool     `json:"ok"`
	Feeds       int      `json:"feeds"`
	Rules       int      `json:"rules"`
	Subscribers int      `json:"subscribers"`
	Ruleset     string   `json:"ruleset,omitempty"`
	Errors      []string `json:"errors"`
	// Notes are what could be better and keeps nothing from being right.
	Notes    []string `json:"notes"`
	Warnings []string `json:"warnings"`
}

func (a *app) checkCommand() *cobra.Command {
	var files []string
	var strict bool
	cmd := &cobra.Command{
		Use:   "check [--rules FILE ...]",
		Short: "Check the configuration and the rules, and run the rules' tests",
		Long: `Reads everything that "run" would read, and reports every mistake at once, each with its
file, line and column. Runs must_match and must_not_match of all rules.

Exit codes: 0 all is well; 1 something is wrong and would be refused; 3 all would be
accepted, and something looks like a mistake. Notes, such as a rule without a test, count
only with --strict.`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error { return a.check(files, strict) },
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "let notes count as warnings")
	cmd.Flags().StringArrayVar(&files, "rules", nil, "check only this rule `FILE`, may be repeated")
	return cmd
}

func (a *app) check(ruleFiles []string, strict bool) error {
	var loaded *configs.Loaded
	var warnings []configs.Warning
	var err error
	if len(ruleFiles) > 0 {
		loaded = &configs.Loaded{}
		loaded.Rules, warnings, err = configs.LoadRules(ruleFiles...)
	} else {
		loaded, warnings, err = a.loadQuietly()
	}
	c := checked{OK: err == nil, Errors: messages(err), Warnings: []string{}, Notes: []string{}}
	for _, w := range warnings {
		c.Warnings = append(c.Warnings, w.String())
	}
	if err == nil {
		c.Feeds, c.Subscribers = len(loaded.Feeds), len(loaded.Subscribers)
		c.Rules, c.Ruleset = len(loaded.Rules.Rules()), loaded.Rules.Version()
		for _, f := range ruletest.Run(loaded.Rules).Untested {
			c.Notes = append(c.Notes, f.String())
		}
	}
	if err := a.printChecked(c); err != nil {
		return err
	}
	switch {
	case !c.OK:
		return &exitError{code: exitWrong}
	case len(c.Warnings) > 0 || strict && len(c.Notes) > 0:
		return &exitError{code: exitLint}
	}
	return nil
}

func (a *app) printChecked(c checked) error {
	if a.json {
		return a.printJSON(c)
	}
	for _, e := range c.Errors {
		fmt.Fprintln(a.stderr, e)
	}
	for _, w := range c.Warnings {
		fmt.Fprintln(a.stderr, "warning:", w)
	}
	for _, n := range c.Notes {
		fmt.Fprintln(a.stderr, "note:", n)
	}
	if !c.OK {
		_, err := fmt.Fprintf(a.stderr, "%s\n", counted(len(c.Errors), "error"))
		return err
	}
	_, err := fmt.Fprintf(a.stdout, "ok: %s, %s, %s, %s; rule set %s\n", counted(c.Feeds, "feed"), counted(c.Rules, "rule"),
		counted(c.Subscribers, "subscriber"), counted(len(c.Warnings), "warning"), c.Ruleset)
	return err
}

// messages returns what is wrong, one text for each mistake.
func messages(err error) []string {
	out := []string{}
	if err == nil {
		return out
	}
	all, ok := errors.AsType[*configs.Errors](err)
	if !ok {
		return append(out, err.Error())
	}
	for _, p := range all.Problems {
		out = append(out, p.String())
	}
	if all.More > 0 {
		out = append(out, fmt.Sprintf("and %d more", all.More))
	}
	return out
}
