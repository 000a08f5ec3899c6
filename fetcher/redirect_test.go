package fetcher

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/newswatch/newswatch/feed"
)

// routes answers each path by its own handler, any other with 404.
func routes(m map[string]http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if h := m[r.URL.Path]; h != nil {
			h(w, r)
			return
		}
		http.NotFound(w, r)
	}
}

func to(status int, location string) http.HandlerFunc {
	return answers(status, "Location: "+location)
}

func TestRedirects(t *testing.T) {
	document := sends(rss("a"))
	long := map[string]http.HandlerFunc{"/11": document, "/10": document}
	for i := range 10 {
		long[fmt.Sprintf("/%d", i)] = to(302, fmt.Sprintf("/%d", i+1))
	}
	elevenLong := map[string]http.HandlerFunc{"/11": document}
	for i := range 11 {
		elevenLong[fmt.Sprintf("/%d", i)] = to(302, fmt.Sprintf("/%d", i+1))
	}
	for _, tt := range []struct {
		name   string
		routes map[string]http.HandlerFunc
		reason Reason // empty when the feed must be read
		moved  string // the path that is noted as lasting
	}{
		{"301 lasts (RFC 9110 §15.4.2)", map[string]http.HandlerFunc{"/0": to(301, "/x"), "/x": document}, "", "/x"},
		{"308 lasts (RFC 9110 §15.4.9)", map[string]http.HandlerFunc{"/0": to(308, "/x"), "/x": document}, "", "/x"},
		{"302 does not (RFC 9110 §15.4.3)", map[string]http.HandlerFunc{"/0": to(302, "/x"), "/x": document}, "", ""},
		{"303 does not (RFC 9110 §15.4.4)", map[string]http.HandlerFunc{"/0": to(303, "/x"), "/x": document}, "", ""},
		{"307 does not (RFC 9110 §15.4.8)", map[string]http.HandlerFunc{"/0": to(307, "/x"), "/x": document}, "", ""},
		{"a chain that lasts throughout", map[string]http.HandlerFunc{"/0": to(301, "/1"), "/1": to(308, "/x"), "/x": document}, "", "/x"},
		{"a chain with one hop that does not", map[string]http.HandlerFunc{"/0": to(301, "/1"), "/1": to(302, "/x"), "/x": document}, "", ""},
		{"a chain that begins with one that does not", map[string]http.HandlerFunc{"/0": to(302, "/1"), "/1": to(301, "/x"), "/x": document}, "", ""},
		{"the fragment is ours to drop (RFC 9110 §10.2.2)", map[string]http.HandlerFunc{"/0": to(301, "/x#top"), "/x": document}, "", "/x"},
		{"the query is kept", map[string]http.HandlerFunc{"/0": to(301, "/x?a=b"), "/x": document}, "", "/x?a=b"},
		{"ten are followed", long, "", ""},
		{"eleven are not", elevenLong, ReasonRedirect, ""},
		{"a circle of one", map[string]http.HandlerFunc{"/0": to(302, "/0")}, ReasonRedirect, ""},
		{"a circle of two", map[string]http.HandlerFunc{"/0": to(302, "/1"), "/1": to(302, "/0")}, ReasonRedirect, ""},
		{"no Location", map[string]http.HandlerFunc{"/0": answers(302)}, ReasonRedirect, ""},
		{"a Location that is no address", map[string]http.HandlerFunc{"/0": to(302, "http://[::1")}, ReasonRedirect, ""},
		{"to a file", map[string]http.HandlerFunc{"/0": to(301, "file:///etc/passwd")}, ReasonRedirect, ""},
		{"to a script", map[string]http.HandlerFunc{"/0": to(301, "javascript:alert(1)")}, ReasonRedirect, ""},
		{"to another protocol", map[string]http.HandlerFunc{"/0": to(301, "gopher://127.0.0.1:25/")}, ReasonRedirect, ""},
		{"to no host", map[string]http.HandlerFunc{"/0": to(301, "http:///x")}, ReasonRedirect, ""},
		{"to an endless address", map[string]http.HandlerFunc{"/0": to(301, "/"+strings.Repeat("x", maxURLBytes))}, ReasonRedirect, ""},
		{"to a private address", map[string]http.HandlerFunc{"/0": to(301, "http://10.0.0.1/")}, ReasonRefused, ""},
		{"to the metadata of a cloud", map[string]http.HandlerFunc{"/0": to(301, "http://169.254.169.254/latest/")}, ReasonRefused, ""},
		{"to IPv6 loopback", map[string]http.HandlerFunc{"/0": to(301, "http://[::1]/")}, ReasonRefused, ""},
		{"300 offers a choice, which nobody makes (RFC 9110 §15.4.1)", map[string]http.HandlerFunc{"/0": to(300, "/x"), "/x": document}, ReasonServer, ""},
		{"305 is not followed (RFC 9110 §15.4.6)", map[string]http.HandlerFunc{"/0": to(305, "/x"), "/x": document}, ReasonServer, ""},
		{"to a document that is no feed", map[string]http.HandlerFunc{"/0": to(301, "/x"), "/x": sends("<html>Please log in</html>")}, ReasonNotAFeed, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := newClient(t, Options{})
			s := newSite(t, "127.0.0.1", routes(tt.routes))
			outcome := Fetched
			if tt.reason != "" {
				outcome = Failed
			}
			st := check(t, c, feedAt(s.URL+"/0"), State{}, outcome, tt.reason).State
			want := tt.moved
			if want != "" {
				want = s.URL + want
			}
			if st.MovedTo != want || st.URL != "" {
				t.Errorf("moved to %q, learned %q; want %q and nothing learned yet", st.MovedTo, st.URL, want)
			}
		})
	}
}

// TestLearnedRedirect follows one feed as its server moves it about.
func TestLearnedRedirect(t *testing.T) {
	c, clk := newClient(t, Options{})
	s := newSite(t, "127.0.0.1", nil)
	moved := routes(map[string]http.HandlerFunc{"/old": to(301, "/new"), "/new": sends(rss("a"), `ETag: "n"`)})
	f := feedAt(s.URL + "/old")
	poll := func(st State, h http.HandlerFunc, outcome Outcome, reason Reason, paths string) State {
		t.Helper()
		clk.advance(time.Hour)
		s.serve(h)
		st = check(t, c, f, st, outcome, reason).State
		var got []string
		for _, r := range s.taken() {
			got = append(got, r.URL.Path)
		}
		if strings.Join(got, " ") != paths {
			t.Fatalf("asked for %q, want %q", got, paths)
		}
		return st
	}
	first := poll(State{}, moved, Fetched, "", "/old /new")
	if first.URL != "" {
		t.Error("a redirect was learned that was seen once")
	}
	if st := poll(first, sends(rss("b")), Fetched, "", "/old"); st.MovedTo != "" {
		t.Error("a redirect that was taken back is still noted")
	}
	if st := poll(first, routes(map[string]http.HandlerFunc{"/old": to(301, "/other"), "/other": sends(rss("a"))}), NotModified, "", "/old /other"); st.URL != "" {
		t.Error("two different redirects were taken for one that lasts")
	}
	learned := poll(first, moved, NotModified, "", "/old /new")
	if learned.URL != s.URL+"/new" || learned.ETag != `"n"` {
		t.Fatalf("not learned after two polls: %+v", learned)
	}
	poll(learned, moved, NotModified, "", "/new")

	// The learned URL is gone: the configured one is asked in the same poll.
	for _, status := range []int{404, 410} {
		back := poll(learned, routes(map[string]http.HandlerFunc{"/old": sends(rss("a", "b")), "/new": answers(status)}), Fetched, "", "/new /old")
		if back.URL != "" || back.Retired {
			t.Errorf("%d at the learned url: %+v", status, back)
		}
	}
	gone := poll(learned, routes(map[string]http.HandlerFunc{"/new": answers(404)}), Failed, ReasonNotFound, "/new /old")
	if gone.URL != "" {
		t.Error("a learned url that is not found is kept")
	}
	// Both gone: the configured URL decides.
	if st := poll(learned, answers(410), Failed, ReasonGone, "/new /old"); !st.Retired {
		t.Error("410 at the configured url did not retire the feed")
	}
	// Other failures may pass; after some the learned URL is not trusted.
	st := learned
	for range distrustMoveAfter {
		st = poll(st, answers(500), Failed, ReasonServer, "/new")
	}
	poll(st, moved, NotModified, "", "/old /new")

	// Sent back to where the operator said.
	back := poll(learned, routes(map[string]http.HandlerFunc{"/new": to(301, "/old"), "/old": sends(rss("a"))}), NotModified, "", "/new /old")
	if back.URL != "" {
		t.Errorf("sent back, but %q is asked next", back.URL)
	}
	// The operator writes another URL.
	f = feedAt(s.URL + "/elsewhere")
	if st := poll(learned, sends(rss("a")), Fetched, "", "/elsewhere"); st.URL != "" {
		t.Error("the learned url outlived the configured one")
	}
}

func TestGoneBehindARedirectThatDoesNotLast(t *testing.T) {
	c, _ := newClient(t, Options{})
	s := newSite(t, "127.0.0.1", routes(map[string]http.HandlerFunc{"/a": to(302, "/b"), "/b": answers(410), "/c": to(301, "/b")}))
	if st := check(t, c, feedAt(s.URL+"/a"), State{}, Failed, ReasonGone).State; st.Retired {
		t.Error("410 at the end of a 302 retired the feed")
	}
	if st := check(t, c, feedAt(s.URL+"/c"), State{}, Failed, ReasonGone).State; !st.Retired {
		t.Error("410 at the end of a 301 did not retire the feed")
	}
}

// TestValidatorsStayWhereTheyCameFrom: an ETag goes to the URL that sent it only.
func TestValidatorsStayWhereTheyCameFrom(t *testing.T) {
	c, _ := newClient(t, Options{})
	other := newSite(t, "127.0.0.2", sends(rss("a"), `ETag: "other"`))
	s := newSite(t, "127.0.0.1", to(302, other.URL+"/"))
	st := check(t, c, feedAt(s.URL), State{}, Fetched, "").State
	s.taken()
	other.taken()
	other.serve(answers(304))
	check(t, c, feedAt(s.URL), st, NotModified, "")
	if got := s.taken()[0].Header.Get("If-None-Match"); got != "" {
		t.Errorf("%s went to the server that redirects", got)
	}
	if got := other.taken()[0].Header.Get("If-None-Match"); got != `"other"` {
		t.Errorf("the server of the document got %q", got)
	}
}

// TestCredentials: user info in the configured URL goes to its origin alone.
func TestCredentials(t *testing.T) {
	const none, ours = ":", "me:pa ss"
	var got []string
	document := func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		got = append(got, user+":"+password)
		sends(rss("a"))(w, r)
	}
	s := newSite(t, "127.0.0.1", nil)
	otherPort := newSite(t, "127.0.0.1", document)
	otherHost := newSite(t, "127.0.0.2", document)
	for _, tt := range []struct {
		name string
		to   string
		want string // what the end of the redirect gets
	}{
		{"the same origin", s.URL + "/feed", ours},
		{"another host", otherHost.URL + "/feed", none},
		{"another port", otherPort.URL + "/feed", none},
		{"credentials in the redirect", strings.Replace(otherHost.URL, "http://", "http://evil:evil@", 1) + "/feed", none},
		{"credentials in a redirect to the same origin", strings.Replace(s.URL, "http://", "http://evil:evil@", 1) + "/feed", ours},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := newClient(t, Options{})
			got = nil
			s.serve(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/feed" {
					document(w, r)
					return
				}
				if user, password, _ := r.BasicAuth(); user+":"+password != ours {
					t.Errorf("the configured url got %q %q", user, password)
				}
				http.Redirect(w, r, tt.to, http.StatusMovedPermanently)
			})
			f := feedAt(strings.Replace(s.URL, "http://", "http://me:pa%20ss@", 1) + "/private")
			st := check(t, c, f, State{}, Fetched, "").State
			if len(got) != 1 || got[0] != tt.want {
				t.Errorf("the end of the redirect got %q, want %q", got, tt.want)
			}
			if all := fmt.Sprintf("%+v", st); strings.Contains(all, "pa ss") || strings.Contains(all, "pa%20ss") || strings.Contains(all, "evil") {
				t.Errorf("the state holds credentials: %s", all)
			}
		})
	}
}

// TestNoSecretsInErrors: what an error says ends up in logs and on pages.
func TestNoSecretsInErrors(t *testing.T) {
	c, _ := newClient(t, Options{})
	s := newSite(t, "127.0.0.1", nil)
	secret := strings.Replace(s.URL, "http://", "http://user:hunter2@", 1) + "/path-hunter2?token=hunter2#hunter2"
	handlers := map[string]http.HandlerFunc{
		"403":      answers(403),
		"500":      answers(500),
		"redirect": to(302, "ftp://user:hunter2@example.org/hunter2"),
		"circle":   func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.String(), http.StatusFound) },
		"refused":  to(302, "http://user:hunter2@10.0.0.1/hunter2?hunter2"),
		"closed":   to(302, "http://user:hunter2@127.0.0.77:1024/hunter2?hunter2"),
		"no feed":  sends("<html></html>"),
		"hang up":  func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"no URL":   to(302, "http://user:hunter2@[hunter2"),
		"coding":   sends("x", "Content-Encoding: gzip"),
	}
	for name, h := range handlers {
		s.serve(h)
		_, err := c.Fetch(t.Context(), feed.Feed{ID: "f", URL: secret}, State{}, nil)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
		t.Logf("%s: %v", name, err)
	}
}

// TestCircleIsSeenAtOnce: it is not walked until redirects run out.
func TestCircleIsSeenAtOnce(t *testing.T) {
	c, _ := newClient(t, Options{})
	s := newSite(t, "127.0.0.1", to(302, "/0"))
	check(t, c, feedAt(s.URL+"/0"), State{}, Failed, ReasonRedirect)
	if n := len(s.taken()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// TestTimeoutIsForTheWholeWay: ten slow redirects do not get ten timeouts.
func TestTimeoutIsForTheWholeWay(t *testing.T) {
	c, _ := newClient(t, Options{Timeout: 400 * time.Millisecond})
	var n atomic.Int64
	s := newSite(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(150 * time.Millisecond):
		case <-r.Context().Done():
		}
		http.Redirect(w, r, fmt.Sprintf("/%d", n.Add(1)), http.StatusFound)
	})
	check(t, c, feedAt(s.URL), State{}, Failed, ReasonTimeout)
}

// TestDowngrade: https to http is followed and never learned.
func TestDowngrade(t *testing.T) {
	plain := newSite(t, "127.0.0.1", sends(rss("a")))
	secure := httptest.NewTLSServer(http.RedirectHandler(plain.URL+"/feed", http.StatusMovedPermanently))
	t.Cleanup(secure.Close)
	c, _ := newClient(t, Options{Transport: trusting(t, secure)})
	st := State{}
	for range 3 {
		st = check(t, c, feedAt(secure.URL), st, map[bool]Outcome{true: Fetched, false: NotModified}[st.FirstSuccess.IsZero()], "").State
	}
	if st.URL != "" || st.MovedTo != "" {
		t.Errorf("a redirect from https to http was learned: %+v", st)
	}
}
