package fetcher

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/feed"
)

// urlset is a Google-News sitemap with one story for each path.
func urlset(paths ...string) string {
	var b strings.Builder
	b.WriteString(`<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">`)
	for _, p := range paths {
		fmt.Fprintf(&b, `<url><loc>https://example.org/%s</loc><news:news><news:publication><news:name>The Example</news:name><news:language>en</news:language></news:publication>
			<news:publication_date>2026-11-23T11:00:00Z</news:publication_date><news:title>Story %s</news:title></news:news></url>`, p, p)
	}
	return b.String() + `</urlset>`
}

// sitemapSite serves documents by path, with an ETag each.
type sitemapSite struct {
	*site
	docs map[string]string
}

func newSitemapSite(t *testing.T, docs map[string]string) *sitemapSite {
	s := &sitemapSite{docs: docs}
	s.site = newSite(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		doc, ok := s.docs[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		tag := fmt.Sprintf(`"%x"`, sha256.Sum256([]byte(doc)))
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprint(w, doc)
	})
	return s
}

// index lists sitemaps; each is "path" or "path lastmod".
func (s *sitemapSite) index(sitemaps ...string) {
	var b strings.Builder
	b.WriteString(`<sitemapindex>`)
	for _, m := range sitemaps {
		path, lastmod, dated := strings.Cut(m, " ")
		fmt.Fprintf(&b, `<sitemap><loc>%s%s</loc>`, s.URL, path)
		if dated {
			fmt.Fprintf(&b, `<lastmod>%s</lastmod>`, lastmod)
		}
		b.WriteString(`</sitemap>`)
	}
	s.docs["/index.xml"] = b.String() + `</sitemapindex>`
}

func (s *sitemapSite) feed() feed.Feed {
	return feed.Feed{ID: "f", URL: s.URL + "/index.xml", Kind: feed.KindSitemap}
}

// asked returns what was asked for since the last call.
func (s *sitemapSite) asked() (paths []string) {
	for _, r := range s.taken() {
		paths = append(paths, r.URL.Path)
	}
	return paths
}

func titlesOf(items []feed.Item) (titles []string) {
	for _, it := range items {
		titles = append(titles, it.Title)
	}
	return titles
}

func TestSitemap(t *testing.T) {
	c, _ := newClient(t, Options{})
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		titles []string
	}{
		{"of news", sends(urlset("a", "b"), "Content-Type: text/xml"), []string{"Story a", "Story b"}},
		{"as a compressed file", sends(compressed(t, "gzip", urlset("a")), "Content-Type: application/x-gzip"), []string{"Story a"}},
		{"plain", sends(`<urlset><url><loc>/news/two-held-in-kochi.html</loc></url></urlset>`), []string{"two held in kochi"}},
		{"that is a feed (sitemaps.org)", sends(rss("a")), []string{"a"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, "127.0.0.1", tt.answer)
			f := feed.Feed{ID: "f", URL: s.URL, Kind: feed.KindSitemap}
			res := check(t, c, f, State{}, Fetched, "")
			if got := titlesOf(res.Items); !slices.Equal(got, tt.titles) {
				t.Errorf("read %q, want %q", got, tt.titles)
			}
			check(t, c, f, res.State, NotModified, "")
		})
	}
	t.Run("where a feed is wanted", func(t *testing.T) {
		s := newSite(t, "127.0.0.1", sends(urlset("a")))
		res := check(t, c, feedAt(s.URL), State{}, Failed, ReasonNotAFeed)
		if !strings.Contains(res.State.LastError, "kind is sitemap") {
			t.Errorf("%q does not say what would help", res.State.LastError)
		}
	})
}

func TestSitemapIndex(t *testing.T) {
	c, clk := newClient(t, Options{})
	s := newSitemapSite(t, map[string]string{
		"/2026-09.xml": urlset("september"), "/2026-10.xml": urlset("october"), "/2026-11.xml": urlset("november"), "/news-sitemap.xml": urlset("today"),
	})
	old := []string{"/old1.xml 2019-01-01", "/old2.xml 2019-02-01", "/old3.xml 2019-03-01", "/old4.xml 2019-04-01"}
	s.index(append(old, "/2026-10.xml 2026-10-31T20:00:00Z", "/2026-11.xml 2026-11-23T10:00:00Z", "/news-sitemap.xml")...)

	// At first sight: the news, then the newest; what is gone costs nothing.
	res := check(t, c, s.feed(), State{}, Fetched, "")
	if got, want := s.asked(), []string{"/index.xml", "/news-sitemap.xml", "/2026-11.xml", "/2026-10.xml", "/old4.xml", "/old3.xml"}; !slices.Equal(got, want) {
		t.Errorf("asked for %q, want %q", got, want)
	}
	if got, want := titlesOf(res.Items), []string{"Story today", "Story november", "Story october"}; !slices.Equal(got, want) {
		t.Errorf("read %q, want %q", got, want)
	}
	if res.State.Title != "The Example" {
		t.Errorf("the title is %q", res.State.Title)
	}
	ids := map[string]feed.ItemID{}
	for _, it := range res.Items {
		ids[it.Title] = it.ID
	}

	// Nothing is new: the index and the one that may have changed are asked, with
	// conditions; so are again those that failed.
	clk.advance(time.Hour)
	st := check(t, c, s.feed(), res.State, NotModified, "").State
	if got, want := s.asked(), []string{"/index.xml", "/old4.xml", "/old3.xml", "/news-sitemap.xml"}; !slices.Equal(got, want) {
		t.Errorf("asked for %q, want %q", got, want)
	}
	s.docs["/old4.xml"], s.docs["/old3.xml"] = urlset(), urlset()
	clk.advance(time.Hour)
	st = check(t, c, s.feed(), st, Fetched, "").State
	s.asked()

	// One has changed and says so, another is new; one has but its date says a day.
	s.docs["/2026-11.xml"] = urlset("november", "more")
	s.docs["/2026-12.xml"] = urlset("december")
	s.index(append(old, "/2026-10.xml 2026-10-31T20:00:00Z", "/2026-11.xml 2026-11-23T14:00:00Z", "/2026-12.xml 2026-11-23", "/news-sitemap.xml")...)
	clk.advance(time.Hour)
	res = check(t, c, s.feed(), st, Fetched, "")
	if got, want := s.asked(), []string{"/index.xml", "/2026-12.xml", "/2026-11.xml", "/news-sitemap.xml"}; !slices.Equal(got, want) {
		t.Errorf("asked for %q, want %q", got, want)
	}
	for _, it := range res.Items {
		if id, ok := ids[it.Title]; ok && id != it.ID {
			t.Errorf("%s has another id now", it.Title)
		}
	}
	s.docs["/2026-12.xml"] = urlset("december", "again")
	clk.advance(time.Hour)
	res = check(t, c, s.feed(), res.State, Fetched, "")
	if got, want := titlesOf(res.Items), []string{"Story december", "Story again"}; !slices.Equal(got, want) {
		t.Errorf("read %q, want %q", got, want)
	}

	// After three days the validators are not believed any more.
	s.asked()
	clk.advance(fullReadAfter)
	check(t, c, s.feed(), res.State, NotModified, "")
	for _, r := range s.taken() {
		if r.Header.Get("If-None-Match") != "" {
			t.Errorf("%s was asked for on conditions", r.URL.Path)
		}
	}
}

// TestSitemapIndexBounds: a hostile index costs a bounded number of requests and
// a bounded state.
func TestSitemapIndexBounds(t *testing.T) {
	c, clk := newClient(t, Options{})
	s := newSitemapSite(t, map[string]string{})
	var many []string
	for i := range 2000 {
		many = append(many, fmt.Sprintf("/%d.xml 2026-11-23T%02d:%02d:00Z", i, i/60%12, i%60))
	}
	s.index(many...)
	var st State
	for range 3 {
		res, err := c.Fetch(t.Context(), s.feed(), st, nil)
		if err == nil || res.State.Reason != ReasonNotFound {
			t.Fatalf("every sitemap is missing, and the poll came to %v", err)
		}
		st = res.State
		if n := len(s.asked()); n != 1+maxSitemapReads {
			t.Errorf("%d requests", n)
		}
		if n := len(st.Sitemaps); n != maxSitemaps {
			t.Errorf("%d sitemaps are remembered", n)
		}
		clk.advance(time.Hour)
	}

	// All of them change at once: they are read in turn, a few at each poll.
	for i := range many {
		many[i] = fmt.Sprintf("/%d.xml 2026-11-23T23:%02d:00Z", i, i%60)
		s.docs[fmt.Sprintf("/%d.xml", i)] = urlset(fmt.Sprint(i))
	}
	clk.advance(12 * time.Hour)
	s.index(many...)
	asked := make(map[string]bool)
	for range 2 * maxSitemaps / maxSitemapReads {
		res, err := c.Fetch(t.Context(), s.feed(), st, nil)
		if err != nil {
			t.Fatal(err)
		}
		st = res.State
		paths := s.asked()
		if len(paths) > 1+maxSitemapReads {
			t.Errorf("%d requests", len(paths))
		}
		for _, path := range paths {
			asked[path] = true
		}
		clk.advance(time.Hour)
	}
	if len(asked) != 1+maxSitemaps {
		t.Errorf("%d sitemaps were read, want %d", len(asked)-1, maxSitemaps)
	}

	s.index("/index.xml")
	st = check(t, c, s.feed(), State{}, Failed, ReasonNotAFeed).State
	if n := len(s.asked()); n != 2 {
		t.Errorf("an index that lists itself cost %d requests", n)
	}
	s.index("/a.xml")
	s.docs["/a.xml"] = strings.Repeat("<urlset>", 10) + strings.Repeat("</urlset>", 10)
	check(t, c, s.feed(), st, Fetched, "")
}

// TestSitemapsBehindAPassword: what opens the index opens its sitemaps, where they lie
// on the same site, and is shown to no other.
func TestSitemapsBehindAPassword(t *testing.T) {
	c, _ := newClient(t, Options{})
	other := newSite(t, "127.0.0.2", sends(urlset("elsewhere")))
	var index string
	s := newSite(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "u" || password != "p" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, map[string]string{"/index.xml": index, "/a.xml": urlset("a")}[r.URL.Path])
	})
	index = `<sitemapindex><sitemap><loc>` + s.URL + `/a.xml</loc></sitemap><sitemap><loc>` + other.URL + `/b.xml</loc></sitemap></sitemapindex>`
	f := feed.Feed{ID: "f", URL: strings.Replace(s.URL, "://", "://u:p@", 1) + "/index.xml", Kind: feed.KindSitemap}
	res := check(t, c, f, State{}, Fetched, "")
	if got, want := titlesOf(res.Items), []string{"Story a", "Story elsewhere"}; !slices.Equal(got, want) {
		t.Errorf("read %q, want %q", got, want)
	}
	for _, r := range other.taken() {
		if r.Header.Get("Authorization") != "" {
			t.Error("the password was shown to another site")
		}
	}
}

// TestSitemapQuarantine: of the sitemaps of an index any may be the one that kills
// the process, and it must not be looked for among them by dying again.
func TestSitemapQuarantine(t *testing.T) {
	c, clk := newClient(t, Options{})
	s := newSitemapSite(t, map[string]string{"/a.xml": urlset("a"), "/b.xml": urlset("b")})
	s.index("/a.xml", "/b.xml")
	known := check(t, c, s.feed(), State{}, Fetched, "").State
	s.docs["/a.xml"], s.docs["/b.xml"] = urlset("a", "harmless"), urlset("b", "killer")
	clk.advance(time.Hour)
	poll := func(st State) (Result, int) {
		marked := 0
		res, _ := c.Fetch(t.Context(), s.feed(), st, func(_ context.Context, parsing bool) error {
			if parsing {
				marked++
			}
			return nil
		})
		return res, marked
	}
	st := known
	st.Poisoned = 3
	res, marked := poll(st)
	if res.State.Reason != ReasonHostile || marked != 0 {
		t.Fatalf("after three deaths: %s %q, %d documents parsed", res.Outcome, res.State.Reason, marked)
	}
	clk.advance(23 * time.Hour)
	if again, marked := poll(res.State); again.State.Reason != ReasonHostile || marked != 0 {
		t.Errorf("23 hours later: %s %q, %d documents parsed", again.Outcome, again.State.Reason, marked)
	}
	clk.advance(time.Hour)
	if again, marked := poll(res.State); again.Outcome != Fetched || marked != 2 || again.State.Poisoned != 0 || again.State.Suspect != (Suspect{}) {
		t.Errorf("a day later: %s %q, %d documents parsed, %+v", again.Outcome, again.State.Reason, marked, again.State.Suspect)
	}
	// One of them killed the process then: the state was not recorded, the count is up.
	st = res.State
	st.Poisoned = 4
	if again, marked := poll(st); again.State.Reason != ReasonHostile || marked != 0 || !again.State.Suspect.Since.Equal(clk.Now()) {
		t.Errorf("after the fourth death: %s %q, %d documents parsed", again.Outcome, again.State.Reason, marked)
	}
}
