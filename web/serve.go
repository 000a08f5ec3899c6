package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// What a client may take of the server's time and memory. A page is built in
// well under a second; the write limit leaves room for a reload of a large
// configuration and for slow lines.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	writeTimeout      = 60 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 32 << 10
)

// Serve answers requests on l with h until ctx ends. Then it takes no more, and
// lets those that have begun go on for at most grace. It closes l, and returns
// when the server has stopped: nil after a stop in which nothing was cut.
func Serve(ctx context.Context, l net.Listener, h http.Handler, grace time.Duration) error {
	// Requests outlive ctx by the grace, and no longer. Streams end with it.
	requests, cancel := context.WithCancel(context.WithValue(context.WithoutCancel(ctx), stopping{}, ctx))
	defer cancel()
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()

	select {
	case err := <-failed:
		return fmt.Errorf("web: serve %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	stop, release := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer release()
	err := srv.Shutdown(stop)
	if err != nil {
		// Close cancels the contexts of the requests that it cuts.
		err = errors.Join(fmt.Errorf("web: requests still open after %s were cut: %w", grace, err), srv.Close())
	}
	// Serve has returned http.ErrServerClosed, or does now.
	if lost := <-failed; !errors.Is(lost, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("web: serve %s: %w", l.Addr(), lost))
	}
	return err
}
