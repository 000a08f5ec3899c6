package daemon_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/daemon"
	"github.com/newswatch/newswatch/feed"
)

// TestSitemapPagesAreRead: a plain sitemap gives addresses only. What its pages
// say is read before the rules run, their headlines included, and an item is the
// same at the next poll.
func TestSitemapPagesAreRead(t *testing.T) {
	pages := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/sitemap.xml":
			fmt.Fprintf(w, `<urlset><!-- %d --><url><loc>/story.aspx?id=1</loc><lastmod>%s</lastmod></url></urlset>`, pages, time.Now().UTC().Format(time.RFC3339))
		case "/story.aspx":
			pages++
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, `<html><head><meta property="og:title" content="Five held in Operation P-Hunt"></head><body><article><p>%s</p></article></body></html>`,
				strings.Repeat("Police in Kerala have held five people in Operation P-Hunt, officers said. ", 10))
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	cfg := loopbackConfig(t)
	cfg.Feeds = []feed.Feed{{ID: "site", URL: server.URL + "/sitemap.xml", Kind: feed.KindSitemap, FullText: feed.FullTextAuto}}
	st := openStore(t, cfg)
	d := newDaemon(t, cfg, st)
	for pass, want := range []int{1, 0} {
		var hits []string
		_, err := d.Once(t.Context(), daemon.OnceOptions{Polled: func(p daemon.Poll) {
			for _, h := range p.Hits {
				hits = append(hits, h.Item.Title)
			}
		}})
		if err != nil || len(hits) != want || want > 0 && hits[0] != "Five held in Operation P-Hunt" {
			t.Errorf("pass %d found %q (%v)", pass, hits, err)
		}
	}
	if pages != 1 {
		t.Errorf("the page was read %d times", pages)
	}
}
