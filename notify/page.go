package notify

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Page is a digest in the reader's language: what a template is given, and what a
// chat message is made of. All of it is fit to print in a terminal, and every link
// may be followed; docs/digests.md describes it to those who write templates.
type Page struct {
	Lang, Subject, Headline, Period string
	// More says what the message had no room for; MoreURL leads there, and may be
	// empty.
	More, MoreURL string
	Groups        []PageGroup
	// Corrected heads the Corrections of what the reader was sent before;
	// CorrectionsMore says how many are not listed. They are empty where there are
	// none.
	Corrected       string
	Corrections     []PageCorrection
	CorrectionsMore string
	// Operator heads the Notices, which only operators get; NoticesMore says how
	// many are not listed. They are empty where there are none.
	Operator    string
	Notices     []PageNotice
	NoticesMore string
	// Proof is how the watch was kept, a sentence each.
	Proof []string
	// Change and Leave name ChangeURL and LeaveURL, where its reader changes what it
	// is sent, and leaves. All are empty for a subscriber of the configuration.
	Change, ChangeURL, Leave, LeaveURL string
	// ID is the digest's, Subscriber who gets it.
	ID, Subscriber string
}

// PageGroup is the entries under one rule.
type PageGroup struct {
	Name, Severity string
	Entries        []PageEntry
}

// PageEntry is one story.
type PageEntry struct {
	// Number counts the entries of all groups, from 1.
	Number int
	// Lang is the report's, empty if nobody said.
	Title, Link, Lang, Byline string
	Excerpt                   []Span
	// AlsoRules, AlsoReported and AlsoMore are whole phrases, empty where there is
	// nothing to say.
	AlsoRules, AlsoReported string
	Also                    []PageReport
	AlsoMore                string
	// Earlier says where the case was first told of, and EarlierLink leads there; both
	// may be empty.
	Earlier, EarlierLink string
}

// PageCorrection is a report as it reads now, with a phrase that says how it read
// before, that it was taken down, or that it is back. Of one that was withdrawn the Title says so,
// and Was and Link are empty; of one whose rules show a link alone it says that the
// headline changed.
type PageCorrection struct{ Title, Link, Byline, Was string }

// PageNotice is when something happened to the watch, and what.
type PageNotice struct{ When, Text string }

// PageReport is another outlet's report of an entry.
type PageReport struct{ Name, Link string }

// Page words the digest.
func (d Digest) Page() Page {
	w, tz := d.wording(), d.location()
	sealed := d.Sealed.In(tz)
	p := Page{
		Lang: cmp.Or(d.Lang, "en"), Subject: Subject(d), Headline: d.headline(w),
		Period: fmt.Sprintf(w.period, w.dateTime(sealed), w.dateTime(d.Since.In(tz))),
		More:   d.more(w), MoreURL: safeLink(d.MoreURL),
		Proof: d.proof(w),
		ID:    plain(d.ID), Subscriber: plain(d.Subscriber),
	}
	if d.Part {
		p.Period = fmt.Sprintf(w.part, w.dateTime(sealed), w.dateTime(d.Since.In(tz)), w.dateTime(d.Until.In(tz)))
	}
	if d.corrected() > 0 {
		p.Corrected = w.corrected
	}
	for _, c := range d.Corrections {
		p.Corrections = append(p.Corrections, c.page(w, sealed))
	}
	if d.CorrectionsMore > 0 {
		p.CorrectionsMore = fmt.Sprintf(w.alsoMore, d.CorrectionsMore)
	}
	for _, n := range d.Notices {
		p.Operator = w.operator
		at := n.At.In(tz)
		p.Notices = append(p.Notices, PageNotice{When: w.dayOf(at, sealed) + at.Format(" 15:04"), Text: plain(n.Text)})
	}
	if d.NoticesMore > 0 {
		p.NoticesMore = fmt.Sprintf(w.noticesMore, d.NoticesMore)
	}
	if u := safeLink(d.ChangeURL); u != "" {
		p.Change, p.ChangeURL = w.change, u
	}
	if u := safeLink(d.LeaveURL); u != "" {
		p.Leave, p.LeaveURL = w.leave, u
	}
	n := 0
	for _, g := range d.Groups {
		pg := PageGroup{Name: w.title(g.Name), Severity: w.severity(g.Severity)}
		for _, e := range g.Entries {
			n++
			pe := e.page(n, w, sealed)
			if e.Earlier != (Earlier{}) {
				pe.Earlier, pe.EarlierLink = e.Earlier.line(w, sealed), safeLink(e.Earlier.Link)
			}
			pg.Entries = append(pg.Entries, pe)
		}
		p.Groups = append(p.Groups, pg)
	}
	return p
}

func (e Entry) page(n int, w *wording, sealed time.Time) PageEntry {
	p := PageEntry{
		Number: n, Title: w.title(e.Title), Link: safeLink(e.Link), Lang: safeLang(e.Lang),
		Byline: w.byline(e.Outlet, e.Published, e.Found, sealed), Excerpt: spans(e.Excerpt),
	}
	if outlet := plain(e.Outlet); plain(e.Title) == "" && outlet != "" {
		// Its rules show only where it is, or it has no title.
		p.Title, p.Byline, p.Lang = outlet, w.byline("", e.Published, e.Found, sealed), ""
	}
	if e.TakenDown {
		p.Byline += ". " + w.takenDown
	}
	if len(e.AlsoRules) > 0 {
		p.AlsoRules = fmt.Sprintf(w.alsoRules, plain(strings.Join(e.AlsoRules, "; ")))
	}
	// One page that two feeds of an outlet list is named once.
	named := map[PageReport]bool{{plain(e.Outlet), p.Link}: true}
	for _, r := range e.Also {
		if r := (PageReport{r.name(w), safeLink(r.Link)}); !named[r] {
			named[r] = true
			p.Also = append(p.Also, r)
		}
	}
	switch {
	case len(p.Also) > 0:
		p.AlsoReported = w.alsoReported
		if e.AlsoMore > 0 {
			p.AlsoMore = fmt.Sprintf(w.alsoMore, e.AlsoMore)
		}
	case e.AlsoMore > 0: // "Also reported by: and 2 more" names nobody
		p.AlsoReported = w.alsoOnly.of(e.AlsoMore)
	}
	return p
}

// line names the report. Its day is said without its year where that is the
// digest's.
func (r Earlier) line(w *wording, sealed time.Time) string {
	what, outlet := plain(r.Title), plain(r.Outlet)
	if what != "" && outlet != "" {
		what += ", "
	}
	what = cmp.Or(what+outlet, w.noTitle)
	at := r.Published.In(sealed.Location())
	return fmt.Sprintf(w.earlier, what+", "+w.dayOf(at, sealed))
}

func (c Correction) page(w *wording, sealed time.Time) PageCorrection {
	p := PageCorrection{Title: w.withdrawn, Byline: w.byline(c.Outlet, c.Published, c.Found, sealed)}
	switch {
	case c.Withdrawn:
		return p
	case c.TakenDown || c.Back:
		p.Title, p.Was = w.title(c.Title), w.takenDown
		if outlet := plain(c.Outlet); plain(c.Title) == "" && outlet != "" { // its rules show only where it is
			p.Title, p.Byline = outlet, w.byline("", c.Published, c.Found, sealed)
		}
		if c.Back {
			p.Was = w.back
		}
		if c.Was != "" {
			p.Was += " " + fmt.Sprintf(w.was, w.title(c.Was))
		}
	case c.Title == "" && c.Was == "":
		p.Title = w.reworded
	default:
		p.Title, p.Was = w.title(c.Title), fmt.Sprintf(w.was, w.title(c.Was))
	}
	p.Link = safeLink(c.Link)
	return p
}

// name is the outlet; where nobody named it, the title.
func (r Report) name(w *wording) string { return cmp.Or(plain(r.Outlet), w.title(r.Title)) }
