package web

import (
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/story"
	"github.com/newswatch/newswatch/web/desk"
)

var update = flag.Bool("update", false, "write the golden pages anew")

// TestPages compares every page, in each state that it has words for, with what
// was looked at in a browser.
func TestPages(t *testing.T) {
	away := func() (*memory, desk.Status) {
		m, st := kept()
		m.err = errAway
		return m, st
	}
	fresh := func() (*memory, desk.Status) {
		_, st := kept()
		return &memory{}, st
	}
	empty := func() (*memory, desk.Status) { return &memory{}, desk.Status{Version: "1.2.3"} }
	for _, tt := range []struct {
		name   string
		with   func() (*memory, desk.Status)
		target string
		status int
	}{
		{"watch-kept", kept, "/", 200},
		{"watch-troubled", troubled, "/", 200},
		{"watch-fresh", fresh, "/", 200},
		{"watch-nothing-configured", empty, "/", 200},
		{"watch-store-away", away, "/", 503},
		{"stories", kept, "/stories", 200},
		{"stories-filtered", kept, "/stories?rule=operation-p-hunt&feed=nie-kerala&words=kerala&since=2026-11-22&until=2026-11-23", 200},
		{"stories-bad-filter", kept, "/stories?since=yesterday&until=31.12.&before=x", 400},
		{"stories-none", kept, "/stories?words=nothing+says+this", 200},
		{"feeds-kept", kept, "/feeds", 200},
		{"feeds-troubled", troubled, "/feeds", 200},
		{"feeds-none", empty, "/feeds", 200},
		{"purge", kept, "/purge?id=" + report(1, 0, "", "", "", "").Item.ID.String(), 200},
		{"rules", kept, "/rules", 200},
		{"rules-none", empty, "/rules", 200},
		{"subscribers-kept", kept, "/subscribers", 200},
		{"subscribers-troubled", troubled, "/subscribers?done=paused", 200},
		{"subscribers-none", empty, "/subscribers", 200},
		{"preview", kept, "/preview?subscriber=desk", 200},
		{"settings-kept", kept, "/settings", 200},
		{"settings-troubled", troubled, "/settings", 200},
		{"deliveries-kept", kept, "/deliveries", 200},
		{"deliveries-troubled", troubled, "/deliveries", 200},
		{"deliveries-none", empty, "/deliveries", 200},
		{"notices-kept", kept, "/notices", 200},
		{"notices-troubled", troubled, "/notices", 200},
		{"not-found", kept, "/no/such/page", 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, st := tt.with()
			w := ask(serverOf(m, st), "GET", tt.target)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d", w.Code, tt.status)
			}
			got := strings.NewReplacer(styleVersion, "STYLE", scriptVersion, "SCRIPT").Replace(w.Body.String())
			if strings.Contains(got, "10.9.8.7") {
				t.Error("the page tells the store's address")
			}
			file := filepath.Join("testdata", tt.name+".html")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("page differs (-want +got); look at it, then run with -update\n%s", diff)
			}
			accessible(t, got)
		})
	}
}

// accessible checks what a screen reader and a keyboard need of a page.
func accessible(t *testing.T, page string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	ids := map[string]bool{}
	labelled := map[string]bool{}
	var fields, refs []string
	level := 0
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		count[n.Data]++
		at := attrs(n)
		if id := at["id"]; id != "" {
			if ids[id] {
				t.Errorf("two elements have the id %q", id)
			}
			ids[id] = true
		}
		if at["aria-labelledby"] != "" {
			refs = append(refs, at["aria-labelledby"])
		}
		switch n.Data {
		case "html":
			if at["lang"] != "en" {
				t.Error("the page has no language")
			}
		case "h1", "h2", "h3":
			if depth := int(n.Data[1] - '0'); depth > level+1 {
				t.Errorf("heading %s follows h%d", n.Data, level)
			} else {
				level = depth
			}
		case "table":
			if n.FirstChild == nil || !hasChild(n, "caption") {
				t.Error("a table has no caption")
			}
		case "th":
			if at["scope"] == "" {
				t.Error("a heading of a table has no scope")
			}
		case "nav":
			if at["aria-label"] == "" {
				t.Error("a navigation has no name")
			}
		case "label":
			labelled[at["for"]] = true
		case "input", "select", "textarea":
			if at["type"] != "hidden" {
				fields = append(fields, at["id"])
			}
		case "button":
			if n.FirstChild == nil {
				t.Error("a button has no text")
			}
		case "script":
			if !strings.HasPrefix(at["src"], "./live.js?v=") && !strings.HasPrefix(at["src"], "../live.js?v=") || n.FirstChild != nil {
				t.Errorf("the page has the script %q", at["src"])
			}
		case "img", "iframe", "style":
			t.Errorf("the page has a <%s>", n.Data)
		}
		if _, styled := at["style"]; styled {
			t.Error("an inline style is refused by the page's own policy")
		}
	}
	for _, f := range fields {
		if !labelled[f] {
			t.Errorf("the field %q has no label", f)
		}
	}
	for _, ref := range refs {
		if !ids[ref] {
			t.Errorf("nothing has the id %q", ref)
		}
	}
	for _, one := range []string{"h1", "main", "title"} {
		if count[one] != 1 {
			t.Errorf("%d <%s>, want one", count[one], one)
		}
	}
	if !strings.Contains(page, `<a class="skip" href="#main">`) || !ids["main"] {
		t.Error("there is no way to skip the navigation")
	}
}

func attrs(n *html.Node) map[string]string {
	m := map[string]string{}
	for _, a := range n.Attr {
		m[a.Key] = a.Val
	}
	return m
}

func hasChild(n *html.Node, name string) bool {
	for c := range n.ChildNodes() {
		if c.Data == name {
			return true
		}
	}
	return false
}

// TestLongFilter: what is typed is bounded before the store is asked.
func TestLongFilter(t *testing.T) {
	m, st := kept()
	for _, field := range []string{"words", "rule", "feed", "since", "until", "before"} {
		if w := ask(serverOf(m, st), "GET", "/stories?"+field+"="+strings.Repeat("x", desk.MaxField+1)); w.Code != 400 || !strings.Contains(w.Body.String(), "too long") {
			t.Errorf("%s: %d", field, w.Code)
		}
	}
}

// TestHitsPaging walks all pages by their own links: each report is listed once,
// the newest first, also where many were found in the same millisecond.
func TestHitsPaging(t *testing.T) {
	m, st := kept()
	m.reports = nil
	for i := range 3*perPage + 7 {
		// Seven at a time share their Found.
		m.reports = append(m.reports, report(i, time.Duration(i/7)*time.Minute, "Example Times", "en", fmt.Sprintf("Report %d.", i), "[Found]."))
	}
	s := serverOf(m, st)
	seen := map[string]bool{}
	target, pages := "/stories?rule=operation-p-hunt", 0
	for target != "" {
		pages++
		body := ask(s, "GET", target).Body.String()
		doc, err := html.Parse(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		target = ""
		for n := range doc.Descendants() {
			at := attrs(n)
			if n.Data == "a" && at["rel"] == "next" {
				target = "/stories" + at["href"]
			}
			if n.Data == "a" && strings.HasPrefix(at["href"], "https://news.example/") {
				if seen[at["href"]] {
					t.Errorf("%s is listed twice", at["href"])
				}
				seen[at["href"]] = true
			}
		}
		if target != "" && !strings.Contains(target, "rule=operation-p-hunt") {
			t.Errorf("the next page forgets the filter: %s", target)
		}
	}
	if len(seen) != len(m.reports) || pages != 4 {
		t.Errorf("%d of %d reports on %d pages, want all on 4", len(seen), len(m.reports), pages)
	}
}

// TestNoticesPaging walks the notices by their own links: each is listed once, and
// a place that newswatch never gave is refused.
func TestNoticesPaging(t *testing.T) {
	m, st := kept()
	for i := range 2*perPage + 3 {
		m.notices = append(m.notices, notify.Notice{ID: fmt.Sprint(i), Seq: int64(7 * (i + 1)), At: noon, Kind: notify.SourceLost, Text: fmt.Sprintf("Notice %03d.", i)})
	}
	s := serverOf(m, st)
	var texts []string
	pages := 0
	for target := "/notices"; target != ""; pages++ {
		doc, err := html.Parse(ask(s, "GET", target).Body)
		if err != nil {
			t.Fatal(err)
		}
		target = ""
		for n := range doc.Descendants() {
			if n.Data == "a" && attrs(n)["rel"] == "next" {
				target = "/notices" + attrs(n)["href"]
			}
			if n.Type == html.TextNode && strings.HasPrefix(n.Data, "Notice ") && n.Parent.Data == "span" {
				texts = append(texts, n.Data)
			}
		}
	}
	if len(texts) != len(m.notices) || pages != 3 || texts[0] != "Notice 102." || texts[len(texts)-1] != "Notice 000." || !slices.IsSortedFunc(texts, func(a, b string) int { return strings.Compare(b, a) }) {
		t.Errorf("%d notices on %d pages, from %s to %s", len(texts), pages, texts[0], texts[len(texts)-1])
	}
	for _, before := range []string{"x", "-1", "0", "99999999999999999999"} {
		if w := ask(s, "GET", "/notices?before="+before); w.Code != 400 {
			t.Errorf("before=%s: %d", before, w.Code)
		}
	}
}

// TestNoticesHaveWords: every kind of notice has words, and none of them twice.
func TestNoticesHaveWords(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range notify.NoticeKinds {
		w := noticeWords[k]
		if w.words == "" || w.level == "" || seen[w.words] {
			t.Errorf("%s: %+v", k, w)
		}
		seen[w.words] = true
	}
}

// TestFeedsListed walks the feeds by the page's own links: each stands on one page,
// those in trouble first, and what was searched for goes on.
func TestFeedsListed(t *testing.T) {
	m, st := kept()
	m.states, st.Feeds = nil, map[string]feed.Feed{}
	odd := map[int]fetcher.Grade{77: fetcher.Hard, 30: fetcher.Soft, 31: fetcher.Temporary, 12: fetcher.Silent, 119: fetcher.Hard}
	for i := range 120 {
		id := fmt.Sprintf("f%03d", i)
		st.Feeds[id] = feed.Feed{
			Name: fmt.Sprintf("Number %03d", 999-i), URL: fmt.Sprintf("https://reader:tiger@f.example/%d.xml", i), Tags: []string{[]string{"Kerala", "goa"}[i%2]},
		}
		grade, known := odd[i]
		if !known {
			grade = fetcher.Fine
		}
		m.states = append(m.states, fetcher.State{FeedID: id, LastSuccess: noon, NextCheck: noon, Health: fetcher.Health{Grade: grade}})
	}
	s := serverOf(m, st)
	walk := func(target string) (ids []string, pages int) {
		for target != "" {
			w := ask(s, "GET", target)
			doc, err := html.Parse(w.Body)
			if err != nil || w.Code != 200 || pages > 9 {
				t.Fatalf("%s: %d, %v", target, w.Code, err)
			}
			pages, target = pages+1, ""
			for n := range doc.Descendants() {
				at := attrs(n)
				if n.Data == "a" && at["rel"] == "next" {
					target = "/" + at["href"]
				}
				if n.Data == "small" && n.Parent.Data == "th" {
					ids = append(ids, n.FirstChild.Data)
				}
			}
		}
		return ids, pages
	}
	all, pages := walk("/feeds")
	if pages != 3 || len(all) != 120 || len(slices.Compact(slices.Sorted(slices.Values(all)))) != 120 || !slices.IsSorted(all[5:]) {
		t.Errorf("%d feeds on %d pages: %q", len(all), pages, all)
	}
	for _, tt := range []struct {
		query string
		count int
		first string
	}{
		{"", 120, "f077 f119 f030 f012 f031 f000 f001"},
		{"?grade=hard", 2, "f077 f119"},
		{"?grade=fine", 115, "f000 f001"},
		{"?grade=nonsense", 120, "f077"},
		{"?words=number+88", 12, "f119 f011 f088 f110"},
		{"?words=kerala", 60, "f030 f012 f000 f002"},
		{"?words=KERALA+F.example/77", 0, ""},
		{"?words=GOA+F.example/77", 1, "f077"},
		{"?words=goa&grade=hard", 2, "f077 f119"},
		{"?words=goa&grade=soft", 0, ""},
		{"?words=f01", 10, "f012 f010 f011 f013"},
		{"?words=tiger", 0, ""},
	} {
		ids, _ := walk("/feeds" + tt.query)
		if len(ids) != tt.count || !strings.HasPrefix(strings.Join(ids, " "), tt.first) {
			t.Errorf("/feeds%s lists %d: %q; want %d from %s", tt.query, len(ids), ids, tt.count, tt.first)
		}
	}
	for _, bad := range []string{"after=x", "after=fin.f000", "words=" + strings.Repeat("x", desk.MaxField+1)} {
		if w := ask(s, "GET", "/feeds?"+bad); w.Code != 400 {
			t.Errorf("%s: %d", bad, w.Code)
		}
	}
	if w := ask(s, "GET", "/feeds?after=fine.f119"); w.Code != 200 || !strings.Contains(w.Body.String(), "There are no more feeds.") {
		t.Errorf("behind the last: %d", w.Code)
	}
}

// TestPagesStaySmall fills the pages with the longest that can come, and weighs
// what goes over the wire. Fifty long reports in English stay below 50 kB even
// without compression.
func TestPagesStaySmall(t *testing.T) {
	const limit = 50_000
	for _, tt := range []struct {
		name, language  string
		letters         []rune
		title, sentence int // in characters
		uncompressedToo bool
	}{
		{"English", "en", []rune("abcdefghijklmnoprstuvwy    "), 80, 220, true},
		{"Malayalam at its longest", "ml", []rune("അആഇഎകഖഗചജടഡണതദനപബമയരലവശസഹളാിീുെോ്ം    "), 400, 400, false},
		{"markup at its longest", "en", []rune(`"><b>&' `), 400, 400, false},
	} {
		m, st := troubled()
		m.reports = nil
		// Letters at random compress worse than any language does.
		letters := rand.New(rand.NewPCG(1, 2))
		text := func(n int) string {
			var b strings.Builder
			for range n {
				b.WriteRune(tt.letters[letters.IntN(len(tt.letters))])
			}
			return b.String()
		}
		for i := range 200 {
			sentence, title := text(tt.sentence), text(tt.title)
			m.reports = append(m.reports, report(i, time.Duration(i)*time.Minute, "The New Indian Express, Kerala", tt.language, title, "[Police] "+sentence))
			id := fmt.Sprintf("feed-%03d", i)
			st.Feeds[id] = feed.Feed{Name: title}
			m.states = append(m.states, fetcher.State{FeedID: id, Failures: 4, Reason: fetcher.ReasonTLS, LastError: sentence, Health: fetcher.Health{Grade: fetcher.Soft}})
		}
		for range 200 {
			m.letters = append(m.letters, m.letters[0])
			m.standings = append(m.standings, m.standings[2])
			m.sent = append(m.sent, m.sent[1])
			m.notices = append(m.notices, notify.Notice{Seq: int64(100 + len(m.notices)), Kind: notify.SourceLost, Subject: "feed-001", Text: text(tt.sentence)})
		}
		s := serverOf(m, st)
		for _, target := range []string{"/", "/stories", "/feeds", "/rules", "/subscribers", "/deliveries", "/notices"} {
			w := ask(s, "GET", target, "Accept-Encoding", "gzip, br")
			wire := w.Body.Len()
			zr, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			page, err := io.ReadAll(zr)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s %s: %d bytes, %d on the wire", tt.name, target, len(page), wire)
			if wire > limit {
				t.Errorf("%s: %s takes %d bytes on the wire", tt.name, target, wire)
			}
			if tt.uncompressedToo && len(page) > limit {
				t.Errorf("%s: %s is %d bytes", tt.name, target, len(page))
			}
			if plainly := ask(s, "GET", target); plainly.Header().Get("Content-Encoding") != "" || plainly.Body.Len() != len(page) {
				t.Errorf("%s: %s is another page without compression", tt.name, target)
			}
		}
	}
}

// TestFigures: the day and the week are counted, and a count that was cut off
// says so instead of being too low.
func TestFigures(t *testing.T) {
	var hits []classifier.Hit
	var stories []story.Story
	for i := range countLimit {
		hits = append(hits, report(i, time.Duration(i)*2*time.Minute, "A", "en", "T.", "S."))
		if i%10 == 9 {
			stories = append(stories, story.Story{Lead: hits[i], Also: hits[i-9 : i]})
		}
	}
	got := figures(hits, stories, nil, noon)
	want := []number{
		{"Stories", "72", "more than 100"},
		{"Reports", "720", "more than 1,000"},
		{"Digests sent", "0", "0"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for i := range hits {
		hits[i].Found = noon
	}
	if got := figures(hits, stories, nil, noon); got[1].Day != "more than 1,000" {
		t.Errorf("1,000 reports in a day: %+v", got)
	}
	// A week-old story with a report of today counts for today.
	one := []story.Story{{Lead: report(1, 6*day, "A", "en", "T.", "S."), Also: []classifier.Hit{report(2, time.Hour, "B", "en", "T.", "S.")}}}
	if got := figures(nil, one, nil, noon); got[0] != (number{"Stories", "1", "1"}) {
		t.Errorf("an old story told again today: %+v", got)
	}
}

// TestFilterDays: the last day counts whole, in the pages' own time zone.
func TestFilterDays(t *testing.T) {
	kolkata, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Fatal(err)
	}
	m, st := kept()
	m.reports = []classifier.Hit{report(1, 0, "A", "en", "At noon in UTC.", "S.")}
	m.reports[0].Found = time.Date(2026, 11, 22, 18, 45, 0, 0, time.UTC) // 23 November, 00:15 in Kolkata
	in := func(loc *time.Location, query string) bool {
		s := serverOf(m, st, func(o *Options) { o.Location = loc })
		return strings.Contains(ask(s, "GET", "/stories?"+query).Body.String(), "At noon in UTC.")
	}
	for _, tt := range []struct {
		loc   *time.Location
		query string
		want  bool
	}{
		{time.UTC, "since=2026-11-22&until=2026-11-22", true},
		{time.UTC, "since=2026-11-23", false},
		{kolkata, "since=2026-11-22&until=2026-11-22", false},
		{kolkata, "since=2026-11-23&until=2026-11-23", true},
	} {
		if got := in(tt.loc, tt.query); got != tt.want {
			t.Errorf("%s in %s: listed %v, want %v", tt.query, tt.loc, got, tt.want)
		}
	}
}

// TestPagesBelowAPath: links are relative, so a reverse proxy may serve the pages
// below a path of its own.
func TestPagesBelowAPath(t *testing.T) {
	m, st := troubled()
	s := serverOf(m, st)
	for _, target := range []string{"/", "/stories", "/feeds", "/deliveries", "/notices", "/no/such/page"} {
		doc, err := html.Parse(ask(s, "GET", target).Body)
		if err != nil {
			t.Fatal(err)
		}
		for n := range doc.Descendants() {
			at := attrs(n)
			for _, key := range []string{"href", "action"} {
				if strings.HasPrefix(at[key], "/") {
					t.Errorf("%s links to %s", target, at[key])
				}
			}
		}
	}
	if body := ask(s, http.MethodGet, "/no/such/page").Body.String(); !strings.Contains(body, `href="../../style.css`) {
		t.Error("a page further down does not find its stylesheet")
	}
}

// BenchmarkWatch renders the page with as many reports as it counts.
func BenchmarkWatch(b *testing.B) {
	m, st := kept()
	for i := range countLimit {
		m.reports = append(m.reports, report(i, time.Duration(i)*time.Minute, fmt.Sprintf("Outlet %d", i%20), "en",
			fmt.Sprintf("Police arrest %d in raid number %d", i/3, i/3), "The raids were part of [Operation P-Hunt]."))
	}
	s := serverOf(m, st)
	for b.Loop() {
		if w := ask(s, "GET", "/"); w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}

// The pages withhold what could identify a child, unless the operator turned that
// off.
func TestPagesWithhold(t *testing.T) {
	m, st := kept()
	m.reports = append(m.reports, report(9, time.Minute, "Example Express", "en", "Meera (14) rescued in Kochi", "The girl, [Meera] Das, is safe. Two men were [held]."))
	for _, unguarded := range []bool{false, true} {
		st.Unguarded = unguarded
		s := serverOf(m, st)
		for _, target := range []string{"/", "/stories"} {
			body := ask(s, http.MethodGet, target).Body.String()
			if got := strings.Contains(body, "Meera"); got != unguarded {
				t.Errorf("unguarded=%t: %s shows the name: %t", unguarded, target, got)
			}
			if got := strings.Contains(body, "withheld: it may identify a child"); got == unguarded {
				t.Errorf("unguarded=%t: %s says that something was withheld: %t", unguarded, target, got)
			}
		}
	}
}

// TestPagerCarriesNothingOn: what is told of an action stands on the page that it
// led to, and not on the next of the list; nor does what a visitor put into the
// address.
func TestPagerCarriesNothingOn(t *testing.T) {
	m, st := kept()
	for i := range perPage {
		m.standings = append(m.standings, store.Standing{Subscriber: fmt.Sprintf("reader-%d", i), Next: noon.Add(time.Hour)})
	}
	s := serverOf(m, st)
	w := ask(s, "GET", "/subscribers?done=paused&evil=x")
	if body := w.Body.String(); !strings.Contains(body, `href="?page=2" rel="next"`) || strings.Contains(body, "evil") {
		t.Errorf("%s", body)
	}
	if body := ask(s, "GET", "/subscribers?page=2").Body.String(); !strings.Contains(body, `href="?page=1" rel="prev"`) {
		t.Errorf("%s", body)
	}
}
