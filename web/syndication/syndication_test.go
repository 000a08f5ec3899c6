package syndication_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/mmcdole/gofeed"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher/document"
	"github.com/newswatch/newswatch/web/syndication"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func hit(n int, title, link, sentence string) classifier.Hit {
	return classifier.Hit{
		Item: feed.Item{
			ID: feed.NewItemID("f", fmt.Sprint(n), "", ""), FeedID: "f", Title: title, Link: link, Lang: "ml", Published: noon.Add(-time.Hour),
		},
		Source: "മാതൃഭൂമി",
		Rules: []classifier.RuleMatch{
			{Rule: "arrests", Severity: classifier.Low},
			{Rule: "operation-p-hunt", Name: "Operation P-Hunt", Severity: classifier.High, Excerpt: classifier.Excerpt{Text: sentence}},
		},
		Found: noon.Add(-time.Duration(n) * time.Minute),
	}
}

func sample() syndication.Feed {
	return syndication.Feed{
		Name: "rule=operation-p-hunt", Title: "newswatch: Operation P-Hunt", Self: "https://watch.example/feeds/operation-p-hunt.atom?key=a&b=c",
		Home: "https://watch.example/stories?rule=operation-p-hunt", Updated: noon, Version: "1.2.3",
		Hits: []classifier.Hit{
			hit(1, "Kerala police arrest 41", "https://news.example/1?a=b&c=d", "The raids were part of Operation P-Hunt."),
			hit(2, "പരിശോധന: നാലുപേർ പിടിയിൽ", "https://news.example/2", "ഓപ്പറേഷൻ പി ഹണ്ടിന്റെ ഭാഗമായാണ്."),
			hit(3, "No link", "", "No link, but a sentence."),
			hit(4, "Only a headline", "", ""),
		},
	}
}

// TestRoundTrip: what is written is read again by gofeed and by our own parser,
// item by item.
func TestRoundTrip(t *testing.T) {
	f := sample()
	atom, err := f.Atom()
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := f.JSON()
	if err != nil {
		t.Fatal(err)
	}
	for form, body := range map[string][]byte{"application/atom+xml": atom, "application/feed+json": asJSON} {
		got, err := gofeed.NewParser().Parse(bytes.NewReader(body))
		if err != nil {
			t.Fatalf("%s: %v\n%s", form, err, body)
		}
		if got.Title != f.Title || got.FeedLink != f.Self || len(got.Items) != len(f.Hits) {
			t.Errorf("%s: %q %q %d items", form, got.Title, got.FeedLink, len(got.Items))
		}
		own, err := document.Parse(t.Context(), document.Input{Body: body, ContentType: form, URL: "https://watch.example/", FeedID: "x"})
		if err != nil || len(own.Items) != len(f.Hits) {
			t.Fatalf("%s: our own parser: %v, %+v", form, err, own)
		}
		for i, h := range f.Hits {
			g, o := got.Items[i], own.Items[i]
			if g.Title != h.Item.Title || g.Link != h.Item.Link || !g.PublishedParsed.Equal(h.Item.Published) || g.Authors[0].Name != "മാതൃഭൂമി" {
				t.Errorf("%s: gofeed reads %+v", form, g)
			}
			if o.Title != h.Item.Title || o.Link != h.Item.Link || !o.Published.Equal(h.Item.Published) {
				t.Errorf("%s: our parser reads %+v", form, o)
			}
			if want := h.Rules[1].Excerpt.Text; !strings.Contains(g.Description+g.Content, want) {
				t.Errorf("%s: the sentence %q is lost: %+v", form, want, g)
			}
			if g.Categories[0] != "Operation P-Hunt" {
				t.Errorf("%s: categories %q", form, g.Categories)
			}
		}
	}
}

// atomDoc is what RFC 4287 requires, to be counted.
type atomDoc struct {
	ID      []string `xml:"id"`
	Title   []string `xml:"title"`
	Updated []string `xml:"updated"`
	Entry   []struct {
		ID      []string `xml:"id"`
		Title   []string `xml:"title"`
		Updated []string `xml:"updated"`
		Content []string `xml:"content"`
		Author  []struct {
			Name []string `xml:"name"`
		} `xml:"author"`
		Link []struct {
			Href string `xml:"href,attr"`
		} `xml:"link"`
	} `xml:"entry"`
}

var urn = regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// TestValid holds a document against RFC 4287 §4.1.1 and §4.1.2, and one against
// JSON Feed 1.1, with everything in it that a publisher could write.
func TestValid(t *testing.T) {
	f := sample()
	for i, evil := range []string{
		"", "   ", "</title><script>alert(1)</script>", "]]>", "&amp;&#x41;", "\x00\x0b\ufffe\ud7ff", "bad\xffbyte", "\u202Eleft\u2066", strings.Repeat("അ", 5000),
	} {
		h := hit(10+i, evil, evil, evil)
		h.Item.Outlet, h.Item.Lang, h.Rules[1].Name = evil, evil, evil
		f.Hits = append(f.Hits, h)
	}
	f.Hits[5].Item.Link = "javascript:alert(1)"
	body, err := f.Atom()
	if err != nil {
		t.Fatal(err)
	}
	if !utf8.Valid(body) {
		t.Error("not UTF-8")
	}
	var doc atomDoc
	if err := xml.Unmarshal(body, &doc); err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	ids := map[string]bool{}
	one := func(what string, vs []string) {
		if len(vs) != 1 || vs[0] == "" {
			t.Errorf("%s: %q", what, vs)
		}
	}
	date := func(vs []string) {
		one("updated", vs)
		if _, err := time.Parse(time.RFC3339, vs[0]); err != nil {
			t.Error(err)
		}
	}
	one("id", doc.ID)
	one("title", doc.Title)
	date(doc.Updated)
	for _, e := range doc.Entry {
		one("id", e.ID)
		one("title", e.Title)
		date(e.Updated)
		if ids[e.ID[0]] || !urn.MatchString(e.ID[0]) {
			t.Errorf("id %s", e.ID)
		}
		ids[e.ID[0]] = true
		if len(e.Author) != 1 || e.Author[0].Name[0] == "" {
			t.Errorf("author %+v", e.Author)
		}
		if len(e.Link) > 1 || len(e.Link) == 0 && len(e.Content) == 0 {
			t.Errorf("%s has links %v and content %q", e.ID, e.Link, e.Content)
		}
		for _, l := range e.Link {
			if !strings.HasPrefix(l.Href, "https://news.example/") {
				t.Errorf("a link to %q", l.Href)
			}
		}
	}
	if len(doc.Entry) != len(f.Hits) {
		t.Errorf("%d entries", len(doc.Entry))
	}
	body, err = f.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var j struct {
		Version, Title string
		Items          []struct {
			ID, URL  string
			Text     string `json:"content_text"`
			HTML     string `json:"content_html"`
			Image    any    `json:"image"`
			Modified time.Time
		}
	}
	if err := json.Unmarshal(body, &j); err != nil || j.Version != "https://jsonfeed.org/version/1.1" || j.Title == "" {
		t.Fatalf("%v\n%s", err, body)
	}
	for _, it := range j.Items {
		if it.ID == "" || it.Text == "" || it.HTML != "" || it.Image != nil || strings.HasPrefix(it.URL, "java") {
			t.Errorf("%+v", it)
		}
	}
}

// TestIDsStay: a feed and its entries keep their ids wherever they are served, and
// two feeds have two.
func TestIDsStay(t *testing.T) {
	id := func(f syndication.Feed) string {
		body, err := f.Atom()
		if err != nil {
			t.Fatal(err)
		}
		var doc atomDoc
		if err := xml.Unmarshal(body, &doc); err != nil {
			t.Fatal(err)
		}
		return doc.ID[0]
	}
	a, moved, other := sample(), sample(), sample()
	moved.Self, moved.Home, moved.Title = "", "", "Another"
	other.Name = "rule=arrests"
	if id(a) != id(moved) || id(a) == id(other) {
		t.Errorf("%s, moved %s, another %s", id(a), id(moved), id(other))
	}
}
