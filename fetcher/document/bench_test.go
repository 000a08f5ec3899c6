package document

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mmcdole/gofeed"
)

// headlines is a feed of the most common kind: WordPress's elements, sixty
// headlines with an excerpt each, about 45 kB.
func headlines() []byte {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"
	xmlns:content="http://purl.org/rss/1.0/modules/content/"
	xmlns:wfw="http://wellformedweb.org/CommentAPI/"
	xmlns:dc="http://purl.org/dc/elements/1.1/"
	xmlns:atom="http://www.w3.org/2005/Atom"
	xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"
	xmlns:slash="http://purl.org/rss/1.0/modules/slash/">
<channel>
	<title>The Harbour Gazette</title>
	<atom:link href="https://gazette.example/feed/" rel="self" type="application/rss+xml" />
	<link>https://gazette.example/</link>
	<description>News from the harbour</description>
	<lastBuildDate>Mon, 23 Nov 2026 12:00:00 +0000</lastBuildDate>
	<language>en-GB</language>
	<sy:updatePeriod>hourly</sy:updatePeriod>
	<sy:updateFrequency>1</sy:updateFrequency>
`)
	at := time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)
	for i := range 60 {
		when := at.Add(-time.Duration(i) * 17 * time.Minute)
		fmt.Fprintf(&b, `	<item>
		<title>Police &amp; customs question %d men over harbour thefts &#8211; report</title>
		<link>https://gazette.example/2026/11/23/harbour-thefts-%d/?utm_source=rss&amp;utm_medium=feed</link>
		<dc:creator><![CDATA[Asha Menon]]></dc:creator>
		<pubDate>%s</pubDate>
		<category><![CDATA[Crime]]></category>
		<category><![CDATA[Harbour]]></category>
		<guid isPermaLink="false">https://gazette.example/?p=%d</guid>
		<description><![CDATA[<p>Officers of the harbour station said on Monday that %d men were being questioned about a series of thefts from moored boats. <a href="https://gazette.example/">Read more</a> of what the station&#8217;s inspector told the press.</p>]]></description>
		<slash:comments>0</slash:comments>
	</item>
`, i+2, i, when.Format("Mon, 02 Jan 2006 15:04:05 GMT"), 1000+i, i+2)
	}
	b.WriteString("</channel>\n</rss>\n")
	return []byte(b.String())
}

func BenchmarkParse(b *testing.B) {
	body := headlines()
	in := Input{
		Body: body, ContentType: "application/rss+xml; charset=UTF-8", URL: "https://gazette.example/feed/", FeedID: "gazette",
		Now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC),
	}
	b.Run("document", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			if doc, err := Parse(b.Context(), in); err != nil || len(doc.Items) != 60 {
				b.Fatal(err)
			}
		}
	})
	b.Run("gofeed", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			if f, err := gofeed.NewParser().Parse(bytes.NewReader(body)); err != nil || len(f.Items) != 60 {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkGuard measures what is done before gofeed: the charset, the bounds
// and the rewriting.
func BenchmarkGuard(b *testing.B) {
	body := headlines()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		src, _ := settleCharset(body, "")
		_, start, err := sniff(b.Context(), src, body, DefaultLimits())
		if err != nil {
			b.Fatal(err)
		}
		if _, err := rewriteXML(b.Context(), src, start, "", time.Time{}, DefaultLimits()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHash(b *testing.B) {
	body := headlines()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		Hash(body)
	}
}
