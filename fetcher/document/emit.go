package document

import (
	"bytes"
	"strings"
)

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
	if text = w.fit(text); len(text) == 0 {
		return false
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

// fit is a text without the space around it and within its limit.
func (w *rewriter) fit(text []byte) []byte {
	text = bytes.TrimSpace(text)
	if len(text) > w.lim.RunBytes {
		text = bytes.ToValidUTF8(text[:w.lim.RunBytes], nil)
	}
	return text
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
