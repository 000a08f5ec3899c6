package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/feed"
)

// app is what every subcommand shares: the streams and the global flags.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	config string
	json   bool
	quiet  bool
	// allowEviction is store.allow_eviction, whatever the configuration says of it.
	allowEviction bool
	lease         time.Duration
}

// command builds the tree of subcommands.
func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "newswatch",
		Short: "Watch news feeds for reports on the policing of online child sexual exploitation",
		Long: `newswatch reads news feeds on a schedule, matches every item against keyword rules,
stores the hits, and sends digests by email, webhook, chat or into files. It reads public
news only, and text only: no image or media file is ever fetched, stored or sent.

Without a command it runs the daemon. Try it without any set-up:

  newswatch demo                  the whole line offline, in seconds
  newswatch once                  poll every feed now, and print what came of it
  newswatch run                   the daemon; digests land in the data folder

The configuration is newswatch.yaml in the working directory, in configs/ or in
/etc/newswatch/, or what --config names; without one, built-in defaults hold.`,
		Args:          noArguments,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{cmd.CommandPath(), err}
	})
	flags := root.PersistentFlags()
	flags.StringVarP(&a.config, "config", "c", "", "configuration `FILE` (default: newswatch.yaml in ., configs/ or /etc/newswatch/)")
	flags.BoolVar(&a.json, "json", false, "print one JSON object, or JSON Lines for lists, on standard output")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "log warnings and errors only")
	flags.BoolVar(&a.allowEviction, "allow-eviction", false, "use a Redis that may forget silently what was reported, as store.allow_eviction does")

	runCmd := a.runCommand()
	root.RunE = runCmd.RunE
	root.Flags().AddFlagSet(runCmd.Flags())
	root.AddCommand(
		runCmd, a.onceCommand(), a.checkCommand(),
		a.matchCommand(), a.explainCommand(), a.schemaCommand(), a.backtestCommand(),
		a.feedsCommand(), a.hitsCommand(), a.digestCommand(), a.deadLettersCommand(), a.bouncesCommand(), a.noticesCommand(), a.subscribersCommand(), a.storeCommand(),
		a.demoCommand(), a.healthCommand(), a.versionCommand(),
	)
	root.InitDefaultHelpCmd()
	for _, c := range root.Commands() {
		if c.Name() == "help" {
			c.Args = isCommand
		}
	}
	return root
}

// isCommand wants the name of a command; cobra's help takes any word, and shows the
// help of what it knows of it.
func isCommand(help *cobra.Command, args []string) error {
	found, rest, err := help.Root().Find(args)
	if err == nil && len(rest) > 0 {
		err = unknownCommand(found, rest[0])
	}
	return err
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			if a.json {
				return a.printJSON(map[string]string{"version": version})
			}
			_, err := fmt.Fprintln(a.stdout, "newswatch", version)
			return err
		},
	}
}

// load reads the configuration and prints its warnings.
func (a *app) load() (*configs.Loaded, error) {
	loaded, warnings, err := a.loadQuietly()
	for _, w := range warnings {
		fmt.Fprintln(a.stderr, "warning:", w)
	}
	return loaded, err
}

func (a *app) loadQuietly() (*configs.Loaded, []configs.Warning, error) {
	loaded, warnings, err := a.loadFile()
	if err == nil && a.allowEviction {
		loaded.Store.AllowEviction = true
	}
	return loaded, warnings, err
}

func (a *app) loadFile() (*configs.Loaded, []configs.Warning, error) {
	path := a.config
	if path == "" {
		found, ok := configs.Find()
		if !ok {
			return configs.Default()
		}
		path = found
	}
	return configs.Load(path)
}

// sinceTime is the time that --since 7d means; none when it is empty.
func sinceTime(cmd *cobra.Command, value string) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	d, err := configs.ParseDuration(value)
	if err != nil {
		return time.Time{}, &usageError{cmd.CommandPath(), fmt.Errorf("--since: %w", err)}
	}
	return time.Now().Add(-d), nil
}

// byID finds the feeds of stored items.
func byID(feeds []feed.Feed) map[string]feed.Feed {
	known := make(map[string]feed.Feed, len(feeds))
	for _, f := range feeds {
		known[f.ID] = f
	}
	return known
}

// logger writes to standard error, in the form that the configuration asks for.
func (a *app) logger(c configs.Log) *slog.Logger {
	opts := &slog.HandlerOptions{Level: c.Level}
	if a.quiet {
		opts.Level = slog.LevelWarn
	}
	if c.Format == configs.LogJSON {
		return slog.New(slog.NewJSONHandler(a.stderr, opts))
	}
	return slog.New(slog.NewTextHandler(a.stderr, opts))
}

// printJSON prints one line of JSON. Feed text keeps its <, > and &: it is data
// for another program, not a page.
func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.stdout)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// formatOf is the form in which a command prints: what --format says, or json where
// --json was given. The two must not say different things.
func (a *app) formatOf(cmd *cobra.Command, format, json string) (string, error) {
	switch {
	case !a.json:
		return format, nil
	case cmd.Flags().Changed("format") && format != json:
		return "", &usageError{cmd.CommandPath(), fmt.Errorf("--json and --format %s: give one of the two", format)}
	}
	return json, nil
}

// unknown is the error for a name that is none, with the nearest that is one.
func unknown(what, name string, known []string) error {
	return fmt.Errorf("there is no %s %q%s", what, name, didYouMean(name, known))
}

func didYouMean(name string, known []string) string {
	near := classifier.DidYouMean(name, known)
	if near == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", near)
}

// ruleIDs are the ids of rules.
func ruleIDs(rules *classifier.Ruleset) []string {
	ids := make([]string, 0, len(rules.Rules()))
	for _, r := range rules.Rules() {
		ids = append(ids, r.ID)
	}
	return ids
}

// counted writes a number with its noun: "1 feed", "2 feeds", "2 addresses".
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "s") {
		noun += "e"
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// onTerminal reports whether a person watches the stream; colours and progress
// are for them only.
func onTerminal(w io.Writer) bool {
	if out, ok := w.(*output); ok {
		w = out.Writer
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}
