package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/newswatch/newswatch/configs"
)

func (a *app) schemaCommand() *cobra.Command {
	kinds := configs.Schemas()
	return &cobra.Command{
		Use:   "schema [" + strings.Join(kinds, "|") + "]",
		Short: "Print the JSON Schema of a kind of file, for editors",
		Long: `Prints a JSON Schema (draft 2020-12), by which an editor completes keys and underlines mistakes.
Without a word it is that of newswatch.yaml.

  newswatch schema rules > rules.schema.json

and as the first line of a file of rules, for editors with a YAML language server:

  # yaml-language-server: $schema=rules.schema.json

A schema sees less than newswatch check: only one file, and nothing of the language of rules.`,
		ValidArgs: kinds,
		Args:      asUsage(cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs)),
		RunE: func(_ *cobra.Command, args []string) error {
			kind := kinds[0]
			if len(args) > 0 {
				kind = args[0]
			}
			schema, err := configs.Schema(kind)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.stdout, "%s", schema)
			return err
		},
	}
}
