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
	// Every pass takes at least one '<' or '&' away, and each level of escaping
	// takes a pass; nobody but an attacker needs more than three.
	for range 8 {
		if strings.IndexByte(markup, '&') < 0 && tagAt(markup, 0) < 0 {
			return oneLine(markup, max)
		}
		markup = decodeReferences(dropTags(markup, ""))
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
// stops at the next '<', so that the whole text is looked at once.
func tagLen(s string) int {
	if len(s) < 3 || !isLetter(s[1]) && s[1] != '/' && s[1] != '!' && s[1] != '?' {
		return 0
	}
	end := strings.IndexAny(s[1:], "<>")
	if end < 0 || s[1+end] == '<' {
		return 0
	}
	return end + 2
}

// dropTags removes the tags of a title. One that separates words in a browser
// leaves a space; one that only dresses a part of a word leaves between.
func dropTags(s, between string) string {
	i := tagAt(s, 0)
	if i < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i >= 0 {
		b.WriteString(s[:i])
		n := tagLen(s[i:])
		name := strings.ToLower(strings.TrimLeft(s[i+1:i+n-1], "/"))
		if end := strings.IndexAny(name, " \t\r\n/"); end >= 0 {
			name = name[:end]
		}
		if blocks[name] > 0 {
			b.WriteByte(' ')
		} else {
			b.WriteString(between)
		}
		s = s[i+n:]
		i = tagAt(s, 0)
	}
	b.WriteString(s)
	return b.String()
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
		name := strings.ToLower(strings.TrimLeft(s[i+1:i+tagLen(s[i:])-1], "/"))
		if end := strings.IndexAny(name, " \t\r\n/"); end >= 0 {
			name = name[:end]
		}
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
	z := html.NewTokenizer(strings.NewReader(markup))
	tags, pre := false, 0
	for f.b.Len() <= max+utf8.UTFMax {
		switch z.Next() {
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
			if unread[string(name)] {
				skipUnread(z, string(name))
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

// skipUnread reads to the end of the element, or of the text.
func skipUnread(z *html.Tokenizer, element string) {
	for depth := 1; depth > 0; {
		switch z.Next() {
		case html.ErrorToken:
			return
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
}
