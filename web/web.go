// Package web serves the operator's pages, the probes and the metrics over HTTP.
//
// Pages are rendered on the server, work without JavaScript, and fetch nothing
// from another host. No GET changes anything. Whatever a feed or a receiver said
// is data: it is bounded, cleaned and escaped before it is shown.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// Store is the part of store.Store that the pages read. Nothing here writes.
type Store interface {
	// Ping reports whether the engine can be written to.
	Ping(ctx context.Context) error
	Counts(ctx context.Context) (store.Counts, error)
	States(ctx context.Context) ([]fetcher.State, error)
	Hits(ctx context.Context, q store.HitQuery) ([]classifier.Hit, error)
	Standings(ctx context.Context) ([]store.Standing, error)
	DeadLetters(ctx context.Context) ([]notify.DeadLetter, error)
	Deliveries(ctx context.Context, subscriber string, limit int) ([]notify.Delivery, error)
}

// Status is what the daemon knows of itself. The pages read it and never write
// to it, so a snapshot may be shared by all requests.
type Status struct {
	Version string
	Started time.Time
	// Ready is false while the daemon cannot do its work; Reasons says why, one
	// sentence each. /readyz shows them to anyone who can reach it, so they hold
	// no address, path or secret.
	Ready   bool
	Reasons []string

	ConfigPath string
	LastReload Reload

	// Ruleset is the version of the rules in force.
	Ruleset string
	Rules   []Rule
	// Feeds are those of the configuration, by id.
	Feeds map[string]feed.Feed
	// Schedules are the canonical texts of the subscribers' schedules, by the
	// subscriber's id.
	Schedules map[string]string
	// Warnings are what the operator should look at though the daemon runs, one
	// sentence each.
	Warnings []string
	// Unguarded turns off what keeps back sentences that could identify a child.
	Unguarded bool
}

// Rule is what the pages say of a rule: its id, and its name for people.
type Rule struct {
	ID   string
	Name string
}

// Reload is the last attempt to load the configuration; the zero Reload means
// that there was none since the start.
type Reload struct {
	At time.Time
	OK bool
	// Error is the loader's whole text, with places in files, when not OK.
	Error string
}

// Options is what a Server is made of. Store and Status are required.
type Options struct {
	Store  Store
	Status func() Status
	// Silent says in words that a feed has published nothing for longer than its
	// own rate explains; empty means that it has not. A nil func means that no
	// feed is judged so.
	Silent func(s fetcher.State, now time.Time) string
	// Reload loads the configuration anew. Its error is shown to the operator
	// who asked. A nil func means that there is no reload over HTTP.
	Reload func(context.Context) error
	// Metrics answers /metrics; nil means that there are none.
	Metrics http.Handler

	// AdminToken, where it is set, must come with every request for a page, for
	// a reload, and (except from this machine) for metrics.
	AdminToken string
	// PublicURL is how the outside reaches the pages, without a slash at its
	// end; it may be empty.
	PublicURL string
	// Loopback says that the listener can be reached from this machine only.
	// Without it, and without an AdminToken, no page is served.
	Loopback bool

	// Location is the time zone of the pages; nil means UTC.
	Location *time.Location
	// Log takes failures; nil means slog.Default().
	Log *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Server answers every request for newswatch's pages, probes and metrics. It
// starts no goroutine and is safe for concurrent use.
type Server struct {
	o       Options
	gate    gate
	origin  *http.CrossOriginProtection
	readied readiness
	routes  []route
	handler http.Handler
}

// New makes a Server.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Location == nil {
		o.Location = time.UTC
	}
	s := &Server{gate: newGate(o), origin: http.NewCrossOriginProtection()}
	o.AdminToken = "" // The gate holds its hash; nothing else needs it.
	s.o = o
	if u, err := url.Parse(o.PublicURL); err == nil && u.Host != "" {
		// A PublicURL that is no origin only means that there is none to trust:
		// configs refuses it with its place in the file.
		_ = s.origin.AddTrustedOrigin(u.Scheme + "://" + u.Host)
	}
	s.readied.turn = make(chan struct{}, 1)
	s.routes = s.table()
	s.handler = s.wrap(s.mux())
	return s
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }
