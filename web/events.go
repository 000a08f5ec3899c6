package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

const (
	// maxStreams bounds the pages that follow the stream at a time; the next is
	// refused, and is as right as without it.
	maxStreams = 64
	// eventEvery is how often the state is looked at. Streams share what one of
	// them found.
	eventEvery = 5 * time.Second
	// streamTime is how long one stream lasts; the browser comes again.
	streamTime = 30 * time.Minute
	// streamWrite is how long a client may take to take an event.
	streamWrite = 10 * time.Second
)

// stopping is the key of a context in a request's context that ends when the server
// stops: a stream has to end then, or the stop would wait for it.
type stopping struct{}

// events is a stream of server-sent events (HTML § 9.2): one at the start and one
// at each change, whose data names the state and tells nothing of it.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		w.Header().Set("Retry-After", "60")
		plain(w, http.StatusServiceUnavailable, "too many pages are followed at this moment\n")
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	if r.Method == http.MethodHead {
		return
	}
	out := http.NewResponseController(w)
	send := func(text string) error {
		// The server's own limit is for the whole answer. Where there is none to
		// set, as in a test, the write is not bounded.
		_ = out.SetWriteDeadline(time.Now().Add(streamWrite))
		if _, err := fmt.Fprint(w, text); err != nil {
			return err
		}
		return out.Flush()
	}
	ctx, cancel := context.WithTimeout(r.Context(), streamTime)
	defer cancel()
	if server, ok := r.Context().Value(stopping{}).(context.Context); ok {
		defer context.AfterFunc(server, cancel)()
	}
	tick := time.NewTicker(s.eventEvery)
	defer tick.Stop()
	for last := ""; ; {
		// A comment tells proxies, and us, that the other side is still there.
		text := ": still here\n\n"
		if state, err := s.state(ctx); err == nil && state != last {
			last = state
			text = "event: state\ndata: " + state + "\n\n"
		}
		if err := send(text); err != nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// state names what the pages would show, or why that cannot be said. Whoever holds
// the one place in turn asks the store; the others share the answer, a failure too:
// each for itself, they would wait for a store that hangs one after the other.
func (s *Server) state(ctx context.Context) (string, error) {
	select {
	case s.stateTurn <- struct{}{}:
		defer func() { <-s.stateTurn }()
	case <-ctx.Done():
		return "", fmt.Errorf("web: events: %w", ctx.Err())
	}
	if age := s.o.Now().Sub(s.stateAt); !s.stateAt.IsZero() && age >= 0 && age < s.eventEvery {
		return s.stateName, s.stateErr
	}
	name, err := s.readState(ctx)
	if ctx.Err() == nil { // else it was this stream that ended, and not the store
		s.stateName, s.stateErr, s.stateAt = name, err, s.o.Now()
	}
	return name, err
}

// readState makes a name of totals, where each subscriber is, and how the feeds do.
// It is a hash, so that it tells nothing.
func (s *Server) readState(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	counts, err := s.o.Store.Counts(ctx)
	if err != nil {
		return "", err
	}
	standings, err := s.o.Store.Standings(ctx)
	if err != nil {
		return "", err
	}
	census, err := s.o.Store.Census(ctx, s.o.Now().Add(-lateAfter))
	if err != nil {
		return "", err
	}
	counts.Bytes = 0
	st := s.o.Status()
	body, err := json.Marshal([]any{counts, standings, census.Grades, census.Late + st.PutOffLate, st.Ready, st.LastReload, st.Ruleset})
	if err != nil {
		return "", fmt.Errorf("web: events: %w", err)
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:8]), nil
}
