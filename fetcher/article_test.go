package fetcher

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/newswatch/newswatch/fetcher/article"
)

// page is a page with an article of some length in it.
func page(head string) string {
	para := "<p>Police in the capital said on Tuesday that " + strings.Repeat("forty-one people, among them two officials, were questioned, ", 5) + "and released.</p>"
	return `<!doctype html><html><head>` + head + `<title>Raids</title></head><body><nav><a href="/">Home</a> <a href="/x">More</a></nav>
<article><h1>Raids in the capital</h1><img src="/child.jpg" alt="a child's face">` + strings.Repeat(para, 6) + `<p>The last paragraph: കുട്ടികൾ, naïve.</p></article><footer>All rights reserved</footer></body></html>`
}

func html(body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		set(w, header)
		fmt.Fprint(w, body)
	}
}

func TestArticle(t *testing.T) {
	c, _ := newClient(t, Options{})
	s := newSite(t, "127.0.0.1", routes(map[string]http.HandlerFunc{"/story": html(page(""))}))
	a, err := c.Article(t.Context(), s.URL+"/story?utm=1#top")
	text := a.Text
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, "questioned") || !strings.Contains(text, "കുട്ടികൾ, naïve.") || !strings.Contains(text, "\n\n") {
		t.Errorf("got %q", text)
	}
	for _, not := range []string{"child", "rights reserved", "Home", "<", "jpg"} {
		if strings.Contains(text, not) {
			t.Errorf("%q is in the text", not)
		}
	}
	var asked []string
	for _, r := range s.taken() {
		asked = append(asked, r.URL.RequestURI())
		if r.UserAgent() != "newswatch/test (+https://example.org/bot)" || r.Header.Get("Referer") != "" || r.Header.Get("Cookie") != "" {
			t.Errorf("header %v", r.Header)
		}
	}
	if got := strings.Join(asked, " "); got != "/robots.txt /story?utm=1" {
		t.Errorf("asked for %s", got)
	}
}

func TestArticleAnswers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		reason Reason // empty when there must be a text
	}{
		{"a page", html(page("")), ""},
		{"xhtml", html(page(""), "Content-Type: application/xhtml+xml"), ""},
		{"compressed", html(compressed(t, "gzip", page("")), "Content-Encoding: gzip"), ""},
		{"a type with a broken parameter", html(page(""), "Content-Type: text/html; charset"), ""},
		{"a charset in HTTP", html(strings.ReplaceAll(page(""), "naïve", "na\xefve"), "Content-Type: text/html; charset=iso-8859-1"), ""},
		{"a picture", html("\xff\xd8\xff", "Content-Type: image/jpeg"), ReasonNotAnArticle},
		{"a film", html("x", "Content-Type: video/mp4"), ReasonNotAnArticle},
		{"a PDF", html("%PDF", "Content-Type: application/pdf"), ReasonNotAnArticle},
		{"plain text", html(page(""), "Content-Type: text/plain"), ReasonNotAnArticle},
		{"no type", html(page(""), "Content-Type: "), ReasonNotAnArticle},
		{"a type of nonsense", html(page(""), "Content-Type: ;;;"), ReasonNotAnArticle},
		{"an empty page", html(""), ReasonNotAnArticle},
		{"a page without words", html("<html><body><img src=x><script>1</script></body></html>"), ReasonNotAnArticle},
		{"not found", answers(404), ReasonNotFound},
		{"forbidden", answers(403), ReasonForbidden},
		{"gone", answers(410), ReasonGone},
		{"unmodified", answers(304), ReasonServer},
		{"a page too large", html(page("") + strings.Repeat(" ", maxPage)), ReasonTooLarge},
		{"a bomb", html(compressed(t, "gzip", strings.Repeat(" ", 16<<20)), "Content-Encoding: gzip"), ReasonTooLarge},
		{"elements without end", html(strings.Repeat("<b>", 300_000)), ReasonHostile},
		{"to a private address", to(302, "http://10.0.0.1/"), ReasonRefused},
		{"to a file", to(302, "file:///etc/passwd"), ReasonRedirect},
		{"in a circle", to(302, "/story"), ReasonRedirect},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := newClient(t, Options{})
			s := newSite(t, "127.0.0.1", routes(map[string]http.HandlerFunc{"/story": tt.answer}))
			a, err := c.Article(t.Context(), s.URL+"/story")
			text := a.Text
			if tt.reason == "" {
				if err != nil || !strings.Contains(text, "naïve") {
					t.Errorf("got %q, %v", text, err)
				}
				return
			}
			fe, ok := errors.AsType[*Error](err)
			if !ok || fe.Reason != tt.reason || text != "" {
				t.Errorf("got %v, want reason %s", err, tt.reason)
			}
		})
	}
}

// TestRobots: what is asked of us, and what an absent answer means.
func TestAbsent(t *testing.T) {
	c, _ := newClient(t, Options{})
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	site := newSite(t, "127.0.0.1", routes(map[string]http.HandlerFunc{
		"/robots.txt": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "User-agent: *\nDisallow: /private") },
		"/there":      html(page("")), "/gone": status(http.StatusGone), "/missing": status(http.StatusNotFound),
		"/moved": http.RedirectHandler("/gone", http.StatusMovedPermanently).ServeHTTP, "/private": status(http.StatusNotFound),
		"/forbidden": status(http.StatusForbidden), "/broken": status(http.StatusBadGateway),
	}))
	for path, want := range map[string]struct {
		absent bool
		reason Reason
	}{
		"/there": {}, "/gone": {absent: true}, "/missing": {absent: true}, "/moved": {absent: true},
		"/private": {reason: ReasonRobots}, "/forbidden": {reason: ReasonForbidden}, "/broken": {reason: ReasonServer},
	} {
		absent, err := c.Absent(t.Context(), site.URL+path)
		fail, _ := errors.AsType[*Error](err)
		if absent != want.absent || (fail == nil) != (want.reason == "") || fail != nil && fail.Reason != want.reason {
			t.Errorf("%s: absent %v, %v", path, absent, err)
		}
	}
}

func TestRobots(t *testing.T) {
	text := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, s) }
	}
	chain := map[string]http.HandlerFunc{"/5": text("User-agent: *\nDisallow: /"), "/story": html(page("")), "/robots.txt": to(301, "/1")}
	for i := range 4 {
		chain[fmt.Sprintf("/%d", i+1)] = to(301, fmt.Sprintf("/%d", i+2))
	}
	longer := map[string]http.HandlerFunc{"/6": text("User-agent: *\nDisallow: /"), "/story": html(page("")), "/robots.txt": to(301, "/1")}
	for i := range 5 {
		longer[fmt.Sprintf("/%d", i+1)] = to(301, fmt.Sprintf("/%d", i+2))
	}
	for _, tt := range []struct {
		name   string
		robots http.HandlerFunc
		routes map[string]http.HandlerFunc
		reason Reason
	}{
		{"all may be read", text("User-agent: *\nDisallow:"), nil, ""},
		{"the story may not", text("User-agent: *\nDisallow: /story"), nil, ReasonRobots},
		{"only we may not", text("User-agent: newswatch\nDisallow: /\n\nUser-agent: *\nDisallow:"), nil, ReasonRobots},
		{"there is none (RFC 9309 §2.3.1.3)", answers(404), nil, ""},
		{"it is forbidden (RFC 9309 §2.3.1.3)", answers(403), nil, ""},
		{"it is empty", text(""), nil, ""},
		{"it is a page", html("<html>not found</html>"), nil, ""},
		{"the server is ill (RFC 9309 §2.3.1.4)", answers(500), nil, ReasonServer},
		{"the server is busy", answers(503), nil, ReasonServer},
		{"we ask too much", answers(429), nil, ReasonRateLimited},
		{"the server hangs up (RFC 9309 §2.3.1.4)", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, nil, ReasonConnect},
		{"five redirects (RFC 9309 §2.3.1.2)", nil, chain, ReasonRobots},
		{"six redirects (RFC 9309 §2.3.1.2)", nil, longer, ""},
		{"what is beyond 500 KiB does not count (RFC 9309 §2.5)", text(strings.Repeat("# comment\n", 60_000) + "User-agent: *\nDisallow: /"), nil, ""},
		{"what is within counts", text("User-agent: *\nDisallow: /\n" + strings.Repeat("# comment\n", 60_000)), nil, ReasonRobots},
		{"a redirect to a private address", to(302, "http://10.0.0.1/robots.txt"), nil, ReasonRefused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := newClient(t, Options{})
			m := tt.routes
			if m == nil {
				m = map[string]http.HandlerFunc{"/robots.txt": tt.robots, "/story": html(page(""))}
			}
			s := newSite(t, "127.0.0.1", routes(m))
			_, err := c.Article(t.Context(), s.URL+"/story")
			if tt.reason == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if fe, ok := errors.AsType[*Error](err); !ok || fe.Reason != tt.reason {
				t.Errorf("got %v, want reason %s", err, tt.reason)
			}
			for _, r := range s.taken() {
				if r.URL.Path == "/story" {
					t.Error("the story was asked for all the same")
				}
			}
		})
	}
}

// TestRobotsOfEveryHop: a redirect does not lead around another site's wishes.
func TestRobotsOfEveryHop(t *testing.T) {
	c, _ := newClient(t, Options{})
	other := newSite(t, "127.0.0.2", routes(map[string]http.HandlerFunc{
		"/robots.txt": sends("User-agent: *\nDisallow: /"), "/story": html(page("")),
	}))
	s := newSite(t, "127.0.0.1", routes(map[string]http.HandlerFunc{"/story": to(302, other.URL+"/story")}))
	_, err := c.Article(t.Context(), s.URL+"/story")
	if fe, ok := errors.AsType[*Error](err); !ok || fe.Reason != ReasonRobots {
		t.Errorf("got %v", err)
	}
}

func TestRobotsIsKept(t *testing.T) {
	c, clk := newClient(t, Options{})
	robots := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/robots.txt" {
				w.WriteHeader(status)
				return
			}
			html(page(""))(w, r)
		}
	}
	s := newSite(t, "127.0.0.1", robots(404))
	asked := func() (n int) {
		for _, r := range s.taken() {
			if r.URL.Path == "/robots.txt" {
				n++
			}
		}
		return n
	}
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			if _, err := c.Article(t.Context(), fmt.Sprintf("%s/%d", s.URL, i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := asked(); n != 1 {
		t.Errorf("ten articles asked for robots.txt %d times", n)
	}
	clk.advance(23 * time.Hour)
	c.Article(t.Context(), s.URL+"/a")
	if n := asked(); n != 0 {
		t.Error("asked again within a day (RFC 9309 §2.4)")
	}
	clk.advance(2 * time.Hour)
	s.serve(robots(500))
	if _, err := c.Article(t.Context(), s.URL+"/a"); err == nil || asked() != 1 {
		t.Errorf("after a day: %v", err)
	}
	s.serve(robots(404))
	clk.advance(robotsRetry)
	if _, err := c.Article(t.Context(), s.URL+"/a"); err != nil || asked() != 1 {
		t.Errorf("after the server is well again: %v", err)
	}
}

func TestRobotsCacheIsBounded(t *testing.T) {
	c, _ := newClient(t, Options{Transport: roundTripper(func(r *http.Request) *http.Response {
		w := httptest.NewRecorder()
		if r.URL.Path == "/robots.txt" {
			fmt.Fprint(w, "User-agent: *\n", strings.Repeat("Disallow: /"+strings.Repeat("x", 1000)+"\n", 100))
		} else {
			html(page(""))(w, r)
		}
		return w.Result()
	})})
	for i := range 200 {
		if err := c.admit(t.Context(), mustURL(t, fmt.Sprintf("http://host%d.example/", i))); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(c.robots.origins); c.robots.bytes > maxRuleBytes || n < 50 || n == 200 {
		t.Errorf("%d bytes of %d sites are kept", c.robots.bytes, n)
	}
	c.robots = robotsCache{origins: make(map[string]*robotsEntry)}
	for i := range maxOrigins + 100 {
		c.robots.entry(fmt.Sprint(i))
	}
	if n := len(c.robots.origins); n != maxOrigins {
		t.Errorf("%d sites are kept", n)
	}
}

func TestArticleContextEnds(t *testing.T) {
	c, _ := newClient(t, Options{})
	arrived, block := make(chan struct{}, 1), make(chan struct{})
	s := newSite(t, "127.0.0.1", func(http.ResponseWriter, *http.Request) { arrived <- struct{}{}; <-block })
	defer close(block)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	_, err := c.Article(ctx, s.URL+"/story")
	if _, ours := errors.AsType[*Error](err); ours || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	// A reading of robots.txt that was given up is not kept as an answer.
	if e := c.robots.entry(s.URL + "/robots.txt"); !e.until.IsZero() {
		t.Error("the unread robots.txt is believed")
	}
}

// TestArticleIsReadOnce: a story that several feeds bring at once is one request,
// a failure is not asked for again at once, and what is kept is bounded.
func TestArticleIsReadOnce(t *testing.T) {
	c, clk := newClient(t, Options{})
	page := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<html><body><article><p>%s</p></article></body></html>", strings.Repeat("Fourteen were held in Kerala, police said. ", 20))
	}
	s := newSite(t, "127.0.0.1", page)
	asked := func() (n int) {
		for _, r := range s.taken() {
			if r.URL.Path != "/robots.txt" {
				n++
			}
		}
		return n
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			a, err := c.Article(t.Context(), fmt.Sprintf("%s/story#%d", s.URL, i))
			text := a.Text
			if err != nil || !strings.HasPrefix(text, "Fourteen") {
				t.Errorf("%q, %v", text, err)
			}
		})
	}
	wg.Wait()
	if n := asked(); n != 1 {
		t.Errorf("eight feeds cost %d requests", n)
	}
	clk.advance(articleFor)
	if _, err := c.Article(t.Context(), s.URL+"/story"); err != nil || asked() != 1 {
		t.Errorf("an hour later it was not read anew (%v)", err)
	}

	s.serve(answers(http.StatusInternalServerError))
	clk.advance(robotsFor)
	for range 3 {
		if _, err := c.Article(t.Context(), s.URL+"/other"); err == nil {
			t.Error("read what failed")
		}
	}
	if n := len(s.taken()); n > 1 { // robots.txt, whose failure keeps us out
		t.Errorf("a failure cost %d requests", n)
	}

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Article(ended, s.URL+"/third"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	s.serve(page)
	clk.advance(robotsRetry)
	if _, err := c.Article(t.Context(), s.URL+"/third"); err != nil {
		t.Errorf("one caller's end was laid to the page: %v", err)
	}
}

func TestArticleCacheIsBounded(t *testing.T) {
	ac := newArticleCache()
	text := strings.Repeat("x", 64<<10)
	for i := range 3 * maxArticles {
		body := text
		if i%2 == 0 {
			body = "y"
		}
		got, err := ac.get(t.Context(), fmt.Sprint(i), start, func() (article.Article, error) { return article.Article{Text: body}, nil })
		if err != nil || got.Text != body {
			t.Fatal(err)
		}
		if ac.bytes > maxArticleBytes || ac.used.Len() > maxArticles || ac.used.Len() != len(ac.byLink) {
			t.Fatalf("%d articles, %d bytes", ac.used.Len(), ac.bytes)
		}
	}
	reads := 0
	again := func() (article.Article, error) { reads++; return article.Article{Text: text}, nil }
	ac.get(t.Context(), fmt.Sprint(3*maxArticles-1), start, again)
	ac.get(t.Context(), "0", start, again)
	if reads != 1 {
		t.Errorf("%d reads, want one: the latest is kept and the first is not", reads)
	}
}
