package document

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/atom"
)

// segment is a part of an element's content.
type segment struct {
	kind       markup
	start, end int
}

// inner reads the content of the element whose start tag was just passed, up to
// and with its end tag. With keep, what it holds is in w.segs, up to the limit.
// It reports whether the element was complete: the source did not end in it.
//
// The content may be anything: XHTML, HTML that nobody escaped, elements that
// are never closed. So nothing is expected of it but the element's own end tag;
// and where the end tag of an element around it comes first, or in RSS the next
// item, the element's own is missing, and what was open ends there. (An entry
// within an entry's content is how one Atom document quotes another.)
func (w *rewriter) inner(name []byte, keep bool) (bool, error) {
	w.segs = w.segs[:0]
	var (
		same, nested, depth, size int
		item                      []byte
		text                      = w.pos
	)
	for i := range w.frames {
		if w.frames[i].item {
			item = w.frames[i].name
		}
	}
	if item == nil && w.lookup(w.feed, name) == w.feed["item"] {
		item = name // one beyond the limit
	}
	add := func(kind markup, start, end int) {
		if keep && end > start && size < w.lim.RunBytes {
			size += end - start
			for end -= max(size-w.lim.RunBytes, 0); end > start && end < len(w.src) && !utf8.RuneStart(w.src[end]); {
				end--
			}
			w.segs = append(w.segs, segment{kind, start, end})
		}
	}
	for w.pos < len(w.src) {
		lt := bytes.IndexByte(w.src[w.pos:], '<')
		if lt < 0 {
			break
		}
		w.pos += lt
		start := w.pos
		kind, err := w.markup()
		if err != nil {
			return false, err
		}
		if kind == markupText {
			continue
		}
		add(markupText, text, start)
		switch kind {
		case markupCDATA:
			inside := w.cdata(start)
			from := start + len("<![CDATA[")
			add(markupCDATA, from, from+len(inside))
		case markupStart:
			if !keep {
				// Tags within a text are text.
				if err := w.countElement(); err != nil {
					return false, err
				}
			}
			w.pos = w.tagEnd()
			tag := w.src[start+1 : w.pos]
			closed := bytes.HasSuffix(tag, []byte("/>"))
			tag = tagName(tag)
			if !closed {
				if w.result.kind != KindAtom && bytes.EqualFold(tag, item) {
					w.pos = start
					return true, nil
				}
				if bytes.EqualFold(tag, name) {
					same++
				} else if w.frameOf(tag) >= 0 {
					nested++
				}
				if !keep && !void(tag) {
					if depth++; depth > w.lim.Depth {
						return false, &BoundError{Bound: "depth", Limit: int64(w.lim.Depth)}
					}
				}
			}
			add(markupStart, start, w.pos)
		case markupEnd:
			tag := tagName(w.src[start+2:])
			switch {
			case bytes.EqualFold(tag, name):
				if same--; same < 0 {
					w.endTag()
					return true, nil
				}
			case w.frameOf(tag) < 0:
			case nested > 0:
				nested--
			default:
				return true, nil
			}
			depth = max(depth-1, 0)
			w.pos = w.tagEnd()
			add(markupEnd, start, w.pos)
		}
		text = w.pos
	}
	w.pos = len(w.src)
	return false, nil
}

// tagName returns the name at the start of what follows '<' or "</".
func tagName(b []byte) []byte {
	i := 0
	for i < len(b) && !isNameEnd(b[i]) {
		i++
	}
	return b[:i]
}

// void reports whether HTML knows the element as one that is never closed; in
// text that nobody escaped it says nothing about depth.
func void(name []byte) bool {
	switch atom.Lookup(bytes.ToLower(name[:min(len(name), 16)])) {
	case atom.Br, atom.Hr, atom.Img, atom.Input, atom.Meta, atom.Link, atom.Embed, atom.Source, atom.Wbr,
		atom.P, atom.Li, atom.Area, atom.Col, atom.Param, atom.Track, atom.Base:
		return true
	}
	return false
}

// join returns the text of the segments that inner kept, without the white
// space around it. Where an element holds markup of its own (XHTML, or HTML that
// nobody escaped), the text is that markup as it stands, and still escaped; else
// it is what the references and CDATA sections say.
func (w *rewriter) join() []byte {
	marked := false
	for _, s := range w.segs {
		marked = marked || s.kind == markupStart
	}
	if len(w.segs) == 1 && w.segs[0].kind == markupCDATA {
		return bytes.TrimSpace(w.src[w.segs[0].start:w.segs[0].end])
	}
	w.text = w.text[:0]
	for _, s := range w.segs {
		switch part := w.src[s.start:s.end]; {
		case s.kind == markupText && !marked:
			w.text = w.entities.appendDecoded(w.text, part)
		default:
			w.text = append(w.text, part...)
		}
	}
	return bytes.TrimSpace(w.text)
}

// list writes an element with a child for each word in the text of the source's
// children, as skipHours and skipDays have them.
func (w *rewriter) list(name string, text []byte) {
	child := "hour"
	if name == "skipDays" {
		child = "day"
	}
	w.tag(name)
	for n, word := range strings.Fields(dropTags(string(text), " ")) {
		if n == 24 {
			break
		}
		w.write(child, []byte(word))
	}
	w.out = append(w.out, "</"+name+">"...)
}

func (w *rewriter) tag(name string) {
	w.out = append(w.out, '<')
	w.out = append(w.out, name...)
	w.out = append(w.out, '>')
}

// write adds an element with the text in one CDATA section, the one form that
// gofeed takes as it is. An element without text is not written: it would hide
// another of that name which has some.
func (w *rewriter) write(name string, text []byte) bool {
	return w.put("<"+name+">", text, "</"+name+">")
}

func (w *rewriter) put(open string, text []byte, end string) bool {
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return false
	}
	if len(text) > w.lim.RunBytes {
		text = bytes.ToValidUTF8(text[:w.lim.RunBytes], nil)
	}
	w.out = append(w.out, open...)
	w.out = append(w.out, "<![CDATA["...)
	for {
		i := bytes.Index(text, []byte("]]>"))
		if i < 0 {
			break
		}
		// Two sections would be two pieces, and gofeed's time grows with the square
		// of their number; in text that is read as HTML this says the same.
		w.out = append(append(w.out, text[:i]...), "]]&gt;"...)
		text = text[i+3:]
	}
	w.out = append(w.out, text...)
	w.out = append(w.out, "]]>"...)
	w.out = append(w.out, end...)
	return true
}

// appendEscaped appends an attribute's value.
func appendEscaped(dst, value []byte) []byte {
	for _, c := range value {
		switch c {
		case '<':
			dst = append(dst, "&lt;"...)
		case '>':
			dst = append(dst, "&gt;"...)
		case '&':
			dst = append(dst, "&amp;"...)
		case '"':
			dst = append(dst, "&quot;"...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// local returns a name without its prefix.
func local(name []byte) []byte {
	if i := bytes.LastIndexByte(name, ':'); i >= 0 {
		return name[i+1:]
	}
	return name
}

// lookup returns what a vocabulary says of an element, or nil.
func (w *rewriter) lookup(words vocabulary, name []byte) *rule {
	if len(name) > 64 {
		return nil
	}
	prefix, rest, ok := bytes.Cut(name, []byte(":"))
	if !ok {
		prefix, rest = nil, name
	}
	space := w.spaceOf(prefix)
	if space == spaceNone {
		return nil
	}
	w.lower = w.lower[:0]
	if space != spaceNative {
		w.lower = append(append(w.lower, space...), ':')
	}
	for _, c := range rest {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		w.lower = append(w.lower, c)
	}
	return words[string(w.lower)]
}

// spaceOf returns what a prefix stands for here.
func (w *rewriter) spaceOf(prefix []byte) space {
	own := spaceOriginal
	if w.result.kind == KindAtom {
		own = spaceAtom
	}
	found := spaceNone
	declared := false
	for i := len(w.decls) - 1; i >= 0 && !declared; i-- {
		if w.decls[i].prefix == string(prefix) {
			found, declared = w.decls[i].space, true
		}
	}
	if found == spaceNone {
		if len(prefix) == 0 {
			return spaceNative
		}
		if found = spacesByPrefix[string(prefix)]; found == "" {
			return spaceNone
		}
	}
	if found == own {
		return spaceNative
	}
	return found
}

// readAttributes reads what is of use in a start tag into w.attrs, and the
// namespaces, base and language that it brings into force into w.decls and f.
func (w *rewriter) readAttributes(t *tag, f *frame) error {
	w.attrs = attributes{}
	if len(t.attrs) == 0 {
		return nil
	}
	var bound error
	err := w.attributes(t.attrs, func(name, value []byte) bool {
		a := &w.attrs
		switch string(name) {
		case "xmlns":
			bound = w.declare(nil, value)
		case "rel":
			a.rel = value
		case "href", "rdf:resource":
			a.href = value
		case "type":
			a.typ = value
		case "term":
			a.term = value
		case "label":
			a.label = value
		case "rdf:about":
			a.about = value
		case "isPermaLink", "ispermalink", "isPermalink":
			a.permalink = value
		case "mode":
			a.mode = value
		case "version":
			a.version = value
		case "xml:lang":
			a.lang = value
			f.lang = language(string(value))
		case "xml:base":
			base := f.base
			if base == "" {
				base = w.url
			}
			ref := string(w.entities.appendDecoded(nil, value))
			if u := newLinker(base).resolve(ref); u != nil && (u.Scheme == "http" || u.Scheme == "https") {
				f.base = u.String()
			}
		default:
			if prefix, ok := bytes.CutPrefix(name, []byte("xmlns:")); ok {
				bound = w.declare(prefix, value)
			}
		}
		return bound == nil
	})
	if err == nil {
		err = bound
	}
	return err
}

// declare brings a namespace into force.
func (w *rewriter) declare(prefix, uri []byte) error {
	if len(w.decls) >= w.lim.Namespaces {
		return &BoundError{Bound: "the number of namespaces in force", Limit: int64(w.lim.Namespaces)}
	}
	w.decls = append(w.decls, decl{string(prefix), spaceOf(string(uri))})
	return nil
}
