package fetcher

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/newswatch/newswatch/feed"
)

// anyServer takes connections and gives each to serve, which must end when the
// context does. Unlike rawServer it waits for no request.
func anyServer(t testing.TB, serve func(context.Context, net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				defer context.AfterFunc(ctx, func() { conn.Close() })()
				serve(ctx, conn)
			})
		}
	})
	t.Cleanup(func() { cancel(); l.Close(); wg.Wait() })
	return l.Addr().String()
}

// TestNeighbours polls one feed of each class of hostile server at once, and good
// feeds beside them. Each of the bad ones is one failed poll with its reason,
// within its time and memory; every good one is on time.
func TestNeighbours(t *testing.T) {
	// The timeout is longer than the good feeds are given: whoever had to wait for a
	// bad one to be given up would be late.
	const timeout, onTime = 20 * time.Second, 18 * time.Second
	t.Parallel()
	c, _ := newClient(t, Options{Timeout: timeout, MaxBody: 1 << 20, PerHost: 64, Limits: patient})
	says := func(head string) func(context.Context, net.Conn) {
		return func(_ context.Context, conn net.Conn) { conn.Write([]byte(head)) }
	}
	bomb := compressed(t, "gzip", strings.Repeat(" ", 8<<20))
	site := func(answer http.HandlerFunc) string { return newSite(t, "127.0.0.1", answer).URL }
	doc := func(body string) string { return site(sends(body)) }
	loop := newSite(t, "127.0.0.1", nil)
	loop.serve(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, fmt.Sprintf("/%d", len(r.URL.Path)%2), http.StatusFound)
	})
	bad := []struct {
		name, url string
		reason    Reason
	}{
		{"a decompression bomb", site(sends(bomb, "Content-Encoding: gzip")), ReasonTooLarge},
		{"an endless body", rawServer(t, func(ctx context.Context, conn net.Conn) {
			conn.Write([]byte(okHeader + "\r\n"))
			drip(strings.Repeat(" ", 64<<10), time.Microsecond)(ctx, conn)
		}), ReasonTooLarge},
		{"slow headers", rawServer(t, drip("X", 50*time.Millisecond)), ReasonTimeout},
		{"a slow drip", rawServer(t, func(ctx context.Context, conn net.Conn) {
			conn.Write([]byte(okHeader + "\r\n"))
			drip("<", 50*time.Millisecond)(ctx, conn)
		}), ReasonTimeout},
		{"a TLS handshake that never ends", "https://" + anyServer(t, func(ctx context.Context, _ net.Conn) { <-ctx.Done() }), ReasonTLS}, // after ten seconds
		{"TLS garbage", "https://" + anyServer(t, says(strings.Repeat("\x16\x03\x01\xff\xff garbage", 100))), ReasonTLS},
		{"a TLS alert", "https://" + anyServer(t, says("\x15\x03\x01\x00\x02\x02\x28")), ReasonTLS},
		{"garbage for HTTP", "http://" + anyServer(t, says(strings.Repeat("\x00\xff\x16\x03", 1000))), ReasonConnect},
		{"deep nesting", doc(`<rss><channel><item>` + strings.Repeat("<a>", 300_000)), ReasonHostile},
		{"a flood of namespaces", doc(`<rss><channel><item>` + strings.Repeat(`<media:group xmlns:a="u" xmlns:b="v">`, 5_000)), ReasonHostile},
		{"a hundred and fifty thousand items", doc(`<rss><channel>` + strings.Repeat(`<item/>`, 149_000) + strings.Repeat(`<a/>`, 100) + `</channel></rss>`), ""},
		{"more elements than that", doc(`<rss><channel>` + strings.Repeat(`<a/>`, 250_000)), ReasonHostile},
		{"a giant title", doc(`<rss><channel><item><title>` + strings.Repeat("x", 1_000_000) + `</title></item></channel></rss>`), ""},
		{"a flood of entities", doc(`<!DOCTYPE r [<!ENTITY a "` + strings.Repeat("ha", 400) + `"><!ENTITY b "` + strings.Repeat("&a;", 100) + `">]><rss><channel><item><title>` + strings.Repeat("&b;", 50_000) + `</title></item></channel></rss>`), ""},
		{"a redirect loop", loop.URL, ReasonRedirect},
		{"a redirect to a private address", site(answers(302, "Location: http://10.0.0.1/")), ReasonRefused},
		{"a redirect to the machine's keys", site(answers(307, "Location: http://169.254.169.254/latest/meta-data/")), ReasonRefused},
		{"a redirect to a file", site(answers(301, "Location: file:///etc/passwd")), ReasonRedirect},
		{"a redirect to a script", site(answers(301, "Location: javascript:alert(1)")), ReasonRedirect},
		{"a length that is wrong", rawServer(t, says(okHeader+"Content-Length: 9999\r\n\r\n<rss>")), ReasonBody},
		{"gzip that is wrong", site(sends("\x1f\x8b\x08\x00 and then something else", "Content-Encoding: gzip")), ReasonBody},
		{"a page in place of a feed", site(sends("<!doctype html><html><title>Log in</title></html>", "Content-Type: text/html")), ReasonNotAFeed},
		{"200 with an error page", site(sends("<html><head><title>503 Service Unavailable</title></head></html>")), ReasonNotAFeed},
		{"200 with an error in JSON", site(sends(`{"error":"rate limited"}`, "Content-Type: application/json")), ReasonNotAFeed},
		{"200 with nothing", site(sends("")), ReasonNotAFeed},
	}
	var good []string
	for range 20 {
		good = append(good, newSite(t, "127.0.0.2", sends(rss("a", "b"))).URL)
	}

	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var mu sync.Mutex
	peak := uint64(0)
	watch, stop := context.WithCancel(t.Context())
	var watcher, wg sync.WaitGroup
	watcher.Go(func() {
		for tick := time.NewTicker(20 * time.Millisecond); ; {
			select {
			case <-tick.C:
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapAlloc)
			case <-watch.Done():
				tick.Stop()
				return
			}
		}
	})
	began := time.Now()
	for _, b := range bad {
		wg.Go(func() {
			res, err := c.Fetch(t.Context(), feedAt(b.url), State{}, nil)
			took := time.Since(began)
			mu.Lock()
			defer mu.Unlock()
			if res.State.Reason != b.reason || (err == nil) != (b.reason == "") {
				t.Errorf("%s: got %q (%v), want %q", b.name, res.State.Reason, err, b.reason)
			}
			if b.reason != "" && (res.State.Failures != 1 || res.State.LastError == "" || !res.State.NextCheck.After(start)) {
				t.Errorf("%s: the state is %+v", b.name, res.State)
			}
			if took > 3*timeout {
				t.Errorf("%s took %s", b.name, took)
			}
		})
	}
	for _, url := range good {
		wg.Go(func() {
			res, err := c.Fetch(t.Context(), feed.Feed{ID: "good", URL: url}, State{}, nil)
			if took := time.Since(began); err != nil || len(res.Items) != 2 || took > onTime {
				t.Errorf("a good feed: %d items after %s (%v)", len(res.Items), took, err)
			}
		})
	}
	wg.Wait()
	stop()
	watcher.Wait()
	t.Logf("%d bad and %d good feeds; the heap grew from %d to at most %d MiB", len(bad), len(good), before.HeapAlloc>>20, peak>>20)
	if peak > before.HeapAlloc+256<<20 {
		t.Errorf("the heap grew to %d MiB", peak>>20)
	}
}

// TestPanicGivesTurnsBack: a defect of ours, or of what we build on, is one failed
// poll, and the next one of the same host does not wait for what it held.
func TestPanicGivesTurnsBack(t *testing.T) {
	c, _ := newClient(t, Options{PerHost: 1, Concurrency: 1})
	s := newSite(t, "127.0.0.1", sends(rss("a")))
	for range 3 {
		res, err := c.Fetch(t.Context(), feedAt(s.URL), State{}, func(context.Context, bool) error { panic("a defect") })
		if err == nil || res.State.Reason != ReasonPanic || res.State.Failures != 1 {
			t.Errorf("got %v and %+v", err, res.State)
		}
	}
	check(t, c, feedAt(s.URL), State{}, Fetched, "")
}
