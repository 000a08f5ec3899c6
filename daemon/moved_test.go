package daemon_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestNewURLRevivesAFeedThatWasGone gives a feed another URL after its server
// said 410: it is read at once, not a day later.
func TestNewURLRevivesAFeedThatWasGone(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/old" {
			w.WriteHeader(http.StatusGone)
			return
		}
		_, _ = io.WriteString(w, `<rss version="2.0"><channel><title>P</title><item><title>One</title></item></channel></rss>`)
	}))
	defer server.Close()
	s := start(t, server.URL+"/old")
	counted := func(metric string) func() bool {
		return func() bool {
			_, m := s.get("/metrics")
			return strings.Contains(m, metric)
		}
	}
	s.eventually("the feed is gone", counted(`newswatch_polls_total{outcome="failed",reason="gone"} 1`))
	s.write("feeds.yaml", fmt.Sprintf("feeds:\n  - {url: %q, id: paper}\n", server.URL+"/new"))
	s.eventually("the feed is read at its new URL", counted(`newswatch_polls_total{outcome="fetched",reason=""} 1`))
}
