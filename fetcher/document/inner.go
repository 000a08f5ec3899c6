package document

import (
	"bytes"
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
