package document

import (
	"bytes"
	"context"
)

// scanner reads XML as it is found in the wild, from clean UTF-8. It keeps no
// more than a position: what it finds are slices of the source. Whatever it does
// is linear in the source, and it counts everything it meets against the limits,
// so that no document can cost more than its size allows.
type scanner struct {
	ctx      context.Context
	src      []byte
	pos      int
	lim      Limits
	elements int
	pieces   int
	ends     endings
	noPI     bool // there is no "?>" any more
	doctype  bool // one was seen; a document has one
	entities entities
}

// tag is a start tag.
type tag struct {
	name   []byte // as written, prefix included
	attrs  []byte // what stands between the name and the end
	closed bool   // "<a/>"
}

// token is what next found.
type token uint8

const (
	tokenEOF token = iota
	tokenText
	tokenStart
	tokenEnd
)

// next finds the next start or end tag, or character data that is not blank.
// Comments, processing instructions and the DOCTYPE are passed over. A start
// tag's parts are in t; of an end tag only the name is. Text is not collected:
// between elements nothing depends on it but that it is there.
func (s *scanner) next(t *tag) (token, error) {
	for s.pos < len(s.src) {
		if c := s.src[s.pos]; c <= ' ' {
			s.pos++
			continue
		} else if c != '<' {
			s.skipText()
			return tokenText, nil
		}
		kind, err := s.markup()
		if err != nil {
			return tokenEOF, err
		}
		switch kind {
		case markupStart:
			if err := s.countElement(); err != nil {
				return tokenEOF, err
			}
			return tokenStart, s.startTag(t)
		case markupEnd:
			t.name = s.endTag()
			return tokenEnd, nil
		case markupText, markupCDATA:
			return tokenText, nil
		}
	}
	return tokenEOF, nil
}

func (s *scanner) skipText() {
	if i := bytes.IndexByte(s.src[s.pos:], '<'); i >= 0 {
		s.pos += i
	} else {
		s.pos = len(s.src)
	}
}

// markup is what a '<' begins.
type markup uint8

const (
	markupText  markup = iota // nothing: the '<' is a character, and was passed
	markupNone                // a comment, an instruction or a DOCTYPE, and was passed
	markupCDATA               // a CDATA section, and was passed
	markupStart               // a start tag; the position is still on the '<'
	markupEnd                 // an end tag; the position is still on the '<'
)

// markup classifies the '<' at the position.
func (s *scanner) markup() (markup, error) {
	rest := s.src[s.pos:]
	if len(rest) < 2 {
		s.pos++
		return markupText, nil
	}
	switch c := rest[1]; {
	case isLetter(c) || c == '_' || c >= 0x80:
		return markupStart, nil
	case c == '/':
		return markupEnd, nil
	case c == '?':
		return markupNone, s.skipTo("?>")
	case c != '!':
		s.pos++
		return markupText, nil
	case bytes.HasPrefix(rest, []byte("<!--")):
		return markupNone, s.skipTo("-->")
	case bytes.HasPrefix(rest, []byte("<![CDATA[")):
		if err := s.countPiece(); err != nil {
			return markupNone, err
		}
		if end := s.ends.find(s.src, s.pos, "]]>"); end > 0 {
			s.pos = end
		} else {
			s.pos = len(s.src)
		}
		return markupCDATA, nil
	}
	return markupNone, s.skipDoctype()
}

// cdata returns the text of the CDATA section that ended at the position and
// began at start.
func (s *scanner) cdata(start int) []byte {
	return bytes.TrimSuffix(s.src[start+len("<![CDATA["):max(s.pos, start+len("<![CDATA["))], []byte("]]>"))
}

// skipTo passes a comment or an instruction. One without an end ends at the next
// '>', or all that follows would be lost to it.
func (s *scanner) skipTo(terminator string) error {
	if err := s.countPiece(); err != nil {
		return err
	}
	end := 0
	if terminator == "-->" {
		end = s.ends.find(s.src, s.pos+2, terminator)
	} else if !s.noPI {
		if i := bytes.Index(s.src[s.pos:], []byte(terminator)); i >= 0 {
			end = s.pos + i + len(terminator)
		} else {
			s.noPI = true
		}
	}
	if end == 0 {
		end = s.tagEnd()
	}
	s.pos = end
	return nil
}

// tagEnd returns the position after the next '>', or the source's end.
func (s *scanner) tagEnd() int {
	if i := bytes.IndexByte(s.src[s.pos:], '>'); i >= 0 {
		return s.pos + i + 1
	}
	return len(s.src)
}

// skipDoctype passes a DOCTYPE with its internal subset, whose entities it
// takes note of, and any other "<!".
func (s *scanner) skipDoctype() error {
	if err := s.countPiece(); err != nil {
		return err
	}
	end := s.tagEnd()
	if open := bytes.IndexByte(s.src[s.pos:end], '['); open >= 0 && !s.doctype {
		s.doctype = true
		subset := s.src[s.pos+open : min(s.pos+open+s.lim.TagBytes, len(s.src))]
		if closing := bytes.Index(subset, []byte("]>")); closing >= 0 {
			s.entities.declare(subset[:closing])
			end = s.pos + open + closing + 2
		} else if spaced := bytes.LastIndexByte(subset, ']'); spaced >= 0 {
			s.entities.declare(subset[:spaced])
			s.pos += open + spaced
			end = s.tagEnd()
		}
	}
	s.pos = end
	return nil
}

func (s *scanner) countElement() error {
	if s.elements++; s.elements > s.lim.Elements {
		return &BoundError{Bound: "the number of elements", Limit: int64(s.lim.Elements)}
	}
	if s.elements%1024 == 0 {
		return s.ctx.Err()
	}
	return nil
}

func (s *scanner) countPiece() error {
	if s.pieces++; s.pieces > s.lim.Pieces {
		return &BoundError{Bound: "the number of comments, instructions and CDATA sections", Limit: int64(s.lim.Pieces)}
	}
	if s.pieces%1024 == 0 {
		return s.ctx.Err()
	}
	return nil
}

// startTag reads the start tag at the position. A quoted value may hold '>'. A
// tag that does not end takes the rest of the source.
func (s *scanner) startTag(t *tag) error {
	i := s.pos + 1
	for i < len(s.src) && !isNameEnd(s.src[i]) {
		i++
	}
	t.name = s.src[s.pos+1 : i]
	start, limit := i, min(len(s.src), s.pos+s.lim.TagBytes)
	for i < limit && s.src[i] != '>' {
		if q := s.src[i]; (q == '"' || q == '\'') && i > start && precededByEquals(s.src[start:i]) {
			end := bytes.IndexByte(s.src[i+1:limit], q)
			if end >= 0 {
				i += end + 1
			}
		}
		i++
	}
	if i >= limit {
		if limit < len(s.src) {
			return &BoundError{Bound: "the length of a tag in bytes", Limit: int64(s.lim.TagBytes)}
		}
		t.attrs, t.closed, s.pos = nil, false, len(s.src)
		return nil
	}
	t.attrs = s.src[start:i]
	t.closed = len(t.attrs) > 0 && t.attrs[len(t.attrs)-1] == '/'
	if t.closed {
		t.attrs = t.attrs[:len(t.attrs)-1]
	} else if len(t.name) > 0 && t.name[len(t.name)-1] == '/' {
		t.name, t.closed = t.name[:len(t.name)-1], true
	}
	s.pos = i + 1
	return nil
}

func isNameEnd(c byte) bool { return c <= ' ' || c == '>' || c == '/' || c == '<' }

// precededByEquals reports whether a quote begins a value rather than standing
// in one that was not quoted.
func precededByEquals(b []byte) bool {
	b = bytes.TrimRight(b, " \t\r\n")
	return len(b) > 0 && b[len(b)-1] == '='
}

// endTag passes the end tag at the position and returns its name.
func (s *scanner) endTag() []byte {
	i := s.pos + 2
	for i < len(s.src) && !isNameEnd(s.src[i]) {
		i++
	}
	name := s.src[s.pos+2 : i]
	for i < len(s.src) && s.src[i] != '>' && s.src[i] != '<' {
		i++
	}
	if i < len(s.src) && s.src[i] == '>' {
		i++
	}
	s.pos = i
	return name
}

// attributes calls yield with each attribute's name as written and its value,
// references unresolved, until it returns false.
func (s *scanner) attributes(attrs []byte, yield func(name, value []byte) bool) error {
	for n := 0; ; n++ {
		attrs = bytes.TrimLeft(attrs, " \t\r\n/")
		if len(attrs) == 0 {
			return nil
		}
		if n >= s.lim.Attributes {
			return &BoundError{Bound: "the number of attributes of a tag", Limit: int64(s.lim.Attributes)}
		}
		end := bytes.IndexAny(attrs, "= \t\r\n/")
		if end < 0 {
			return nil
		}
		name := attrs[:end]
		rest := bytes.TrimLeft(attrs[end:], " \t\r\n")
		if len(rest) == 0 || rest[0] != '=' {
			// A name alone, as in HTML; or an '=' without a name.
			attrs = attrs[max(end, 1):]
			continue
		}
		rest = bytes.TrimLeft(rest[1:], " \t\r\n")
		if len(rest) == 0 {
			return nil
		}
		var value []byte
		if q := rest[0]; q == '"' || q == '\'' {
			closing := bytes.IndexByte(rest[1:], q)
			if closing < 0 {
				closing = len(rest) - 1
			}
			value, attrs = rest[1:closing+1], rest[min(closing+2, len(rest)):]
		} else {
			end := bytes.IndexAny(rest, " \t\r\n")
			if end < 0 {
				end = len(rest)
			}
			value, attrs = rest[:end], rest[end:]
		}
		if len(name) > 0 && !yield(name, value) {
			return nil
		}
	}
}
