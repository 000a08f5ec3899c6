// Package signpost finds where a page says that feeds are. It is pure: the page
// is the caller's to read, and whether there is a feed his to find out.
package signpost

import (
	"bytes"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Limits of one page: the tags that are looked at, and what is returned.
const (
	maxTags  = 100_000
	maxFound = 64
)

// Links returns the feeds that a page announces (<link rel="alternate"> of a
// feed's type), then those that it merely links to by an address that looks like a
// feed's. Addresses are absolute, http or https, and each is there once.
func Links(page []byte, base *url.URL) (announced, linked []string) {
	here := *base
	z := html.NewTokenizer(bytes.NewReader(page))
	for range maxTags {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		name, more := z.TagName()
		tag := atom.Lookup(name)
		if tag != atom.Link && tag != atom.A && tag != atom.Base {
			continue
		}
		var href, rel, typ string
		for more {
			var key, value []byte
			key, value, more = z.TagAttr()
			switch string(key) {
			case "href":
				href = string(value)
			case "rel":
				rel = strings.ToLower(string(value))
			case "type":
				typ = strings.ToLower(string(value))
			}
		}
		u := resolve(&here, href)
		switch {
		case u == nil:
		case tag == atom.Base:
			here = *u
		case tag == atom.Link && slices.Contains(strings.Fields(rel), "alternate") && feedType(typ):
			announced = add(announced, u)
		case tag == atom.A && looksLikeFeed(u):
			linked = add(linked, u)
		}
	}
	return announced, slices.DeleteFunc(linked, func(s string) bool { return slices.Contains(announced, s) })
}

// Usual returns where sites keep their feeds without a word: beside the page
// first, then at the top of the site.
func Usual(page *url.URL) []string {
	var found []string
	at := func(ref string) {
		if u := resolve(page, ref); u != nil {
			found = add(found, u)
		}
	}
	if section := strings.Trim(page.Path, "/"); section != "" {
		at("/" + section + "/feed/")
		at("/" + section + "/rss")
	}
	for _, p := range []string{
		"/feed/", "/rss", "/rss.xml", "/feed.xml", "/atom.xml", "/index.xml", "/feeds/posts/default", "/feed.json", "/?feed=rss2",
		"/news-sitemap.xml", "/sitemap-news.xml", "/sitemap_news.xml", "/googlenews.xml", "/sitemap.xml", "/sitemap_index.xml",
	} {
		at(p)
	}
	return found
}

func add(list []string, u *url.URL) []string {
	if s := u.String(); len(list) < maxFound && !slices.Contains(list, s) {
		list = append(list, s)
	}
	return list
}

// resolve returns an address that may be a feed's, or nil.
func resolve(base *url.URL, ref string) *url.URL {
	ref = strings.TrimSpace(ref)
	if rest, ok := strings.CutPrefix(ref, "feed:"); ok {
		ref = rest
		if strings.HasPrefix(ref, "//") {
			ref = "http:" + ref
		}
	}
	if ref == "" || len(ref) > 2<<10 {
		return nil
	}
	u, err := base.Parse(ref)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil
	}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	return u
}

// feedType reports whether a media type is a feed's. Bare XML and JSON are too
// often something else (oEmbed, an API) to be announced by.
func feedType(typ string) bool {
	typ, _, _ = strings.Cut(typ, ";")
	switch strings.TrimSpace(typ) {
	case "application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml",
		"application/rss", "application/atom", "application/x.atom+xml", "text/rss", "text/rss+xml", "text/atom":
		return true
	}
	return false
}

// looksLikeFeed reports whether an address has a feed's words in it.
func looksLikeFeed(u *url.URL) bool {
	words := strings.FieldsFunc(strings.ToLower(u.Path+"?"+u.RawQuery), func(r rune) bool {
		return strings.ContainsRune("/?&=._-", r)
	})
	for _, w := range words {
		switch w {
		case "rss", "rss2", "rss20", "atom", "feed", "feeds", "rdf", "rssfeed", "rssfeeds":
			return true
		}
	}
	return false
}
