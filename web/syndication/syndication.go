// Package syndication writes hits as documents that feed readers take: Atom (RFC
// 4287) and JSON Feed 1.1. They hold text and links, and nothing that a reader
// would load.
package syndication

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/newswatch/newswatch/classifier"
)

// Feed is a list of reports, the newest first.
type Feed struct {
	// Name tells this feed from others; the feed's id is made of it, so a feed
	// keeps its id wherever it is served.
	Name  string
	Title string
	// Self is the address of the document, Home of the page with the same reports;
	// either may be empty.
	Self, Home string
	Updated    time.Time
	// Version is of newswatch.
	Version string
	Hits    []classifier.Hit
}

const (
	maxTitle = 300
	// maxLink is the longest link that is passed on, in bytes.
	maxLink = 2000
)

// entry is what both forms tell of a report.
type entry struct {
	id, title, link, text, outlet, lang string
	published, found                    time.Time
	tags                                []string
}

// langTag is the shape of a BCP 47 tag: what a publisher calls one may be none, and
// xml:lang takes nothing else.
var langTag = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$`)

func entryOf(h classifier.Hit) entry {
	e := entry{
		id: urn([16]byte(h.Item.ID)), title: line(h.Item.Title, maxTitle), outlet: line(h.Outlet(), maxTitle),
		published: h.Item.Time(), found: h.Found.UTC(),
	}
	if langTag.MatchString(h.Item.Lang) {
		e.lang = h.Item.Lang
	}
	if e.title == "" { // or it is not shown, see classifier.Show
		e.title = cmp.Or(e.outlet, "(no title)")
	}
	if e.outlet == "" {
		e.outlet = h.Item.FeedID
	}
	if l := h.Item.Link; len(l) <= maxLink && (strings.HasPrefix(l, "https://") || strings.HasPrefix(l, "http://")) {
		e.link = l
	}
	if e.published.IsZero() {
		e.published = e.found
	}
	rules := slices.Clone(h.Rules)
	slices.SortStableFunc(rules, func(a, b classifier.RuleMatch) int { return int(b.Severity) - int(a.Severity) })
	for _, r := range rules {
		name := r.Name
		if name == "" {
			name = r.Rule
		}
		e.tags = append(e.tags, line(name, maxTitle))
		if e.text == "" && r.Excerpt.Text != h.Item.Title {
			e.text = line(r.Excerpt.Text, classifier.MaxExcerpt+1)
		}
	}
	return e
}

// line is a text in one line, without controls and without what turns the
// direction of the text after it, at most max characters long.
func line(s string, max int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= '\u202A' && r <= '\u202E', r >= '\u2066' && r <= '\u2069', r == '\uFEFF', r == '\uFFFD':
			return -1
		case unicode.IsSpace(r), unicode.IsControl(r):
			return ' '
		}
		return r
	}, s)
	runes := []rune(strings.Join(strings.Fields(s), " "))
	if len(runes) > max {
		return string(runes[:max-1]) + "…"
	}
	return string(runes)
}

// urn makes a URN of 16 bytes that are a hash: a UUID of version 8 (RFC 9562
// §5.8).
func urn(b [16]byte) string {
	b[6] = b[6]&0x0f | 0x80
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (f Feed) id() string {
	sum := sha256.Sum256([]byte("newswatch feed\x00" + f.Name))
	return urn([16]byte(sum[:16]))
}

type atomFeed struct {
	XMLName   xml.Name      `xml:"http://www.w3.org/2005/Atom feed"`
	ID        string        `xml:"id"`
	Title     string        `xml:"title"`
	Updated   string        `xml:"updated"`
	Generator atomGenerator `xml:"generator"`
	Links     []atomLink    `xml:"link"`
	Entries   []atomEntry   `xml:"entry"`
}

type atomGenerator struct {
	Version string `xml:"version,attr,omitempty"`
	Name    string `xml:",chardata"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr,omitempty"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	Lang       string         `xml:"xml:lang,attr,omitempty"`
	ID         string         `xml:"id"`
	Title      string         `xml:"title"`
	Updated    string         `xml:"updated"`
	Published  string         `xml:"published"`
	Author     string         `xml:"author>name"`
	Links      []atomLink     `xml:"link"`
	Categories []atomCategory `xml:"category"`
	Summary    string         `xml:"summary,omitempty"`
	// Content stands in where there is no link (RFC 4287 §4.1.2).
	Content string `xml:"content,omitempty"`
}

type atomCategory struct {
	Term string `xml:"term,attr"`
}

// Atom returns the feed as an Atom document.
func (f Feed) Atom() ([]byte, error) {
	doc := atomFeed{
		ID: f.id(), Title: line(f.Title, maxTitle), Updated: stamp(f.Updated), Generator: atomGenerator{f.Version, "newswatch"},
	}
	if f.Self != "" {
		doc.Links = append(doc.Links, atomLink{"self", "application/atom+xml", f.Self})
	}
	if f.Home != "" {
		doc.Links = append(doc.Links, atomLink{"alternate", "text/html", f.Home})
	}
	for _, h := range f.Hits {
		e := entryOf(h)
		a := atomEntry{
			Lang: e.lang, ID: e.id, Title: e.title, Updated: stamp(e.found), Published: stamp(e.published), Author: e.outlet, Summary: e.text,
		}
		for _, t := range e.tags {
			a.Categories = append(a.Categories, atomCategory{t})
		}
		if e.link != "" {
			a.Links = []atomLink{{Rel: "alternate", Href: e.link}}
		} else if a.Content, a.Summary = e.text, ""; a.Content == "" {
			a.Content = e.title
		}
		doc.Entries = append(doc.Entries, a)
	}
	body, err := xml.MarshalIndent(doc, "", " ")
	if err != nil {
		return nil, fmt.Errorf("syndication: atom: %w", err)
	}
	return append([]byte(xml.Header), append(body, '\n')...), nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

type jsonFeed struct {
	Version  string     `json:"version"`
	Title    string     `json:"title"`
	HomePage string     `json:"home_page_url,omitempty"`
	FeedURL  string     `json:"feed_url,omitempty"`
	Items    []jsonItem `json:"items"`
}

type jsonItem struct {
	ID        string       `json:"id"`
	URL       string       `json:"url,omitempty"`
	Title     string       `json:"title"`
	Text      string       `json:"content_text"`
	Published string       `json:"date_published"`
	Modified  string       `json:"date_modified"`
	Authors   []jsonAuthor `json:"authors"`
	Tags      []string     `json:"tags,omitempty"`
	Language  string       `json:"language,omitempty"`
}

type jsonAuthor struct {
	Name string `json:"name"`
}

// JSON returns the feed as a JSON Feed 1.1.
func (f Feed) JSON() ([]byte, error) {
	doc := jsonFeed{
		Version: "https://jsonfeed.org/version/1.1", Title: line(f.Title, maxTitle), HomePage: f.Home, FeedURL: f.Self, Items: []jsonItem{},
	}
	for _, h := range f.Hits {
		e := entryOf(h)
		text := e.text
		if text == "" {
			text = e.title // content_text is required
		}
		doc.Items = append(doc.Items, jsonItem{
			ID: e.id, URL: e.link, Title: e.title, Text: text, Published: stamp(e.published), Modified: stamp(e.found),
			Authors: []jsonAuthor{{e.outlet}}, Tags: e.tags, Language: e.lang,
		})
	}
	body, err := json.MarshalIndent(doc, "", " ")
	if err != nil {
		return nil, fmt.Errorf("syndication: json: %w", err)
	}
	return append(body, '\n'), nil
}
