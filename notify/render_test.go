package notify_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/notify/notifytest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// goldenDigests are the digests whose renderings are kept in testdata.
func goldenDigests() map[string]notify.Digest {
	empty := notifytest.Digest()
	empty.Groups, empty.Hits, empty.Entries = nil, 0, 0
	empty.Coverage.FailingCount, empty.Coverage.Failing, empty.Coverage.SilentCount, empty.Coverage.Silent = 0, nil, 0, nil
	empty.Timezone = "Asia/Kathmandu"

	cut := notifytest.Digest().Trim(1, 1)
	cut.MoreURL = "https://newswatch.example/hits?digest=0123"
	cut.Coverage.FailingCount = 14
	cut.Timezone = "America/New_York"

	odd := notifytest.Digest()
	odd.Groups = []notify.Group{{Rule: "r", Name: "規則", Entries: []notify.Entry{{
		Title: "", Lang: "x y", Link: "ftp://example.org/x", Found: odd.Sealed,
		Excerpt: classifier.Excerpt{Text: strings.Repeat("児童ポルノ対策", 20), Marks: [][2]int{{3, 9}, {6, 12}, {900, 901}, {15, 12}}},
		Also:    []notify.Report{{Title: "Only a title"}, {}},
	}, {
		// Vowel signs are as wide as letters here, and must not begin a line.
		Title: strings.Repeat("കാ", 120), Found: odd.Sealed,
	}, {
		Title: strings.Repeat("Unbroken", 30) + " and a few words behind it", Published: odd.Sealed, Found: odd.Sealed,
		Link: "https://news.example/" + strings.Repeat("long/", 30),
	}}}}
	odd.Entries, odd.Hits = 3, 5

	notices := notifytest.Digest().Trim(1, 1)
	notices.Notices = []notify.Notice{
		{At: odd.Sealed.Add(-time.Hour), Kind: notify.SourceLost, Subject: "europol", Text: "Europol is lost: www.europol.example says that the feed is gone for good. " + strings.Repeat("It was. ", 9)},
		{At: odd.Sealed, Kind: notify.SourceBack, Subject: "esafety", Text: "<b>eSafety\u202e is back\r\nafter 3 days."},
	}
	notices.NoticesMore = 4
	alone := empty
	alone.Notices = notices.Notices[:1]

	corrections := notifytest.Digest().Trim(1, 1)
	corrections.Corrections = []notify.Correction{
		{Title: "Kerala police hold 43 in P-Hunt", Was: "Kerala police hold 41 in P-Hunt, " + strings.Repeat("it is said, ", 9), Link: "https://news.example/1", Outlet: "Example Daily", Published: odd.Sealed.Add(-20 * time.Hour), Found: odd.Sealed, At: odd.Sealed},
		{Outlet: "<b>Other\u202e", Found: odd.Sealed.Add(-time.Hour), At: odd.Sealed, Withdrawn: true},
		{Title: "Teacher held in CSAM case", Outlet: "Example Daily", Published: odd.Sealed.Add(-9 * time.Hour), Found: odd.Sealed, At: odd.Sealed, TakenDown: true},
		{Title: "CSAM case: teacher held", Was: "Teacher held", Link: "https://news.example/2", Outlet: "Example Daily", Published: odd.Sealed.Add(-9 * time.Hour), Found: odd.Sealed, At: odd.Sealed, Back: true},
		{Title: "", Was: "Gone", Link: "javascript:alert(1)", Found: odd.Sealed, At: odd.Sealed},
	}
	corrections.CorrectionsMore = 2
	corrected := empty
	corrected.Corrections, corrected.Lang = corrections.Corrections[:4], "ml"
	corrected.Notices = notices.Notices[:1]

	malayalam, hindi := notifytest.Digest(), notifytest.Digest().Trim(1, 1)
	malayalam.Lang, hindi.Lang = "ml", "hi"
	return map[string]notify.Digest{
		"full": notifytest.Digest(), "empty": empty, "cut": cut, "odd": odd, "malayalam": malayalam, "hindi": hindi, "notices": notices, "alone": alone,
		"corrections": corrections, "corrected": corrected,
	}
}

func TestGolden(t *testing.T) {
	for name, d := range goldenDigests() {
		for ext, got := range map[string]string{
			"txt":  "Subject: " + notify.Subject(d) + "\n\n" + notify.Text(d),
			"html": notify.HTML(d),
		} {
			file := filepath.Join("testdata", name+"."+ext)
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
				t.Errorf("%s (-update writes it anew):\n%s", file, diff)
			}
		}
	}
}

func TestSubject(t *testing.T) {
	for _, tt := range []struct {
		hits, entries int
		zone, want    string
	}{
		{7, 5, "Asia/Kolkata", "newswatch: 7 reports, 23 Nov, 07:00 IST"},
		{1, 1, "UTC", "newswatch: 1 report, 23 Nov, 01:30 UTC"},
		{0, 0, "Europe/Berlin", "newswatch: no news, 23 Nov, 02:30 CET"},
		{2, 2, "Asia/Kathmandu", "newswatch: 2 reports, 23 Nov, 07:15 UTC+05:45"},
		{2, 2, "America/Sao_Paulo", "newswatch: 2 reports, 22 Nov, 22:30 UTC-03:00"},
		{2, 2, "Mars/Olympus", "newswatch: 2 reports, 23 Nov, 01:30 UTC"},
		{2, 2, "Local", "newswatch: 2 reports, 23 Nov, 01:30 UTC"},
	} {
		d := notifytest.Digest()
		d.Hits, d.Entries, d.Timezone = tt.hits, tt.entries, tt.zone
		if got := notify.Subject(d); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.zone, got, tt.want)
		}
	}
	// Nothing of the topic is in it.
	if s := notify.Subject(notifytest.Digest()); strings.Contains(s, "Hunt") || strings.Contains(s, "POCSO") {
		t.Errorf("the subject names the topic: %q", s)
	}
}

func TestTextWidth(t *testing.T) {
	for name, d := range goldenDigests() {
		for line := range strings.Lines(notify.Text(d)) {
			line = strings.TrimSuffix(line, "\n")
			if n := terminalWidth(line); n > 78 && !strings.Contains(line, "https://") {
				t.Errorf("%s: %d columns: %s", name, n, line)
			}
			if r, _ := utf8.DecodeRuneInString(strings.TrimLeft(line, " >-")); unicode.IsMark(r) {
				t.Errorf("%s: a line begins with the mark of the letter before it: %q", name, line)
			}
			if strings.TrimRight(line, " ") != line {
				t.Errorf("%s: blanks at the end of %q", name, line)
			}
		}
	}
}

// terminalWidth counts a Han or Kana letter as two, a mark as none.
func terminalWidth(s string) (n int) {
	for _, r := range s {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
			n += 2
		default:
			n++
		}
	}
	return n
}

// hostile is text that a publisher could send to get out of its place. About half
// are of the kinds that OWASP's filter evasion cheat sheet names.
var hostile = []string{
	`<script>alert(1)</script>`,
	`<SCRIPT SRC=//x.example/x.js></SCRIPT>`,
	`<img src=x onerror=alert(1)>`,
	`<IMG """><SCRIPT>alert(1)</SCRIPT>">`,
	`<svg onload=alert(1)>`,
	`<svg><script>alert&#40;1&#41;</script>`,
	`<iframe src="javascript:alert(1)"></iframe>`,
	`<object data="data:text/html,<script>alert(1)</script>">`,
	`<embed src="https://x.example/x.swf">`,
	`<link rel=stylesheet href=//x.example/x.css>`,
	`<style>@import "https://x.example/x.css"</style>`,
	`<base href="https://x.example/">`,
	`<meta http-equiv=refresh content="0;url=https://x.example">`,
	`<form action=https://x.example><input name=password>`,
	`<body onload=alert(1)>`,
	`<a href="javascript:alert(1)">x</a>`,
	`<math><mi xlink:href="javascript:alert(1)">`,
	`<video><source onerror="alert(1)"></video>`,
	`<details open ontoggle=alert(1)>`,
	`<template><script>alert(1)</script></template>`,
	`<noscript><p title="</noscript><img src=x onerror=alert(1)>">`,
	`"><script>alert(1)</script>`,
	`' onmouseover='alert(1)`,
	`" onmouseover="alert(1)`,
	"` onmouseover=alert(1) `",
	`" style="background:url(https://x.example/x.png)`,
	`</title><script>alert(1)</script>`,
	`</style><script>alert(1)</script>`,
	`</mark></div></body></html><script>alert(1)</script>`,
	`--><script>alert(1)</script><!--`,
	`<!--[if mso]><img src="https://x.example/x.png"><![endif]-->`,
	`]]><script>alert(1)</script>`,
	`{{.Subject}}{{template "digest"}}{{printf "%s" .}}`,
	`{{"<script>alert(1)</script>"}}`,
	`&lt;script&gt;alert(1)&lt;/script&gt;`,
	`&#60;script&#62;alert(1)&#60;/script&#62;`,
	`\u003cscript\u003ealert(1)\u003c/script\u003e`,
	"<scr\x00ipt>alert(1)</scr\x00ipt>",
	"\xf0\x3cscript>alert(1)</script>",
	"\xc0\xbcscript\xc0\xbealert(1)",
	"+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
	"＜script＞alert(1)＜/script＞",
	"\u202egpj.exe\u202c <script>\u2066",
	"line\r\nSubject: forged\r\n\r\n<script>alert(1)</script>",
	"line\n.\nMAIL FROM:<x@x.example>",
	"\u2028<script>alert(1)</script>\u2029",
	"\x1b]0;owned\x07\x1b[2J\x1b[31mred",
	"\u009b31mC1 control",
	"=?utf-8?q?=3Cscript=3E?=",
	strings.Repeat("<b>", 2000),
	"\U000E0001\U000E0073hidden tags",
}

var hostileLinks = []string{
	`javascript:alert(1)`, `JaVaScRiPt:alert(1)`, "java\tscript:alert(1)", ` javascript:alert(1)`, "\x01javascript:alert(1)",
	`data:text/html,<script>alert(1)</script>`, `vbscript:msgbox(1)`, `file:///etc/passwd`, `ftp://x.example/x`, `//x.example/x`,
	`/relative`, `https:`, `https:///x`, `https://user:password@x.example/`, `http://x.example/"onmouseover="alert(1)`,
	`https://x.example/'><script>alert(1)</script>`, "https://x.example/\r\nX: y", "https://x.example/\x00", `mailto:x@x.example`,
	`tel:110`, `cid:image`, `blob:https://x.example/1`, `https://x.example\@evil.example/`, "https://x.example/\u202e",
}

// page is what a reader's browser would make of a digest.
type page struct {
	elements map[string]int
	links    []string
	text     string
}

var allowedElements = map[string]bool{
	"html": true, "head": true, "meta": true, "title": true, "style": true, "body": true, "div": true,
	"h1": true, "h2": true, "p": true, "a": true, "span": true, "mark": true,
}

var allowedAttributes = map[string]bool{
	"lang": true, "dir": true, "class": true, "style": true, "href": true, "rel": true, "charset": true, "name": true, "content": true,
}

// parse checks that a page holds nothing but what the template itself writes.
func parse(t *testing.T, s string) page {
	t.Helper()
	root, err := html.Parse(strings.NewReader(s))
	if err != nil {
		t.Fatal(err)
	}
	p := page{elements: make(map[string]int)}
	for n := range root.Descendants() {
		switch n.Type { //nolint:exhaustive // the others hold nothing that is shown
		case html.CommentNode:
			t.Errorf("a comment: %q", n.Data)
		case html.TextNode:
			if n.Parent.Data != "style" {
				p.text += n.Data + "\n"
			} else if strings.ContainsAny(n.Data, "<>") || strings.Contains(n.Data, "url(") {
				t.Errorf("the style sheet holds %q", n.Data)
			}
		case html.ElementNode:
			p.elements[n.Data]++
			if !allowedElements[n.Data] {
				t.Errorf("an element <%s>", n.Data)
			}
			for _, a := range n.Attr {
				if !allowedAttributes[a.Key] || strings.Contains(a.Val, "url(") {
					t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
				}
				if a.Key == "href" {
					p.links = append(p.links, a.Val)
				}
				if n.Data == "a" && a.Key == "rel" && !strings.Contains(a.Val, "noreferrer") {
					t.Errorf("rel=%q", a.Val)
				}
			}
		}
	}
	return p
}

// TestHostileText puts each of the vectors into every place that comes from
// outside. The page must keep its structure, to the element, and the text its
// lines.
func TestHostileText(t *testing.T) {
	if len(hostile)+len(hostileLinks) < 70 {
		t.Fatal("vectors are missing")
	}
	fill := func(s string) notify.Digest {
		d := notifytest.Digest()
		e := &d.Groups[0].Entries[0]
		e.Title, e.Outlet, e.AlsoRules, d.Groups[0].Name = s, s, []string{s, s}, s
		e.Lang = s
		e.Excerpt = classifier.Excerpt{Text: s + s + s, Marks: [][2]int{{len(s), 2 * len(s)}}}
		e.Also = []notify.Report{{Title: s, Outlet: s, Link: "https://x.example/"}, {Title: s}}
		d.Coverage.Failing = []notify.SourceNote{{Feed: s, Note: s}}
		d.Coverage.Silent = []notify.SourceNote{{Feed: s, Note: s}}
		d.Coverage.Ruleset, d.ID = s, s
		return d
	}
	harmless := parse(t, notify.HTML(fill("word")))
	lines := strings.Count(notify.Text(fill("word")), "\n")
	for i, s := range hostile {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			d := fill(s)
			got := parse(t, notify.HTML(d))
			if diff := cmp.Diff(harmless.elements, got.elements); diff != "" {
				t.Errorf("%.60q changes the page:\n%s", s, diff)
			}
			if diff := cmp.Diff(harmless.links, got.links); diff != "" {
				t.Errorf("%.60q changes the links:\n%s", s, diff)
			}
			text := notify.Text(d)
			for _, out := range []string{text, got.text} {
				if j := strings.IndexFunc(out, func(r rune) bool {
					return r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r >= 0xE0000 && r <= 0xE0FFF
				}); j >= 0 || !utf8.ValidString(out) {
					t.Errorf("%.60q brings through %q", s, out[max(j, 0):][:1])
				}
			}
			if len(s) < 30 && strings.Count(text, "\n") > lines+6 {
				t.Errorf("%.60q makes lines of its own:\n%s", s, text)
			}
			for line := range strings.Lines(text) {
				if strings.HasPrefix(line, "Subject:") || strings.HasPrefix(line, "MAIL ") {
					t.Errorf("%.60q begins a line: %q", s, line)
				}
			}
		})
	}
}

func TestHostileLinks(t *testing.T) {
	for i, s := range hostileLinks {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			d := notifytest.Digest()
			d.Groups = d.Groups[:1]
			d.Groups[0].Entries = d.Groups[0].Entries[:1]
			e := &d.Groups[0].Entries[0]
			e.Link, e.Also, d.More, d.MoreURL = s, []notify.Report{{Link: s, Outlet: "x"}}, 1, s
			for _, l := range parse(t, notify.HTML(d)).links {
				if !strings.HasPrefix(l, "https://x.example/") && !strings.HasPrefix(l, "http://x.example/") || strings.ContainsAny(l, "<>\"\r\n\x00") {
					t.Errorf("%q became the link %q", s, l)
				}
			}
			for line := range strings.Lines(notify.Text(d)) {
				if l := strings.TrimSpace(line); strings.Contains(l, ":alert") || strings.HasPrefix(l, "X: y") {
					t.Errorf("%q stands in the text as %q", s, l)
				}
			}
		})
	}
}

// Indian scripts come through whole, joiners and all.
func TestScripts(t *testing.T) {
	for _, s := range []string{"ഓപ്പറേഷന്\u200d പി ഹണ്ട്", "ऑपरेशन पी-हंट: क्\u200dष", "ஆபரேஷன் பி-ஹன்ட்", "آپریشن پی ہنٹ"} {
		d := notifytest.Digest()
		d.Groups[0].Entries[0].Title = s
		if !strings.Contains(notify.Text(d), s) || !strings.Contains(notify.HTML(d), s) {
			t.Errorf("%q does not come through", s)
		}
	}
}

func TestExcerptMarks(t *testing.T) {
	for _, tt := range []struct {
		text  string
		marks [][2]int
		want  string
	}{
		{"one two three", [][2]int{{4, 7}}, "one *two* three"},
		{"one two three", [][2]int{{0, 3}, {8, 13}}, "*one* two *three*"},
		{"one two", nil, "one two"},
		{"one, two", [][2]int{{0, 3}}, "*one*, two"},
		{"(one)", [][2]int{{1, 4}}, "(*one*)"},
		{"one  \n two", [][2]int{{3, 7}}, "one two"},
		{"one two ", [][2]int{{4, 8}}, "one *two*"},
		{"one two three", [][2]int{{3, 8}}, "one *two* three"},
		{"one two", [][2]int{{0, 4}, {4, 7}}, "*one* *two*"},
		{"one two", [][2]int{{0, 3}, {3, 4}, {4, 7}}, "*one* *two*"},
		{" one ", [][2]int{{0, 5}}, "*one*"},
		{"one two", [][2]int{{4, 99}}, "one two"},
		{"one two", [][2]int{{-1, 3}}, "one two"},
		{"one two", [][2]int{{4, 7}, {0, 3}}, "one *two*"},
	} {
		d := notifytest.Digest()
		d.Groups[0].Entries[0].Excerpt = classifier.Excerpt{Text: tt.text, Marks: tt.marks}
		if got := notify.Text(d); !strings.Contains(got, "> "+tt.want+"\n") {
			t.Errorf("%q %v: want %q in\n%s", tt.text, tt.marks, tt.want, got)
		}
		if got := notify.HTML(d); strings.Contains(got, " </mark>") || strings.Contains(got, `1e21"> `) {
			t.Errorf("%q %v: a blank is marked in\n%s", tt.text, tt.marks, got)
		}
	}
}

func FuzzRender(f *testing.F) {
	for _, s := range hostile {
		f.Add(s, "https://x.example/", 0, 3)
	}
	for _, s := range hostileLinks {
		f.Add("x", s, 3, 1)
	}
	f.Fuzz(func(t *testing.T, s, link string, from, to int) {
		d := notifytest.Digest()
		e := &d.Groups[0].Entries[0]
		e.Title, e.Outlet, e.Lang, e.Link = s, s, s, link
		e.Excerpt = classifier.Excerpt{Text: s, Marks: [][2]int{{from, to}}}
		d.Coverage.Silent = []notify.SourceNote{{Feed: s, Note: s}}
		p := parse(t, notify.HTML(d))
		for _, l := range p.links {
			if !strings.HasPrefix(l, "https://") && !strings.HasPrefix(l, "http://") {
				t.Errorf("link %q", l)
			}
		}
		for line := range strings.Lines(notify.Text(d)) {
			line = strings.TrimSuffix(line, "\n")
			if strings.ContainsFunc(line, unicode.IsControl) || !utf8.ValidString(line) {
				t.Errorf("line %q", line)
			}
		}
	})
}

func TestTrimCounts(t *testing.T) {
	d := notifytest.Digest()
	for n := range 5 {
		got := d.Trim(n, 1)
		if got.Shown()+got.More != d.Entries || got.Entries != d.Entries {
			t.Errorf("Trim(%d): shows %d and %d more of %d", n, got.Shown(), got.More, d.Entries)
		}
		if again := got.Trim(1, 0); again.Shown()+again.More != d.Entries {
			t.Errorf("trimmed twice: shows %d and %d more", again.Shown(), again.More)
		}
	}
	if d.Trim(0, 0).Empty() {
		t.Error("a digest whose stories were all cut says that there was no news")
	}
	if e := d.Trim(9, 1).Groups[0].Entries[0]; len(e.Also) != 1 || e.AlsoMore != 1 {
		t.Errorf("other reports: %d and %d more", len(e.Also), e.AlsoMore)
	}
	var zero notify.Digest
	zero.Sealed = time.Unix(0, 0)
	if s := notify.Text(zero); !strings.HasPrefix(s, "No news\n") {
		t.Errorf("the zero digest reads:\n%s", s)
	}
}
