package document

import (
	"bytes"
	"strconv"
	"strings"
)

// gofeed reads an item's summary and content four times over, and they are most
// of a document. So it is given a mark in place of each that is longer than a
// mark, and add puts the text back, which is the same for whoever reads it: both
// are copied by gofeed as they are.

// longMark begins what stands for a text. It is no character (Unicode §23.7) and
// is left out of all text, so that nothing is lost in keeping it from documents.
const longMark = "\uFDD0"

// longFrom is the length from which a text is kept back.
const longFrom = 64

// longTexts are the elements, as they are written, of which add takes a summary
// or a content.
var longTexts = map[string]bool{
	"description": true, "summary": true, "content": true, "content:encoded": true, "xhtml:body": true,
	"atom:summary": true, "atom:content": true, "dc:description": true, "media:description": true,
	"itunes:summary": true, "itunes:subtitle": true,
}

// keepBack returns the mark of a text, or the text where it is short. A short one
// that holds the mark of another is kept back too.
func (w *rewriter) keepBack(text []byte) []byte {
	if len(text) < longFrom && !bytes.Contains(text, []byte(longMark)) {
		return text
	}
	if text = w.fit(text); len(text) == 0 {
		return nil
	}
	w.result.long = append(w.result.long, string(text))
	return strconv.AppendInt([]byte(longMark), int64(len(w.result.long)-1), 10)
}

// whole returns the text that a mark stands for. Anything else is the text itself.
func (t *translation) whole(s string) string {
	if n, marked := strings.CutPrefix(s, longMark); marked {
		if i, err := strconv.Atoi(n); err == nil && i >= 0 && i < len(t.long) {
			return t.long[i]
		}
	}
	return s
}
