package web

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/story"
)

const (
	// maxLink is the longest link that is made clickable, in bytes. One that is
	// longer leads nowhere on the real web, and fifty of them fill a page.
	maxLink = 2000
	// maxRules and maxAlso bound what one story lists.
	maxRules = 6
	maxAlso  = 6
)

// hitView is one report as the pages show it.
type hitView struct {
	ID    string // of the item
	Title []piece
	Link  string // http or https, or empty
	Lang  string
	// Outlet is who published it, Feed the id of the feed that brought it.
	Outlet string
	Feed   string
	When   moment
	Rules  []ruleTag
	// Excerpt is the sentence that matched; empty where that is the title.
	Excerpt []piece
	// Quiet reports are from a feed's back catalogue and were never sent.
	Quiet bool
	// TakenDown reports are not where they were any more.
	TakenDown bool
	// Earlier is the first report of the case that this one goes on with; nil where
	// there is none, or none was looked for.
	Earlier *hitView
}

// storyView is the first report of a story, and who else tells it.
type storyView struct {
	hitView
	Also     []also
	AlsoMore int
}

// also is another outlet's report.
type also struct {
	Outlet string
	Link   string
}

// ruleTag is a rule that caught a report.
type ruleTag struct {
	ID       string
	Name     string
	Severity string
}

// piece is a run of text, marked or not.
type piece struct {
	Text string
	Mark bool
}

func (m moments) hit(h classifier.Hit) hitView {
	when := h.Item.Time()
	if when.IsZero() {
		when = h.Found
	}
	v := hitView{
		ID:     h.Item.ID.String(),
		Title:  []piece{{Text: short(h.Item.Title, maxTitle)}},
		Link:   webLink(h.Item.Link),
		Lang:   lang(h.Item.Lang),
		Outlet: short(cmp.Or(h.Outlet(), h.Item.FeedID), maxName),
		Feed:   h.Item.FeedID,
		When:   m.of(when),
		Quiet:  h.Quiet, TakenDown: h.TakenDown,
	}
	rules := slices.Clone(h.Rules)
	slices.SortStableFunc(rules, func(a, b classifier.RuleMatch) int { return int(b.Severity) - int(a.Severity) })
	for _, rm := range rules[:min(len(rules), maxRules)] {
		v.Rules = append(v.Rules, ruleTag{ID: rm.Rule, Name: short(cmp.Or(rm.Name, rm.Rule), maxName), Severity: rm.Severity.String()})
	}
	// The sentence of the most severe rule that has one. A headline that proves
	// the match by itself is marked where it stands, and not said twice.
	for _, rm := range rules {
		switch e := rm.Excerpt; {
		case e.Text == "":
			continue
		case e.Text == h.Item.Title:
			v.Title = marked(e.Text, e.Marks, maxTitle)
		default:
			v.Excerpt = marked(e.Text, e.Marks, classifier.MaxExcerpt)
		}
		break
	}
	if strings.TrimSpace(text(v.Title)) == "" {
		v.Title = []piece{{Text: "(no title)"}}
	}
	return v
}

// story shows a story by its earliest report, and each other outlet once.
func (m moments) story(told story.Story) storyView {
	v := storyView{hitView: m.hit(told.Lead)}
	seen := map[string]bool{told.Lead.Outlet(): true}
	for _, h := range told.Also {
		if seen[h.Outlet()] {
			continue
		}
		seen[h.Outlet()] = true
		v.Also = append(v.Also, also{Outlet: short(cmp.Or(h.Outlet(), h.Item.FeedID), maxName), Link: webLink(h.Item.Link)})
	}
	v.Also, v.AlsoMore = atMost(v.Also, maxAlso)
	return v
}

// marked cuts text at its marks. Marks come from the store and are trusted with
// nothing: one that is out of order, out of bounds or inside a character is left
// out. At most limit characters are shown.
func marked(s string, marks [][2]int, limit int) []piece {
	var out []piece
	left := limit
	add := func(part string, mark bool) {
		n := utf8.RuneCountInString(part)
		if part == "" || left <= 0 {
			return
		}
		if n > left {
			part = cut(part, left)
		}
		left -= n
		out = append(out, piece{clean(part), mark})
	}
	at := 0
	for _, mark := range marks {
		start, end := mark[0], mark[1]
		if start < at || end <= start || end > len(s) || !edge(s, start) || !edge(s, end) {
			continue
		}
		add(s[at:start], false)
		add(s[start:end], true)
		at = end
	}
	add(s[at:], false)
	return out
}

// edge reports whether a character of s begins at i, or s ends there.
func edge(s string, i int) bool { return i == len(s) || utf8.RuneStart(s[i]) }

func text(pieces []piece) string {
	var b strings.Builder
	for _, p := range pieces {
		b.WriteString(p.Text)
	}
	return b.String()
}

// webLink returns an absolute http or https link, or nothing: any other scheme
// could run or fetch something, and user info could dress one host up as
// another.
func webLink(link string) string {
	if len(link) > maxLink {
		return ""
	}
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return ""
	}
	return link
}
