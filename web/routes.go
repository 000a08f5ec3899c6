package web

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/newswatch/newswatch/web/api"
)

// access says who may ask for a route.
type access int

const (
	// open is for anyone who can reach the listener: probes, and the stylesheet
	// that the refusals are shown with. It is never for anything that was read
	// or configured.
	open access = iota
	// machine is for programs beside the daemon, as Prometheus: with the token,
	// or without it from this machine.
	machine
	// reader is for a feed reader, by the key in the feed's address, and for the
	// operator.
	reader
	// operator is for whoever answers for the watch.
	operator
)

// route is one path and what answers it.
type route struct {
	path    string
	methods []string // nil where the handler itself says which it takes
	access  access
	answer  http.HandlerFunc
	// anyOrigin lets other sites post too: a mail reader in a browser leaves a list
	// by a request of its own (RFC 8058). The link is all the right that it needs.
	anyOrigin bool
	// public is for people who subscribe: what goes wrong is told by a page that leads
	// to none of the operator's.
	public bool
}

var (
	reads  = []string{http.MethodGet, http.MethodHead}
	writes = []string{http.MethodPost}
)

// table lists every path that is served. Nothing is served outside of it.
func (s *Server) table() []route {
	table := []route{
		{path: "/{$}", methods: reads, access: operator, answer: s.watch},
		{path: "/stories", methods: reads, access: operator, answer: s.reports},
		{path: "/purge", methods: reads, access: operator, answer: s.purge},
		{path: "/stories.csv", methods: reads, access: operator, answer: s.exported},
		{path: "/stories.jsonl", methods: reads, access: operator, answer: s.exported},
		{path: "/feeds", methods: reads, access: operator, answer: s.feeds},
		{path: "/rules", methods: append(slices.Clone(reads), http.MethodPost), access: operator, answer: s.rules},
		{path: "/subscribers", methods: reads, access: operator, answer: s.subscribers},
		{path: "/preview", methods: reads, access: operator, answer: s.preview},
		{path: "/deliveries", methods: reads, access: operator, answer: s.deliveries},
		{path: "/notices", methods: reads, access: operator, answer: s.notices},
		{path: "/settings", methods: reads, access: operator, answer: s.settings},
		{path: "/events", methods: reads, access: operator, answer: s.events},
		{path: "/feeds.atom", methods: reads, access: reader, answer: s.searchFeed},
		{path: "/feeds.json", methods: reads, access: reader, answer: s.searchFeed},
		{path: "/feeds/{file}", methods: reads, access: reader, answer: s.ruleFeed},
		{path: "/feeds/tag/{file}", methods: reads, access: reader, answer: s.tagFeed},
		{path: api.Prefix + "/", methods: nil, access: operator, answer: s.api.ServeHTTP},
		{path: "/style.css", methods: reads, access: open, answer: file("text/css; charset=utf-8", stylesheet)},
		{path: "/live.js", methods: reads, access: open, answer: file("text/javascript; charset=utf-8", script)},
		{path: "/healthz", methods: reads, access: open, answer: s.healthz},
		{path: "/readyz", methods: reads, access: open, answer: s.readyz},
		{path: "/", methods: reads, access: operator, answer: s.notFound},
	}
	table = append(table, s.subscriptionRoutes()...)
	if s.o.Hubs != nil {
		// A hub is another site, and its address is all the right that it needs.
		table = append(table, route{path: "/websub/{token}", access: open, answer: s.o.Hubs.ServeHTTP, anyOrigin: true})
	}
	if s.o.Metrics != nil {
		table = append(table, route{path: "/metrics", methods: reads, access: machine, answer: s.o.Metrics.ServeHTTP})
	}
	if s.o.Reload != nil {
		table = append(table, route{path: "/-/reload", methods: writes, access: operator, answer: s.reload}, route{path: "/settings/reload", methods: writes, access: operator, answer: s.reloadForm})
	}
	for _, a := range s.actions() {
		table = append(table, route{path: a.path, methods: writes, access: operator, answer: s.act(a)})
	}
	return table
}

func (s *Server) mux() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range s.routes {
		mux.HandleFunc(rt.path, func(w http.ResponseWriter, r *http.Request) {
			if refusal := s.gate.check(rt.access, r); refusal != nil {
				s.refuse(w, r, refusal)
				return
			}
			if rt.methods != nil && !slices.Contains(rt.methods, r.Method) {
				w.Header().Set("Allow", strings.Join(rt.methods, ", "))
				s.fail(w, r, http.StatusMethodNotAllowed, "This address takes "+strings.Join(rt.methods, " and ")+" only",
					fmt.Sprintf("It was asked with %s.", r.Method))
				return
			}
			// Cross-site requests that write are refused whatever credentials they
			// carry: a browser adds Basic credentials to them by itself.
			if err := s.origin.Check(r); err != nil && !rt.anyOrigin {
				s.fail(w, r, http.StatusForbidden, "This request came from another site",
					"A change can be asked for by newswatch's own pages and by programs, not by a page of another site.")
				return
			}
			rt.answer(w, r)
		})
	}
	return mux
}

// contentPolicy lets a page use its own stylesheet and its own script file, which
// may ask these pages alone: there is no script in a page to run, no picture to load
// and no frame to stand in, so text from a feed that got past the escaping would
// still do nothing.
const contentPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// wrap puts the headers that every answer carries on it, and turns a panic into
// a 500.
func (s *Server) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Robots-Tag", "noindex, nofollow")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")

		tw := &tracked{ResponseWriter: w}
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(cause)
			}
			// The pattern, not the path: that may hold a link's token.
			s.o.Log.Error("a handler panicked", "path", r.Pattern, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
			if tw.started {
				// What was sent cannot be taken back: cut it, so that the client
				// does not take it for whole.
				panic(http.ErrAbortHandler)
			}
			s.fail(w, r, http.StatusInternalServerError, "Something is wrong with this page",
				"The watch goes on: feeds are read and digests are sent by another part. The log says what happened; please report it.")
		}()
		next.ServeHTTP(tw, r)
	})
}

// tracked knows whether an answer has begun.
type tracked struct {
	http.ResponseWriter
	started bool
}

func (t *tracked) WriteHeader(status int) {
	t.started = true
	t.ResponseWriter.WriteHeader(status)
}

func (t *tracked) Write(b []byte) (int, error) {
	t.started = true
	return t.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the writer below.
func (t *tracked) Unwrap() http.ResponseWriter { return t.ResponseWriter }
