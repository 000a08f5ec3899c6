package document

import (
	"strings"
	"testing"
)

func TestCanonicalLink(t *testing.T) {
	const base = "https://news.example/feeds/all.xml"
	for _, c := range []struct{ ref, want string }{
		{"https://News.Example/a", "https://news.example/a"},
		{"  https://news.example/a\n", "https://news.example/a"},
		{"https://news.example", "https://news.example/"},
		{"http://news.example:80/a", "http://news.example/a"},
		{"https://news.example:443/a", "https://news.example/a"},
		{"https://news.example:8443/a", "https://news.example:8443/a"},
		{"https://user:secret@news.example/a", "https://news.example/a"},
		{"https://news.example./a", "https://news.example/a"},
		// RFC 3986 §5.4.
		{"/a/b", "https://news.example/a/b"},
		{"a", "https://news.example/feeds/a"},
		{"../a", "https://news.example/a"},
		{"//other.example/a", "https://other.example/a"},
		{"?id=7", "https://news.example/feeds/all.xml?id=7"},
		{"www.other.example/a", "http://www.other.example/a"},
		{"feed:https://news.example/a", "https://news.example/a"},
		// RFC 5890.
		{"https://bücher.example/a", "https://xn--bcher-kva.example/a"},
		{"https://വാർത്ത.example/", "https://xn--qwca3cubye7n.example/"},
		{"https://news.example/കേരളം", "https://news.example/%E0%B4%95%E0%B5%87%E0%B4%B0%E0%B4%B3%E0%B4%82"},
		{"https://news.example/a b", "https://news.example/a%20b"},
		{"https://news.example/100%-sure", "https://news.example/100%25-sure"},
		// Tracking.
		{"https://news.example/a?utm_source=rss&id=7&UTM_medium=x", "https://news.example/a?id=7"},
		{"https://news.example/a?b=2&a=1&fbclid=x", "https://news.example/a?b=2&a=1"},
		{"https://news.example/a?gclid=1", "https://news.example/a"},
		{"https://news.example/a?at_medium=RSS&at_campaign=KARANGA", "https://news.example/a"},
		{"https://news.example/a?ref=rss", "https://news.example/a"},
		{"https://news.example/a?ref=heads/main", "https://news.example/a?ref=heads/main"},
		{"https://news.example/a?source=rss----7", "https://news.example/a"},
		{"https://news.example/a?utm_source=rss&amp;utm_medium=x&amp;id=7", "https://news.example/a?amp;id=7"},
		{"https://news.example/a?", "https://news.example/a"},
		{"https://news.example/a?x=%zz", "https://news.example/a?x=%zz"},
		// Fragments.
		{"https://news.example/a#comments", "https://news.example/a"},
		{"https://news.example/a#xtor=RSS-1", "https://news.example/a"},
		{"https://news.example/a#:~:text=x/y", "https://news.example/a"},
		{"https://news.example/lede/#s/c710", "https://news.example/lede/#s/c710"},
		{"https://news.example/#/story/7", "https://news.example/#/story/7"},
		{"https://news.example/#!story", "https://news.example/#!story"},
		// What is never followed.
		{"javascript:alert(1)", ""},
		{"JavaScript:alert(1)", ""},
		{"java\nscript:alert(1)", ""},
		{"data:text/html,x", ""},
		{"file:///etc/passwd", ""},
		{"ftp://news.example/a", ""},
		{"mailto:a@news.example", ""},
		{"tag:news.example,2026:7", ""},
		{"/" + strings.Repeat("a", maxLink), ""},
		{"/" + strings.Repeat("é", maxLink/4), ""},
		{"http:", ""},
		{"http://", ""},
		{"https:///a", ""},
		{"http:news.example", ""},
		{"", ""},
		{"   ", ""},
		{"http://a b/", ""},
		{"http://<x>/", ""},
		{"http://[::1", ""},
		{"http://%41/", ""},
	} {
		if got := CanonicalLink(base, c.ref); got != c.want {
			t.Errorf("%q is %q, want %q", c.ref, got, c.want)
		}
	}
	for _, base := range []string{"", "javascript:alert(1)", "file:///x", "http://", "::"} {
		if got := CanonicalLink(base, "/a"); got != "" {
			t.Errorf("against %q: %q", base, got)
		}
	}
}

// A canonical link is its own canonical link, or items would get new names.
func FuzzCanonicalLink(f *testing.F) {
	f.Add("https://a.example/", "b?utm_source=x#!c")
	f.Add("", "http://user@[::1]:80/%zz?a=%zz&&b#/x y")
	f.Fuzz(func(t *testing.T, base, ref string) {
		once := CanonicalLink(base, ref)
		if twice := CanonicalLink("", once); twice != once {
			t.Errorf("%q against %q is %q, and that is %q", ref, base, once, twice)
		}
	})
}

// TestHubsAreTakenAsWritten: a topic is the feed's name at its hub, and must be the
// one that the feed gave it (W3C WebSub §4); a hub may have its key in its address.
func TestHubsAreTakenAsWritten(t *testing.T) {
	const self, hub = "https://News.example:443/feed?source=rss&utm_medium=push", "https://hub.example?at_key=7"
	for name, body := range map[string]string{
		"RSS": `<rss version="2.0" xmlns:a="http://www.w3.org/2005/Atom"><channel><title>P</title>
			<a:link rel="hub" href="https://hub.example?at_key=7"/>
			<a:link rel="self" href="https://News.example:443/feed?source=rss&amp;utm_medium=push"/></channel></rss>`,
		"Atom": `<feed xmlns="http://www.w3.org/2005/Atom"><title>P</title><link rel="hub" href="https://hub.example?at_key=7"/>
			<link rel="self" href="https://News.example:443/feed?source=rss&amp;utm_medium=push"/></feed>`,
		"JSON": `{"version": "https://jsonfeed.org/version/1.1", "title": "P", "items": [], "hubs": [{"type": "WebSub", "url": "https://hub.example?at_key=7"}],
			"feed_url": "https://News.example:443/feed?source=rss&utm_medium=push"}`,
	} {
		doc, err := Parse(t.Context(), Input{Body: []byte(body), URL: "https://news.example/feed"})
		if err != nil {
			t.Fatal(err)
		}
		if doc.Hints.Self != self || len(doc.Hints.Hubs) != 1 || doc.Hints.Hubs[0] != hub {
			t.Errorf("%s: self %q, hubs %q", name, doc.Hints.Self, doc.Hints.Hubs)
		}
	}
}
