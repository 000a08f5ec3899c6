package fetcher

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher/document"
)

// A sitemap index lists sitemaps, often one for each month of a site's life.
// maxSitemaps is how many of them, the newest, are remembered between two polls,
// and maxSitemapReads how many of those are requested at one poll. An index
// within an index is not followed: the protocol has none (sitemaps.org).
const (
	maxSitemaps     = 32
	maxSitemapReads = 5
)

// maxSitemapURL and maxSitemapValidator bound what is remembered of one.
const (
	maxSitemapURL       = 512
	maxSitemapValidator = 128
)

// liveFor is how long after the day that a sitemap names as its last change it is
// taken to be changing still: a day is a coarse clock.
const liveFor = 48 * time.Hour

// Sitemap is what is remembered of a sitemap that an index lists.
type Sitemap struct {
	URL string `json:"url"`
	// Modified is when it last changed by the word of the index, if it has one.
	Modified time.Time `json:"modified,omitzero"`
	// Due says that it has changed since it was last read.
	Due bool `json:"due,omitempty"`
	// Read is when it was last read, or was found unchanged, and Full when it was
	// last read whole; see fullReadAfter.
	Read time.Time `json:"read,omitzero"`
	Full time.Time `json:"full,omitzero"`
	// ETag and LastModified are its validators, Hash that of its last body.
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"last_modified,omitempty"`
	Hash         string `json:"hash,omitempty"`
}

// live reports whether the index's word does not tell if the sitemap changed.
func (s *Sitemap) live(now time.Time) bool {
	return s.Modified.IsZero() || s.Modified.Equal(s.Modified.Truncate(24*time.Hour)) && now.Sub(s.Modified) < liveFor
}

// listSitemaps takes over what an index lists now. At first sight only as many
// as are read at one poll are due: the older ones are the site's archive.
func (s *State) listSitemaps(children []document.Child) {
	known := make(map[string]Sitemap, len(s.Sitemaps))
	for _, m := range s.Sitemaps {
		known[m.URL] = m
	}
	first := len(known) == 0
	// A sitemap without a date that calls itself news is the one that is wanted;
	// the others come by their dates, as the document sorts them.
	children = slices.Clone(children)
	slices.SortStableFunc(children, func(a, b document.Child) int { return cmp.Compare(rank(a), rank(b)) })
	s.Sitemaps = nil
	for _, c := range children {
		if len(s.Sitemaps) == maxSitemaps {
			break
		}
		if len(c.URL) > maxSitemapURL {
			continue
		}
		m, ok := known[c.URL]
		m.URL = c.URL
		switch {
		case first:
			m.Due = len(s.Sitemaps) < maxSitemapReads
		case !ok, c.Modified.After(m.Modified):
			m.Due = true
		}
		m.Modified = c.Modified
		s.Sitemaps = append(s.Sitemaps, m)
	}
}

func rank(c document.Child) int {
	if c.Modified.IsZero() && strings.Contains(strings.ToLower(path.Base(c.URL)), "news") {
		return 0
	}
	return 1
}

// dueSitemaps returns those to be read now, the longest unread first: the ones
// that have changed; of the first few also those of which the index does not say
// so; and the very first in any case, since an index may forget to.
func (s *State) dueSitemaps(now time.Time) []*Sitemap {
	var due []*Sitemap
	for i := range s.Sitemaps {
		if m := &s.Sitemaps[i]; m.Due || i == 0 || i < maxSitemapReads && m.live(now) {
			due = append(due, m)
		}
	}
	slices.SortStableFunc(due, func(a, b *Sitemap) int { return a.Read.Compare(b.Read) })
	return due[:min(len(due), maxSitemapReads)]
}

// sitemaps reads the sitemaps of an index that are due into the result. One that
// fails is tried again at the next poll; when all do, so has the poll.
func (p *poll) sitemaps(ctx context.Context) error {
	var docs []*document.Document
	var failure error
	read := 0
	st := &p.res.State
	if st.quarantine(st.BodyHash, p.now) {
		// Which of them it was is not known: to try them one by one is to die for each.
		return failf(ReasonHostile, nil, "%s: a sitemap of this index has killed newswatch %d times; all are in quarantine until the index changes or a day has passed", p.host(), st.Poisoned)
	}
	st.Sitemaps = slices.Clone(st.Sitemaps) // the caller's state stays as it is
	for _, m := range st.dueSitemaps(p.now) {
		doc, err := p.sitemap(ctx, m)
		if _, ofFeed := errors.AsType[*Error](err); err != nil && !ofFeed {
			return err
		}
		if err != nil {
			failure = cmp.Or(failure, err)
			continue
		}
		read++
		m.Due, m.Read = false, p.now
		if doc != nil {
			docs = append(docs, doc)
		}
	}
	if read == 0 && failure != nil {
		return failure
	}
	if len(docs) == 0 {
		return nil
	}
	p.res.Outcome, st.LastChange = Fetched, p.now
	p.absorb(p.merge(docs))
	return nil
}

// sitemap requests one sitemap of an index; the document is nil if it is what
// it was.
func (p *poll) sitemap(ctx context.Context, m *Sitemap) (*document.Document, error) {
	u, err := parseURL(m.URL)
	if err != nil {
		return nil, err
	}
	conditional := m.Hash != "" && p.now.Sub(m.Full) < fullReadAfter
	a, err := p.c.get(ctx, request{
		url: u, visitor: &p.visitor, timeout: p.c.opt.Timeout, redirects: maxRedirects, body: p.c.opt.MaxBody,
		header: func(to *url.URL, h http.Header) {
			p.ask(to, h)
			if conditional && to.String() == u.String() {
				setConditions(h, m.ETag, m.LastModified)
			}
		},
		accept: func(a *answer) (bool, error) {
			if a.status == http.StatusNotModified && conditional {
				return false, nil
			}
			if a.status == http.StatusOK {
				return true, nil
			}
			p.after = max(p.after, retryAfter(a.header, p.now))
			return false, explainStatus(a.way.final.Host, a.status)
		},
	})
	if a != nil {
		p.res.Bytes += a.wire
	}
	if err != nil || a.status == http.StatusNotModified {
		return nil, err
	}
	m.Full = p.now
	hash := document.Hash(a.body.Bytes())
	if hash == m.Hash {
		a.discard()
		return nil, nil
	}
	doc, err := p.read(ctx, a, hash)
	if err != nil {
		return nil, err
	}
	a.discard()
	if doc.Kind == document.KindSitemapIndex {
		return nil, failf(ReasonNotAFeed, nil, "%s: an index of sitemaps within an index; give its own address to a feed", a.way.final.Host)
	}
	m.Hash, m.ETag, m.LastModified = hash, "", ""
	if _, storable := freshness(a.header, p.now); storable && a.way.redirects == 0 {
		if v := validator(a.header, "ETag"); len(v) <= maxSitemapValidator {
			m.ETag = v
		}
		if v := validator(a.header, "Last-Modified"); len(v) <= maxSitemapValidator {
			m.LastModified = v
		}
	}
	return doc, nil
}

// merge makes one document of several. An item that several sitemaps list is
// taken from a news sitemap, which alone names its publication: the title is the
// story's own there, and the date that of the story.
func (p *poll) merge(docs []*document.Document) *document.Document {
	news := func(doc *document.Document) bool { return doc.Title != "" }
	docs = append(slices.DeleteFunc(slices.Clone(docs), func(d *document.Document) bool { return !news(d) }),
		slices.DeleteFunc(docs, news)...)
	all := &document.Document{Kind: document.KindSitemapIndex}
	seen := make(map[feed.ItemID]bool)
	for _, doc := range docs {
		all.Title = cmp.Or(all.Title, doc.Title)
		all.Dropped += doc.Dropped
		all.Truncated = all.Truncated || doc.Truncated
		for _, it := range doc.Items {
			if !seen[it.ID] {
				seen[it.ID] = true
				all.Items = append(all.Items, it)
			}
		}
	}
	slices.SortStableFunc(all.Items, func(a, b feed.Item) int { return b.Time().Compare(a.Time()) })
	most := cmp.Or(p.c.opt.Limits.Items, document.DefaultLimits().Items)
	if n := len(all.Items); n > most {
		all.Items, all.Dropped = all.Items[:most], all.Dropped+n-most
	}
	return all
}
