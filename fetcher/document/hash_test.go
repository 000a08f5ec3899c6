package document

import (
	"strings"
	"testing"
)

const hashedRSS = `<?xml version="1.0"?>
<!-- generated in 0.31 s -->
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>
<title>Gazette</title><link>https://g.example/</link>
<pubDate>Mon, 23 Nov 2026 12:00:00 GMT</pubDate>
<lastBuildDate>Mon, 23 Nov 2026 12:00:00 GMT</lastBuildDate><dc:date>2026-11-23T12:00:00Z</dc:date>
<item><title>One</title><guid>1</guid><pubDate>Mon, 23 Nov 2026 10:00:00 GMT</pubDate>
<description><![CDATA[<p>Text</p> </item> more]]></description><dc:date>2026-11-23</dc:date><!-- id 7 --></item>
<item><title>Two</title><guid>2</guid><updated>2026-11-22</updated></item>
</channel></rss>
<!-- cached at 12:00:01 -->`

const hashedAtom = `<feed xmlns="http://www.w3.org/2005/Atom"><title>Gazette</title><updated>2026-11-23T12:00:00Z</updated>
<entry><id>1</id><title>One</title><updated>2026-11-23T10:00:00Z</updated><source><updated>2026-11-01T00:00:00Z</updated></source></entry>
</feed>`

const hashedJSON = `{"version":"https://jsonfeed.org/version/1.1","title":"Gazette","date_modified":"2026-11-23T12:00:00Z","generated_at":1795435200,
"items":[{"id":"1","title":"One","date_modified":"2026-11-23T10:00:00Z","content_text":"a \"quoted\" {brace"}]}`

func TestHash(t *testing.T) {
	for _, c := range []struct {
		name, body, old, new string
		same                 bool
	}{
		{"the build date", hashedRSS, "<lastBuildDate>Mon, 23 Nov 2026 12:00", "<lastBuildDate>Mon, 23 Nov 2026 12:15", true},
		{"the channel's date", hashedRSS, "<pubDate>Mon, 23 Nov 2026 12:00", "<pubDate>Tue, 24 Nov 2026 12:00", true},
		{"the channel's Dublin Core date", hashedRSS, "2026-11-23T12:00:00Z", "2026-11-23T12:15:07Z", true},
		{"a generator's comment", hashedRSS, "0.31 s", "0.2 s", true},
		{"a cache's comment", hashedRSS, "cached at 12:00:01", "cached again at 12:15", true},
		{"an item's title", hashedRSS, ">Two<", ">Tw0<", false},
		{"an item's date", hashedRSS, "10:00:00 GMT", "10:00:01 GMT", false},
		{"an item's Dublin Core date", hashedRSS, "<dc:date>2026-11-23<", "<dc:date>2026-11-24<", false},
		{"an item's update", hashedRSS, "<updated>2026-11-22", "<updated>2026-11-23", false},
		{"a comment in an item", hashedRSS, "id 7", "id 8", false},
		{"what follows an end of item in CDATA", hashedRSS, " more]]>", " less]]>", false},
		{"a new item", hashedRSS, "<item><title>Two", "<item><title>New</title></item><item><title>Two", false},
		{"the channel's title", hashedRSS, ">Gazette<", ">The Gazette<", false},
		{"the Atom feed's update", hashedAtom, "12:00:00Z", "12:15:00Z", true},
		{"the entry's update", hashedAtom, "10:00:00Z", "10:00:01Z", false},
		{"the update of an entry's source", hashedAtom, "2026-11-01", "2026-11-02", false},
		{"the JSON feed's update", hashedJSON, "12:00:00Z", "12:15:00Z", true},
		{"the JSON feed's build number", hashedJSON, "1795435200", "1795435999", true},
		{"the JSON item's update", hashedJSON, "10:00:00Z", "10:00:01Z", false},
		{"the JSON item's text", hashedJSON, "{brace", "[brace", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			changed := strings.Replace(c.body, c.old, c.new, 1)
			if changed == c.body {
				t.Fatal("nothing was changed")
			}
			if same := Hash([]byte(c.body)) == Hash([]byte(changed)); same != c.same {
				t.Errorf("same hash is %v, want %v", same, c.same)
			}
		})
	}
}

// TestHashOfBrokenDocuments shows that what is not understood counts.
func TestHashOfBrokenDocuments(t *testing.T) {
	for _, c := range []struct{ name, a, b string }{
		{"a date element that holds others", "<rss><pubDate><item><title>a</title></item></pubDate></rss>", "<rss><pubDate><item><title>b</title></item></pubDate></rss>"},
		{"a comment without an end", "<rss><!-- <item>a</item>", "<rss><!-- <item>b</item>"},
		{"a date without an end", "<rss><pubDate>" + strings.Repeat("a", 300), "<rss><pubDate>" + strings.Repeat("b", 300)},
		{"an item with a prefix", "<r:rss><r:item><r:pubDate>1</r:pubDate></r:item></r:rss>", "<r:rss><r:item><r:pubDate>2</r:pubDate></r:item></r:rss>"},
		{"UTF-16", "<\x00p\x00u\x00b\x00D\x00a\x00t\x00e\x00>\x001\x00", "<\x00p\x00u\x00b\x00D\x00a\x00t\x00e\x00>\x002\x00"},
		{"empty and not", "", "a"},
	} {
		if Hash([]byte(c.a)) == Hash([]byte(c.b)) {
			t.Errorf("%s: the same hash", c.name)
		}
	}
}
