package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/web/api"
)

// follow is where the Link header of an answer leads who asked for target below a
// path of a reverse proxy, as that takes it off again.
func follow(t *testing.T, target, link string) string {
	t.Helper()
	if link == "" {
		return ""
	}
	const below = "/watch" + api.Prefix
	asked, err := url.Parse("https://news.example" + below + target)
	if err != nil {
		t.Fatal(err)
	}
	to, err := asked.Parse(strings.TrimSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`))
	if err != nil || to.Host != asked.Host || !strings.HasPrefix(to.Path, below) {
		t.Fatalf("from %s to %v, %v", asked, to, err)
	}
	return strings.TrimPrefix(to.RequestURI(), below)
}

// TestPaging walks a list by its Link headers: each entry once, whatever else
// stood in the query.
func TestPaging(t *testing.T) {
	o := open(t)
	h := o.api()
	seen, target := map[string]bool{}, "/hits?limit=1&lang=en&evil=x"
	for n := 0; target != ""; n++ {
		w := ask(h, "GET", target, "")
		var page struct {
			Items []struct {
				Item struct{ ID string }
			}
			Next string
		}
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || len(page.Items) != 1 || n > 5 {
			t.Fatalf("%v: %s", err, w.Body)
		}
		seen[page.Items[0].Item.ID] = true
		link := w.Header().Get("Link")
		if (page.Next == "") != (link == "") || strings.Contains(link, "evil") || link != "" && !strings.Contains(link, "lang=en") {
			t.Errorf("the next page is %q, %q", page.Next, link)
		}
		target = follow(t, target, link)
	}
	if len(seen) != 4 {
		t.Errorf("%d hits, want 4", len(seen))
	}
}

// TestNotices walks the notices by their Link headers: each once, the newest first,
// and the list is not sent again until another is posted.
func TestNotices(t *testing.T) {
	o := open(t)
	h := o.api()
	var kinds []notify.NoticeKind
	for target := "/notices?limit=3&evil=x"; target != ""; {
		w := ask(h, "GET", target, "")
		var page struct {
			Items []notify.Notice
			Next  string
		}
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || len(page.Items) == 0 || len(page.Items) > 3 {
			t.Fatalf("%v: %s", err, w.Body)
		}
		for _, n := range page.Items {
			kinds = append(kinds, n.Kind)
		}
		link := w.Header().Get("Link")
		if (page.Next == "") != (link == "") || strings.Contains(link, "evil") || link != "" && !strings.Contains(link, "limit=3") {
			t.Errorf("the next page is %q, %q", page.Next, link)
		}
		target = follow(t, target, link)
	}
	want := slices.Clone(notify.NoticeKinds)
	slices.Reverse(want)
	if !slices.Equal(kinds, want) {
		t.Errorf("listed %q, want %q", kinds, want)
	}
	tag := ask(h, "GET", "/notices", "").Header().Get("ETag")
	if w := ask(h, "GET", "/notices", "", "If-None-Match", tag); w.Code != 304 {
		t.Errorf("nothing new: %d", w.Code)
	}
	if err := o.store.Post(t.Context(), notify.Notice{ID: notify.NoticeID(notify.Offline), At: noon, Kind: notify.Offline, Text: "No feed can be reached."}); err != nil {
		t.Fatal(err)
	}
	if w := ask(h, "GET", "/notices", "", "If-None-Match", tag); w.Code != 200 || !strings.Contains(w.Body.String(), "No feed can be reached.") {
		t.Errorf("another notice: %d %s", w.Code, w.Body)
	}
}

// TestConditional: what a client has is not sent again until it is another.
func TestConditional(t *testing.T) {
	o := open(t)
	h := o.api()
	first := ask(h, "GET", "/dead-letters", "")
	tag := first.Header().Get("ETag")
	for given, want := range map[string]int{tag: 304, `"x", ` + tag: 304, strings.TrimPrefix(tag, "W/"): 304, "*": 304, `"x"`: 200, "": 200} {
		w := ask(h, "GET", "/dead-letters", "", "If-None-Match", given)
		if w.Code != want || (w.Body.Len() == 0) != (want == 304) || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: %d, %d bytes, varies by %q", given, w.Code, w.Body.Len(), w.Header().Get("Vary"))
		}
	}
	ask(h, "DELETE", "/dead-letters/dead", "")
	if w := ask(h, "GET", "/dead-letters", "", "If-None-Match", tag); w.Code != 200 {
		t.Errorf("a change is not told: %d", w.Code)
	}
}

// TestCompressed: who refuses gzip is not sent it, though its request names it.
func TestCompressed(t *testing.T) {
	o := open(t)
	h := o.api()
	for given, want := range map[string]string{"gzip": "gzip", "br;q=1, gzip;q=0.5": "gzip", "gzip;q=0": "", "identity, gzip; q=0": "", "": ""} {
		if w := ask(h, "GET", "/openapi.yaml", "", "Accept-Encoding", given); w.Header().Get("Content-Encoding") != want {
			t.Errorf("%q: %q, want %q", given, w.Header().Get("Content-Encoding"), want)
		}
	}
}

// TestLimits: one address cannot ask without end, another is not held up by it,
// and the time to wait is told.
func TestLimits(t *testing.T) {
	o := open(t)
	h := o.api()
	from := func(addr, method, path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, api.Prefix+path, strings.NewReader(`{"title":"x"}`))
		r.Header.Set("Content-Type", "application/json")
		r.RemoteAddr = addr
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	refused := 0
	for range 12 {
		w := from("192.0.2.1:99", "POST", "/match")
		if w.Code == http.StatusTooManyRequests {
			refused++
			if w.Header().Get("Retry-After") != "1" && w.Header().Get("Retry-After") != "2" || w.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("%v", w.Header())
			}
		}
	}
	if refused != 2 {
		t.Errorf("%d of 12 are refused, want 2", refused)
	}
	if w := from("192.0.2.1:98", "GET", "/rules"); w.Code != 200 {
		t.Errorf("to look is not to try: %d", w.Code)
	}
	if w := from("192.0.2.2:99", "POST", "/match"); w.Code != 200 {
		t.Errorf("another address: %d", w.Code)
	}
	o.now = o.now.Add(2 * time.Second)
	if w := from("192.0.2.1:99", "POST", "/match"); w.Code != 200 {
		t.Errorf("after a while: %d", w.Code)
	}
}

// TestHostile: what is not meant for the API ends as a problem.
func TestHostile(t *testing.T) {
	o := open(t)
	h := o.api()
	for _, tt := range []struct {
		method, target, body, ctype string
		want                        int
	}{
		{"POST", "/match", `title=x`, "application/x-www-form-urlencoded", 415},
		{"POST", "/match", `{"title":"x"}`, "text/plain", 415},
		{"POST", "/match", `{"body":"` + strings.Repeat("x", 3<<20) + `"}`, "application/json", 413},
		{"POST", "/match", `{"body":"` + strings.Repeat("x", 300<<10) + `"}`, "application/json", 422},
		{"POST", "/match", `[`, "application/json", 400},
		{"PUT", "/hits", ``, "", 405},
		{"GET", "/nothing", ``, "", 404},
		{"GET", "/../../etc/passwd", ``, "", 404},
	} {
		w := ask(h, tt.method, tt.target, tt.body, "Content-Type", tt.ctype)
		if w.Code != tt.want && w.Code != http.StatusMovedPermanently && w.Code != http.StatusTemporaryRedirect {
			t.Errorf("%s %s: %d, want %d", tt.method, tt.target, w.Code, tt.want)
		}
		if w.Code == tt.want && w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s: %v", tt.method, tt.target, w.Header())
		}
	}
	// The store's own words stay in the log.
	_ = o.store.Close()
	if w := ask(h, "GET", "/hits", ""); w.Code != 503 || strings.Contains(w.Body.String(), "sql") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestWithheld: what could identify a child leaves by no address.
func TestWithheld(t *testing.T) {
	o := open(t)
	h := o.api()
	for _, tt := range []struct{ method, target, body string }{
		{"GET", "/hits", ""},
		{"GET", "/stories", ""},
		{"GET", "/hits/" + o.items[5].ID.String(), ""},
		{"POST", "/backtest", `{"rules":"rules:\n  - {id: new, query: meera}"}`},
	} {
		body := ask(h, tt.method, tt.target, tt.body).Body.String()
		if strings.Contains(body, "Meera") || !strings.Contains(body, "withheld: it may identify a child") {
			t.Errorf("%s %s: %s", tt.method, tt.target, body)
		}
	}
}

// TestWithheldStories: reports of one story are put together by what they say, not
// by what is shown in its place.
func TestWithheldStories(t *testing.T) {
	o := open(t)
	claims, err := o.store.ClaimFeeds(t.Context(), noon, 1, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	b := store.Batch{Lease: claims[0].Lease, State: fetcher.State{FeedID: "quiet", LastPoll: noon, NextCheck: noon.Add(time.Hour)}}
	for _, paper := range []string{"One", "Two"} {
		it := feed.Item{
			ID: feed.NewItemID("quiet", "", "", paper), FeedID: "quiet", Lang: "en", Published: noon.Add(-time.Hour),
			Title: "Police arrest the uncle of Anu Nair (12) in Thrissur", Link: "https://quiet.example/" + paper,
		}
		b.Seen = append(b.Seen, store.Sighting{ID: it.ID, Fingerprint: it.Fingerprint()})
		b.Hits = append(b.Hits, classifier.Hit{Item: it, Source: paper, Rules: []classifier.RuleMatch{{Rule: "arrests"}}, Found: noon})
	}
	if _, err := o.store.Record(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	w := ask(o.api(), "GET", "/stories?feed=quiet", "")
	var page struct {
		Items []struct {
			Lead classifier.Hit
			Also []classifier.Hit
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || len(page.Items) != 1 || len(page.Items[0].Also) != 1 {
		t.Errorf("%d stories, want one of two reports: %s", len(page.Items), w.Body)
	}
	if strings.Contains(w.Body.String(), "Anu") {
		t.Errorf("what is withheld is shown: %s", w.Body)
	}
}
