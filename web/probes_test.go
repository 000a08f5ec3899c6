package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestReadyz(t *testing.T) {
	for _, tt := range []struct {
		name    string
		ready   bool
		reasons []string
		err     error
		status  int
		text    string
	}{
		{"ready", true, nil, nil, 200, "ready\n"},
		{"the daemon is not", false, []string{"The first poll is not done."}, nil, 503, "not ready\n- The first poll is not done.\n"},
		{"the daemon does not say why", false, nil, nil, 503, "not ready\n- The daemon is not ready.\n"},
		{"the store is away", true, nil, errAway, 503, "not ready\n- The store does not answer.\n"},
		{"both", false, []string{"It stops."}, errAway, 503, "not ready\n- It stops.\n- The store does not answer.\n"},
	} {
		m, st := kept()
		m.err, st.Ready, st.Reasons = tt.err, tt.ready, tt.reasons
		s := serverOf(m, st)
		w := ask(s, "GET", "/readyz")
		if w.Code != tt.status || w.Body.String() != tt.text {
			t.Errorf("%s: %d %q", tt.name, w.Code, w.Body)
		}
		w = ask(s, "GET", "/readyz", "Accept", "application/json")
		var got struct {
			Ready   *bool
			Reasons []string
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Ready == nil || got.Reasons == nil {
			t.Fatalf("%s: %s: %v", tt.name, w.Body, err)
		}
		if w.Code != tt.status || *got.Ready != (tt.status == 200) || len(got.Reasons) != strings.Count(tt.text, "- ") {
			t.Errorf("%s: %d %s", tt.name, w.Code, w.Body)
		}
		if browser := ask(s, "GET", "/readyz", "Accept", "text/html,application/json;q=0.9"); browser.Body.String() != tt.text {
			t.Errorf("%s: a browser gets %q", tt.name, browser.Body)
		}
		if w := ask(s, "GET", "/healthz"); w.Code != 200 {
			t.Errorf("%s: /healthz is %d: a restart would not help", tt.name, w.Code)
		}
	}
}

// TestReadyzBounds: a store that hangs costs a probe two seconds, and a flood of
// probes is one question to the store.
func TestReadyzBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, st := kept()
		m.block = true
		s := serverOf(m, st, func(o *Options) { o.Now = time.Now })
		start := time.Now()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if w := ask(s, "GET", "/readyz"); w.Code != 503 {
					t.Errorf("%d from a store that hangs", w.Code)
				}
			})
		}
		wg.Wait()
		if took := time.Since(start); took != 2*time.Second || m.pings.Load() != 1 {
			t.Errorf("20 probes took %s and asked the store %d times", took, m.pings.Load())
		}
		// The answer is forgotten soon: a store that is back is seen to be.
		m.block = false
		if w := ask(s, "GET", "/readyz"); w.Code != 503 {
			t.Errorf("%d at once", w.Code)
		}
		time.Sleep(pingKept) //nolint:forbidigo // The bubble's clock, which costs no time.
		if w := ask(s, "GET", "/readyz"); w.Code != 200 || m.pings.Load() != 2 {
			t.Errorf("%d after %s, %d questions", w.Code, pingKept, m.pings.Load())
		}
	})
}

// TestReadyzOutlivesAClient: a client that hangs up does not make the store look
// dead to the next one.
func TestReadyzOutlivesAClient(t *testing.T) {
	m, st := kept()
	s := serverOf(m, st)
	ctx, cancel := context.WithCancel(t.Context())
	m.during = cancel
	_ = s.ping(ctx)
	if w := ask(s, "GET", "/readyz"); w.Code != 200 {
		t.Errorf("the client's end became the store's: %d", w.Code)
	}
}

func TestReload(t *testing.T) {
	m, st := kept()
	var err error
	s := serverOf(m, st, func(o *Options) { o.Reload = func(context.Context) error { return err } })
	if w := ask(s, "POST", "/-/reload"); w.Code != 200 || w.Body.String() != "reloaded\n" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	err = errors.New("rules/a.yaml:3:1: unknown key <b>")
	w := ask(s, "POST", "/-/reload")
	if w.Code != 500 || !strings.Contains(w.Body.String(), err.Error()) || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

// TestAbsentParts: what the daemon does not give is not there.
func TestAbsentParts(t *testing.T) {
	m, st := kept()
	s := serverOf(m, st, func(o *Options) { o.Reload, o.Metrics, o.Silent = nil, nil, nil })
	for method, path := range map[string]string{"GET": "/metrics", "POST": "/-/reload"} {
		if w := ask(s, method, path); w.Code != http.StatusNotFound && w.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if w := ask(s, "GET", "/feeds"); w.Code != 200 {
		t.Errorf("/feeds: %d", w.Code)
	}
}

// TestStoreErrors: each page says so where the store fails, and what to do.
func TestStoreErrors(t *testing.T) {
	for _, path := range []string{"/", "/stories", "/feeds", "/deliveries"} {
		m, st := kept()
		m.err = errAway
		w := ask(serverOf(m, st), "GET", path)
		if w.Code != 503 || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "store.url") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// TestClientGone: a client that hung up is no fault of the store.
func TestClientGone(t *testing.T) {
	m, st := kept()
	m.err = context.Canceled
	var out bytes.Buffer
	s := serverOf(m, st, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&out, nil)) })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, "GET", "http://localhost/feeds", nil)
	s.ServeHTTP(httptest.NewRecorder(), r)
	if out.Len() > 0 {
		t.Errorf("logged %s", out.String())
	}
}
