package document

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/mmcdole/gofeed/atom"
	"github.com/mmcdole/gofeed/json"
	"github.com/mmcdole/gofeed/rss"
	"golang.org/x/sync/semaphore"
)

// inFlight is how many bytes of documents are parsed at once in this process.
// A parse may hold a dozen times its document's size; memory belongs to the
// process, so the gate does too, however many fetchers there are. Small
// documents pass it without waiting for anything but a burst of big ones.
const inFlight = 16 << 20

var gate = semaphore.NewWeighted(inFlight)

// Parse reads one document. It waits, as long as ctx allows, while other
// documents that are parsed at that moment hold too much memory.
//
// The error matches ErrNotFeed, ErrHostile, ErrMalformed, ErrBrokenOff or
// ErrPanic, or is ctx's own. A document that broke off after an item is no error; see
// Document.Truncated.
func Parse(ctx context.Context, in Input) (doc *Document, err error) {
	defer func() {
		if r := recover(); r != nil {
			doc, err = nil, fmt.Errorf("document: %w: %v", ErrPanic, r)
		}
	}()
	lim := in.Limits.orDefault()
	if len(in.Body) > lim.Bytes {
		return nil, &BoundError{Bound: "the document's size in bytes", Limit: int64(lim.Bytes)}
	}
	weight := min(int64(len(in.Body)), inFlight)
	if err := gate.Acquire(ctx, weight); err != nil {
		return nil, err
	}
	defer gate.Release(weight)

	bounded, cancel := context.WithTimeoutCause(ctx, lim.Time,
		&BoundError{Bound: "the time to parse in milliseconds", Limit: lim.Time.Milliseconds()})
	defer cancel()
	doc, err = parse(bounded, in, lim)
	if err != nil && bounded.Err() != nil && errors.Is(err, bounded.Err()) {
		err = context.Cause(bounded)
	}
	return doc, err
}

func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	for _, f := range []struct{ field, value *int }{
		{&l.Bytes, &d.Bytes},
		{&l.Items, &d.Items},
		{&l.TitleBytes, &d.TitleBytes},
		{&l.TextBytes, &d.TextBytes},
		{&l.Depth, &d.Depth},
		{&l.Namespaces, &d.Namespaces},
		{&l.Elements, &d.Elements},
		{&l.Pieces, &d.Pieces},
		{&l.TagBytes, &d.TagBytes},
		{&l.Attributes, &d.Attributes},
		{&l.RunBytes, &d.RunBytes},
	} {
		if *f.field <= 0 {
			*f.field = *f.value
		}
	}
	if l.Time <= 0 {
		l.Time = d.Time
	}
	return l
}

// parse does the work. Each stage is linear in the document and looks at ctx.
func parse(ctx context.Context, in Input, lim Limits) (*Document, error) {
	t, err := read(ctx, in, lim)
	if err != nil {
		return nil, err
	}
	items, repeats := identify(t.items)
	t.doc.Items, t.doc.Repeats = items, repeats
	// A server that always breaks off so early would pass for one without news.
	if t.doc.Truncated && len(items)+len(t.doc.Children) == 0 {
		return nil, fmt.Errorf("document: %w", ErrBrokenOff)
	}
	return t.doc, nil
}

// read does all but giving the items their IDs.
func read(ctx context.Context, in Input, lim Limits) (*translation, error) {
	src, charset := settleCharset(in.Body, in.ContentType)
	if len(src) > lim.Bytes {
		return nil, &BoundError{Bound: "the document's size in bytes", Limit: int64(lim.Bytes)}
	}
	form, start, err := sniff(ctx, src, in.Body, lim)
	if err != nil {
		return nil, err
	}
	if form == formatSitemap {
		if !in.Sitemap {
			return nil, notFeed("a sitemap; it is read where the feed's kind is sitemap")
		}
		t, err := readSitemap(ctx, in, src, start, lim)
		if err == nil {
			t.doc.Charset = charset
		}
		return t, err
	}
	var clean *rewritten
	if form == formatJSON {
		clean, err = rewriteJSON(ctx, src, start, in.Now, lim)
	} else {
		clean, err = rewriteXML(ctx, src, start, in.URL, in.Now, lim)
	}
	if err != nil {
		return nil, err
	}
	t := newTranslation(ctx, in, lim, clean)
	t.doc.Charset = charset
	reader := &contextReader{ctx: ctx, rest: clean.body}
	switch clean.kind {
	case KindJSON:
		f, err := new(json.Parser).Parse(reader)
		if err != nil {
			return nil, malformed(ctx, err)
		}
		return t, t.json(f)
	case KindAtom:
		f, err := new(atom.Parser).Parse(reader)
		if err != nil {
			return nil, malformed(ctx, err)
		}
		clean.discard()
		return t, t.atom(f)
	}
	f, err := new(rss.Parser).Parse(reader)
	if err != nil {
		return nil, malformed(ctx, err)
	}
	clean.discard()
	return t, t.rss(f)
}

// malformed wraps gofeed's error. Its text may quote the document, and is cut.
func malformed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("document: %w: %s", ErrMalformed, strings.ToValidUTF8(cut(err.Error(), 200), ""))
}

// contextReader hands gofeed a document piece by piece and stops when ctx ends,
// which is the only way to stop gofeed.
type contextReader struct {
	ctx  context.Context
	rest []byte
}

func (r *contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.rest[:min(len(r.rest), 64<<10)])
	r.rest = r.rest[n:]
	return n, nil
}
