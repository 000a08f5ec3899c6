package web

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/web/desk"
)

// vectors are texts that have made pages of other programs run something. The
// classes are those of OWASP's cheat sheet: elements, handlers, attribute and
// comment breakouts, schemes, encodings, template syntax, mutation.
var vectors = []string{
	`<script>alert(1)</script>`,
	`<SCRIPT SRC=//evil.example/x.js></SCRIPT>`,
	`<scr<script>ipt>alert(1)</scr</script>ipt>`,
	`<img src=x onerror=alert(1)>`,
	`<svg/onload=alert(1)>`,
	`<svg><script>alert&#40;1)</script></svg>`,
	`<body onload=alert(1)>`,
	`<iframe src="javascript:alert(1)"></iframe>`,
	`<iframe srcdoc="<script>alert(1)</script>">`,
	`<a href="javascript:alert(1)">x</a>`,
	`<math><mtext></mtext><mglyph><style></math><img src onerror=alert(1)>`,
	`<object data="data:text/html,<script>alert(1)</script>">`,
	`<embed src="//evil.example/x.swf">`,
	`<form action="//evil.example"><input name=a>`,
	`<meta http-equiv="refresh" content="0;url=//evil.example">`,
	`<link rel=stylesheet href="//evil.example/x.css">`,
	`<base href="//evil.example/">`,
	`<style>@import '//evil.example/x.css';</style>`,
	`<details open ontoggle=alert(1)>`,
	`<video><source onerror=alert(1)></video>`,
	`<input autofocus onfocus=alert(1)>`,
	`"><script>alert(1)</script>`,
	`'><script>alert(1)</script>`,
	`" onmouseover="alert(1)`,
	`' onmouseover='alert(1)`,
	"` onmouseover=`alert(1)",
	` onmouseover=alert(1) x=`,
	`</title><script>alert(1)</script>`,
	`</textarea><script>alert(1)</script>`,
	`</mark></p></main><script>alert(1)</script>`,
	`--><script>alert(1)</script>`,
	`<!--<img src="--><img src=x onerror=alert(1)//">`,
	`]]><script>alert(1)</script>`,
	`<![CDATA[<script>alert(1)</script>]]>`,
	`<noscript><p title="</noscript><img src=x onerror=alert(1)>">`,
	`<template><script>alert(1)</script></template>`,
	`&lt;script&gt;alert(1)&lt;/script&gt;`,
	`&#60;script&#62;alert(1)&#60;/script&#62;`,
	`\u003cscript\u003ealert(1)\u003c/script\u003e`,
	`+ADw-script+AD4-alert(1)+ADw-/script+AD4-`,
	`{{.Root}}{{template "layout"}}`,
	`${alert(1)} {{constructor.constructor('alert(1)')()}}`,
	`javascript:alert(1)`,
	"jav\tascript:alert(1)",
	"java\x00script:alert(1)",
	` javascript:alert(1)`,
	`JaVaScRiPt:alert(1)`,
	`data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==`,
	`vbscript:msgbox(1)`,
	`file:///etc/passwd`,
	`//evil.example/x`,
	`https://bank.example@evil.example/`,
	`http:javascript:alert(1)`,
	`https://evil.example/"onmouseover="alert(1)`,
	`https://evil.example/'><script>alert(1)</script>`,
	"https://evil.example/\r\nSet-Cookie: a=b",
	"<script\x00>alert(1)</script>",
	"<\x00script>alert(1)</script>",
	"\xff\xfe<script>alert(1)</script>\xc0\xaf",
	"\u202e<script>alert(1)</script>\u2066",
	"\u2028\u2029<script>alert(1)</script>",
	"＜script＞alert(1)＜/script＞",
	strings.Repeat("<b>", 100),
}

// TestStoredXSS puts each vector into every text that comes from outside or from
// a file, and reads the pages as a browser would: every element and attribute is
// one that the templates hold, every link goes where a link may.
func TestStoredXSS(t *testing.T) {
	if len(vectors) < 30 {
		t.Fatal("vectors are missing")
	}
	// Each vector comes out of the store, and through the address as a link from
	// elsewhere would bring it.
	targets := func(v string) []string {
		q := url.QueryEscape(v)
		return []string{
			"/", "/stories", "/feeds", "/rules", "/subscribers", "/preview?subscriber=" + q, "/deliveries?done=" + q, "/settings", "/notices",
			"/stories?words=" + q + "&rule=" + q + "&feed=" + q,
			"/stories?quiet=1&since=" + q + "&until=" + q + "&before=" + q,
			"/notices?before=" + q,
			"/feeds?grade=" + q + "&words=" + q + "&after=hard." + q,
			"/feeds?grade=hard&words=" + q,
			"/feeds?after=" + q,
			"/nothing/" + url.PathEscape(v),
		}
	}
	shapes := func(v string) []map[string]bool {
		m, st := poisoned(v)
		s := serverOf(m, st, faulty)
		var out []map[string]bool
		for _, target := range targets(v) {
			out = append(out, shape(t, ask(s, "GET", target).Body.String()))
		}
		return out
	}
	harmless := shapes("A harmless text.")
	// A vector may be a link or a language, or have something to mark.
	for _, more := range []string{"a", "a rel", "a href", "a dir", "mark", "h3 lang", "p lang", "a lang"} {
		for _, allowed := range harmless {
			allowed[more] = true
		}
	}
	for _, v := range vectors {
		for i, got := range shapes(v) {
			for what := range got {
				if !harmless[i][what] {
					t.Errorf("%s: %q makes a <%s>", targets("V")[i], v, what)
				}
			}
		}
	}
}

// TestTextIsShownAsWritten: escaping keeps the words, it does not eat them.
func TestTextIsShownAsWritten(t *testing.T) {
	const title = `He said "<b>AT&T</b>" & left`
	m, st := poisoned(title)
	doc, err := html.Parse(ask(serverOf(m, st), "GET", "/stories").Body)
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.Data != "h3" {
			continue
		}
		var words strings.Builder
		for c := range n.Descendants() {
			if c.Type == html.TextNode {
				words.WriteString(c.Data)
			}
		}
		if words.String() == title {
			return
		}
	}
	t.Errorf("no headline reads %s", title)
}

// faulty makes everything that has a text of its own show it.
func faulty(o *Options) {
	st := o.Status()
	o.Silent = func(s fetcher.State, _ time.Time) string {
		if s.FeedID == "sleepy" {
			return st.Warnings[0]
		}
		return ""
	}
}

// poisoned is a daemon in which every text is v.
func poisoned(v string) (*memory, desk.Status) {
	when := noon.Add(-time.Hour)
	hit := func(n int, title string) classifier.Hit {
		h := report(n, time.Hour, v, v, title, v)
		h.Item.Link, h.Item.Outlet, h.Item.Summary, h.Item.FeedID = v, v, v, v
		h.Story = "s"
		ex := classifier.Excerpt{Text: v, Marks: [][2]int{{0, min(3, len(v))}, {1, 2}, {-1, 4}, {5, 1 << 30}}}
		h.Rules = []classifier.RuleMatch{{Rule: v, Name: v, Severity: classifier.Critical, Excerpt: ex}, {Rule: "empty"}}
		return h
	}
	other := hit(2, "Another title.")
	other.Item.Outlet = "Another " + v
	m := &memory{
		states: []fetcher.State{
			{FeedID: "failing", Failures: 5, Reason: fetcher.Reason(v), LastError: v, Title: v, NextCheck: when, Health: fetcher.Health{Grade: fetcher.Hard}},
			{FeedID: "sleepy", Title: v, LastSuccess: when, Health: fetcher.Health{Grade: fetcher.Silent}},
			{FeedID: v, Title: v, LastSuccess: when},
		},
		reports:   []classifier.Hit{hit(1, v), other},
		standings: []store.Standing{{Subscriber: v, Pending: v, Attempts: 2, LastError: v, Next: when}},
		letters:   []notify.DeadLetter{{Digest: notify.Digest{ID: v, Subscriber: v}, Reason: v, Attempts: 3, Buried: when}},
		sent:      []notify.Delivery{{Digest: v, Subscriber: v, Attempts: 3, Accepted: when}},
		notices: []notify.Notice{
			{ID: v, Seq: 1, At: when, Kind: notify.NoticeKind(v), Subject: v, Text: v}, {ID: v, Seq: 2, At: when, Kind: notify.SourceLost, Subject: "unknown " + v, Text: v},
		},
	}
	st := desk.Status{
		Version: v, Started: when, Ready: false, Reasons: []string{v}, Ruleset: v,
		ConfigPath: v, LastReload: desk.Reload{At: when, Error: v},
		Rules:     []desk.Rule{{ID: v, Name: v}, {ID: "quiet", Name: v}},
		Feeds:     map[string]feed.Feed{"failing": {Name: v, Lang: v}, "sleepy": {}, v: {Name: v, Lang: v}},
		Schedules: map[string]string{v: v},
		Warnings:  []string{v},
	}
	return m, st
}

// shape is the set of elements and attributes of a page. Links that lead where
// none may are a fault in themselves.
func shape(t *testing.T, page string) map[string]bool {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for n := range doc.Descendants() {
		if n.Type == html.CommentNode {
			t.Errorf("a comment: %s", n.Data)
		}
		if n.Type != html.ElementNode {
			continue
		}
		out[n.Data] = true
		for _, a := range n.Attr {
			out[n.Data+" "+a.Key] = true
			if a.Key == "href" {
				goodLink(t, n, a.Val)
			}
		}
	}
	return out
}

// goodLink checks that a link stays on these pages, or is http or https and gives
// the other side nothing.
func goodLink(t *testing.T, n *html.Node, href string) {
	t.Helper()
	if strings.HasPrefix(href, "http://") || strings.HasPrefix(href, "https://") {
		u, err := url.Parse(href)
		if err != nil || u.User != nil {
			t.Errorf("a link to %q", href)
		}
		if n.Data != "a" || attrs(n)["rel"] != "noreferrer noopener nofollow" {
			t.Errorf("<%s href=%q> has rel %q", n.Data, href, attrs(n)["rel"])
		}
		return
	}
	for _, own := range []string{"./", "../", "stories", "feeds", "preview?", "purge?", "subscribers", "deliveries", "notices", "settings", "metrics", "healthz", "readyz", "api/v1/", "?", "#main"} {
		if strings.HasPrefix(href, own) {
			return
		}
	}
	t.Errorf("a link to %q", href)
}
