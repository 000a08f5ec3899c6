package fetcher

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/netguard"
)

// BenchmarkPoll compares what a poll costs with what a bare client's GET of the
// same answer costs, over feeds that are served from loopback. One operation is
// one pass over all feeds; the server's side is in every figure.
func BenchmarkPoll(b *testing.B) {
	const feeds, inFlight = 100, 8
	var titles []string
	for i := range 30 {
		titles = append(titles, fmt.Sprintf("story-%d %s", i, strings.Repeat("words of a headline ", 5)))
	}
	doc := rss(titles...)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	io.WriteString(z, doc)
	z.Close()
	s := newSite(b, "127.0.0.1", nil)
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/rss+xml")
		if strings.HasPrefix(r.URL.Path, "/etag/") {
			w.Header().Set("ETag", `"v1"`)
			if r.Header.Get("If-None-Match") == `"v1"` {
				w.WriteHeader(http.StatusNotModified)
				return
			}
		}
		if r.Header.Get("Accept-Encoding") != "identity" {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(packed.Bytes())
			return
		}
		io.WriteString(w, doc)
	})
	policy := netguard.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}

	// pass calls do for each feed, so many at a time.
	pass := func(do func(i int)) {
		var wg sync.WaitGroup
		next := make(chan int)
		for range inFlight {
			wg.Go(func() {
				for i := range next {
					do(i)
				}
			})
		}
		for i := range feeds {
			next <- i
		}
		close(next)
		wg.Wait()
	}
	report := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*feeds), "µs/feed")
	}
	bare := func(path, condition string) func(b *testing.B) {
		return func(b *testing.B) {
			tr := policy.Transport()
			tr.MaxIdleConnsPerHost = inFlight
			defer tr.CloseIdleConnections()
			b.ReportAllocs()
			for b.Loop() {
				pass(func(i int) {
					req, _ := http.NewRequestWithContext(b.Context(), http.MethodGet, fmt.Sprintf("%s%s%d", s.URL, path, i), nil)
					req.Header.Set("If-None-Match", condition)
					resp, err := tr.RoundTrip(req)
					if err != nil {
						b.Error(err)
						return
					}
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				})
			}
			report(b)
		}
	}
	poll := func(path string, again bool, want Outcome) func(b *testing.B) {
		return func(b *testing.B) {
			tr := policy.Transport()
			tr.MaxIdleConnsPerHost = inFlight
			c, _ := newClient(b, Options{Transport: tr, PerHost: inFlight})
			states := make([]State, feeds)
			once := func(keep bool, want Outcome) {
				pass(func(i int) {
					res, err := c.Fetch(b.Context(), feed.Feed{ID: fmt.Sprint(i), URL: fmt.Sprintf("%s%s%d", s.URL, path, i)}, states[i], nil)
					if err != nil || res.Outcome != want {
						b.Errorf("%s, %v", res.Outcome, err)
					}
					if keep {
						states[i] = res.State
					}
				})
			}
			if again {
				once(true, Fetched)
			}
			b.ReportAllocs()
			for b.Loop() {
				once(again, want)
			}
			report(b)
		}
	}
	b.Run("bare GET", bare("/plain/", ""))
	b.Run("bare GET, 304", bare("/etag/", `"v1"`))
	b.Run("first pass", poll("/plain/", false, Fetched))
	b.Run("unchanged body", poll("/plain/", true, NotModified))
	b.Run("304", poll("/etag/", true, NotModified))
}
