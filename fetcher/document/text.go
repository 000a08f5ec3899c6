package document

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/text/unicode/norm"
)

// Text reduces HTML to plain Unicode text of at most max bytes: in NFC, with
// references resolved, white space folded, a line break where a line ended, an
// empty line between paragraphs, and without controls and bidirectional
// overrides. What is not meant to be read (scripts, styles, frames, drawings)
// is left out, and so is the text that stands for a picture. Text that was
// escaped once too often, as in many feeds, is unescaped once more.
func Text(markup string, max int) string {
	out, tags := strip(markup, max)
	if !tags && holdsHTML(out) {
		out, _ = strip(out, max)
	}
	return finish(decodeReferences(out), max)
}

// Title reduces a title to one line of plain text without markup of at most max
// bytes, whether it holds HTML, HTML that was escaped, or plain text. A '<' that
// begins no tag stays, so that "a < b" survives.
func Title(markup string, max int) string {
	markup = cut(markup, 16*max)
	// Every pass takes at least one '<' or '&' away, and each level of escaping
	// takes a pass; nobody but an attacker needs more than three.
	for range 8 {
		plain := decodeReferences(dropTags(markup, ""))
		if plain == markup {
			return oneLine(markup, max)
		}
		markup = plain
	}
	return oneLine(strings.NewReplacer("<", " ", ">", " ", "&", " ").Replace(markup), max)
}

func oneLine(s string, max int) string {
	var f folder
	f.write(s, false)
	s = f.b.String()
	if strings.IndexByte(s, '\n') >= 0 {
		s = strings.Join(strings.Fields(s), " ")
	}
	return finish(s, max)
}

// finish normalises and cuts.
func finish(s string, max int) string {
	if !norm.NFC.IsNormalString(s) {
		s = norm.NFC.String(s)
	}
	return strings.TrimSpace(cut(s, max))
}

// cut shortens s to at most max bytes, at a character's boundary.
func cut(s string, max int) string {
	if len(s) <= max {
		return s
	}
	for max > 0 && !utf8.RuneStart(s[max]) {
		max--
	}
	return s[:max]
}

// tagAt returns where the first tag at or after i begins, or -1. A tag is '<',
// a letter or one of "/!?", and a later '>' with no '<' between.
func tagAt(s string, i int) int {
	for {
		j := strings.IndexByte(s[i:], '<')
		if j < 0 {
			return -1
		}
		i += j
		if tagLen(s[i:]) > 0 {
			return i
		}
		i++
	}
}

// tagLen is the length of the tag that s begins with, or 0. Looking for the end
// stops at the next '<', so that the whole text is looked at once. A comment is
// a tag even where its end is missing.
func tagLen(s string) int {
	if strings.HasPrefix(s, "<!--") {
		return len("<!--")
	}
	if len(s) < 3 || !isLetter(s[1]) && s[1] != '/' && s[1] != '!' && s[1] != '?' {
		return 0
	}
	end := strings.IndexAny(s[1:], "<>")
	if end < 0 || s[1+end] == '<' {
		return 0
	}
	return end + 2
}

// dropTags removes the tags of a title, and what scripts and comments hold. A tag
// that separates words in a browser leaves a space; one that only dresses a part
// of a word leaves between.
func dropTags(s, between string) string {
	i := tagAt(s, 0)
	if i < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for ; i >= 0; i = tagAt(s, 0) {
		b.WriteString(s[:i])
		if strings.HasPrefix(s[i:], "<!--") {
			_, s, _ = strings.Cut(s[i:], "-->")
			continue
		}
		n := tagLen(s[i:])
		name := tagWord(s[i : i+n])
		s = s[i+n:]
		switch {
		case blocks[name] > 0:
			b.WriteByte(' ')
		default:
			b.WriteString(between)
		}
		if unread[name] {
			if _, rest, ok := strings.Cut(s, "</"+name); ok {
				s = "</" + name + rest
			}
		}
	}
	b.WriteString(s)
	return b.String()
}

// tagWord returns the element's name in a tag, in lower case.
func tagWord(tag string) string {
	name := strings.ToLower(strings.TrimLeft(tag[1:len(tag)-1], "/"))
	if end := strings.IndexAny(name, " \t\r\n/"); end >= 0 {
		name = name[:end]
	}
	return name
}

// blocks are the elements that begin and end a line (1) or a paragraph (2).
var blocks = map[string]int{
	"br": 1, "li": 1, "tr": 1, "dt": 1, "dd": 1, "option": 1, "td": 0,
	"address": 2, "article": 2, "aside": 2, "blockquote": 2, "center": 2, "details": 2, "div": 2, "dl": 2,
	"fieldset": 2, "figcaption": 2, "figure": 2, "footer": 2, "form": 2, "h1": 2, "h2": 2, "h3": 2, "h4": 2,
	"h5": 2, "h6": 2, "header": 2, "hr": 2, "main": 2, "nav": 2, "ol": 2, "p": 2, "pre": 2, "section": 2,
	"summary": 2, "table": 2, "tbody": 2, "thead": 2, "ul": 2,
}

// unread are the elements whose content no reader sees as text.
var unread = map[string]bool{
	"applet": true, "audio": true, "canvas": true, "head": true, "iframe": true, "map": true, "math": true,
	"noembed": true, "noframes": true, "noscript": true, "object": true, "script": true, "select": true,
	"style": true, "svg": true, "template": true, "textarea": true, "video": true,
}

// holdsHTML reports whether text that had no tags shows some now that its
// references are resolved: it was escaped twice.
func holdsHTML(s string) bool {
	for i := tagAt(s, 0); i >= 0; i = tagAt(s, i+1) {
		name := tagWord(s[i : i+tagLen(s[i:])])
		if _, ok := blocks[name]; ok || unread[name] {
			return true
		}
		switch name {
		case "a", "b", "i", "em", "strong", "img", "span", "u", "font", "small", "sup", "sub", "code", "cite", "q":
			return true
		}
	}
	return false
}

// strip removes markup and reports whether there was any. It stops once it has
// more than max bytes.
func strip(markup string, max int) (string, bool) {
	var f folder
	if strings.IndexByte(markup, '<') < 0 {
		// Without tags, an empty line is all that separates paragraphs.
		f.write(html.UnescapeString(cut(markup, 8*max)), true)
		return f.b.String(), false
	}
	if text, tags, ok := stripPlain(markup, max); ok {
		return text, tags
	}
	return stripAny(markup, max)
}

// stripAny is strip for whatever it may be.
func stripAny(markup string, max int) (string, bool) {
	var f folder
	z := html.NewTokenizer(strings.NewReader(markup))
	f.b.Grow(min(len(markup), max)) // one allocation in place of one for each doubling
	var ends closings
	tags, pre, read := false, 0, 0
	for f.b.Len() <= max+utf8.UTFMax {
		kind := z.Next()
		read += len(z.Raw())
		switch kind {
		case html.ErrorToken:
			return f.b.String(), tags
		case html.TextToken:
			if pre > 0 {
				f.writeLines(string(z.Text()))
			} else {
				f.write(string(z.Text()), !tags)
			}
		case html.StartTagToken:
			tags = true
			name, _ := z.TagName()
			if unread[string(name)] && ends.after(markup, string(name), read) {
				read += skipUnread(z, string(name))
				continue
			}
			// Inside these the tokenizer reads no tags; a reader wants none left.
			z.NextIsNotRawText()
			f.breakLine(blocks[string(name)])
			if string(name) == "pre" {
				pre++
			} else if string(name) == "td" || string(name) == "th" {
				f.space()
			}
		case html.EndTagToken:
			tags = true
			name, _ := z.TagName()
			f.breakLine(blocks[string(name)])
			if string(name) == "pre" && pre > 0 {
				pre--
			}
		case html.SelfClosingTagToken:
			tags = true
			// XHTML closes scripts and frames like this; HTML would not, and would
			// take the rest of the text for the script.
			z.NextIsNotRawText()
			name, _ := z.TagName()
			f.breakLine(blocks[string(name)])
		case html.CommentToken, html.DoctypeToken:
			tags = true
		}
	}
	return f.b.String(), tags
}

// skipUnread reads to the end of the element, or of the text, and returns how
// many bytes that was.
func skipUnread(z *html.Tokenizer, element string) (read int) {
	for depth := 1; depth > 0; {
		kind := z.Next()
		read += len(z.Raw())
		switch kind {
		case html.ErrorToken:
			return read
		case html.StartTagToken:
			if name, _ := z.TagName(); string(name) == element {
				depth++
			}
		case html.EndTagToken:
			if name, _ := z.TagName(); string(name) == element {
				depth--
			}
		}
	}
	return read
}

// closings knows where each element is closed for the last time. An element that
// is never closed does not swallow the rest of the text here, as it would in a
// browser: excerpts are often cut off within one.
type closings map[string]int

// after reports whether the element is closed after that many bytes of markup.
func (c *closings) after(markup, element string, read int) bool {
	last, ok := (*c)[element]
	if !ok {
		last = lastClosing(markup, element)
		if *c == nil {
			*c = make(closings)
		}
		(*c)[element] = last
	}
	return last >= read
}

// lastClosing returns where the element's last end tag is, or -1.
func lastClosing(markup, element string) int {
	for end := len(markup); ; {
		i := strings.LastIndex(markup[:end], "</")
		if i < 0 {
			return -1
		}
		name := markup[i+2:]
		if len(name) >= len(element) && strings.EqualFold(name[:len(element)], element) {
			return i
		}
		end = i
	}
}
