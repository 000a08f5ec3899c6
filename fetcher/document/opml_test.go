package document

import (
	"bytes"
	"encoding/xml"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParseOPML(t *testing.T) {
	one := []Subscription{{URL: "https://a.example/feed", Title: "A"}}
	for _, tt := range []struct {
		name    string
		body    string
		want    []Subscription
		skipped int
	}{
		{"version 2.0", `<?xml version="1.0"?><opml version="2.0"><head><title>x</title></head><body><outline text="A" type="rss" xmlUrl="https://a.example/feed"/></body></opml>`, one, 0},
		{
			"everything there is", `<opml><body><outline text="A &amp; B" title="A &lt;b&gt;and&lt;/b&gt; B" type="rss" xmlUrl="https://a.example/feed?x=1&amp;y=2#z" htmlUrl="https://a.example/" language="en-in" category="/India/Kerala,/Police"/></body></opml>`,
			[]Subscription{{URL: "https://a.example/feed?x=1&y=2", Title: "A and B", Site: "https://a.example/", Lang: "en-in", Groups: []string{"India", "Kerala", "Police"}}},
			0,
		},
		{
			"a raw ampersand", `<opml><body><outline text="R&D" xmlUrl="https://a.example/feed?x=1&y=2"/></body></opml>`,
			[]Subscription{{URL: "https://a.example/feed?x=1&y=2", Title: "R&D"}},
			0,
		},
		{"capitals", `<OPML><BODY><OUTLINE TEXT="A" TYPE="RSS" XMLURL="https://a.example/feed"/></BODY></OPML>`, one, 0},
		{
			"folders", `<opml><body><outline text="India"><outline text="Kerala"><outline text="A" xmlUrl="https://a.example/feed"/></outline><outline text="B" xmlUrl="https://b.example/"/></outline><outline text="C" xmlUrl="https://c.example/"/></body></opml>`,
			[]Subscription{{URL: "https://a.example/feed", Title: "A", Groups: []string{"India", "Kerala"}}, {URL: "https://b.example/", Title: "B", Groups: []string{"India"}}, {URL: "https://c.example/", Title: "C"}},
			0,
		},
		{"feeds that are closed apart", `<opml><body><outline text="A" xmlUrl="https://a.example/feed"></outline></body></opml>`, one, 0},
		{"no root, no quotes, cut off", `<outline text=A xmlUrl=https://a.example/feed><outline text="B" xmlUrl="https://b.exa`, one, 0},
		{
			"windows-1252 that calls itself UTF-8", "<?xml version=\"1.0\" encoding=\"utf-8\"?><opml><body><outline text=\"Caf\xe9 Zo\xeb\" xmlUrl=\"https://a.example/feed\"/></body></opml>",
			[]Subscription{{URL: "https://a.example/feed", Title: "Café Zoë"}},
			0,
		},
		{
			"feed: addresses", `<opml><outline text="A" xmlUrl="feed://a.example/feed"/><outline text="A" xmlUrl="feed:https://a.example/feed"/></opml>`,
			[]Subscription{{URL: "http://a.example/feed", Title: "A"}, one[0]},
			0,
		},
		{
			"a sitemap", `<opml><outline type="sitemap" text="A" xmlUrl="https://a.example/feed"/></opml>`,
			[]Subscription{{URL: "https://a.example/feed", Title: "A", Sitemap: true}},
			0,
		},
		{"addresses that cannot be polled", `<opml><outline text="A" type="rss" xmlUrl="javascript:alert(1)"/><outline type="rss" text="B"/><outline xmlUrl="not an address" text="C"/></opml>`, nil, 3},
		{"links and includes are no feeds", `<opml><outline type="link" text="A" url="https://a.example/"/><outline type="include" text="B" url="https://a.example/b.opml"/></opml>`, nil, 0},
		{
			"lines", "# mine\nhttps://a.example/feed \"kerala\" \"~A\"\n\n  https://b.example/feed\nwww\n",
			[]Subscription{{URL: "https://a.example/feed"}, {URL: "https://b.example/feed"}},
			0,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, skipped, err := ParseOPML(t.Context(), []byte(tt.body), "")
			if err != nil || skipped != tt.skipped || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %d skipped, %v; want %+v, %d", got, skipped, err, tt.want, tt.skipped)
			}
		})
	}
	for _, body := range []string{"", "<html><body><a href='https://a.example/'>x</a></body></html>", "a letter\nto nobody", "\x89PNG"} {
		if list, _, err := ParseOPML(t.Context(), []byte(body), ""); !errors.Is(err, ErrNotFeed) {
			t.Errorf("%q is a list of %d feeds: %v", body, len(list), err)
		}
	}
}

// TestOPMLImports reads lists as people publish them.
func TestOPMLImports(t *testing.T) {
	dir := corpus(t, "opml")
	var counts rate
	all := 0
	type list struct {
		File  string
		Feeds int
	}
	readLines(t, filepath.Join(dir, "import-tests.jsonl"), func(want list) {
		body, err := os.ReadFile(filepath.Join(dir, want.File))
		if err != nil {
			t.Fatal(err)
		}
		got, skipped, err := ParseOPML(t.Context(), body, "")
		if want.Feeds == 0 && errors.Is(err, ErrNotFeed) {
			return
		}
		counts.add(err == nil && len(got)+skipped >= want.Feeds, want.File+sprint(": have %d and %d, want %d (%v)", len(got), skipped, want.Feeds, err))
		all += len(got)
	})
	t.Logf("%d feeds", all)
	counts.check(t, "lists", 1)
}

// TestOPMLRoundTrip: what is written is XML, and is read as it was.
func TestOPMLRoundTrip(t *testing.T) {
	list := []Subscription{
		{URL: "https://a.example/feed?x=1&y=2", Title: `"A" & <b>`, Site: "https://a.example/", Groups: []string{"kerala", "police"}, Lang: "ml"},
		{URL: "https://b.example/", Title: "കേരളം", Groups: []string{"kerala"}, Sitemap: true},
		{URL: "https://c.example/", Title: "C"},
	}
	var b bytes.Buffer
	if err := WriteOPML(&b, "newswatch", time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), list); err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(b.Bytes(), new(struct{})); err != nil {
		t.Errorf("not XML: %v", err)
	}
	got, skipped, err := ParseOPML(t.Context(), b.Bytes(), "")
	list[0].Title = `"A" &` // markup in a title is not kept
	if err != nil || skipped != 0 || !reflect.DeepEqual(got, list) {
		t.Errorf("got %+v, want %+v (%d, %v)\n%s", got, list, skipped, err, b.String())
	}
}

func FuzzOPML(f *testing.F) {
	f.Add([]byte(`<opml><body><outline text="India"><outline text="A &amp; B" xmlUrl="https://a.example/feed?x=1&y=2" category="/a,/b"/></outline></body></opml>`))
	f.Add([]byte("https://a.example/feed\nfeed://b.example"))
	f.Add([]byte(strings.Repeat(`<outline text="`, 100)))
	f.Fuzz(func(t *testing.T, body []byte) {
		list, _, err := ParseOPML(t.Context(), body, "")
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := WriteOPML(&b, "x", time.Time{}, list); err != nil {
			t.Fatal(err)
		}
		again, skipped, err := ParseOPML(t.Context(), b.Bytes(), "")
		if len(list) > 0 && (err != nil || skipped != 0 || len(again) != len(list)) {
			t.Fatalf("%d feeds became %d, %d skipped (%v)\n%s", len(list), len(again), skipped, err, b.String())
		}
		for _, s := range list {
			if !strings.HasPrefix(s.URL, "http") || len(s.Groups) > maxGroups || len(s.Title) > maxName {
				t.Errorf("%+v", s)
			}
		}
	})
}
