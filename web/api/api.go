// Package api answers /api/v1: what an operator can look up and do, as JSON.
// openapi.yaml describes it, and a test holds the two together.
//
// Who may ask is decided above: a request that comes here is an operator's.
package api

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/web/desk"
)

// Prefix is where the API is served.
const Prefix = "/api/v1"

//go:embed openapi.yaml
var document []byte

const (
	// storeTimeout bounds what one answer may ask of the store.
	storeTimeout = 10 * time.Second
	// slowTimeout bounds the answers that try rules or read a page. It is below
	// the server's own limit, so that the outcome can still be told.
	slowTimeout = 45 * time.Second
)

// API is the handler. It starts no goroutine and is safe for concurrent use.
type API struct {
	desk   *desk.Desk
	log    *slog.Logger
	loc    *time.Location
	client func(*http.Request) netip.Prefix
	limits *limits
	routes []Route
	mux    *http.ServeMux
}

// Route is an operation: its method, and its path below Prefix with the names of
// its parameters in braces.
type Route struct {
	Method, Path string

	answer func(*http.Request) (answer, error)
	pace   pace
	slow   bool
}

// New makes the API of a desk. loc is the time zone of days, and client tells where a
// request comes from, by which it is counted.
func New(d *desk.Desk, loc *time.Location, log *slog.Logger, client func(*http.Request) netip.Prefix) *API {
	a := &API{desk: d, log: log, loc: loc, client: client, limits: newLimits(d.Now), mux: http.NewServeMux()}
	a.routes = []Route{
		{Method: "GET", Path: "/status", answer: a.status},
		{Method: "GET", Path: "/hits", answer: a.hits},
		{Method: "GET", Path: "/hits/{id}", answer: a.hit},
		{Method: "DELETE", Path: "/hits/{id}", answer: a.purge},
		{Method: "GET", Path: "/stories", answer: a.stories},
		{Method: "GET", Path: "/tally", answer: a.tally},
		{Method: "GET", Path: "/feeds", answer: a.feeds},
		{Method: "GET", Path: "/feeds/{id}", answer: a.feed},
		{Method: "POST", Path: "/feeds/{id}/poll", answer: a.poll},
		{Method: "POST", Path: "/feeds/{id}/pause", answer: a.pauseFeed(true)},
		{Method: "POST", Path: "/feeds/{id}/resume", answer: a.pauseFeed(false)},
		{Method: "GET", Path: "/rules", answer: a.rules},
		{Method: "GET", Path: "/rules/{id}", answer: a.rule},
		{Method: "POST", Path: "/match", answer: a.match, pace: trying, slow: true},
		{Method: "POST", Path: "/backtest", answer: a.backtest, pace: trying, slow: true},
		{Method: "GET", Path: "/subscribers", answer: a.subscribers},
		{Method: "GET", Path: "/subscribers/{id}/preview", answer: a.preview, pace: trying},
		{Method: "POST", Path: "/subscribers/{id}/send", answer: a.sendNow},
		{Method: "POST", Path: "/subscribers/{id}/pause", answer: a.pause},
		{Method: "POST", Path: "/subscribers/{id}/resume", answer: a.resume},
		{Method: "GET", Path: "/deliveries", answer: a.deliveries},
		{Method: "GET", Path: "/dead-letters", answer: a.letters},
		{Method: "POST", Path: "/dead-letters/{id}/resend", answer: a.resend},
		{Method: "DELETE", Path: "/dead-letters/{id}", answer: a.drop},
		{Method: "GET", Path: "/notices", answer: a.notices},
		{Method: "GET", Path: "/config", answer: a.config},
		{Method: "POST", Path: "/reload", answer: a.reload, pace: trying, slow: true},
		{Method: "GET", Path: "/openapi.yaml", answer: a.openapi},
	}
	allowed := map[string][]string{}
	for _, rt := range a.routes {
		a.mux.HandleFunc(rt.Method+" "+Prefix+rt.Path, a.serve(rt))
		allowed[rt.Path] = append(allowed[rt.Path], rt.Method)
	}
	for path, methods := range allowed {
		if slices.Contains(methods, "GET") {
			methods = append(methods, "HEAD")
		}
		a.mux.HandleFunc(Prefix+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", strings.Join(methods, ", "))
			Problem{Status: http.StatusMethodNotAllowed, Detail: fmt.Sprintf("This address takes %s only.", strings.Join(methods, ", "))}.Write(w, r)
		})
	}
	a.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		Problem{Status: http.StatusNotFound, Detail: "There is nothing at this address. " + Prefix + "/openapi.yaml lists what there is."}.Write(w, r)
	})
	return a
}

// Routes lists every operation.
func (a *API) Routes() []Route { return a.routes }

// ServeHTTP answers one request below Prefix.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// serve is what every operation has in common: its pace, its time, and how its
// errors are told.
func (a *API) serve(rt Route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		defer a.panicked(w, r)
		if wait := a.limits.take(a.client(r), rt.pace); wait > 0 {
			seconds := int(wait/time.Second) + 1
			w.Header().Set("Retry-After", fmt.Sprint(seconds))
			Problem{Status: http.StatusTooManyRequests, Detail: fmt.Sprintf("Too many requests from your address. Try again in %d s.", seconds)}.Write(w, r)
			return
		}
		limit := storeTimeout
		if rt.slow {
			limit = slowTimeout
		}
		ctx, cancel := context.WithTimeout(r.Context(), limit)
		defer cancel()
		out, err := rt.answer(r.WithContext(ctx))
		if err != nil {
			a.fail(w, r, err)
			return
		}
		if err := out.write(w, r); err != nil {
			a.fail(w, r, err)
		}
	}
}

// panicked ends an answer whose handler panicked.
func (a *API) panicked(w http.ResponseWriter, r *http.Request) {
	if cause := recover(); cause != nil {
		a.log.Error("a handler of the API panicked", "path", r.URL.Path, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
		Problem{Status: http.StatusInternalServerError, Detail: "This is a defect of newswatch. Its log says more; please report it."}.Write(w, r)
	}
}

// fail turns an error into a problem. What is the client's fault says so; the
// store's own words may hold its address and go to the log.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	var p Problem
	switch {
	case errors.As(err, &p):
	case errors.Is(err, store.ErrNotFound):
		p = Problem{Status: http.StatusNotFound, Detail: "There is no such thing, or no more."}
	case desk.IsFault(err):
		p = Problem{Status: http.StatusUnprocessableEntity, Detail: err.Error()}
	case r.Context().Err() != nil && errors.Is(err, context.Canceled):
		return // the client hung up
	default:
		a.log.Error("a request of the API failed", "path", r.URL.Path, "err", err)
		w.Header().Set("Retry-After", "5")
		p = Problem{Status: http.StatusServiceUnavailable, Detail: "The store does not answer. newswatch tries again by itself; its log has the store's own words."}
	}
	p.Write(w, r)
}
