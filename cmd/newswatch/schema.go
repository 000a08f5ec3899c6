package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/notify/webhook"
)

// webhookSchema is the kind of the one schema that is of no file.
const webhookSchema = "webhook"

func (a *app) schemaCommand() *cobra.Command {
	kinds := append(configs.Schemas(), webhookSchema)
	return &cobra.Command{
		Use:   "schema [" + strings.Join(kinds, "|") + "]",
		Short: "Print the JSON Schema of a kind of file, or of what is posted to webhooks",
		Long: `Prints a JSON Schema (draft 2020-12), by which an editor completes keys and underlines mistakes.
Without a word it is that of newswatch.yaml.

  newswatch schema rules > rules.schema.json

and as the first line of a file of rules, for editors with a YAML language server:

  # yaml-language-server: $schema=rules.schema.json

webhook is for those who receive digests: what is posted to them (docs/webhook.md).

A schema sees less than newswatch check: only one file, and nothing of the language of rules.`,
		ValidArgs: kinds,
		Args: asUsage(func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && !slices.Contains(kinds, args[0]) {
				return fmt.Errorf("%q: want one of %s", strings.Join(args, " "), strings.Join(kinds, ", "))
			}
			return nil
		}),
		RunE: func(_ *cobra.Command, args []string) error {
			kind := kinds[0]
			if len(args) > 0 {
				kind = args[0]
			}
			schema := webhook.Schema()
			if kind != webhookSchema {
				var err error
				if schema, err = configs.Schema(kind); err != nil {
					return err
				}
			}
			_, err := fmt.Fprintf(a.stdout, "%s", schema)
			return err
		},
	}
}
