// Package web serves the operator's pages, the probes and the metrics over HTTP.
//
// Pages are rendered on the server, work without JavaScript, and fetch nothing
// from another host. No GET changes anything. Whatever a feed or a receiver said
// is data: it is bounded, cleaned and escaped before it is shown.
package web

import (
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/newswatch/newswatch/web/api"
	"github.com/newswatch/newswatch/web/desk"
)

// Options is what a Server is made of. Its Store and Status are required.
type Options struct {
	desk.Desk
	// Metrics answers /metrics; nil means that there are none.
	Metrics http.Handler

	// Hubs answers WebSub hubs at /websub/{token}; nil means that none is asked.
	Hubs http.Handler

	// Subscriptions lets people subscribe themselves; nil means that they cannot.
	Subscriptions *Subscriptions

	// AdminToken, where it is set, must come with every request for a page, for
	// a reload, and (except from this machine) for metrics.
	AdminToken string
	// ProxyHeader, where it is set, is as good as the token in a request from one
	// of ProxyNetworks: an authenticating proxy names in it whom it let through.
	ProxyHeader   string
	ProxyNetworks []netip.Prefix
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
}

// Server answers every request for newswatch's pages, probes and metrics. It
// starts no goroutine and is safe for concurrent use.
type Server struct {
	o       Options
	gate    gate
	origin  *http.CrossOriginProtection
	readied readiness
	api     http.Handler
	routes  []route
	clients *limits // by network
	hosts   *limits // by the host of an endpoint

	// streams holds one place for each page that is followed.
	streams    chan struct{}
	eventEvery time.Duration
	stateTurn  chan struct{} // of whoever may touch the three below
	stateName  string
	stateErr   error
	stateAt    time.Time

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
	s.eventEvery = eventEvery
	s.streams = make(chan struct{}, maxStreams)
	s.stateTurn = make(chan struct{}, 1)
	s.readied.turn = make(chan struct{}, 1)
	s.api = api.New(&s.o.Desk, o.Location, o.Log, s.network)
	s.clients, s.hosts = newLimits(limitClient, limitAll), newLimits(limitHost, limitAll)
	s.routes = s.table()
	s.handler = s.wrap(s.mux())
	return s
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }
