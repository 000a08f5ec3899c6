package document

import (
	"cmp"
	"context"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Child is a sitemap that an index lists.
type Child struct {
	// URL is absolute, in the form of CanonicalLink.
	URL string
	// Modified is when the index says that the child last changed; zero where it
	// does not say.
	Modified time.Time
}

// A sitemap may hold more elements and more addresses than a feed: 50,000 of them
// are within the protocol (sitemaps.org), and nothing is built of an element here
// but the few texts that are wanted. Beyond maxListed addresses the rest of the
// document is counted and left out.
const (
	sitemapElements = 5
	maxListed       = 100_000
)

// maxChildren is how many sitemaps of one index are returned, the newest first.
const maxChildren = 1000

// sitemapIn, listedIn and newsIn are what is read within the root, within an
// address, and within a Google News entry. Pictures and films that are listed
// with an address (image:, video:) are in none of them, and so are passed over.
var (
	sitemapIn = vocabulary{
		"url":     {do: workItem, out: "url"},
		"sitemap": {do: workItem, out: "sitemap"},
	}
	listedIn = vocabulary{
		"loc":                   {do: workText, out: "loc"},
		"lastmod":               {do: workDate, out: "lastmod"},
		"news:news":             {do: workEnter},
		"news:publication":      {do: workEnter},
		"news:name":             {do: workText, out: "name"},
		"news:language":         {do: workText, out: "language"},
		"news:publication_date": {do: workDate, out: "published"},
		"news:title":            {do: workText, out: "title"},
		"news:keywords":         {do: workText, out: "keywords"},
	}
)

// listed is one address of a sitemap as it is written there.
type listed struct {
	loc, title, name, language, keywords string
	published, modified                  time.Time
}

// time is when the address was news.
func (l *listed) time() time.Time {
	if !l.published.IsZero() {
		return l.published
	}
	return l.modified
}

// sitemapReader reads a sitemap, or an index of them, with the scanner that
// feeds are read with. There is no third parser behind it: the format has seven
// elements, each of one text.
type sitemapReader struct {
	rewriter
	index  bool
	listed []listed
}

// readSitemap reads the document from its root on.
func readSitemap(ctx context.Context, in Input, src []byte, root int, lim Limits) (*translation, error) {
	lim.Elements *= sitemapElements
	r := sitemapReader{rewriter: rewriter{scanner: scanner{ctx: ctx, src: src, lim: lim, pos: root}, now: in.Now, url: in.URL}}
	if err := r.read(); err != nil {
		return nil, err
	}
	r.result.kind = KindSitemap
	if r.index {
		r.result.kind = KindSitemapIndex
	}
	t := newTranslation(ctx, in, lim, &r.result)
	if r.index {
		t.children(r.listed)
		return t, nil
	}
	return t, t.sitemap(r.listed)
}

// read collects what the sitemap lists.
func (r *sitemapReader) read() error {
	var t tag
	if err := r.startTag(&t); err != nil {
		return err
	}
	r.index = strings.EqualFold(string(local(t.name)), "sitemapindex")
	f := frame{name: t.name, words: sitemapIn}
	if err := r.declared(&t, &f); err != nil {
		return err
	}
	for r.frames = append(r.frames, f); !t.closed || len(r.frames) > 1; {
		var next tag
		kind, err := r.next(&next)
		if err != nil {
			return err
		}
		switch kind {
		case tokenEOF:
			r.result.truncated = true
			if len(r.frames) > 1 { // the last one may be incomplete
				r.listed = r.listed[:len(r.listed)-1]
			}
			return nil
		case tokenText:
			if err := r.ctx.Err(); err != nil {
				return err
			}
		case tokenEnd:
			if i := r.frameOf(next.name); i == 0 {
				return nil
			} else if i > 0 {
				r.leave(i)
			} else if err := r.countPiece(); err != nil {
				return err
			}
		case tokenStart:
			if err := r.start(&next); err != nil {
				return err
			}
		}
	}
	return nil
}

// declared reads a tag's namespaces. What the root declares without a prefix is
// the sitemap's own vocabulary, whatever its address.
func (r *sitemapReader) declared(t *tag, f *frame) error {
	if err := r.readAttributes(t, f); err != nil {
		return err
	}
	for i := range r.decls {
		if len(r.frames) == 0 && r.decls[i].prefix == "" {
			r.decls[i].space = spaceNative
		}
	}
	if prefix, _, ok := strings.Cut(string(t.name), ":"); ok && len(r.frames) == 0 {
		r.decls = append(r.decls, decl{prefix, spaceNative})
	}
	return nil
}

// start handles a start tag.
func (r *sitemapReader) start(t *tag) error {
	top := &r.frames[len(r.frames)-1]
	f := frame{name: t.name, words: listedIn, decls: len(r.decls)}
	if err := r.declared(t, &f); err != nil {
		return err
	}
	word := r.lookup(top.words, t.name)
	if again := r.lookup(sitemapIn, t.name); word == nil && again != nil {
		r.leave(1) // the address before was not closed
		word = again
	}
	switch {
	case word == nil || t.closed || word.do == workItem && len(r.listed) >= maxListed:
		r.decls = r.decls[:f.decls]
		if t.closed {
			return nil
		}
		if word != nil {
			r.result.dropped++
		}
		_, err := r.inner(t.name, false)
		return err
	case word.do == workItem:
		r.listed = append(r.listed, listed{})
		f.item = true
		r.frames = append(r.frames, f)
		return nil
	case word.do == workEnter:
		r.frames = append(r.frames, f)
		if len(r.frames) > r.lim.Depth {
			return &BoundError{Bound: "depth", Limit: int64(r.lim.Depth)}
		}
		return nil
	}
	complete, err := r.inner(t.name, true)
	r.decls = r.decls[:f.decls]
	if err != nil || !complete {
		return err
	}
	r.set(word)
	return nil
}

// leave ends the open elements down to and with the i-th.
func (r *sitemapReader) leave(i int) {
	if i < len(r.frames) {
		r.decls = r.decls[:min(r.frames[i].decls, len(r.decls))]
		r.frames = r.frames[:i]
	}
}

// set takes the text that inner has read. Of several the first counts.
func (r *sitemapReader) set(word *rule) {
	l := &r.listed[len(r.listed)-1]
	text := cut(string(r.join()), 8*r.lim.TitleBytes)
	if word.do == workDate {
		at, _ := parseDate(text, r.now)
		at = saneDate(at, r.now)
		if word.out == "lastmod" {
			l.modified = at
		} else {
			l.published = at
		}
		return
	}
	into := map[string]*string{"loc": &l.loc, "title": &l.title, "name": &l.name, "language": &l.language, "keywords": &l.keywords}[word.out]
	if *into == "" {
		*into = text
	}
}

// children takes the sitemaps of an index, the newest first; those without a
// date come last, in their order.
func (t *translation) children(list []listed) {
	seen := make(map[string]bool)
	for _, l := range list {
		link := t.links.link(l.loc, false)
		if link == "" || seen[link] {
			continue
		}
		seen[link] = true
		t.doc.Children = append(t.doc.Children, Child{URL: link, Modified: l.modified})
	}
	slices.SortStableFunc(t.doc.Children, func(a, b Child) int { return b.Modified.Compare(a.Modified) })
	if n := len(t.doc.Children); n > maxChildren {
		t.doc.Children, t.doc.Dropped = t.doc.Children[:maxChildren], n-maxChildren
	}
}

// sitemap makes items of the addresses, the newest as far as the limit goes.
func (t *translation) sitemap(list []listed) error {
	for i := range list {
		l := &list[i]
		l.loc = t.links.link(l.loc, false)
		l.title = cmp.Or(l.title, TitleOf(l.loc))
	}
	// A page without words in its address is the front page.
	list = slices.DeleteFunc(list, func(l listed) bool { return l.loc == "" || l.title == "" })
	kept := newest(list, t.lim.Items)
	t.doc.Dropped += len(list) - len(kept)
	for _, l := range kept {
		t.doc.Title = cmp.Or(t.doc.Title, Title(l.name, t.lim.TitleBytes))
	}
	for _, l := range kept {
		r := raw{
			title: l.title, links: []string{l.loc}, lang: l.language,
			published: formatDate(l.published), updated: formatDate(l.modified),
			categories: strings.Split(l.keywords, ","),
		}
		if Title(l.name, t.lim.TitleBytes) != t.doc.Title {
			r.outlet = l.name // a sitemap of several publications
		}
		if err := t.add(r); err != nil {
			return err
		}
	}
	return nil
}

// newest returns at most most of the list: all of it in its order where it is not
// too long, else the newest. Without dates nobody knows which those are; programs
// that write sitemaps add at the end or at the beginning, so half is taken of each.
func newest(list []listed, most int) []listed {
	if len(list) <= most {
		return list
	}
	dated := slices.ContainsFunc(list, func(l listed) bool { return !l.time().IsZero() })
	if !dated {
		return append(slices.Clone(list[:most-most/2]), list[len(list)-most/2:]...)
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b listed) int { return b.time().Compare(a.time()) })
	return list[:most]
}

func formatDate(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// TitleOf makes a title of the words in an address, as a page has it of which a
// sitemap says nothing else: the segment of its path that has the most of them, without the
// ending and numbers that only count; the last where none has words.
func TitleOf(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	segments := strings.Split(strings.Trim(u.Path, "/"), "/")
	best, most := segments[len(segments)-1], 0
	for i := len(segments) - 1; i >= 0; i-- {
		segment := strings.TrimSuffix(segments[i], path.Ext(segments[i]))
		words := strings.FieldsFunc(segment, func(r rune) bool {
			return r == '-' || r == '_' || r == '+' || r == '.' || unicode.IsSpace(r)
		})
		n := 0
		kept := words[:0]
		for j, w := range words {
			letters := strings.IndexFunc(w, unicode.IsLetter) >= 0
			if letters {
				n++
			}
			// Numbers at the ends are the story's, those between are in it.
			if letters || j > 0 && j < len(words)-1 || len(w) < 4 {
				kept = append(kept, w)
			}
		}
		if n > most {
			best, most = strings.Join(kept, " "), n
		}
	}
	return best
}
