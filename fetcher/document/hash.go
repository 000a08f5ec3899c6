package document

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strings"
)

// Hash is the same for two bodies that differ in nothing but when they were
// built: the feed's own dates (lastBuildDate, pubDate, updated and the like
// outside of items), its generator, and comments outside of items, where caches
// leave the time and the milliseconds. Everything within an item counts, dates and comments
// too. Where it cannot tell, as in a charset that is not ASCII's kin, all of the
// body counts: reading a feed once too often costs less than missing a story.
//
// It is one pass over the body without a parse: a poll that brought nothing new
// should cost next to nothing.
func Hash(body []byte) string {
	h := sha256.New()
	switch start := bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\uFEFF")), " \t\r\n"); {
	case len(start) > 0 && start[0] == '{':
		hashJSON(h, body)
	default:
		hashXML(h, body)
	}
	sum := h.Sum(nil)
	return hex.EncodeToString(sum[:16])
}

// buildDates are the elements outside of items, and the members of a JSON
// feed's top object, that say when or by what a document was made. Names are in lower case
// and without prefix.
var buildDates = map[string]bool{
	"lastbuilddate": true, "pubdate": true, "updated": true, "modified": true, "date": true, "published": true,
	"date_modified": true, "date_published": true, "last_updated": true, "lastupdated": true, "last_modified": true,
	"generated": true, "generated_at": true, "_generated": true, "created": true, "timestamp": true, "issued": true,
	"generator": true, "updatebase": true,
}

// hashXML writes the body to h without its build dates and outer comments.
func hashXML(h hash.Hash, body []byte) {
	from, pos := 0, 0 // body[from:pos] is to be written
	depth := 0        // of items; they do not nest, but their contents may pretend to
	var ends endings
	var buf [16]byte
	for {
		lt := bytes.IndexByte(body[pos:], '<')
		if lt < 0 {
			break
		}
		pos += lt
		rest := body[pos:]
		switch {
		case bytes.HasPrefix(rest, []byte("<![CDATA[")):
			if end := ends.find(body, pos, "]]>"); end > 0 {
				pos = end
				continue
			}
		case bytes.HasPrefix(rest, []byte("<!--")):
			if end := ends.find(body, pos+4, "-->"); end > 0 {
				if depth == 0 {
					h.Write(body[from:pos])
					from = end
				}
				pos = end
				continue
			}
		case len(rest) > 1 && rest[1] == '/':
			if depth > 0 && isItem(localName(&buf, rest[2:])) {
				depth--
			}
		default:
			name := localName(&buf, rest[1:])
			if isItem(name) {
				if !selfClosing(rest) {
					depth++
				}
			} else if depth == 0 && buildDates[string(name)] {
				gt := bytes.IndexByte(rest, '>')
				if gt > 0 && rest[gt-1] != '/' {
					// Only text is left out: what looks like a date element and
					// holds others is something else.
					start := pos + gt + 1
					h.Write(body[from:start])
					next := bytes.IndexByte(body[start:], '<')
					if next < 0 || next > 256 {
						next = 0
					}
					from, pos = start+next, start+next
					continue
				}
			}
		}
		pos++
	}
	h.Write(body[from:])
}

// endings finds the ends of comments and CDATA sections. It remembers when there
// are no more, or a body of nothing but their beginnings would be searched to
// its end from each of them.
type endings struct{ none [2]bool }

// find returns the position after the next terminator from pos, or 0.
func (e *endings) find(body []byte, pos int, terminator string) int {
	kind := 0
	if terminator == "-->" {
		kind = 1
	}
	if e.none[kind] || pos > len(body) {
		return 0
	}
	i := bytes.Index(body[pos:], []byte(terminator))
	if i < 0 {
		e.none[kind] = true
		return 0
	}
	return pos + i + len(terminator)
}

// localName returns the element's name at the start of b, in lower case and
// without its prefix, in buf; names too long to matter are empty.
func localName(buf *[16]byte, b []byte) []byte {
	n := 0
	for i := 0; i < len(b) && i < 64; i++ {
		c := b[i]
		switch {
		case c == ':':
			n = 0
			continue
		case c >= 'A' && c <= 'Z':
			c |= 0x20
		case c <= ' ' || c == '>' || c == '/':
			return buf[:n]
		}
		if n == len(buf) {
			return nil
		}
		buf[n] = c
		n++
	}
	return nil
}

func isItem(name []byte) bool { return string(name) == "item" || string(name) == "entry" }

func selfClosing(tag []byte) bool {
	gt := bytes.IndexByte(tag, '>')
	return gt > 0 && tag[gt-1] == '/'
}

// hashJSON writes the body to h without the scalar values of the top object's
// build dates.
func hashJSON(h hash.Hash, body []byte) {
	from, depth := 0, 0
	key := ""
	for pos := 0; pos < len(body); {
		switch c := body[pos]; c {
		case '{', '[':
			depth++
			key = ""
			pos++
		case '}', ']':
			depth--
			pos++
		case '"':
			end := stringEnd(body, pos)
			next := skipBlank(body, end)
			if depth == 1 && next < len(body) && body[next] == ':' {
				key = strings.ToLower(string(body[pos+1 : max(end-1, pos+1)]))
				pos = next + 1
				continue
			}
			if depth == 1 && buildDates[key] {
				h.Write(body[from:pos])
				from = end
			}
			pos = end
		case ',':
			key = ""
			pos++
		default:
			if depth == 1 && buildDates[key] && isDigit(c) {
				h.Write(body[from:pos])
				for pos < len(body) && (isDigit(body[pos]) || body[pos] == '.') {
					pos++
				}
				from = pos
				continue
			}
			pos++
		}
	}
	h.Write(body[from:])
}

// stringEnd returns the position after the JSON string that begins at pos.
func stringEnd(b []byte, pos int) int {
	for i := pos + 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

func skipBlank(b []byte, pos int) int {
	for pos < len(b) && (b[pos] == ' ' || b[pos] == '\t' || b[pos] == '\r' || b[pos] == '\n') {
		pos++
	}
	return pos
}
