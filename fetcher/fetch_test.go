package fetcher

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/feed"
)

// TestConditional polls the same feed several times; each step is one answer of
// the server and what must come of it.
func TestConditional(t *testing.T) {
	type step struct {
		after  time.Duration
		answer http.HandlerFunc
		// etag and since are what the request must carry.
		etag, since string
		outcome     Outcome
		reason      Reason
	}
	const modified = "Sat, 21 Nov 2026 07:28:00 GMT"
	for _, tt := range []struct {
		name  string
		steps []step
	}{
		{"an ETag is sent back (RFC 9110 §13.1.2)", []step{
			{answer: sends(rss("a"), `ETag: "v1"`), outcome: Fetched},
			{answer: answers(304), etag: `"v1"`, outcome: NotModified},
		}},
		{"a weak ETag is sent back as it is (RFC 9110 §8.8.3)", []step{
			{answer: sends(rss("a"), `ETag: W/"v1"`), outcome: Fetched},
			{answer: answers(304), etag: `W/"v1"`, outcome: NotModified},
		}},
		{"Last-Modified is sent back as it was written (RFC 9110 §13.1.3)", []step{
			{answer: sends(rss("a"), "Last-Modified: yesterday, about noon"), outcome: Fetched},
			{answer: answers(304), since: "yesterday, about noon", outcome: NotModified},
		}},
		{"both are sent, for servers that know one only (RFC 9110 §13.1.3)", []step{
			{answer: sends(rss("a"), `ETag: "v1"`, "Last-Modified: "+modified), outcome: Fetched},
			{answer: answers(304), etag: `"v1"`, since: modified, outcome: NotModified},
		}},
		{"a 304 keeps the validators (RFC 9111 §4.3.4)", []step{
			{answer: sends(rss("a"), `ETag: "v1"`), outcome: Fetched},
			{answer: answers(304), etag: `"v1"`, outcome: NotModified},
			{answer: answers(304), etag: `"v1"`, outcome: NotModified},
		}},
		{"a new document brings new validators", []step{
			{answer: sends(rss("a"), `ETag: "v1"`), outcome: Fetched},
			{answer: sends(rss("a", "b"), `ETag: "v2"`), etag: `"v1"`, outcome: Fetched},
			{answer: answers(304), etag: `"v2"`, outcome: NotModified},
		}},
		{"a new document without validators drops the old ones", []step{
			{answer: sends(rss("a"), `ETag: "v1"`), outcome: Fetched},
			{answer: sends(rss("a", "b")), etag: `"v1"`, outcome: Fetched},
			{answer: sends(rss("a", "b")), outcome: NotModified},
		}},
		{"an equal body is not parsed", []step{
			{answer: sends(rss("a")), outcome: Fetched},
			{answer: sends(rss("a")), outcome: NotModified},
		}},
		{"an equal body brings its new validators", []step{
			{answer: sends(rss("a"), `ETag: "v1"`), outcome: Fetched},
			{answer: sends(rss("a"), `ETag: "v2"`), etag: `"v1"`, outcome: NotModified},
			{answer: answers(304), etag: `"v2"`, outcome: NotModified},
		}},
		{"a body that differs in its build date is equal", []step{
			{answer: sends(strings.Replace(rss("a"), "<item>", "<lastBuildDate>Mon, 23 Nov 2026 11:00:00 GMT</lastBuildDate><item>", 1)), outcome: Fetched},
			{answer: sends(strings.Replace(rss("a"), "<item>", "<lastBuildDate>Mon, 23 Nov 2026 12:00:00 GMT</lastBuildDate><item>", 1)), outcome: NotModified},
		}},
		{"no-store keeps no validators (RFC 9111 §5.2.2.5)", []step{
			{answer: sends(rss("a"), `ETag: "v1"`, "Cache-Control: no-store"), outcome: Fetched},
			{answer: sends(rss("a", "b")), outcome: Fetched},
		}},
		{"Expires: 0 keeps no validators", []step{
			{answer: sends(rss("a"), `ETag: "v1"`, "Expires: 0"), outcome: Fetched},
			{answer: sends(rss("a", "b")), outcome: Fetched},
		}},
		{"no-cache keeps them: it asks to be asked (RFC 9111 §5.2.2.4)", []step{
			{answer: sends(rss("a"), `ETag: "v1"`, "Cache-Control: no-cache"), outcome: Fetched},
			{answer: answers(304), etag: `"v1"`, outcome: NotModified},
		}},
		{"a 304 to a request without conditions is a failure (RFC 9110 §15.4.5)", []step{
			{answer: answers(304), outcome: Failed, reason: ReasonServer},
		}},
		{"a failure keeps the validators", []step{
			{answer: sends(rss("a"), `ETag: "v1"`), outcome: Fetched},
			{answer: answers(500), etag: `"v1"`, outcome: Failed, reason: ReasonServer},
			{answer: answers(304), etag: `"v1"`, outcome: NotModified},
		}},
		{"the validators of a document that could not be read are not kept", []step{
			{answer: sends("no feed at all", `ETag: "bad"`), outcome: Failed, reason: ReasonNotAFeed},
			{answer: sends(rss("a")), outcome: Fetched},
		}},
		{"304s are not believed for ever", []step{
			{answer: sends(rss("a"), `ETag: "stuck"`), outcome: Fetched},
			{after: fullReadAfter - time.Hour, answer: answers(304), etag: `"stuck"`, outcome: NotModified},
			{after: time.Hour, answer: sends(rss("a", "b"), `ETag: "stuck"`), outcome: Fetched},
			{answer: answers(304), etag: `"stuck"`, outcome: NotModified},
		}},
		{"an ETag beyond all measure is not kept", []step{
			{answer: sends(rss("a"), `ETag: "`+strings.Repeat("x", maxValidator)+`"`), outcome: Fetched},
			{answer: sends(rss("a")), outcome: NotModified},
		}},
		{"203 is a document (RFC 9110 §15.3.4)", []step{
			{answer: partly(http.StatusNonAuthoritativeInfo), outcome: Fetched},
		}},
		{"204 is none (RFC 9110 §15.3.5)", []step{
			{answer: answers(204), outcome: Failed, reason: ReasonServer},
		}},
		{"206 is a part of one (RFC 9110 §15.3.7)", []step{
			{answer: partly(http.StatusPartialContent), outcome: Failed, reason: ReasonServer},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, clk := newClient(t, Options{})
			s := newSite(t, "127.0.0.1", nil)
			st := State{FeedID: "f"}
			for i, step := range tt.steps {
				clk.advance(step.after)
				s.serve(step.answer)
				res, err := c.Fetch(t.Context(), feedAt(s.URL), st, nil)
				if res.Outcome != step.outcome || res.State.Reason != step.reason {
					t.Fatalf("step %d: got %s %q (%v), want %s %q", i, res.Outcome, res.State.Reason, err, step.outcome, step.reason)
				}
				r := s.taken()[0]
				if got := r.Header.Get("If-None-Match"); got != step.etag {
					t.Errorf("step %d: If-None-Match %q, want %q", i, got, step.etag)
				}
				if got := r.Header.Get("If-Modified-Since"); got != step.since {
					t.Errorf("step %d: If-Modified-Since %q, want %q", i, got, step.since)
				}
				if res.Outcome != Fetched && len(res.Items) > 0 {
					t.Errorf("step %d: %d items from a poll that read none", i, len(res.Items))
				}
				st = res.State
			}
		})
	}
}

// partly answers with a document and a status that is not 200.
func partly(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, rss("a"))
	}
}

// TestAnotherURL: what was learned of one URL is not used for another.
func TestAnotherURL(t *testing.T) {
	c, _ := newClient(t, Options{})
	s := newSite(t, "127.0.0.1", sends(rss("a"), `ETag: "v1"`))
	res := check(t, c, feedAt(s.URL+"/one"), State{}, Fetched, "")
	s.taken()
	res = check(t, c, feedAt(s.URL+"/two"), res.State, Fetched, "")
	if r := s.taken()[0]; r.Header.Get("If-None-Match") != "" {
		t.Errorf("the ETag of /one was sent to /two")
	}
	if !res.State.Baselined() {
		t.Error("a feed that moves is not new: its items keep their ids")
	}
}

func TestRequestIsHonest(t *testing.T) {
	c, _ := newClient(t, Options{Product: "newswatch/1.2", Contact: "https://example.org/bot\r\nX-Evil: 1)"})
	s := newSite(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.SetCookie(w, &http.Cookie{Name: "id", Value: "1"})
			http.Redirect(w, r, "/next", http.StatusFound)
			return
		}
		sends(rss("a"))(w, r)
	})
	check(t, c, feedAt(s.URL), State{}, Fetched, "")
	requests := s.taken()
	if len(requests) != 2 {
		t.Fatalf("%d requests", len(requests))
	}
	for _, r := range requests {
		if got, want := r.UserAgent(), "newswatch/1.2 (+https://example.org/botX-Evil:1)"; got != want {
			t.Errorf("User-Agent %q, want %q", got, want)
		}
		if !strings.Contains(r.Header.Get("Accept"), "application/rss+xml") {
			t.Errorf("Accept %q", r.Header.Get("Accept"))
		}
		if got := r.Header.Get("Accept-Encoding"); got != "gzip, deflate, br, zstd" {
			t.Errorf("Accept-Encoding %q", got)
		}
		for _, name := range []string{"Cookie", "Referer", "Authorization", "X-Evil", "From"} {
			if v := r.Header.Get(name); v != "" {
				t.Errorf("%s: %s was sent", name, v)
			}
		}
	}
}

func TestStateOfASuccess(t *testing.T) {
	c, clk := newClient(t, Options{})
	doc := strings.Replace(rss("a", "b"), "<guid>a</guid>", "<guid>a</guid><pubDate>Mon, 23 Nov 2026 10:00:00 GMT</pubDate>", 1)
	s := newSite(t, "127.0.0.1", sends(doc))
	res := check(t, c, feedAt(s.URL), State{Failures: 2, Reason: ReasonDNS, LastError: "x", Poisoned: 1}, Fetched, "")
	st := res.State
	if st.FeedID != "f" || st.Title != "Example" || st.Items != 2 || len(res.Items) != 2 || res.Items[0].FeedID != "f" {
		t.Errorf("state %+v, items %+v", st, res.Items)
	}
	if st.Failures != 0 || st.LastError != "" || st.Poisoned != 0 {
		t.Errorf("the past failures are still there: %+v", st)
	}
	if !st.FirstSuccess.Equal(start) || !st.LastSuccess.Equal(start) || !st.LastPoll.Equal(start) || !st.LastChange.Equal(start) {
		t.Errorf("dates %+v", st)
	}
	if want := start.Add(-2 * time.Hour); !st.LastItem.Equal(want) {
		t.Errorf("newest item %s, want %s", st.LastItem, want)
	}
	if res.Bytes != int64(len(doc)) {
		t.Errorf("%d bytes, want %d", res.Bytes, len(doc))
	}
	clk.advance(time.Hour)
	st = check(t, c, feedAt(s.URL), st, NotModified, "").State
	if !st.FirstSuccess.Equal(start) || !st.LastChange.Equal(start) || !st.LastSuccess.Equal(start.Add(time.Hour)) {
		t.Errorf("dates %+v", st)
	}
}

func TestGoneRetires(t *testing.T) {
	c, clk := newClient(t, Options{})
	s := newSite(t, "127.0.0.1", answers(410))
	st := check(t, c, feedAt(s.URL), State{}, Failed, ReasonGone).State
	if !st.Retired {
		t.Fatal("410 did not retire the feed")
	}
	s.taken()
	clk.advance(24 * time.Hour)
	st = check(t, c, feedAt(s.URL), st, Failed, ReasonGone).State
	if n := len(s.taken()); n != 0 {
		t.Errorf("a retired feed was asked %d times", n)
	}
	if got := st.NextCheck.Sub(clk.Now()); got != 24*time.Hour {
		t.Errorf("looked at again after %s", got)
	}
	s.serve(sends(rss("a")))
	st = check(t, c, feedAt(s.URL+"/new"), st, Fetched, "").State
	if st.Retired {
		t.Error("another URL did not bring the feed back")
	}
}

func TestQuarantine(t *testing.T) {
	c, clk := newClient(t, Options{})
	s := newSite(t, "127.0.0.1", sends(rss("killer")))
	marked := 0
	poll := func(st State) Result {
		t.Helper()
		res, _ := c.Fetch(t.Context(), feedAt(s.URL), st, func(_ context.Context, parsing bool) error {
			if parsing {
				marked++
			}
			return nil
		})
		return res
	}
	for deaths := 1; deaths <= 2; deaths++ {
		marked = 0
		if res := poll(State{Poisoned: deaths}); res.Outcome != Fetched || marked != 1 || res.State.Poisoned != 0 {
			t.Fatalf("after %d deaths: %s, %d marks, %+v", deaths, res.Outcome, marked, res.State)
		}
	}
	marked = 0
	res := poll(State{Poisoned: 3})
	if res.Outcome != Failed || res.State.Reason != ReasonHostile || marked != 0 {
		t.Fatalf("after three deaths: %s %s, %d marks", res.Outcome, res.State.Reason, marked)
	}
	if wait := res.State.NextCheck.Sub(clk.Now()); wait < time.Hour {
		t.Errorf("asked again after %s", wait)
	}
	in := res.State

	clk.advance(23 * time.Hour)
	if res := poll(in); res.Outcome != Failed || marked != 0 {
		t.Errorf("the same document 23 hours later: %s, %d marks", res.Outcome, marked)
	}
	s.serve(sends(rss("harmless")))
	if res := poll(in); res.Outcome != Fetched || res.State.Poisoned != 0 || res.State.Suspect != (Suspect{}) {
		t.Errorf("another document: %s, %+v", res.Outcome, res.State)
	}
	s.serve(sends(rss("killer")))
	clk.advance(time.Hour)
	marked = 0
	if res := poll(in); res.Outcome != Fetched || marked != 1 {
		t.Errorf("the same document a day later: %s, %d marks", res.Outcome, marked)
	}
	// It killed the process then: the state was not recorded, the count is up.
	again := in
	again.Poisoned = 4
	if res := poll(again); res.Outcome != Failed || !res.State.Suspect.Since.Equal(clk.Now()) {
		t.Errorf("after the fourth death: %s, %+v", res.Outcome, res.State.Suspect)
	}
}

func TestMark(t *testing.T) {
	c, _ := newClient(t, Options{})
	s := newSite(t, "127.0.0.1", sends(rss("a")))
	lost := errors.New("lease lost")
	st := State{FeedID: "f", Failures: 3}
	res, err := c.Fetch(t.Context(), feedAt(s.URL), st, func(context.Context, bool) error { return lost })
	if !errors.Is(err, lost) {
		t.Errorf("got %v, want the mark's error", err)
	}
	if _, ok := errors.AsType[*Error](err); ok {
		t.Error("the feed is blamed for a mark that failed")
	}
	if !reflect.DeepEqual(res.State, st) {
		t.Errorf("the state changed: %+v", res.State)
	}
}

func TestContextEnds(t *testing.T) {
	c, _ := newClient(t, Options{})
	block := make(chan struct{})
	arrived := make(chan struct{})
	s := newSite(t, "127.0.0.1", func(http.ResponseWriter, *http.Request) { close(arrived); <-block })
	defer close(block)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	st := State{FeedID: "f", Failures: 3}
	res, err := c.Fetch(ctx, feedAt(s.URL), st, nil)
	if !errors.Is(err, context.Canceled) || !reflect.DeepEqual(res.State, st) {
		t.Errorf("got %v and %+v", err, res.State)
	}
	if _, ok := errors.AsType[*Error](err); ok {
		t.Error("the feed is blamed for our stopping")
	}
}

type panics struct{}

func (panics) RoundTrip(*http.Request) (*http.Response, error) { panic("a bug\nin two lines") }

func TestPanicIsOneFailedPoll(t *testing.T) {
	c, _ := newClient(t, Options{Transport: panics{}})
	for range 3 { // more than there are turns at the host
		st := check(t, c, feedAt("http://example.org/"), State{}, Failed, ReasonPanic).State
		if strings.Contains(st.LastError, "\n") || st.Failures != 1 {
			t.Errorf("state %+v", st)
		}
	}
	_, err := c.Article(t.Context(), "http://example.org/")
	if fe, ok := errors.AsType[*Error](err); !ok || fe.Reason != ReasonPanic {
		t.Errorf("an article's panic: %v", err)
	}
}

func TestBadURLs(t *testing.T) {
	c, _ := newClient(t, Options{})
	for _, u := range []string{
		"", "example.org/feed", "ftp://example.org/feed", "file:///etc/passwd", "http://", "http:///feed", "javascript:alert(1)",
		"http://example.org:bad/", "http://us er@example.org/", "http://[::1/", "http://exa mple.org/", "http://example.org/%zz",
		"http://user:pa/ss@example.org/", "gopher://127.0.0.1:25/", "http://example.org/" + strings.Repeat("a", maxURLBytes),
		"http://\x00example.org/", "//example.org/",
	} {
		res, err := c.Fetch(t.Context(), feed.Feed{ID: "f", URL: u}, State{}, nil)
		if res.State.Reason != ReasonConfig {
			t.Errorf("%.60q: got %q (%v)", u, res.State.Reason, err)
		}
		if err != nil && strings.Contains(err.Error(), "pa") && strings.Contains(u, "pa/ss") && strings.Contains(err.Error(), "ss@") {
			t.Errorf("%q: the error shows the password: %v", u, err)
		}
	}
}

// TestADocumentThatBreaksOffIsTold: its whole items are read, and the state says that
// there may have been more, until a document has its end.
func TestADocumentThatBreaksOffIsTold(t *testing.T) {
	whole := rss("a", "b")
	s := newSite(t, "127.0.0.1", sends(whole[:strings.LastIndex(whole, "</guid>")]))
	c, _ := newClient(t, Options{})
	res := check(t, c, feedAt(s.URL), State{}, Fetched, "")
	if len(res.Items) != 1 || !res.State.Truncated {
		t.Errorf("%d items, broken off: %v", len(res.Items), res.State.Truncated)
	}
	s.serve(sends(whole))
	if res = check(t, c, feedAt(s.URL), res.State, Fetched, ""); len(res.Items) != 2 || res.State.Truncated {
		t.Errorf("%d items, broken off: %v", len(res.Items), res.State.Truncated)
	}
}
