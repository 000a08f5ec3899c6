package document

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	gojson "github.com/mmcdole/gofeed/json"
)

// jsonRewriter reads a JSON Feed (jsonfeed.org, versions 1 and 1.1) and fills in
// gofeed's own structure of one, field by field, each of the type that it has to
// be. Written out again it is a document in which gofeed finds no null where it
// expects an author, and no number where it expects a text: the one panics, and
// the other costs the whole feed.
type jsonRewriter struct {
	jsonScanner
	now     time.Time
	feed    gojson.Feed
	items   int
	hasList bool
	dropped int
	hubs    []string
}

// rewriteJSON reads the document from its brace on.
func rewriteJSON(ctx context.Context, src []byte, start int, now time.Time, lim Limits) (*rewritten, error) {
	w := &jsonRewriter{jsonScanner: jsonScanner{ctx: ctx, src: src, pos: start, lim: lim}, now: now}
	if src[start] == '[' {
		return nil, notFeed("a JSON array")
	}
	err := w.object(w.member)
	truncated := errors.Is(err, errCut)
	if err != nil && !truncated {
		return nil, err
	}
	if !w.hasList || w.feed.Version == "" && len(w.feed.Items) == 0 {
		if truncated && !w.hasList {
			return nil, malformedJSON(src[start:])
		}
		return nil, notFeed("a JSON document that is no JSON Feed")
	}
	version := w.feed.Version
	if i := strings.LastIndex(version, "/version/"); i >= 0 {
		version = version[i+len("/version/"):]
	}
	body, err := json.Marshal(&w.feed)
	if err != nil {
		return nil, err
	}
	return &rewritten{
		kind: KindJSON, version: cut(version, 8), lang: language(w.feed.Language), body: body,
		dropped: w.dropped, truncated: truncated, hubs: w.hubs,
	}, nil
}

// malformedJSON says what a text that begins like JSON and is none looks like.
func malformedJSON(src []byte) error {
	return notFeed("broken JSON that begins %q", quoted(bytes.TrimSpace(src)))
}

// member reads a member of the feed.
func (w *jsonRewriter) member(key string) (err error) {
	switch key {
	case "version":
		w.feed.Version, err = w.text()
	case "title":
		w.feed.Title, err = w.text()
	case "home_page_url":
		w.feed.HomePageURL, err = w.text()
	case "feed_url":
		w.feed.FeedURL, err = w.text()
	case "language":
		w.feed.Language, err = w.text()
	case "author", "authors":
		w.feed.Authors, err = w.authors(w.feed.Authors)
	case "hubs":
		err = w.hubList()
	case "items":
		if w.peek() != '[' {
			return w.skip()
		}
		w.hasList = true
		err = w.array(w.itemAt)
	default:
		err = w.skip()
	}
	return err
}

// itemAt reads one item. One that breaks off is left out, see rewriter.truncate.
func (w *jsonRewriter) itemAt() error {
	if w.peek() != '{' {
		return w.skip()
	}
	if w.items >= w.lim.Items {
		err := w.skip()
		if err == nil {
			w.dropped++
		}
		return err
	}
	var it gojson.Item
	err := w.object(func(key string) (err error) {
		switch key {
		case "id":
			it.ID, err = w.text()
		case "url":
			it.URL, err = w.text()
		case "external_url":
			it.ExternalURL, err = w.text()
		case "title":
			it.Title, err = w.text()
		case "content_html":
			it.ContentHTML, err = w.text()
		case "content_text":
			it.ContentText, err = w.text()
		case "summary":
			it.Summary, err = w.text()
		case "date_published":
			it.DatePublished, err = w.date()
		case "date_modified":
			it.DateModified, err = w.date()
		case "language":
			it.Language, err = w.text()
		case "author", "authors":
			it.Authors, err = w.authors(it.Authors)
		case "tags":
			it.Tags, err = w.tags()
		default:
			err = w.skip()
		}
		return err
	})
	if err != nil {
		return err
	}
	w.items++
	w.feed.Items = append(w.feed.Items, &it)
	return nil
}

// date reads a date and returns it as RFC 3339, or nothing.
func (w *jsonRewriter) date() (string, error) {
	s, err := w.text()
	if t, ok := parseDate(s, w.now); ok && err == nil {
		return t.Format(time.RFC3339Nano), nil
	}
	return "", err
}

// authors reads an author, or an array of authors, each an object or, against
// the specification, a name.
func (w *jsonRewriter) authors(have []*gojson.Author) ([]*gojson.Author, error) {
	one := func() error {
		var name string
		var err error
		if w.peek() == '{' {
			err = w.object(func(key string) (err error) {
				if key != "name" {
					return w.skip()
				}
				name, err = w.text()
				return err
			})
		} else {
			name, err = w.text()
		}
		if err == nil && name != "" && len(have) < maxNames {
			have = append(have, &gojson.Author{Name: name})
		}
		return err
	}
	if w.peek() == '[' {
		err := w.array(one)
		return have, err
	}
	err := one()
	return have, err
}

// tags reads an array of texts, or one text.
func (w *jsonRewriter) tags() (tags []string, err error) {
	one := func() error {
		tag, err := w.text()
		if err == nil && tag != "" && len(tags) < maxNames {
			tags = append(tags, tag)
		}
		return err
	}
	if w.peek() == '[' {
		err = w.array(one)
		return tags, err
	}
	err = one()
	return tags, err
}

// hubList reads the addresses of hubs.
func (w *jsonRewriter) hubList() error {
	if w.peek() != '[' {
		return w.skip()
	}
	return w.array(func() error {
		if w.peek() != '{' {
			return w.skip()
		}
		return w.object(func(key string) error {
			if key != "url" {
				return w.skip()
			}
			hub, err := w.text()
			if hub != "" && len(w.hubs) < maxHubs {
				w.hubs = append(w.hubs, hub)
			}
			return err
		})
	})
}
