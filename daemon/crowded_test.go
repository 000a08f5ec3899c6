package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/newswatch/newswatch/daemon"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/store"
)

// asked is a server at an address of its own that notes what it is asked for.
type asked struct {
	*httptest.Server
	mu    sync.Mutex
	paths map[string]int
}

func newAsked(t *testing.T, addr string, answer http.HandlerFunc) *asked {
	t.Helper()
	s := &asked{paths: map[string]int{}}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.paths[r.URL.Path]++
		s.mu.Unlock()
		answer(w, r)
	}))
	s.Listener.Close()
	l, err := net.Listen("tcp4", addr+":0")
	if err != nil {
		t.Fatal(err)
	}
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func (s *asked) times() (total, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.paths {
		total, most = total+n, max(most, n)
	}
	return total, most
}

const document = `<rss version="2.0"><channel><title>A paper</title><item><title>News</title><guid>1</guid></item></channel></rss>`

func answerFeed(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/rss+xml")
	fmt.Fprint(w, document)
}

// TestACrowdedHostKeepsNobodyFromTheOthers: three hundred feeds of a host that does
// not answer for now are due before those of ten others, which are read all the same.
func TestACrowdedHostKeepsNobodyFromTheOthers(t *testing.T) {
	const crowd, others = 300, 10
	answer := make(chan struct{})
	slow := newAsked(t, "127.0.0.2", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-answer:
			answerFeed(w, r)
		case <-r.Context().Done():
		}
	})
	cfg := loopbackConfig(t)
	for i := range crowd {
		cfg.Feeds = append(cfg.Feeds, feed.Feed{ID: fmt.Sprintf("a%03d", i), URL: fmt.Sprintf("%s/%d", slow.URL, i), FullText: feed.FullTextNever})
	}
	for i := range others {
		s := newAsked(t, fmt.Sprintf("127.0.1.%d", i+1), answerFeed)
		cfg.Feeds = append(cfg.Feeds, feed.Feed{ID: fmt.Sprintf("z%d", i), URL: s.URL, FullText: feed.FullTextNever})
	}
	registry := prometheus.NewRegistry()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- daemon.Run(ctx, cfg, daemon.Options{Version: "test", Registry: registry, Lease: 5 * time.Second})
	}()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	until := time.Now().Add(20 * time.Second)
	eventually := func(what string, ok func() bool) {
		t.Helper()
		for !ok() {
			if <-tick.C; time.Now().After(until) {
				t.Fatalf("it did not come about that %s", what)
			}
		}
	}
	eventually("the others are read", func() bool { return counted(t, registry, "newswatch_polls_total", "fetched", "") == others })
	if n, _ := slow.times(); n > 2 {
		t.Errorf("the crowded host has %d requests under way", n)
	}
	eventually("the rest of the crowd is put off", func() bool {
		return counted(t, registry, "newswatch_polls_total", "put_off", string(fetcher.ReasonBusy)) >= crowd-2
	})

	st := openStore(t, cfg)
	var off []fetcher.State
	for s, err := range store.AllStates(t.Context(), st, store.StateQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		if !s.PutOff.IsZero() {
			off = append(off, s)
		}
		if s.Failures > 0 || s.Health.Grade > fetcher.Fine {
			t.Errorf("%s is held to have failed: %+v", s.FeedID, s.Health)
		}
	}
	if len(off) < crowd/2 {
		t.Fatalf("%d are put off", len(off))
	}
	for i, s := range off[1:] {
		if s.PutOff.Before(off[i].PutOff) || s.NextCheck.Before(s.PutOff) || !s.LastPoll.IsZero() {
			t.Errorf("%s: due since %s, put off until %s, polled at %s", s.FeedID, s.PutOff, s.NextCheck, s.LastPoll)
		}
	}

	// Whoever asks for a feed now has it read now, if the host can.
	close(answer)
	last := off[len(off)-1]
	if err := st.PollNow(t.Context(), []string{last.FeedID}, time.Now()); err != nil {
		t.Fatal(err)
	}
	eventually("a feed is read that was asked for", func() bool {
		s, err := st.State(t.Context(), last.FeedID)
		return err == nil && !s.LastSuccess.IsZero() && s.PutOff.IsZero()
	})
	if !time.Now().Before(last.NextCheck) {
		t.Errorf("it was read when it was due: at %s", last.NextCheck)
	}
}

// counted is a counter's value with these labels.
func counted(t *testing.T, registry *prometheus.Registry, name string, labels ...string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			var has []string
			for _, l := range m.GetLabel() {
				has = append(has, l.GetValue())
			}
			if strings.Join(has, "\x00") == strings.Join(labels, "\x00") {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

// TestOnceWaitsForACrowdedHost: a pass polls every feed, and each of them once,
// however slow the host that they share.
func TestOnceWaitsForACrowdedHost(t *testing.T) {
	s := newAsked(t, "127.0.0.2", answerFeed)
	cfg := loopbackConfig(t)
	cfg.Fetch.PerHost, cfg.Fetch.Concurrency = 1, 8
	const feeds = 100
	for i := range feeds {
		cfg.Feeds = append(cfg.Feeds, feed.Feed{ID: fmt.Sprint(i), URL: fmt.Sprintf("%s/%d", s.URL, i), FullText: feed.FullTextNever})
	}
	sum, err := newDaemon(t, cfg, openStore(t, cfg)).Once(t.Context(), daemon.OnceOptions{})
	if total, most := s.times(); err != nil || sum.Fetched != feeds || total != feeds || most != 1 {
		t.Errorf("%+v of %d feeds with %d requests, %d for one of them (%v)", sum, feeds, total, most, err)
	}
}

// TestOnceReportsWhatAHostDoesNotWant: a pass neither asks a host that wants no
// requests nor waits until it does.
func TestOnceReportsWhatAHostDoesNotWant(t *testing.T) {
	limited := newAsked(t, "127.0.0.2", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "86400")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	other := newAsked(t, "127.0.0.3", answerFeed)
	cfg := loopbackConfig(t)
	cfg.Fetch.PerHost = 1
	const feeds = 5
	for i := range feeds {
		cfg.Feeds = append(cfg.Feeds, feed.Feed{ID: fmt.Sprint(i), URL: fmt.Sprintf("%s/%d", limited.URL, i), FullText: feed.FullTextNever})
	}
	cfg.Feeds = append(cfg.Feeds, feed.Feed{ID: "other", URL: other.URL, FullText: feed.FullTextNever})
	st := openStore(t, cfg)
	var off []string
	sum, err := newDaemon(t, cfg, st).Once(t.Context(), daemon.OnceOptions{Polled: func(p daemon.Poll) {
		if fe, ok := errors.AsType[*fetcher.Error](p.Err); ok && p.Outcome == fetcher.PutOff && fe.Reason == fetcher.ReasonHeld {
			off = append(off, p.Feed.ID)
		}
	}})
	if total, _ := limited.times(); err != nil || sum.Failed != 1 || sum.PutOff != feeds-1 || sum.Fetched != 1 || total != 1 || len(off) != feeds-1 {
		t.Fatalf("%+v, told of %q, with %d requests (%v)", sum, off, total, err)
	}
	for _, id := range off {
		s, err := st.State(t.Context(), id)
		if wait := s.NextCheck.Sub(s.PutOff); err != nil || s.Failures > 0 || wait < 14*time.Minute || wait > 18*time.Minute {
			t.Errorf("a neighbour is put off for %s, with %d failures (%v)", wait, s.Failures, err)
		}
	}
}

// TestOncePollsNoFeedTwice: a feed whose next check falls due while the pass goes on
// is left to the next, and to whoever else would poll it.
func TestOncePollsNoFeedTwice(t *testing.T) {
	s := newAsked(t, "127.0.0.2", answerFeed)
	cfg := loopbackConfig(t)
	cfg.Fetch.Concurrency = 1
	cfg.Feeds = []feed.Feed{
		{ID: "a", URL: s.URL + "/a", Every: time.Millisecond, FullText: feed.FullTextNever},
		{ID: "b", URL: s.URL + "/b", Every: time.Millisecond, FullText: feed.FullTextNever},
	}
	for i := range 20 {
		cfg.Feeds = append(cfg.Feeds, feed.Feed{ID: fmt.Sprint("c", i), URL: fmt.Sprint(s.URL, "/", i), FullText: feed.FullTextNever})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	st := openStore(t, cfg)
	sum, err := newDaemon(t, cfg, st).Once(ctx, daemon.OnceOptions{})
	if total, most := s.times(); err != nil || sum.Fetched != 22 || total != 22 || most != 1 {
		t.Errorf("%+v with %d requests, %d for one feed (%v)", sum, total, most, err)
	}
	if claims, err := st.ClaimFeeds(t.Context(), time.Now(), 10, time.Second); err != nil || len(claims) != 2 {
		t.Errorf("after the pass %d feeds can be claimed (%v), want a and b", len(claims), err)
	}
}
