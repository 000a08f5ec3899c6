package document

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"time"
)

// rewritten is a document as gofeed gets it, and what was learned on the way.
type rewritten struct {
	kind      Kind
	version   string
	lang      string
	body      []byte
	dropped   int
	truncated bool
	hubs      []string // of a JSON Feed, which gofeed leaves out
	long      []string // what the marks in body stand for
}

// rewriter reads a feed in XML and writes another that says the same: only the
// elements that an item is made of, each with one run of text, in a handful of
// namespaces under fixed prefixes, dates in RFC 3339, links resolved, every tag
// closed. gofeed is given this and never the source, so a difference between how
// this package and how encoding/xml read a document cannot be used against it:
// there is nothing left in what it reads that was not put there.
type rewriter struct {
	scanner
	now    time.Time
	url    string // where the document came from
	out    []byte
	result rewritten
	feed   vocabulary // of the format that the root announced
	item   vocabulary
	frames []frame
	decls  []decl
	items  int
	start  int // where in out the open item begins
	seen   uint64
	attrs  attributes
	segs   []segment
	text   []byte
	lower  []byte
}

// frame is an open element.
type frame struct {
	name  []byte
	words vocabulary
	close string // what is written when it ends
	item  bool
	seen  uint64 // of the frame around it
	decls int    // in force outside of it
	base  string
	lang  string
}

type decl struct {
	prefix string
	space  space
}

// attributes are those of a start tag that anything is made of.
type attributes struct {
	rel, href, typ, term, label, about, permalink, mode, version, lang []byte
}

// rewriteXML reads the document from its root element on. The root is known to
// be there; see findRoot.
func rewriteXML(ctx context.Context, src []byte, root int, url string, now time.Time, lim Limits) (*rewritten, error) {
	w := &rewriter{
		scanner: scanner{ctx: ctx, src: src, lim: lim},
		now:     now,
		url:     url,
		out:     *outputs.Get().(*[]byte),
	}
	if doctype := bytes.Index(src[:root], []byte("<!DOCTYPE")); doctype >= 0 {
		w.pos = doctype
		if err := w.skipDoctype(); err != nil {
			return nil, err
		}
	}
	w.pos = root
	if err := w.openRoot(); err != nil {
		return nil, err
	}
	if err := w.run(); err != nil {
		return nil, err
	}
	w.result.body = w.out
	return &w.result, nil
}

// outputs are buffers of documents that gofeed is done with.
var outputs = sync.Pool{New: func() any { return new([]byte) }}

// maxOutput is the largest buffer that is kept.
const maxOutput = 1 << 20

// discard gives the document's memory back, once gofeed has read it. It need not
// be called.
func (r *rewritten) discard() {
	if cap(r.body) <= maxOutput {
		body := r.body[:0]
		outputs.Put(&body)
	}
	r.body = nil
}

// openRoot reads the root element and settles what the document is.
func (w *rewriter) openRoot() error {
	var t tag
	if err := w.startTag(&t); err != nil {
		return err
	}
	name := strings.ToLower(string(local(t.name)))
	w.result.kind, w.feed, w.item = KindRSS, rssFeed, rssItem
	closing := "</channel></rss>"
	switch name {
	case "rdf":
		w.result.kind = KindRDF
	case "feed":
		w.result.kind, w.feed, w.item = KindAtom, atomFeed, atomEntry
		closing = "</feed>"
	}
	if w.result.kind == KindAtom {
		w.out = append(w.out, `<feed>`...)
	} else {
		w.out = append(w.out, `<rss version="2.0"><channel>`...)
	}
	f := frame{name: t.name, words: w.feed, close: closing}
	if err := w.readAttributes(&t, &f); err != nil {
		return err
	}
	w.result.lang = f.lang
	w.result.version = w.versionOf()
	// What the root declares without a prefix is the document's own vocabulary,
	// whatever its address: RSS that claims to be Atom is still RSS.
	for i := range w.decls {
		if w.decls[i].prefix == "" {
			w.decls[i].space = spaceNative
		}
	}
	if prefix, _, ok := bytes.Cut(t.name, []byte(":")); ok && w.result.kind != KindRDF {
		// So is what the root's own prefix stands for.
		w.decls = append(w.decls, decl{string(prefix), spaceNative})
	}
	w.frames = append(w.frames, f)
	if t.closed {
		w.closeTo(0)
	}
	return nil
}

func (w *rewriter) versionOf() string {
	if v := strings.TrimSpace(string(w.attrs.version)); v != "" && len(v) <= 8 {
		return v
	}
	switch w.result.kind {
	case KindRDF:
		return "1.0"
	case KindAtom:
		return "1.0"
	}
	return ""
}

// run reads to the end of the root, or of the source.
func (w *rewriter) run() error {
	var t tag
	for len(w.frames) > 0 {
		kind, err := w.next(&t)
		if err != nil {
			return err
		}
		switch kind {
		case tokenEOF:
			w.truncate()
			return nil
		case tokenText:
			if err := w.ctx.Err(); err != nil {
				return err
			}
		case tokenEnd:
			if i := w.frameOf(t.name); i >= 0 {
				w.closeTo(i)
			} else if err := w.countPiece(); err != nil {
				return err
			}
		case tokenStart:
			if err := w.element(&t); err != nil {
				return err
			}
		}
	}
	return nil
}

// element handles a start tag where elements are expected.
func (w *rewriter) element(t *tag) error {
	top := &w.frames[len(w.frames)-1]
	f := frame{name: t.name, decls: len(w.decls), base: top.base, lang: top.lang}
	if err := w.readAttributes(t, &f); err != nil {
		return err
	}
	r := w.lookup(top.words, t.name)
	if r == nil && w.feed["item"] != nil && w.lookup(w.feed, t.name) == w.feed["item"] ||
		r == nil && w.feed["entry"] != nil && w.lookup(w.feed, t.name) == w.feed["entry"] {
		// The item before was not closed, or what is in it was not.
		for i := range w.frames {
			if w.frames[i].item {
				w.closeTo(i)
				break
			}
		}
		return w.open(t, w.lookup(w.feed, t.name), f)
	}
	if r == nil || !r.many && r.bit&w.seen != 0 && r.out != "" {
		w.decls = w.decls[:f.decls]
		if t.closed {
			return nil
		}
		_, err := w.inner(t.name, false)
		return err
	}
	switch r.do {
	case workItem, workEnter, workPerson, workSource:
		return w.open(t, r, f)
	}
	err := w.leaf(t, r, &f)
	w.decls = w.decls[:f.decls]
	return err
}

// open handles an element whose children are elements.
func (w *rewriter) open(t *tag, r *rule, f frame) error {
	if len(w.frames) >= w.lim.Depth {
		return &BoundError{Bound: "depth", Limit: int64(w.lim.Depth)}
	}
	top := &w.frames[len(w.frames)-1]
	f.words = top.words
	switch r.do {
	case workItem:
		if w.items >= w.lim.Items {
			w.decls = w.decls[:f.decls]
			done := t.closed
			if !done {
				var err error
				if done, err = w.inner(t.name, false); err != nil {
					return err
				}
			}
			if done {
				w.result.dropped++
			}
			return nil
		}
		w.start = len(w.out)
		f.words, f.item, f.seen, f.close = w.item, true, w.seen, "</"+r.out+">"
		w.seen = 0
		w.tag(r.out)
		if len(w.attrs.about) > 0 && w.result.kind == KindRDF {
			w.write("guid", w.entities.appendDecoded(w.text[:0], w.attrs.about))
		}
		if f.lang != top.lang {
			w.write("dc:language", []byte(f.lang))
		}
	case workPerson:
		f.words, f.close, f.seen = personWords, "</"+r.out+">", w.seen
		w.seen = 0
		w.tag(r.out)
	case workSource:
		f.words, f.close, f.seen = sourceWords, "</"+r.out+">", w.seen|r.bit
		w.seen = 0
		w.tag(r.out)
	default:
		f.seen = w.seen
	}
	w.frames = append(w.frames, f)
	if t.closed {
		w.closeTo(len(w.frames) - 1)
	}
	return nil
}

// closeTo ends the open elements down to and with the i-th.
func (w *rewriter) closeTo(i int) {
	for j := len(w.frames) - 1; j >= i; j-- {
		f := &w.frames[j]
		w.out = append(w.out, f.close...)
		if f.close != "" {
			w.seen = f.seen
		}
		w.decls = w.decls[:min(f.decls, len(w.decls))]
		if f.item {
			w.items++
		}
	}
	w.frames = w.frames[:i]
}

// frameOf returns the innermost open element of that name, or -1.
func (w *rewriter) frameOf(name []byte) int {
	for i := len(w.frames) - 1; i >= 0; i-- {
		if bytes.EqualFold(w.frames[i].name, name) {
			return i
		}
	}
	return -1
}

// truncate ends a document whose end is missing. The item that was open is left
// out: its text, and whatever would have named it, may be incomplete, and it
// will be complete at the next poll.
func (w *rewriter) truncate() {
	w.result.truncated = true
	for i := range w.frames {
		if w.frames[i].item {
			w.out = w.out[:w.start]
			w.frames = w.frames[:i]
			break
		}
	}
	w.closeTo(0)
}
