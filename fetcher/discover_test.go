package fetcher

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher/document"
)

// TestDiscover walks a site that has a bit of everything, and a page in place of
// whatever it has not.
func TestDiscover(t *testing.T) {
	docs := map[string]string{
		"/":              `<html><head><link rel="alternate" type="application/rss+xml" href="/feed/"><link rel="alternate" type="application/atom+xml" href="/comments"></head><body><a href="/rss/kerala">Kerala</a></body></html>`,
		"/feed/":         rss("a", "b"),
		"/rss":           rss("a", "b"), // the same
		"/comments":      `<feed xmlns="http://www.w3.org/2005/Atom"><title>Comments</title></feed>`,
		"/rss/kerala":    strings.Replace(rss("k"), "<channel>", "<channel><language>ml</language>", 1),
		"/robots.txt":    "User-agent: *\nDisallow: /feed.json\nSitemap: /maps/news.xml\n",
		"/maps/news.xml": urlset("n"),
		"/feed.json":     `{"version":"https://jsonfeed.org/version/1.1","title":"Forbidden","items":[{"id":"1","title":"x"}]}`,
	}
	s := newSite(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		doc, ok := docs[r.URL.Path]
		if !ok {
			doc = "<html><title>Not found</title></html>"
		}
		if strings.HasPrefix(doc, "<html") {
			w.Header().Set("Content-Type", "text/html")
		}
		fmt.Fprint(w, doc)
	})
	c, _ := newClient(t, Options{})
	d, err := c.Discover(t.Context(), s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range d.Found {
		got = append(got, fmt.Sprintf("%s %s %s %q %d %s: %s", strings.TrimPrefix(f.URL, s.URL), f.Kind, f.Format, f.Title, f.Items, f.Lang, f.Via))
	}
	want := []string{
		`/feed/ feed rss "Example" 2 : announced by the page`,
		`/maps/news.xml sitemap sitemap "The Example" 1 en: named in robots.txt`,
		`/rss/kerala feed rss "Example" 1 ml: linked to on the page`,
		`/comments feed atom "Comments" 0 : announced by the page`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, r := range s.taken() {
		if r.URL.Path == "/feed.json" {
			t.Error("a guess was asked for that robots.txt asks not to")
		}
	}

	// The address of a feed finds that alone, in one request.
	d, err = c.Discover(t.Context(), s.URL+"/feed/", nil)
	if err != nil || len(d.Found) != 1 || d.Found[0].Via != ViaAddress || d.Found[0].Format != document.KindRSS || d.Found[0].Kind != feed.KindFeed {
		t.Errorf("found %+v (%v)", d, err)
	}
	if n := len(s.taken()); n != 1 {
		t.Errorf("%d requests", n)
	}

	s.serve(answers(http.StatusServiceUnavailable))
	if _, err := c.Discover(t.Context(), s.URL, nil); !isReason(err, ReasonServer) {
		t.Errorf("got %v", err)
	}
}

// TestDiscoverIsBounded: a page of nothing but links costs a bounded number of
// requests.
func TestDiscoverIsBounded(t *testing.T) {
	var page strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&page, `<link rel="alternate" type="text/rss" href="/feed/%d"><a href="/rss/%d">x</a>`, i, i)
	}
	s := newSite(t, "127.0.0.1", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, page.String())
	})
	c, _ := newClient(t, Options{})
	d, err := c.Discover(t.Context(), s.URL, nil)
	if err != nil || len(d.Found) != 0 {
		t.Fatalf("found %+v (%v)", d, err)
	}
	if n := len(s.taken()); n > maxCandidates+4 {
		t.Errorf("%d requests", n)
	}
}
