package document

import "bytes"

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
