package web

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// pingTimeout is how long the store may take to answer a probe.
	pingTimeout = 2 * time.Second
	// pingKept is how long an answer is good for, so that a flood of probes is
	// not a flood of writes to the store.
	pingKept = time.Second
	// reloadTimeout bounds a reload that was asked for over HTTP. It is below
	// writeTimeout, so that the outcome can still be told.
	reloadTimeout = 45 * time.Second
)

// readiness remembers the store's last answer. Whoever holds the one place in
// turn asks the store; those that come meanwhile wait for it, each no longer than
// its own context, and share the answer.
type readiness struct {
	turn chan struct{}
	at   time.Time
	done bool
	err  error
}

// healthz says that the process serves. It asks nothing else, since what a
// restart cannot mend (a store that is away) must not cause one.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request) {
	plain(w, http.StatusOK, "ok\n")
}

// readyz says whether the daemon can do its work, and if not, why.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	ready, reasons := s.ready(r.Context())
	status := http.StatusOK
	if !ready {
		status = http.StatusServiceUnavailable
	}
	if wantsJSON(r) {
		body, err := json.Marshal(struct {
			Ready   bool     `json:"ready"`
			Reasons []string `json:"reasons"`
		}{ready, reasons})
		if err != nil {
			panic(err) // A bool and strings always marshal.
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write(append(body, '\n'))
		return
	}
	if ready {
		plain(w, status, "ready\n")
		return
	}
	plain(w, status, "not ready\n- "+strings.Join(reasons, "\n- ")+"\n")
}

// ready joins what the daemon says of itself with whether the store answers. The
// reasons are never nil.
func (s *Server) ready(ctx context.Context) (bool, []string) {
	st := s.o.Status()
	reasons := append([]string{}, st.Reasons...)
	ready := st.Ready
	if !ready && len(reasons) == 0 {
		reasons = append(reasons, "The daemon is not ready.")
	}
	if err := s.ping(ctx); err != nil {
		ready = false
		// The store's own words may hold its address: they go to the log.
		reasons = append(reasons, "The store does not answer.")
	}
	return ready, reasons
}

// ping asks the store whether it can be written to, at most once in pingKept.
func (s *Server) ping(ctx context.Context) error {
	select {
	case s.readied.turn <- struct{}{}:
		defer func() { <-s.readied.turn }()
	case <-ctx.Done():
		return fmt.Errorf("web: ping: %w", ctx.Err())
	}
	now := s.o.Now()
	if age := now.Sub(s.readied.at); s.readied.done && age >= 0 && age < pingKept {
		return s.readied.err
	}
	// One client that hangs up must not make the store look dead to the others.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingTimeout)
	defer cancel()
	err := s.o.Store.Ping(ctx)
	switch {
	case err != nil && s.readied.err == nil:
		s.o.Log.Error("not ready: the store does not answer", "err", err)
	case err == nil && s.readied.err != nil:
		s.o.Log.Info("ready again: the store answers")
	}
	s.readied.at, s.readied.done, s.readied.err = s.o.Now(), true, err
	return err
}

// reload loads the configuration anew, and answers with what came of it.
func (s *Server) reload(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), reloadTimeout)
	defer cancel()
	if err := s.o.Reload(ctx); err != nil {
		plain(w, http.StatusInternalServerError, fmt.Sprintf("not reloaded; what was in force stays in force\n%s\n", err))
		return
	}
	plain(w, http.StatusOK, "reloaded\n")
}

// plain answers with text. The client may be gone by then, which is its own
// affair.
func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}
