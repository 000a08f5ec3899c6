package daemon

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/web"
)

// front is what the outside reaches: a listener that answers its probes from the
// first moment, and the pages once there is something to show.
type front struct {
	listener net.Listener
	pages    atomic.Pointer[http.Handler]
	served   chan error
}

// openFront begins to serve. It returns nil where the configuration wants
// nothing to be served. A server that fails later calls stop.
func openFront(ctx context.Context, stop func(), c configs.HTTP, opt Options) (*front, error) {
	if c.Listen == "" {
		return nil, nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("daemon: http.listen: %w; is another newswatch running? give another address, or \"\" for no pages", err)
	}
	f := &front{listener: l, served: make(chan error, 1)}
	go func() {
		err := web.Serve(ctx, l, f, opt.Grace)
		if ctx.Err() == nil {
			stop()
		}
		f.served <- err
	}()
	opt.Log.Info("serving pages", "url", "http://"+l.Addr().String()+"/")
	if opt.Listening != nil {
		opt.Listening(l.Addr().String())
	}
	return f, nil
}

// show puts the pages in the place of the answer that there are none yet.
func (f *front) show(pages http.Handler) { f.pages.Store(&pages) }

// wait returns when nothing is served any more. The context must have ended.
func (f *front) wait() error {
	if f == nil {
		return nil
	}
	return <-f.served
}

// ServeHTTP answers with the pages. Until the store is open, the process lives
// and is not ready.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if pages := f.pages.Load(); pages != nil {
		(*pages).ServeHTTP(w, r)
		return
	}
	if r.URL.Path == "/healthz" {
		w.WriteHeader(http.StatusOK)
		return
	}
	http.Error(w, "starting: the store cannot be reached yet", http.StatusServiceUnavailable)
}

func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// LocalURL is where a process on this machine reaches what listens on an
// address of the configuration.
func LocalURL(listen, path string) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil || port == "" || port == "0" {
		return "", fmt.Errorf("daemon: http.listen is %q: nothing is served at a known port", listen)
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port) + path, nil
}
