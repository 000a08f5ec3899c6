package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/newswatch/newswatch/daemon"
	"github.com/newswatch/newswatch/store"
)

func (a *app) runCommand() *cobra.Command {
	var grace time.Duration
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the daemon (the default)",
		Long: `Polls feeds, stores hits and sends digests until SIGINT or SIGTERM; then finishes what is
in flight within --grace. SIGHUP, a change of a configuration file, or POST /-/reload reads the
configuration again; a broken one leaves the running one in force.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if grace < 0 {
				return &usageError{cmd.CommandPath(), fmt.Errorf("--grace %s: want 0s or more", grace)}
			}
			return a.run(cmd.Context(), grace)
		},
	}
	cmd.Flags().DurationVar(&grace, "grace", 20*time.Second, "how long a stop waits for what is in flight")
	a.leaseFlag(cmd)
	return cmd
}

func (a *app) run(ctx context.Context, grace time.Duration) error {
	loaded, err := a.load()
	if err != nil {
		return err
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	return daemon.Run(ctx, loaded, daemon.Options{
		Version: version,
		Log:     a.logger(loaded.Log),
		Load:    a.loadQuietly,
		Reload:  hangup,
		Grace:   grace,
		Lease:   a.lease,
	})
}

func (a *app) onceCommand() *cobra.Command {
	var send bool
	cmd := &cobra.Command{
		Use:   "once",
		Short: "Poll every feed now, store what is found, send what is due, and end",
		Long: `Polls every feed now, whatever its next check, classifies, stores, and sends the digests
that are due. A feed that fails is counted and named; all others go on.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.once(cmd.Context(), send) },
	}
	cmd.Flags().BoolVar(&send, "send", false, "send every subscriber's digest now, due or not")
	a.leaseFlag(cmd)
	return cmd
}

// leaseFlag is for those who run several replicas and know why they want another
// time; a lease that is shorter than a pause of the process is lost in it.
func (a *app) leaseFlag(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&a.lease, "lease", 30*time.Second, "how long a killed process keeps its work from others")
	_ = cmd.Flags().MarkHidden("lease") // it fails only for a flag that is not there
}

func (a *app) once(ctx context.Context, send bool) error {
	loaded, err := a.load()
	if err != nil {
		return err
	}
	if !a.json && onTerminal(a.stderr) {
		a.quiet = true // the bar tells it
	}
	return a.withAnyStore(ctx, loaded, func(st store.Store) error {
		d, err := daemon.New(loaded, st, daemon.Options{Version: version, Log: a.logger(loaded.Log), Lease: a.lease})
		if err != nil {
			return err
		}
		defer d.Close()
		progress, finish := a.pollProgress(len(loaded.Feeds))
		sum, err := d.Once(ctx, daemon.OnceOptions{Send: send, Polled: progress})
		finish()
		if err != nil {
			return err
		}
		return a.printSummary(sum)
	})
}

// pollProgress shows a bar to a person, and names the feeds that failed.
func (a *app) pollProgress(feeds int) (polled func(daemon.Poll), finish func()) {
	if a.json || !onTerminal(a.stderr) {
		return func(daemon.Poll) {}, func() {}
	}
	bar := progressbar.NewOptions(feeds,
		progressbar.OptionSetWriter(a.stderr),
		progressbar.OptionSetDescription("polling"),
		progressbar.OptionShowCount(),
		progressbar.OptionClearOnFinish(),
	)
	return func(daemon.Poll) { _ = bar.Add(1) }, func() { _ = bar.Finish() }
}

func (a *app) printSummary(sum daemon.Summary) error {
	if a.json {
		return errors.Join(a.printJSON(sum), unsent(sum))
	}
	fmt.Fprintf(a.stdout, "%s: %d fetched, %d not modified, %d failed", counted(sum.Feeds, "feed"), sum.Fetched, sum.NotModified, sum.Failed)
	if sum.PutOff > 0 {
		fmt.Fprintf(a.stdout, ", %d put off (their hosts want no requests for now)", sum.PutOff)
	}
	fmt.Fprintln(a.stdout)
	fmt.Fprintf(a.stdout, "%s, %d new; %s", counted(sum.Items, "item"), sum.NewItems, counted(sum.Hits, "hit"))
	if sum.Quiet > 0 {
		fmt.Fprintf(a.stdout, " (%d of them older than digest.first_window: kept, not reported)", sum.Quiet)
	}
	fmt.Fprintf(a.stdout, "; %s sent; %.1f s\n", counted(sum.DigestsSent, "digest"), sum.Seconds)
	if sum.Failed > 0 {
		fmt.Fprintln(a.stdout, "why feeds failed: newswatch feeds list --failing")
	}
	return unsent(sum)
}

// unsent is what makes a pass fail although nothing is lost: who runs it from
// cron must hear that subscribers did not.
func unsent(sum daemon.Summary) error {
	if sum.DigestsFailed == 0 {
		return nil
	}
	return fmt.Errorf("%s not accepted; what waits is kept: the next pass, or \"newswatch run\", tries again; see \"newswatch deadletters\" for what was given up", counted(sum.DigestsFailed, "digest"))
}
