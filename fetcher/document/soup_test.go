package document

import (
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// soupXML and soupJSON are what documents are put together from. Bytes at random
// hardly ever become a document that a parser gets deep into; these do.
var soupXML = strings.Split(`<?xml version="1.0"?>|<?xml version="1.0" encoding="utf-16"?>|<?x|?>|<!DOCTYPE r [<!ENTITY a "<b>x</b>&lt;">]>|<!DOCTYPE|
<rss version="2.0">|<rss xmlns="http://www.w3.org/2005/Atom">|</rss>|<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">|</rdf:RDF>|
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="ml">|<feed>|</feed>|<channel>|</channel>|<channel/>|<items>|</items>|
<item>|<item rdf:about="u">|</item>|<item/>|<ITEM>|</ITEM>|<entry>|<entry xml:base="javascript:x//">|<entry xml:base="/b/">|</entry>|<entry/>|
<title>|<title type="xhtml">|<title/>|</title>|<atom:title>|</atom:title>|<description>|</description>|<description|<content type="html">|<content type="image/png">|
<content mode="base64">|</content>|<content:encoded>|</content:encoded>|<summary type="xhtml">|</summary>|<link>|</link>|<link href="/a"/>|
<link rel="self" href="javascript:alert(1)"/>|<link href="http://a.example/x?utm_source=1#c">|<atom:link rel="hub" href="data:x"/>|<guid>|<guid isPermaLink="false">|</guid>|
<id>|</id>|<pubDate>|</pubDate>|<updated>|</updated>|<dc:date>|</dc:date>|<author>|</author>|<name>|</name>|<dc:creator>|</dc:creator>|<category>|<category term="&lt;t&gt;"/>|</category>|
<source>|</source>|<media:group>|</media:group>|<media:content url="x.jpg">|</media:content>|<media:description>|</media:description>|<enclosure url="x.mp3"/>|
<x:y xmlns:x="urn:x">|</x:y>|<z xmlns="urn:z">|</z>|<xmlns:a xmlns:b="c">|<p>|</p>|<br>|<b>|</b>|<a href="x">|</a>|<script>|</script>|<style>|<img src=x onerror=alert(1)>|<svg>|</svg>|<iframe/>|<plaintext>|
<!--|-->|<!-- x -->|<![CDATA[|]]>|<![CDATA[<b>x</b>]]>|]]&gt;|&lt;|&gt;|&amp;|&amp;lt;|&amp;amp;lt;script&amp;amp;gt;|&nbsp;|&a;|&unknown;|&|&#|&#0;|&#x1F600;|&#55357;|&#xFFFE;|<|>|/>|</|<>|</>|"|'|=|
a story|കേരള പൊലീസ്|1|2|0|http://a.example/1|https://b.example/2#s/7|/relative|javascript:alert(1)|Mon, 23 Nov 2026 18:30:00 IST|2026-11-23|
|	|  |`+"\n|\x00|\xE9|\xE0\xB4|\u202E|\uFEFF|\uFFFE|\u0301|\xED\xA0\xBD\xED\xB8\x80", "|")

var soupJSON = strings.Split(`{|}|[|]|,|:|"|null|true|1|1e999|-|"version":"https://jsonfeed.org/version/1.1"|"items":[|"items":null|"items":{|{"id":1|{"id":"a"|"id":|"url":|"title":|"content_html":|"content_text":|
"summary":|"author":|"authors":[|"name":|"tags":|"date_published":|"hubs":[{"url":|"language":|"x":|"<b>x</b>"|"&lt;b&gt;"|"javascript:alert(1)"|"http://a.example/1"|"2026-11-23"|
"\u0000\ud83d\ude00\ud800"|"\|\|കേരള|]]|}}|}]|`+"\n|\x00|\xE9|\uFFFE", "|")

var soupSitemap = strings.Split(`<?xml version="1.0"?>|<url>|</url>|<url/>|<n:url>|<sitemap>|</sitemap>|<loc>|</loc>|<loc><![CDATA[|]]>|<lastmod>|</lastmod>|2026-11-23|http://a.example/a-story-1|/a/b-c.html|
javascript:alert(1)|<news:news>|</news:news>|<news:news xmlns:news="urn:x">|<news:title>|</news:title>|<n:title xmlns:n="http://www.google.com/schemas/sitemap-news/0.9">|</n:title>|
<news:publication>|</news:publication>|<news:name>|</news:name>|<news:language>|ml|</news:language>|<news:publication_date>|</news:publication_date>|<news:keywords>|a, b,,c|</news:keywords>|
<image:image>|<image:loc>|</image:loc>|<image:title>|</image:image>|<xhtml:link href="x"/>|<urlset>|</urlset>|</sitemapindex>|<!-- x -->|&lt;b&gt;|&amp;|&|<b>|</b>|കേരള|\x00|\xE9`, "|")

// soup is one document at random. Most begin as a feed does, so that most are one.
func soup(r *rand.Rand) []byte {
	var b strings.Builder
	words, next, end := soupXML, "", ""
	switch r.IntN(9) {
	case 8:
		words = soupSitemap
		b.WriteString("<urlset><url><loc>/a-story")
		next, end = "</loc></url><url><loc>/b-", "</url></urlset>"
		if r.IntN(4) == 0 {
			b.Reset()
			b.WriteString("<sitemapindex><sitemap><loc>/a")
			next, end = "</loc></sitemap><sitemap><loc>/b", "</sitemap></sitemapindex>"
		}
	case 0, 1, 2:
		b.WriteString("<rss><channel><item>")
		next, end = "</item><item>", "</item></channel></rss>"
	case 3, 4:
		b.WriteString("<feed><entry>")
		next, end = "</entry><entry>", "</entry></feed>"
	case 5:
		b.WriteString("<rdf:RDF><item>")
		next, end = "</item><item>", "</item></rdf:RDF>"
	case 6:
		words = soupJSON
		b.WriteString(`{"version":"https://jsonfeed.org/version/1","items":[{`)
		next, end = `},{"title":`, "}]}"
	}
	for range 1 + r.IntN(60) {
		if r.IntN(6) == 0 {
			b.WriteString(next)
		}
		w := words[r.IntN(len(words))]
		b.WriteString(w)
		// Half of what is opened is closed, or hardly any item would be whole.
		if name, ok := strings.CutPrefix(w, "<"); ok && name != "" && isLetter(name[0]) && r.IntN(2) == 0 {
			b.WriteString(words[r.IntN(len(words))])
			b.WriteString("</" + strings.TrimRight(strings.Fields(name)[0], "/>") + ">")
		}
	}
	if r.IntN(3) > 0 {
		b.WriteString(end)
	}
	return []byte(b.String())
}

// TestTokenSoup parses documents put together at random. NEWSWATCH_SOUP is how
// many, for a longer run.
func TestTokenSoup(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("NEWSWATCH_SOUP"))
	if n == 0 {
		n = 8_000
	}
	lim := Limits{Items: 8, TitleBytes: 64, TextBytes: 256, Depth: 8, Namespaces: 4, Elements: 200, Pieces: 40, TagBytes: 256, Attributes: 6, RunBytes: 128}
	read, items := 0, 0
	for i := range n {
		body := soup(rand.New(rand.NewPCG(7, uint64(i))))
		if doc := checkParse(t, body, lim); doc != nil {
			read++
			items += len(doc.Items)
		}
		if t.Failed() {
			t.Fatalf("document %d: %q", i, body)
		}
	}
	t.Logf("%d of %d documents were read, %d items", read, n, items)
	if read < n/3 || items < n/3 {
		t.Error("the soup is too thin to test anything")
	}
}

// checkParse parses and checks what holds for every document.
func checkParse(t testing.TB, body []byte, lim Limits) *Document {
	in := Input{Body: body, FeedID: "f", URL: "https://a.example/feed", Sitemap: true, Limits: lim, Now: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)}
	doc, err := Parse(t.Context(), in)
	if err != nil {
		if doc != nil {
			t.Error("both a document and an error")
		}
		if !errors.Is(err, ErrNotFeed) && !errors.Is(err, ErrHostile) && !errors.Is(err, ErrBrokenOff) {
			// What this package writes, gofeed can read.
			t.Errorf("error %v", err)
		}
		return nil
	}
	checkDocument(t, doc, lim.orDefault())
	again, err := Parse(t.Context(), in)
	if err != nil || len(again.Items) != len(doc.Items) {
		t.Fatalf("the second time: %v, %d items after %d", err, len(again.Items), len(doc.Items))
	}
	for i := range doc.Items {
		if doc.Items[i].ID != again.Items[i].ID {
			t.Error("ids change from one parse to the next")
		}
	}
	return doc
}

func FuzzParse(f *testing.F) {
	f.Add(headlines()[:2000])
	f.Add([]byte(hashedRSS))
	f.Add([]byte(hashedAtom))
	f.Add([]byte(hashedJSON))
	for i := range 50 {
		f.Add(soup(rand.New(rand.NewPCG(8, uint64(i)))))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		checkParse(t, body, DefaultLimits())
	})
}

// FuzzGuard checks what gofeed is given: no deeper, no larger and made of nothing
// but what this package writes.
func FuzzGuard(f *testing.F) {
	for i := range 50 {
		f.Add(soup(rand.New(rand.NewPCG(9, uint64(i)))))
	}
	lim := DefaultLimits()
	f.Fuzz(func(t *testing.T, body []byte) {
		src, _ := settleCharset(body, "")
		form, start, err := sniff(t.Context(), src, body, lim)
		if err != nil || form != formatXML {
			return
		}
		clean, err := rewriteXML(t.Context(), src, start, "", time.Time{}, lim)
		if err != nil {
			return
		}
		if len(clean.body) > 8*len(src)+ownBudget+64 {
			t.Fatalf("%d bytes became %d", len(src), len(clean.body))
		}
		checkClean(t, clean.body)
	})
}
