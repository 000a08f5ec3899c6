package document

import (
	"bytes"
	"encoding/base64"
	"strings"
	"time"
	"unicode/utf8"
)

// leaf handles an element whose content is text, or that has none.
func (w *rewriter) leaf(t *tag, r *rule, f *frame) error {
	a := w.attrs
	if r.do == workContent && isMedia(string(a.typ)) {
		r = nil
	}
	if !t.closed {
		complete, err := w.inner(t.name, r != nil)
		if err != nil || !complete {
			return err
		}
	} else {
		w.segs = w.segs[:0]
	}
	if r == nil {
		return nil
	}
	text := w.join()
	switch r.do {
	case workDate:
		date, ok := parseDate(string(text), w.now)
		if !ok {
			return nil
		}
		text = date.AppendFormat(w.text[:0], time.RFC3339Nano)
	case workLink:
		if len(text) == 0 {
			text = w.entities.appendDecoded(w.text[:0], a.href)
		}
		text = w.based(text, f.base)
	case workAtomLink:
		if len(a.href) > 0 {
			text = w.entities.appendDecoded(w.text[:0], a.href)
		}
		w.atomLink(r, &a, w.based(text, f.base))
		return nil
	case workCategory:
		// The label is for people, but only the term has to be there (RFC 4287
		// §4.2.2); a term that is an address says nothing without its label.
		if term := a.term; len(a.label) > 0 && (len(term) == 0 || bytes.Contains(term, []byte("://"))) {
			text = w.entities.appendDecoded(w.text[:0], a.label)
		} else if len(term) > 0 {
			text = w.entities.appendDecoded(w.text[:0], term)
		}
		if r.out == "category" {
			w.out = append(w.out, `<category term="`...)
			w.out = appendEscaped(w.out, text)
			w.out = append(w.out, `"/>`...)
			return nil
		}
	case workList:
		w.list(r.out, text)
		w.seen |= r.bit
		return nil
	case workText, workContent:
		if text = decodeBase64(text, &a); text == nil {
			return nil
		}
		if longTexts[r.out] {
			text = w.keepBack(text)
		}
	case workGUID:
		if w.put(`<guid isPermaLink="`+permalink(a.permalink)+`">`, text, "</guid>") {
			w.seen |= r.bit
		}
		return nil
	}
	if w.write(r.out, text) {
		w.seen |= r.bit
		if len(a.lang) > 0 && w.frames[len(w.frames)-1].item && f.lang != w.frames[len(w.frames)-1].lang {
			w.write("dc:language", []byte(f.lang))
		}
	}
	return nil
}

// decodeBase64 decodes text that says it is in base64: by Atom 0.3's mode, or by
// a media type that is not text (RFC 4287 §4.1.3.3). Data that turns out to be no
// text is nothing to read.
func decodeBase64(text []byte, a *attributes) []byte {
	octets := bytes.EqualFold(a.typ, []byte("application/octet-stream"))
	if !octets && !bytes.EqualFold(a.mode, []byte("base64")) {
		return text
	}
	plain, err := base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields(text), nil)))
	switch {
	case err == nil && utf8.Valid(plain) && bytes.IndexByte(plain, 0) < 0:
		return dropForbidden(plain)
	case octets:
		return nil
	}
	return text
}

func permalink(attr []byte) string {
	if bytes.EqualFold(bytes.TrimSpace(attr), []byte("false")) {
		return "false"
	}
	return "true"
}

// isMedia reports whether a content type is of something that is not read.
func isMedia(typ string) bool {
	typ = strings.ToLower(strings.TrimSpace(typ))
	for _, prefix := range []string{"image", "audio/", "video", "font/", "model/", "application/pdf", "application/zip", "application/gzip"} {
		if strings.HasPrefix(typ, prefix) {
			return true
		}
	}
	return false
}

// atomLink writes a link where its relation is one that is of use: to what the
// item is, to the feed itself, or to its hub. Enclosures and pictures are not.
func (w *rewriter) atomLink(r *rule, a *attributes, href []byte) {
	rel := strings.ToLower(strings.TrimSpace(string(a.rel)))
	switch rel {
	case "", "alternate", "self", "hub", "canonical", "via", "related":
	case "http://www.iana.org/assignments/relation/alternate":
		rel = "alternate"
	default:
		return
	}
	if rel == "" {
		rel = "alternate"
	}
	if len(href) == 0 {
		return
	}
	w.out = append(w.out, "<"+r.out+` rel="`+rel+`" type="`...)
	w.out = appendEscaped(w.out, a.typ)
	w.out = append(w.out, `" href="`...)
	w.out = appendEscaped(w.out, href)
	w.out = append(w.out, `"/>`...)
}

// based resolves an address where an xml:base is in force (XML Base, RFC 3986
// §5). Others are resolved at the end, against where the document came from.
func (w *rewriter) based(ref []byte, base string) []byte {
	if base == "" {
		return ref
	}
	if u := newLinker(base).resolve(string(ref)); u != nil {
		return []byte(u.String())
	}
	return ref
}
