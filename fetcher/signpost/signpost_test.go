package signpost

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestLinks(t *testing.T) {
	page := `<!doctype html><html><head><base href="https://g.example/kerala/">
<link rel="alternate" type="application/rss+xml" title="All" href="../feed/">
<LINK REL="Alternate Home" TYPE="application/atom+xml; charset=utf-8" HREF="https://g.example/atom?a=1&amp;b=2#top">
<link rel="alternate" type="application/json+oembed" href="/oembed?format=json">
<link rel="alternate" hreflang="ml" href="/ml/">
<link rel="stylesheet" type="application/rss+xml" href="/x.css">
<link rel="alternate" type="application/rss+xml" href="javascript:alert(1)">
<link rel="alternate" type="application/rss+xml" href="feed://g.example/old">
</head><body><a href="/rss.xml">RSS</a><a href="/feed/">Feed</a><a href="/feedback">Write to us</a><a href="/rss/india">India</a>
<a href="mailto:rss@g.example">x</a><a href="ftp://g.example/rss">x</a></body></html>`
	base, _ := url.Parse("https://g.example/index.html")
	announced, linked := Links([]byte(page), base)
	if want := []string{"https://g.example/feed/", "https://g.example/atom?a=1&b=2", "http://g.example/old"}; !slices.Equal(announced, want) {
		t.Errorf("announced %q, want %q", announced, want)
	}
	if want := []string{"https://g.example/rss.xml", "https://g.example/rss/india"}; !slices.Equal(linked, want) {
		t.Errorf("linked %q, want %q", linked, want)
	}
	many := strings.Repeat(`<a href="/rss/x"><link rel=alternate type=text/rss href=/a>`, 200_000)
	if announced, linked := Links([]byte(many), base); len(announced) != 1 || len(linked) != 1 {
		t.Errorf("%d announced, %d linked", len(announced), len(linked))
	}
}

func TestUsual(t *testing.T) {
	u, _ := url.Parse("https://g.example/kerala/?page=2")
	got := Usual(u)
	for _, want := range []string{"https://g.example/kerala/feed/", "https://g.example/feed/", "https://g.example/news-sitemap.xml"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is not among %q", want, got)
		}
	}
	if len(got) > 20 {
		t.Errorf("%d guesses are too many to ask of one site", len(got))
	}
}

func FuzzLinks(f *testing.F) {
	f.Add([]byte(`<base href="//x"><link rel=alternate type=text/rss href="feed:a"><a href=/rss>`))
	base, _ := url.Parse("https://g.example/")
	f.Fuzz(func(t *testing.T, page []byte) {
		announced, linked := Links(page, base)
		for _, s := range append(announced, linked...) {
			if u, err := url.Parse(s); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
				t.Errorf("%q is no address", s)
			}
		}
	})
}
