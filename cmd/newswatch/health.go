package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/newswatch/newswatch/daemon"
)

// errNothingServed is the answer where there is nobody to ask: whether a daemon that
// serves nothing lives cannot be found out from another process.
var errNothingServed = errors.New(`there is nothing to ask, since http.listen is "". ` +
	`With 127.0.0.1:8080 the probes answer on this machine, or inside of this container, and nowhere else; ` +
	`or turn the container's health check off: docs/running.md says how`)

func (a *app) healthCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "health",
		Short:  "Ask the daemon on this machine whether it lives; for a container's health check",
		Hidden: true,
		Args:   noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			loaded, err := a.load()
			if err != nil {
				return err
			}
			if loaded.Config.HTTP.Listen == "" {
				return errNothingServed
			}
			url, err := daemon.LocalURL(loaded.Config.HTTP.Listen, "/healthz")
			if err != nil {
				return err
			}
			return askHealth(cmd.Context(), url)
		},
	}
}

func askHealth(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("nothing answers at %s: is \"newswatch run\" running, with this configuration?", url)
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, resp.Status)
	}
	return nil
}
