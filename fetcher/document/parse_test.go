package document

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/feed"
)

// TestNotAFeed shows what an operator is told of an address that leads elsewhere.
func TestNotAFeed(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"nothing", "", "an empty document"},
		{"blanks", " \n\t", "an empty document"},
		{"a page", "<!DOCTYPE html><html><head><title>Sign in &amp; read</title></head></html>", `an HTML page titled "Sign in & read"`},
		{"a page without a doctype", "\n<HTML><BODY>x", "an HTML page"},
		{"a page that tries to deceive", "<html><title><b>\u202Ex</b>" + strings.Repeat("long ", 100) + "</title>", "an HTML page titled \"xlong long"},
		{"XHTML", `<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "x"><html xmlns="http://www.w3.org/1999/xhtml"><head><title>Home</title>`, `an HTML page titled "Home"`},
		{"a sitemap", `<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"/>`, "a sitemap"},
		{"OPML", `<opml version="2.0"/>`, "an OPML list"},
		{"other XML", `<?xml version="1.0"?><ns:error code="7"/>`, "an XML document whose root is <ns:error>"},
		{"other JSON", `{"error":"not found"}`, "a JSON document that is no JSON Feed"},
		{"a JSON array", `[1]`, "a JSON array"},
		{"text", "Too many requests", `plain text that begins "Too many requests"`},
		{"a feed after a long preface", strings.Repeat("<!-- x -->", 40_000) + small, "markup without a feed in it"},
		{"a picture", "\x89PNG\x0D\x0A\x1A\x0A\x00\x00\x00\x0DIHDR", "binary data (image/png)"},
		{"a packed file", "\x1F\x8B\x08\x00\x00\x00\x00\x00", "binary data (application/x-gzip)"},
	} {
		doc, err := Parse(t.Context(), Input{Body: []byte(c.body)})
		if !errors.Is(err, ErrNotFeed) || doc != nil {
			t.Errorf("%s: %v, %v", c.name, doc, err)
			continue
		}
		if !strings.Contains(err.Error(), c.want) || len(err.Error()) > 200 {
			t.Errorf("%s: %q, want %q in it", c.name, err, c.want)
		}
	}
}

const small = `<rss><channel><item><title>One</title></item><item><title>Two</title></item><item><title>Three</title></item></channel></rss>`

func TestLimits(t *testing.T) {
	doc, err := Parse(t.Context(), Input{Body: []byte(small), Limits: Limits{Items: 2}})
	if err != nil || len(doc.Items) != 2 || doc.Dropped != 1 {
		t.Errorf("%+v, %v", doc, err)
	}
	for _, c := range []struct {
		lim   Limits
		bound string
	}{
		{Limits{Bytes: 20}, "size"},
		{Limits{Depth: 2}, "depth"},
		{Limits{Elements: 4}, "elements"},
		{Limits{Time: time.Nanosecond}, "time"},
		{Limits{TagBytes: 3}, "tag"},
	} {
		_, err := Parse(t.Context(), Input{Body: []byte(small), Limits: c.lim})
		bound, ok := errors.AsType[*BoundError](err)
		if !ok || !errors.Is(err, ErrHostile) || !strings.Contains(bound.Bound, c.bound) {
			t.Errorf("%+v: %v", c.lim, err)
		}
	}
	latin := declaring("iso-8859-1", strings.Repeat("\xE9", 1000))
	if _, err := Parse(t.Context(), Input{Body: []byte(latin), Limits: Limits{Bytes: len(latin)}}); !errors.Is(err, ErrHostile) {
		t.Errorf("a document that grows with its charset: %v", err)
	}
	json := `{"version":"https://jsonfeed.org/version/1","items":[{"id":1},{"id":2},{"id":3}]}`
	if doc, err := Parse(t.Context(), Input{Body: []byte(json), Limits: Limits{Items: 2}}); err != nil || len(doc.Items) != 2 || doc.Dropped != 1 {
		t.Errorf("%+v, %v", doc, err)
	}
}

// TestTextIsCut shows that a text beyond the limits costs its end and not the
// feed.
func TestTextIsCut(t *testing.T) {
	long := strings.Repeat("കുട്ടി ", 200_000)
	body := "<rss><channel><item><title>" + long + "</title><description>" + long + "</description></item></channel></rss>"
	// With the race detector, a busy machine needs more than the usual time for so much.
	doc, err := Parse(t.Context(), Input{Body: []byte(body), Limits: Limits{Time: time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	it, lim := doc.Items[0], DefaultLimits()
	if len(it.Title) > lim.TitleBytes || len(it.Title) < lim.TitleBytes-8 || len(it.Summary) > lim.TextBytes || len(it.Summary) < lim.TextBytes-8 {
		t.Errorf("%d and %d bytes", len(it.Title), len(it.Summary))
	}
}

func TestLanguageOfTheOperatorWins(t *testing.T) {
	body := []byte(`<feed xml:lang="en"><entry xml:lang="hi"><id>1</id></entry><entry><id>2</id></entry></feed>`)
	for lang, want := range map[string][2]string{"": {"hi", "en"}, "ml": {"ml", "ml"}, "no language": {"hi", "en"}} {
		doc, err := Parse(t.Context(), Input{Body: body, Lang: lang})
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]string{doc.Items[0].Lang, doc.Items[1].Lang}; got != want {
			t.Errorf("with %q: %q, want %q", lang, got, want)
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Parse(ctx, Input{Body: []byte(small)}); !errors.Is(err, context.Canceled) || errors.Is(err, ErrHostile) {
		t.Errorf("error is %v", err)
	}
}

// TestGate shows that a document waits while others fill the memory, no longer
// than its context allows, and that every way out of Parse leaves the gate.
func TestGate(t *testing.T) {
	if err := gate.Acquire(t.Context(), inFlight); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := Parse(ctx, Input{Body: []byte(small)})
	gate.Release(inFlight)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
	for _, body := range []string{small, "<html>", "<rss>" + strings.Repeat("<x:a>", 200), ""} {
		_, _ = Parse(t.Context(), Input{Body: []byte(body)})
	}
	_, _ = Parse(panicky{t.Context()}, Input{Body: []byte(small)})
	if !gate.TryAcquire(inFlight) {
		t.Error("something is still in flight")
	} else {
		gate.Release(inFlight)
	}
}

// panicky stands for a defect: it panics once the document has passed the gate.
type panicky struct{ context.Context }

func (panicky) Deadline() (time.Time, bool) { panic("a defect") }

func TestPanicIsContained(t *testing.T) {
	doc, err := Parse(panicky{t.Context()}, Input{Body: []byte(small)})
	if !errors.Is(err, ErrPanic) || doc != nil {
		t.Errorf("%v, %v", doc, err)
	}
}

// TestNothingOfMediaIsKept shows that no address of a picture, a recording or a
// film leaves the document, wherever it stands in it.
func TestNothingOfMediaIsKept(t *testing.T) {
	body := `<rss xmlns:media="http://search.yahoo.com/mrss/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel>
<image><url>https://g.example/MEDIA1</url></image><itunes:image href="https://g.example/MEDIA2"/><title>Gazette</title>
<item><title>One <img src="https://g.example/MEDIA3" alt="MEDIA4"></title><guid>1</guid><link>https://g.example/1</link>
<enclosure url="https://g.example/MEDIA5" type="image/jpeg"/><media:content url="https://g.example/MEDIA6"><media:thumbnail url="https://g.example/MEDIA7"/><media:credit>MEDIA8</media:credit></media:content>
<description>&lt;img src="https://g.example/MEDIA9" alt="MEDIA10"&gt;Text&lt;video src="MEDIA11"&gt;MEDIA12&lt;/video&gt;&lt;svg&gt;&lt;text&gt;MEDIA13&lt;/text&gt;&lt;/svg&gt;</description>
<itunes:image href="MEDIA14"/><image>MEDIA15</image><thumbnail>MEDIA16</thumbnail></item></channel></rss>`
	doc, err := Parse(t.Context(), Input{Body: []byte(body), FeedID: "f"})
	if err != nil {
		t.Fatal(err)
	}
	if len(doc.Items) != 1 || doc.Items[0].Summary != "Text" {
		t.Fatalf("%+v", doc.Items)
	}
	if s := sprint("%+v", doc); strings.Contains(s, "MEDIA") {
		t.Errorf("%s", s)
	}
	if doc.Items[0].ID != feed.NewItemID("f", "1", "", "") {
		t.Error("the id is not the guid's")
	}
}

// TestBrokenOffBeforeAnItem: a server that breaks off before the first whole item,
// at each poll, would else pass for one that has no news.
func TestBrokenOffBeforeAnItem(t *testing.T) {
	for name, body := range map[string]string{
		"RSS":              `<rss version="2.0"><channel><title>A</title><item><title>Half`,
		"Atom":             `<feed xmlns="http://www.w3.org/2005/Atom"><title>A</title><entry><title>Half`,
		"JSON":             `{"version":"https://jsonfeed.org/version/1.1","items":[{"id":"1","title":"a`,
		"JSON gone wrong":  `{"version":"https://jsonfeed.org/version/1.1","items":[{"id":"1","title":"say "yes""},{"id":"2","title":"b"}]}`,
		"a sitemap":        `<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>https://a.example/x`,
		"a sitemaps index": `<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><sitemap><loc>https://a.example/x`,
	} {
		doc, err := Parse(t.Context(), Input{Body: []byte(body), Sitemap: true})
		if !errors.Is(err, ErrBrokenOff) {
			t.Errorf("%s: %+v, %v", name, doc, err)
		}
	}
	for name, body := range map[string]string{
		"after an item": `<rss version="2.0"><channel><title>A</title><item><title>Whole</title></item><item><title>Half`,
		"empty":         `<rss version="2.0"><channel><title>A</title></channel></rss>`,
	} {
		if _, err := Parse(t.Context(), Input{Body: []byte(body)}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
