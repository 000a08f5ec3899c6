package fetcher

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher/document"
	"github.com/newswatch/newswatch/netguard"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start is when every test's clock starts, a Monday at noon.
var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// patient gives the parser more time than a loaded machine makes it take, where a
// document must not be called hostile for that. What a parse costs is tested by
// its CPU time, here and in package document.
var patient = document.Limits{Time: time.Minute}

// cpu is what this process has worked: unlike the time of day, it does not run
// while others have the machine.
func cpu(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// clock is a Client's clock that stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// newClient returns a client that may reach loopback, polls without jitter, and
// whose clock stands at start.
func newClient(t testing.TB, opt Options) (*Client, *clock) {
	t.Helper()
	clk := &clock{now: start}
	if opt.Transport == nil {
		opt.Transport = netguard.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}.Transport()
	}
	if opt.Now == nil {
		opt.Now = clk.Now
	}
	if opt.Jitter == nil {
		opt.Jitter = func() float64 { return 0.5 }
	}
	if opt.Product == "" {
		opt.Product, opt.Contact = "newswatch/test", "https://example.org/bot"
	}
	c := New(opt)
	t.Cleanup(c.Close)
	return c, clk
}

// site is a server on loopback that remembers what it was asked.
type site struct {
	*httptest.Server
	mu       sync.Mutex
	answer   http.HandlerFunc
	requests []*http.Request
}

// newSite serves answer on a free port of the given address in 127.0.0.0/8.
func newSite(t testing.TB, addr string, answer http.HandlerFunc) *site {
	t.Helper()
	return newSiteAt(t, addr+":0", answer)
}

// newSiteAt serves answer at the given address and port.
func newSiteAt(t testing.TB, addr string, answer http.HandlerFunc) *site {
	t.Helper()
	s := &site{answer: answer}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, r.Clone(context.WithoutCancel(r.Context())))
		answer := s.answer
		s.mu.Unlock()
		answer(w, r)
	}))
	s.Listener.Close()
	l, err := net.Listen("tcp4", addr)
	if err != nil {
		t.Fatal(err)
	}
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func (s *site) serve(answer http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// taken returns the requests since the last call.
func (s *site) taken() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.requests
	s.requests = nil
	return r
}

// rss is a document with one item for each title.
func rss(titles ...string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>Example</title><link>https://example.org/</link>`)
	for _, t := range titles {
		fmt.Fprintf(&b, `<item><title>%s</title><link>https://example.org/%s</link><guid>%s</guid></item>`, t, t, t)
	}
	b.WriteString(`</channel></rss>`)
	return b.String()
}

// sends answers with a feed document and the given header, "Name: value".
func sends(body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/rss+xml")
		set(w, header)
		fmt.Fprint(w, body)
	}
}

// answers answers with a status, an empty body and the given header.
func answers(status int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		set(w, header)
		w.WriteHeader(status)
	}
}

func set(w http.ResponseWriter, header []string) {
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		w.Header().Set(name, value)
	}
}

// check polls once and compares the outcome, or on failure the reason.
func check(t *testing.T, c *Client, f feed.Feed, st State, outcome Outcome, reason Reason) Result {
	t.Helper()
	res, err := c.Fetch(t.Context(), f, st, nil)
	if res.Outcome != outcome || res.State.Reason != reason {
		t.Fatalf("got %s %q (%v), want %s %q", res.Outcome, res.State.Reason, err, outcome, reason)
	}
	if (err != nil) != (outcome == Failed) {
		t.Fatalf("%s with error %v", outcome, err)
	}
	return res
}

func feedAt(url string) feed.Feed { return feed.Feed{ID: "f", URL: url} }

// roundTripper answers without a network.
type roundTripper func(*http.Request) *http.Response

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

func mustURL(t testing.TB, raw string) *url.URL {
	t.Helper()
	u, err := parseURL(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
