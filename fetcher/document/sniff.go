package document

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
)

// maxLeading is how far into a document its root is looked for. Before it there
// may be blank lines, warnings of the program that made it, comments and style
// sheets.
const maxLeading = 256 << 10

// notFeed is an ErrNotFeed that says what the document looked like. What is
// quoted of the document is cut short and plain.
func notFeed(format string, args ...any) error {
	return fmt.Errorf("document: %w: %s", ErrNotFeed, fmt.Sprintf(format, args...))
}

// quoted makes something from the document fit for an error's text.
func quoted(b []byte) string { return Title(string(b[:min(len(b), 1024)]), 80) }

// format is what sort of document the first characters announce.
type format uint8

const (
	formatXML format = iota
	formatJSON
	formatSitemap
)

// sniff finds where the document begins: its root element, or its brace. raw is
// the body before the charset was settled.
func sniff(ctx context.Context, src, raw []byte, lim Limits) (format, int, error) {
	blank := len(src) - len(bytes.TrimLeft(src, " \t\r\n"))
	if blank == len(src) {
		return 0, 0, notFeed("an empty document")
	}
	if src[blank] == '{' || src[blank] == '[' {
		return formatJSON, blank, nil
	}
	head := src[:min(len(src), maxLeading)]
	s := scanner{ctx: ctx, src: head, lim: lim}
	for s.pos < len(head) {
		s.skipText()
		if s.pos >= len(head) {
			break
		}
		start := s.pos
		kind, err := s.bare()
		if err != nil {
			return 0, 0, err
		}
		if kind != markupStart {
			continue
		}
		name := tagName(head[start+1:])
		switch strings.ToLower(string(local(name[:min(len(name), 64)]))) {
		case "rss", "rdf", "feed", "channel":
			return formatXML, start, nil
		case "html", "head", "body", "title", "meta", "frameset":
			if inside := wrapped(head, start); inside > 0 {
				return formatXML, inside, nil
			}
			return 0, 0, notFeed("an HTML page%s", titled(head))
		case "urlset", "sitemapindex":
			return formatSitemap, start, nil
		case "opml":
			return 0, 0, notFeed("an OPML list of feeds")
		case "br", "b", "i", "p", "font", "div", "span", "strong", "pre", "table", "tr", "td", "th", "a", "hr", "code", "em", "script", "style", "link", "center", "h1", "h2", "xml":
			// What a program says before it begins.
		default:
			if inside := wrapped(head, start); inside > 0 {
				return formatXML, inside, nil
			}
			return 0, 0, notFeed("an XML document whose root is <%s>", quoted(name))
		}
		s.pos = start + 1
	}
	if mime := http.DetectContentType(raw); !strings.HasPrefix(mime, "text/") && bytes.IndexByte(raw, 0) >= 0 {
		return 0, 0, notFeed("binary data (%s)", mime)
	}
	if bytes.IndexByte(head, '<') >= 0 {
		return 0, 0, notFeed("markup without a feed in it%s", titled(head))
	}
	return 0, 0, notFeed("plain text that begins %q", quoted(src[blank:]))
}

// maxWrapping is how far into another document a feed is looked for that it was
// wrapped into, by a proxy, an envelope or an editor.
const maxWrapping = 2 << 10

// wrapped returns where a feed begins in a document with another root, or 0. Only
// what nothing else has is looked for: a page may hold a <feed> of its own.
func wrapped(head []byte, from int) int {
	near := head[from:min(len(head), from+maxWrapping)]
	for _, root := range []string{"<rss version=", "<rss>", "<rss xmlns", "<rdf:RDF ", `<feed xmlns="http://www.w3.org/2005/Atom"`} {
		if i := bytes.Index(near, []byte(root)); i > 0 {
			return from + i
		}
	}
	return 0
}

// bare passes what the '<' at the position begins, in a document whose root is
// not found yet, and says what it was.
func (s *scanner) bare() (markup, error) {
	rest := s.src[s.pos:]
	kind, err := markupNone, error(nil)
	switch {
	case len(rest) < 2:
		s.pos++
	case isLetter(rest[1]) || rest[1] == '_' || rest[1] >= 0x80:
		return markupStart, nil
	case rest[1] == '!' && !bytes.HasPrefix(rest, []byte("<!--")) && !bytes.HasPrefix(rest, []byte("<![")):
		// The DOCTYPE is read again, for its entities, once there is a root.
		err = s.skipDoctype()
	case rest[1] == '!' && bytes.HasPrefix(rest, []byte("<!--")):
		err = s.skipTo("-->")
	case rest[1] == '?':
		err = s.skipTo("?>")
	default:
		s.pos++
	}
	return kind, err
}

// titled returns ` titled "…"` where an HTML page has a title.
func titled(head []byte) string {
	lower := bytes.ToLower(head[:min(len(head), 64<<10)])
	i := bytes.Index(lower, []byte("<title"))
	if i < 0 {
		return ""
	}
	open := bytes.IndexByte(lower[i:], '>')
	if open < 0 {
		return ""
	}
	i += open + 1
	end := bytes.Index(lower[i:], []byte("</title"))
	if end < 0 || i+end > len(head) {
		return ""
	}
	if title := quoted(head[i : i+end]); title != "" {
		return fmt.Sprintf(" titled %q", title)
	}
	return ""
}
