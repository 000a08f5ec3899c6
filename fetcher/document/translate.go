package document

import (
	"context"
	"slices"
	"strings"
	"time"

	ext "github.com/mmcdole/gofeed/extensions"
	"github.com/newswatch/newswatch/feed"
)

// maxNames is how many authors, and how many categories, one item may have; each
// is at most maxName bytes. maxHubs is how many hubs a feed may have.
const (
	maxNames = 64
	maxName  = 256
	maxGUID  = 4 << 10
	maxHubs  = 8
)

// translation makes a Document of what gofeed read.
type translation struct {
	ctx   context.Context
	in    Input
	lim   Limits
	links linker
	doc   *Document
	items []*candidate
	long  []string // see keepBack
}

func newTranslation(ctx context.Context, in Input, lim Limits, clean *rewritten) *translation {
	t := &translation{ctx: ctx, in: in, lim: lim, links: newLinker(in.URL), long: clean.long, doc: &Document{
		Kind: clean.kind, Version: clean.version, Lang: clean.lang, Dropped: clean.dropped, Truncated: clean.truncated,
	}}
	for _, hub := range clean.hubs {
		t.hub(hub)
	}
	return t
}

// raw is an item as a format has it, before it is made plain.
type raw struct {
	guid, title         string
	links               []string // the first that may be followed is taken
	published, updated  string
	summary, content    string
	authors, categories []string
	lang, outlet        string
}

// add makes a candidate of an item.
func (t *translation) add(r raw) error {
	if err := t.ctx.Err(); err != nil {
		return err
	}
	it := feed.Item{
		FeedID:    t.in.FeedID,
		GUID:      cut(strings.TrimSpace(r.guid), maxGUID),
		Title:     Title(r.title, t.lim.TitleBytes),
		Published: t.date(r.published),
		Updated:   t.date(r.updated),
		Summary:   Text(t.whole(r.summary), t.lim.TextBytes),
		Content:   Text(t.whole(r.content), t.lim.TextBytes),
		Lang:      firstOf(language(t.in.Lang), language(r.lang), t.doc.Lang),
		Outlet:    Title(r.outlet, maxName),
	}
	it.Authors = t.names(r.authors)
	it.Categories = t.names(r.categories)
	full := ""
	for _, link := range r.links {
		if it.Link = t.links.link(link, false); it.Link != "" {
			full = t.links.link(link, true)
			break
		}
	}
	t.items = append(t.items, newCandidate(it, full))
	return nil
}

// about completes what the document says of itself.
func (t *translation) about(title, link string) {
	t.doc.Title = Title(title, t.lim.TitleBytes)
	t.doc.Link = t.links.link(link, false)
}

func (t *translation) date(s string) time.Time {
	if s == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return saneDate(at, t.in.Now)
}

// names makes a list of names plain, without repeats.
func (t *translation) names(list []string) []string {
	var out []string
	for _, s := range list {
		s = Title(s, maxName)
		if s == "" || len(out) == maxNames || slices.Contains(out, s) {
			continue
		}
		out = append(out, s)
	}
	return out
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// extText returns the first value of an extension element.
func extText(e ext.Extensions, space, name string) string {
	if list := e[space][name]; len(list) > 0 {
		return list[0].Value
	}
	return ""
}

func extTexts(e ext.Extensions, space, name string) []string {
	var out []string
	for _, x := range e[space][name] {
		out = append(out, x.Value)
	}
	return out
}
