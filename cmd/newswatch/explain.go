package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/newswatch/newswatch/classifier"
)

func (a *app) explainCommand() *cobra.Command {
	var files, only []string
	var doc classifier.Doc
	cmd := &cobra.Command{
		Use:   "explain [--rules FILE ...] --title TEXT [--body TEXT]",
		Short: "Say why an item matches a rule, or why not, clause by clause",
		Long: `Prints for each rule its canonical Boolean form, the text as the rules see it, and what each
clause found in it. Without --rule it explains every rule that matches or nearly does.

  newswatch explain --title "Kerala police arrest 41 in Operation P-Hunt raids"
  newswatch explain --rule csam --rules my.yaml --title "..." --body - < article.txt`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if doc.Title == "" && doc.Body == "" && doc.Lead == "" {
				return &usageError{cmd.CommandPath(), fmt.Errorf("give the item's text: --title, --lead or --body")}
			}
			if doc.Body == "-" {
				b, err := io.ReadAll(io.LimitReader(a.stdin, maxLine))
				if err != nil {
					return err
				}
				doc.Body = string(b)
			}
			rules, err := a.rules(files)
			if err != nil {
				return err
			}
			return a.explain(rules, &doc, only)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&files, "rules", nil, "rule `FILE`, may be repeated (default: the configuration's)")
	f.StringArrayVar(&only, "rule", nil, "explain this rule `ID`, matching or not; may be repeated")
	f.StringVar(&doc.Title, "title", "", "the item's headline")
	f.StringVar(&doc.Lead, "lead", "", "its summary")
	f.StringVar(&doc.Body, "body", "", "its text; - reads standard input")
	f.StringVar(&doc.URL, "url", "", "its link")
	f.StringVar(&doc.Lang, "lang", "", "its language, such as ml")
	f.StringVar(&doc.Source, "source", "", "its outlet")
	return cmd
}

func (a *app) explain(rules *classifier.Ruleset, doc *classifier.Doc, only []string) error {
	named := len(only) > 0
	if !named {
		for _, r := range rules.Rules() {
			only = append(only, r.ID)
		}
	}
	shown := 0
	for _, id := range only {
		e, err := rules.Explain(id, doc)
		if err != nil {
			return err
		}
		if !named && !e.Matched && len(e.NearMisses) == 0 {
			continue
		}
		shown++
		if a.json {
			if err := a.printJSON(e); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintln(a.stdout, strings.TrimRight(e.String(), "\n"))
		fmt.Fprintln(a.stdout)
	}
	if shown == 0 && !a.json {
		fmt.Fprintf(a.stdout, "none of %s matches, and none nearly does; --rule ID explains one all the same\n", counted(len(only), "rule"))
	}
	return nil
}
