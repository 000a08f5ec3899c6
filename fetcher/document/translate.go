package document

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mmcdole/gofeed/atom"
	ext "github.com/mmcdole/gofeed/extensions"
	"github.com/mmcdole/gofeed/json"
	"github.com/mmcdole/gofeed/rss"
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
}

func newTranslation(ctx context.Context, in Input, lim Limits, clean *rewritten) *translation {
	t := &translation{ctx: ctx, in: in, lim: lim, links: newLinker(in.URL), doc: &Document{
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
		Summary:   Text(r.summary, t.lim.TextBytes),
		Content:   Text(r.content, t.lim.TextBytes),
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

// rss translates RSS and RDF.
func (t *translation) rss(f *rss.Feed) error {
	t.doc.Lang = firstOf(language(f.Language), language(extText(f.Extensions, "dc", "language")), t.doc.Lang)
	t.syndication(f.Extensions)
	t.skipped(f)
	home := f.Link
	for _, l := range f.Extensions["atom"]["link"] {
		t.relation(l.Attrs["rel"], l.Attrs["href"])
		if home == "" && l.Attrs["rel"] == "alternate" {
			home = l.Attrs["href"]
		}
	}
	for _, i := range f.Items {
		if err := t.add(rssItemOf(i)); err != nil {
			return err
		}
	}
	t.about(firstOf(f.Title, extText(f.Extensions, "dc", "title")), home)
	return nil
}

// rssItemOf collects an item's parts, each from the element that is meant for
// it, else from the extension that publishers use in its place.
func rssItemOf(i *rss.Item) raw {
	x := i.Extensions
	r := raw{
		title:     firstOf(i.Title, extText(x, "dc", "title"), extText(x, "atom", "title"), extText(x, "media", "title")),
		links:     i.Links,
		published: firstOf(i.PubDate, extText(x, "dc", "date"), extText(x, "atom", "published"), extText(x, "dcterms", "issued"), extText(x, "dcterms", "created")),
		updated:   firstOf(extText(x, "atom", "updated"), extText(x, "dcterms", "modified")),
		content:   firstOf(i.Content, extText(x, "atom", "content"), extText(x, "xhtml", "body")),
		summary: firstOf(i.Description, extText(x, "atom", "summary"), extText(x, "itunes", "summary"), extText(x, "dc", "description"),
			extText(x, "itunes", "subtitle"), extText(x, "media", "description")),
		lang: extText(x, "dc", "language"),
	}
	if i.GUID != nil {
		r.guid = i.GUID.Value
	}
	r.guid = firstOf(r.guid, extText(x, "atom", "id"))
	for _, l := range x["atom"]["link"] {
		if rel := l.Attrs["rel"]; rel == "alternate" || rel == "canonical" {
			r.links = append(r.links, l.Attrs["href"])
		}
	}
	if i.GUID != nil && i.GUID.IsPermalink != "false" && strings.HasPrefix(i.GUID.Value, "http") {
		r.links = append(r.links, i.GUID.Value)
	}
	if i.Author != "" {
		r.authors = append(r.authors, authorName(i.Author))
	}
	r.authors = append(r.authors, extTexts(x, "dc", "creator")...)
	for _, a := range x["atom"]["author"] {
		if name := a.Children["name"]; len(name) > 0 {
			r.authors = append(r.authors, name[0].Value)
		}
	}
	if len(r.authors) == 0 {
		r.authors = extTexts(x, "itunes", "author")
	}
	for _, c := range i.Categories {
		r.categories = append(r.categories, c.Value)
	}
	r.categories = append(append(r.categories, extTexts(x, "dc", "subject")...), extTexts(x, "atom", "category")...)
	if i.Source != nil {
		r.outlet = i.Source.Title
	}
	return r
}

// authorName takes the name out of "address (name)" and "name <address>", which
// is how RSS 2.0 wants an author, and of an author who is written as in Atom.
func authorName(s string) string {
	if _, rest, ok := strings.Cut(s, "<name>"); ok {
		s, _, _ = strings.Cut(rest, "</name>")
	}
	s = strings.TrimSpace(decodeReferences(s))
	if open := strings.IndexByte(s, '('); open > 0 && strings.HasSuffix(s, ")") {
		before, inside := strings.TrimSpace(s[:open]), strings.TrimSpace(s[open+1:len(s)-1])
		if strings.Contains(before, "@") && inside != "" {
			return inside
		}
		if strings.Contains(inside, "@") {
			return before
		}
	}
	if open := strings.IndexByte(s, '<'); open > 0 && strings.HasSuffix(s, ">") && strings.Contains(s[open:], "@") {
		return strings.Trim(strings.TrimSpace(s[:open]), `"`)
	}
	return s
}

// atom translates Atom 0.3 and 1.0.
func (t *translation) atom(f *atom.Feed) error {
	t.doc.Lang = firstOf(t.doc.Lang, language(extText(f.Extensions, "dc", "language")))
	t.syndication(f.Extensions)
	for _, l := range f.Links {
		t.relation(l.Rel, l.Href)
	}
	inherited := personNames(f.Authors)
	for _, e := range f.Entries {
		r := atomEntryOf(e)
		if len(r.authors) == 0 {
			// RFC 4287 §4.1.2: the feed's authors are those of its entries.
			r.authors = inherited
		}
		if err := t.add(r); err != nil {
			return err
		}
	}
	home := ""
	if links := preferred(f.Links); len(links) > 0 && f.Links[0] != nil {
		home = links[0]
	}
	t.about(f.Title, home)
	return nil
}

func atomEntryOf(e *atom.Entry) raw {
	x := e.Extensions
	r := raw{
		guid:      extText(x, "kept", "id"),
		title:     firstOf(e.Title, extText(x, "media", "title")),
		links:     preferred(e.Links),
		published: firstOf(e.Published, extText(x, "dcterms", "issued"), extText(x, "dcterms", "created"), extText(x, "dc", "date")),
		updated:   firstOf(e.Updated, extText(x, "dcterms", "modified")),
		summary:   firstOf(e.Summary, extText(x, "media", "description")),
		lang:      extText(x, "dc", "language"),
		authors:   append(personNames(e.Authors), extTexts(x, "dc", "creator")...),
	}
	if e.Content != nil {
		r.content = e.Content.Value
	}
	r.content = firstOf(r.content, extText(x, "content", "encoded"))
	for _, c := range e.Categories {
		r.categories = append(r.categories, c.Term)
	}
	r.categories = append(r.categories, extTexts(x, "dc", "subject")...)
	if e.Source != nil {
		r.outlet = e.Source.Title
		if len(r.authors) == 0 {
			r.authors = personNames(e.Source.Authors)
		}
	}
	return r
}

func personNames(people []*atom.Person) []string {
	var out []string
	for _, p := range people {
		out = append(out, firstOf(p.Name, p.Email))
	}
	return out
}

// preferred orders links by how likely they lead to the page: an alternate in
// HTML, any alternate, then what else may be the page.
func preferred(links []*atom.Link) []string {
	var out []string
	for _, want := range []string{"alternate html", "alternate", "canonical", "via", "related", "self"} {
		rel, html := strings.CutSuffix(want, " html")
		for _, l := range links {
			isHTML := l.Type == "" || strings.Contains(strings.ToLower(l.Type), "html")
			if l.Rel == rel && (!html || isHTML) {
				out = append(out, l.Href)
			}
		}
	}
	return out
}

// json translates a JSON Feed.
func (t *translation) json(f *json.Feed) error {
	t.relation("self", f.FeedURL)
	name := func(authors []*json.Author) (out []string) {
		for _, a := range authors {
			out = append(out, a.Name)
		}
		return out
	}
	inherited := name(f.Authors)
	for _, i := range f.Items {
		r := raw{
			guid: i.ID, title: i.Title, links: []string{i.URL, i.ExternalURL},
			published: i.DatePublished, updated: i.DateModified,
			summary: i.Summary, content: firstOf(i.ContentHTML, i.ContentText),
			authors: name(i.Authors), categories: i.Tags, lang: i.Language,
		}
		if strings.HasPrefix(i.ID, "http") {
			// jsonfeed.org: the id is ideally the full URL of the resource.
			r.links = append(r.links, i.ID)
		}
		if len(r.authors) == 0 {
			r.authors = inherited
		}
		if err := t.add(r); err != nil {
			return err
		}
	}
	t.about(f.Title, f.HomePageURL)
	return nil
}

// relation takes note of the links by which WebSub is found.
func (t *translation) relation(rel, href string) {
	switch rel {
	case "self":
		if t.doc.Hints.Self == "" {
			t.doc.Hints.Self = t.links.link(href, false)
		}
	case "hub":
		t.hub(href)
	}
}

func (t *translation) hub(href string) {
	if hub := t.links.link(href, false); hub != "" && len(t.doc.Hints.Hubs) < maxHubs {
		t.doc.Hints.Hubs = append(t.doc.Hints.Hubs, hub)
	}
}

// syndication reads the hints of the RSS 1.0 syndication module.
func (t *translation) syndication(x ext.Extensions) {
	period, ok := map[string]time.Duration{
		"hourly": time.Hour, "daily": 24 * time.Hour, "weekly": 7 * 24 * time.Hour,
		"monthly": 30 * 24 * time.Hour, "yearly": 365 * 24 * time.Hour,
	}[strings.ToLower(extText(x, "sy", "updatePeriod"))]
	frequency := 1
	if s := extText(x, "sy", "updateFrequency"); s != "" {
		frequency, _ = strconv.Atoi(s)
		// A frequency alone is per day, the module's default period.
		if !ok && extText(x, "sy", "updatePeriod") == "" {
			period, ok = 24*time.Hour, true
		}
	}
	if ok && frequency > 0 && frequency <= 24*60 {
		t.doc.Hints.UpdateEvery = period / time.Duration(frequency)
	}
	t.doc.Hints.UpdateBase = t.date(extText(x, "sy", "updateBase"))
}

// skipped reads ttl, skipHours and skipDays (RSS 2.0).
func (t *translation) skipped(f *rss.Feed) {
	if minutes, err := strconv.Atoi(f.TTL); err == nil && minutes > 0 && minutes <= 366*24*60 {
		t.doc.Hints.TTL = time.Duration(minutes) * time.Minute
	}
	for _, s := range f.SkipHours {
		// Userland counted from 1 to 24; 24 is midnight.
		if h, err := strconv.Atoi(s); err == nil && h >= 0 && h <= 24 && !slices.Contains(t.doc.Hints.SkipHours, h%24) {
			t.doc.Hints.SkipHours = append(t.doc.Hints.SkipHours, h%24)
		}
	}
	for _, s := range f.SkipDays {
		for d := time.Sunday; d <= time.Saturday; d++ {
			if strings.EqualFold(s, d.String()) {
				t.doc.Hints.SkipDays = append(t.doc.Hints.SkipDays, d)
			}
		}
	}
}
