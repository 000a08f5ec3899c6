package web

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/classifier"
)

// TestFeedsServed: a rule, a tag and a search have their feeds in both forms.
func TestFeedsServed(t *testing.T) {
	m, st := kept()
	m.reports = append(m.reports, report(9, time.Minute, "Example Express", "en", "Meera (14) rescued in Kochi", "The girl, [Meera] Das, is safe."))
	reserved := report(10, time.Minute, "Example Express", "en", "Unshown raid in Kochi", "An unshown [sentence].")
	reserved.Rules[0].Show = classifier.ShowLink
	m.reports = append(m.reports, reserved)
	s := serverOf(m, st)
	for target, want := range map[string]struct {
		status int
		holds  string
	}{
		"/feeds/operation-p-hunt.atom":           {200, "<title>newswatch: Operation P-Hunt</title>"},
		"/feeds/operation-p-hunt.json":           {200, `"title": "newswatch: Operation P-Hunt"`},
		"/feeds/cyberdome.atom":                  {200, "<title>newswatch: Cyberdome</title>"},
		"/feeds/tag/kerala.atom":                 {200, "newswatch: kerala"},
		"/feeds.atom?words=kerala&lang=en":       {200, "newswatch: en, kerala"},
		"/feeds.json":                            {200, "newswatch: all reports"},
		"/feeds.atom?since=never":                {400, "not a date"},
		"/feeds/no-such-rule.atom":               {404, "There is no such feed"},
		"/feeds/operation-p-hunt.rss":            {404, "There is no such feed"},
		"/feeds/operation-p-hunt":                {404, "There is no such feed"},
		"/feeds/..%2f..%2fetc%2fpasswd.atom":     {404, "There is no such feed"},
		"/feeds/tag/.atom":                       {404, "There is no such feed"},
		"/feeds/operation-p-hunt.atom?severity=": {200, "Operation P-Hunt"},
	} {
		w := ask(s, "GET", target)
		if w.Code != want.status || !strings.Contains(w.Body.String(), want.holds) {
			t.Errorf("%s: %d, want %d with %q\n%s", target, w.Code, want.status, want.holds, w.Body)
		}
		if strings.Contains(w.Body.String(), "Meera") {
			t.Errorf("%s names a child", target)
		}
		if strings.Contains(strings.ToLower(w.Body.String()), "unshown") {
			t.Errorf("%s shows what the rule keeps back", target)
		}
	}
	w := ask(s, "GET", "/feeds.atom")
	if again := ask(s, "GET", "/feeds.atom", "If-None-Match", w.Header().Get("ETag")); again.Code != 304 || again.Body.Len() > 0 {
		t.Errorf("unchanged: %d", again.Code)
	}
	m.reports = m.reports[1:]
	if again := ask(s, "GET", "/feeds.atom", "If-None-Match", w.Header().Get("ETag")); again.Code != 200 {
		t.Errorf("after a purge: %d", again.Code)
	}
}

// TestFeedHost: the name by which a stranger asks does not get into a feed.
func TestFeedHost(t *testing.T) {
	m, st := kept()
	for host, self := range map[string]string{
		"localhost:8080": "http://localhost:8080/feeds.atom", "evil.example": "", "evil.example\" x=\"": "",
	} {
		s := serverOf(m, st, func(o *Options) { o.AdminToken = token })
		body := ask(s, "GET", "/feeds.atom", "Host", host, "Authorization", "Bearer "+token).Body.String()
		if strings.Contains(body, "evil") || strings.Contains(body, `rel="self"`) != (self != "") || !strings.Contains(body, self) {
			t.Errorf("%s:\n%s", host, body)
		}
	}
	public := serverOf(m, st, func(o *Options) { o.AdminToken, o.PublicURL = token, "https://watch.example/desk" })
	if body := ask(public, "GET", "/feeds.atom?lang=en", "Host", "evil.example", "Authorization", "Bearer "+token).Body.String(); !strings.Contains(body, `href="https://watch.example/desk/feeds.atom?lang=en"`) {
		t.Errorf("%s", body)
	}
}

// TestFeedKeys: a key opens its own feed and nothing else, and dies with the
// token.
func TestFeedKeys(t *testing.T) {
	m, st := kept()
	of := func(token string) *Server {
		return serverOf(m, st, func(o *Options) { o.Loopback, o.AdminToken = false, token })
	}
	s := of(token)
	link := func(path string, params url.Values) string { return "/" + s.feedLinks(path, params)[0].Href }
	rule, search := link("feeds/operation-p-hunt", nil), link("feeds", url.Values{"lang": {"ml"}})
	_, key, _ := strings.Cut(rule, "?")
	if len(key) < len("key=")+22 || strings.Contains(rule, token) {
		t.Fatalf("the key is %q", key)
	}
	for target, want := range map[string]int{
		rule: 200, search: 200,
		rule + "&evil=x":                      200, // what selects nothing changes nothing
		"/feeds/operation-p-hunt.atom":        401,
		rule[:len(rule)-1]:                    401,
		"/feeds/operation-p-hunt.json?" + key: 401,
		"/feeds/cyberdome.atom?" + key:        401,
		"/feeds.atom?" + key:                  401,
		search + "&rule=cyberdome":            401,
		"/feeds?" + key:                       401,
		"/?" + key:                            401,
		"/api/v1/hits?" + key:                 401,
		"/feeds/operation-p-hunt.atom?key=":   401,
	} {
		if w := ask(s, "GET", target); w.Code != want {
			t.Errorf("%s: %d, want %d", target, w.Code, want)
		}
	}
	if w := ask(of("another token of an operator"), "GET", rule); w.Code != 401 {
		t.Errorf("a new token leaves the key alive: %d", w.Code)
	}
	if w := ask(serverOf(m, st, func(o *Options) { o.Loopback = false }), "GET", "/feeds.atom?key="); w.Code != 403 {
		t.Errorf("without a token, an empty key: %d", w.Code)
	}
	if w := ask(s, "POST", rule); w.Code != 405 {
		t.Errorf("a key that writes: %d", w.Code)
	}
}

// TestFeedXSS: no feed carries markup of a publisher's, or a type that a browser
// would run.
func TestFeedXSS(t *testing.T) {
	for _, evil := range []string{"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "]]><x/>", "javascript:alert(1)"} {
		m, st := poisoned(evil)
		st.Rules[0].ID = "evil"
		for i := range m.reports {
			m.reports[i].Rules[0].Severity = classifier.High
		}
		s := serverOf(m, st)
		for _, target := range []string{"/feeds.atom", "/feeds.json", "/feeds.atom?words=" + url.QueryEscape("")} {
			w := ask(s, "GET", target)
			body := w.Body.String()
			if strings.Contains(body, "<script") || strings.Contains(body, "<img") || strings.Contains(body, "]]><x") || strings.Contains(body, `href="javascript:`) {
				t.Errorf("%s:\n%s", target, body)
			}
			if ct := w.Header().Get("Content-Type"); strings.Contains(ct, "html") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s is %s", target, ct)
			}
		}
	}
}
