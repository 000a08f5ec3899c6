package document

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Subscription is a feed that an OPML list names.
type Subscription struct {
	// URL is where the feed is: absolute, http or https.
	URL string
	// Title is what the list calls the feed, and Site the address of the pages
	// that belong to it; both may be empty.
	Title string
	Site  string
	// Groups are the folders that the feed is in, the outer before the inner, and
	// its categories, without repeats.
	Groups []string
	// Lang is a BCP 47 tag in lower case, or empty.
	Lang string
	// Sitemap says that the list calls it one.
	Sitemap bool
}

// maxSubscriptions bounds a list, and maxGroups the folders and categories of one
// feed in it.
const (
	maxSubscriptions = 100_000
	maxGroups        = 16
)

// ParseOPML reads a list of feeds: OPML of any version, or a text with an address
// at the beginning of each line. Two in three of the lists that people publish are
// not XML, for an "&" that stands alone, a charset that is another, capitals, or
// folders that are never closed: all of it is read, by the scanner that feeds are
// read with and within its limits. Skipped counts the entries that say they are a
// feed and have no address that can be polled.
//
// The error matches ErrNotFeed or ErrHostile, or is ctx's own.
func ParseOPML(ctx context.Context, body []byte, contentType string) (list []Subscription, skipped int, err error) {
	lim := Limits{}.orDefault()
	src, _ := settleCharset(body, contentType)
	if len(src) > lim.Bytes {
		return nil, 0, &BoundError{Bound: "the list's size in bytes", Limit: int64(lim.Bytes)}
	}
	o := opmlReader{scanner: scanner{ctx: ctx, src: src, lim: lim}}
	if bytes.IndexByte(src, '<') < 0 {
		o.lines()
	} else if err := o.outlines(); err != nil {
		return nil, 0, err
	}
	if len(o.list) == 0 && o.skipped == 0 && !o.opml {
		return nil, 0, fmt.Errorf("document: %w: neither an OPML list nor lines that begin with an address", ErrNotFeed)
	}
	return o.list, o.skipped, nil
}

// opmlReader collects what a list names.
type opmlReader struct {
	scanner
	opml    bool     // an outline was seen, empty or not
	folders []string // the open outlines; "" for one that is a feed
	list    []Subscription
	skipped int
}

// outlines reads OPML. Nothing is expected of it but its outlines.
func (o *opmlReader) outlines() error {
	for {
		var t tag
		kind, err := o.next(&t)
		switch {
		case err != nil:
			return err
		case kind == tokenEOF:
			return nil
		case kind == tokenText:
			if err := o.ctx.Err(); err != nil {
				return err
			}
		case bytes.EqualFold(t.name, []byte("opml")):
			o.opml = true
		case !bytes.EqualFold(t.name, []byte("outline")):
		case kind == tokenEnd:
			if n := len(o.folders); n > 0 {
				o.folders = o.folders[:n-1]
			}
		default:
			if err := o.outline(&t); err != nil {
				return err
			}
		}
		if len(o.list) > maxSubscriptions {
			return &BoundError{Bound: "the number of feeds in a list", Limit: maxSubscriptions}
		}
	}
}

// outline reads one outline: a feed or a folder.
func (o *opmlReader) outline(t *tag) error {
	o.opml = true
	var url, other, text, title, kind string
	var s Subscription
	var categories []string
	err := o.attributes(t.attrs, func(name, value []byte) bool {
		v := strings.TrimSpace(string(o.entities.appendDecoded(nil, value)))
		switch strings.ToLower(string(name)) {
		case "xmlurl", "rssurl", "feedurl":
			url = v
		case "url":
			other = v
		case "type":
			kind = strings.ToLower(v)
		case "text":
			text = v
		case "title":
			title = v
		case "htmlurl":
			s.Site = v
		case "language":
			s.Lang = language(v)
		case "category":
			// "/folder/inner,/another" (OPML 2.0); plain words elsewhere.
			categories = strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == '/' })
		}
		return true
	})
	if err != nil {
		return err
	}
	s.Title, s.Sitemap = Title(firstOf(title, text), maxName), kind == "sitemap"
	if url == "" && kind != "link" && kind != "include" {
		url = other
	}
	folder := ""
	switch {
	case url != "":
		o.add(s, url, append(slices.Clone(o.folders), categories...))
	case kind == "rss" || kind == "atom":
		o.skipped++
	default:
		folder = Title(firstOf(text, title), maxName)
	}
	if !t.closed {
		// A list of folders that are never closed is no deeper for it.
		o.folders = append(o.folders, folder)
		if n := len(o.folders); n > o.lim.Depth {
			o.folders = o.folders[n-o.lim.Depth:]
		}
	}
	return nil
}

func (o *opmlReader) add(s Subscription, url string, groups []string) {
	if rest, ok := strings.CutPrefix(url, "feed://"); ok {
		url = "http://" + rest
	}
	u := newLinker("").resolve(url)
	if u == nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		o.skipped++
		return
	}
	u.Fragment = ""
	s.URL, s.Site = u.String(), CanonicalLink("", s.Site)
	for _, g := range groups {
		if g = Title(g, maxName); g != "" && len(s.Groups) < maxGroups && !slices.Contains(s.Groups, g) {
			s.Groups = append(s.Groups, g)
		}
	}
	o.list = append(o.list, s)
}

// lines reads a list of addresses, one a line; what follows one is passed over.
func (o *opmlReader) lines() {
	for line := range strings.Lines(string(o.src)) {
		word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(word, "http://") || strings.HasPrefix(word, "https://") || strings.HasPrefix(word, "feed:") {
			if o.add(Subscription{}, word, nil); len(o.list) == maxSubscriptions {
				return
			}
		}
	}
}

// outline is one of OPML 2.0, as it is written.
type outline struct {
	XMLName  xml.Name  `xml:"outline"`
	Text     string    `xml:"text,attr"`
	Type     string    `xml:"type,attr,omitempty"`
	XMLURL   string    `xml:"xmlUrl,attr,omitempty"`
	HTMLURL  string    `xml:"htmlUrl,attr,omitempty"`
	Language string    `xml:"language,attr,omitempty"`
	Category string    `xml:"category,attr,omitempty"`
	Outlines []outline `xml:"outline"`
}

// WriteOPML writes a list in OPML 2.0. A feed stands in a folder named after its
// first group, where it has one, and has all of them for its categories: readers
// know the one or the other.
func WriteOPML(w io.Writer, title string, made time.Time, list []Subscription) error {
	var body []outline
	folders := make(map[string]int)
	for _, s := range list {
		o := outline{Text: firstOf(s.Title, s.URL), Type: "rss", XMLURL: s.URL, HTMLURL: s.Site, Language: s.Lang}
		if s.Sitemap {
			o.Type = "sitemap"
		}
		if len(s.Groups) == 0 {
			body = append(body, o)
			continue
		}
		o.Category = "/" + strings.Join(s.Groups, ",/")
		i, ok := folders[s.Groups[0]]
		if !ok {
			i = len(body)
			folders[s.Groups[0]] = i
			body = append(body, outline{Text: s.Groups[0]})
		}
		body[i].Outlines = append(body[i].Outlines, o)
	}
	var doc struct {
		XMLName xml.Name `xml:"opml"`
		Version string   `xml:"version,attr"`
		Title   string   `xml:"head>title"`
		Created string   `xml:"head>dateCreated"`
		Body    struct {
			Outlines []outline `xml:"outline"`
		} `xml:"body"`
	}
	doc.Version, doc.Title, doc.Created, doc.Body.Outlines = "2.0", title, made.UTC().Format(time.RFC1123Z), body
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	_, head := io.WriteString(w, xml.Header)
	if err := errors.Join(head, enc.Encode(doc)); err != nil {
		return fmt.Errorf("document: write OPML: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}
