package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/daemon"
	"github.com/newswatch/newswatch/store"
)

func (a *app) storeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "store",
		Short: "Move what newswatch remembers to another engine, or prove that it is sound",
		Args:  noArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.storeCopyCommand(), a.storeCheckCommand())
	return cmd
}

func (a *app) storeCopyCommand() *cobra.Command {
	var from, to string
	cmd := &cobra.Command{
		Use:   "copy --to URL",
		Short: "Copy everything into another store",
		Long: `Copies feeds, seen items, hits, the log, subscribers, digests and dead letters into an empty
store, and compares both by counts and hashes. A copy that was broken off goes on where it
was when it is started again. Stop every newswatch that uses either store first; then set
store.url to the new one.

  newswatch store copy --to redis://localhost:6379/0
  newswatch store copy --from sqlite:data/newswatch.db --to redis+cluster://a:6379,b:6379

--from is the configured store when it is not given.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if to == "" {
				return &usageError{cmd.CommandPath(), errors.New("want --to URL")}
			}
			dest, err := configs.ParseStoreURL(to)
			if err != nil {
				return fmt.Errorf("--to: %w", err)
			}
			return a.withPortable(cmd.Context(), from, func(source configs.Store, src store.Portable) error {
				if source.Same(dest) {
					return errors.New("--to is the store to copy: name another one")
				}
				return a.withPortableOf(cmd.Context(), dest, func(dst store.Portable) error { return a.copyStore(cmd.Context(), src, dst) })
			})
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "the store to copy, as a store.url (default: the configured one)")
	cmd.Flags().StringVar(&to, "to", "", "the store to copy into, as a store.url")
	return cmd
}

func (a *app) copyStore(ctx context.Context, src, dst store.Portable) error {
	var bar *progressbar.ProgressBar
	progress := func(done, of int) {
		if bar == nil {
			bar = progressbar.NewOptions(of, progressbar.OptionSetWriter(a.stderr), progressbar.OptionSetDescription("copying"),
				progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
		}
		_ = bar.Set(done) // a bar that cannot be drawn is no reason to stop
	}
	if a.json || !onTerminal(a.stderr) {
		progress = nil
	}
	res, err := store.Copy(ctx, src, dst, progress)
	if bar != nil {
		_ = bar.Finish()
	}
	if err != nil {
		return err
	}
	total := res.Total()
	hash := hex.EncodeToString(total[:])
	if a.json {
		return a.printJSON(map[string]any{"counts": res.Counts, "rows": len(res.Rows), "written": res.Written, "hash": hash})
	}
	for _, kind := range store.Kinds[1:] {
		fmt.Fprintf(a.stdout, "%8d %s\n", res.Counts[kind], kindOf(res.Counts[kind], kind))
	}
	_, err = fmt.Fprintf(a.stdout, "%s written, %d there already; both stores have the hash %s\n",
		counted(res.Written, "row"), len(res.Rows)-res.Written, hash)
	return err
}

// kindOf is the noun for n rows of one of store.Kinds.
func kindOf(n int, kind string) string {
	if n != 1 {
		return kind
	}
	if stem, ok := strings.CutSuffix(kind, "ies"); ok {
		return stem + "y"
	}
	return strings.TrimSuffix(kind, "s")
}

func (a *app) storeCheckCommand() *cobra.Command {
	var url string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Prove that the store is sound",
		Long: `Reads the whole store and checks what must always hold: no hit without its item seen, no two
hits at one place of the log, no cursor and no digest past its end, nothing in the queues
that is not there, no purged item that is. Prints what is wrong, and ends with 1 if anything is.
Stop every newswatch that uses the store first, or what changes meanwhile may look wrong.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withPortable(cmd.Context(), url, func(_ configs.Store, st store.Portable) error {
				wrong, err := store.Check(cmd.Context(), st, time.Now())
				if err != nil {
					return err
				}
				return a.printCheck(wrong)
			})
		},
	}
	cmd.Flags().StringVar(&url, "url", "", "the store to check, as a store.url (default: the configured one)")
	return cmd
}

func (a *app) printCheck(wrong []string) error {
	if a.json {
		if err := a.printJSON(map[string]any{"sound": len(wrong) == 0, "wrong": append([]string{}, wrong...)}); err != nil {
			return err
		}
	} else {
		for _, line := range wrong {
			fmt.Fprintln(a.stdout, line)
		}
		if len(wrong) == 0 {
			fmt.Fprintln(a.stdout, "the store is sound")
		}
	}
	if len(wrong) > 0 {
		return &exitError{code: exitWrong, err: fmt.Errorf("the store is not sound: %s", counted(len(wrong), "mistake"))}
	}
	return nil
}

// withPortable opens the store of a URL, or the configured one where there is
// none. It makes no new file: a misspelt path would look like an empty store.
func (a *app) withPortable(ctx context.Context, url string, f func(configs.Store, store.Portable) error) error {
	var st configs.Store
	if url != "" {
		var err error
		if st, err = configs.ParseStoreURL(url); err != nil {
			return err
		}
	} else {
		loaded, err := a.load()
		if err != nil {
			return err
		}
		st = loaded.Store
	}
	if st.Engine == configs.EngineSQLite {
		if _, err := os.Stat(st.Path); err != nil {
			return fmt.Errorf("there is no store yet: %w", err)
		}
	}
	return a.withPortableOf(ctx, st, func(p store.Portable) error { return f(st, p) })
}

func (a *app) withPortableOf(ctx context.Context, c configs.Store, f func(store.Portable) error) (err error) {
	c.AllowEviction = c.AllowEviction || a.allowEviction
	st, err := daemon.OpenStore(ctx, configs.Config{Store: c})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	p, ok := st.(store.Portable)
	if !ok {
		return fmt.Errorf("the engine %s cannot be moved", c.Engine)
	}
	return f(p)
}
