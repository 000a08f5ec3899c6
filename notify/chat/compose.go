package chat

import (
	"slices"
	"strconv"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/notify"
)

// run is a stretch of text of one kind. Its text is from outside and is written
// as it is read: each service's markup is put around it, and none can come out of
// it.
type run struct {
	text string
	bold bool
	url  string // the text leads there
}

// line is one line of a message; an empty one parts paragraphs.
type line []run

func words(s string) run { return run{text: s} }

// compose sets a digest as lines, in the order in which they are read: a telephone
// shows the first two.
func compose(p notify.Page) []line {
	lines := []line{{{text: p.Headline, bold: true}}, {words(p.Period)}}
	for _, g := range p.Groups {
		lines = append(lines, nil, line{{text: g.Name, bold: true}, words(" [" + g.Severity + "]")})
		for _, e := range g.Entries {
			lines = append(lines, entry(e)...)
		}
	}
	if p.More != "" {
		lines = append(lines, nil, line{{text: p.More, url: p.MoreURL}})
	}
	if p.Corrected != "" {
		lines = append(lines, nil, line{{text: p.Corrected, bold: true}})
	}
	for _, c := range p.Corrections {
		lines = append(lines, line{{text: c.Title, url: c.Link}})
		if c.Was != "" {
			lines = append(lines, line{words(c.Was)})
		}
		lines = append(lines, line{words(c.Byline)})
	}
	if p.CorrectionsMore != "" {
		lines = append(lines, line{words(p.CorrectionsMore)})
	}
	if p.Operator != "" {
		lines = append(lines, nil, line{{text: p.Operator, bold: true}})
	}
	for _, n := range p.Notices {
		lines = append(lines, line{words(n.When + " " + n.Text)})
	}
	if p.NoticesMore != "" {
		lines = append(lines, line{words(p.NoticesMore)})
	}
	lines = append(lines, nil)
	for _, s := range p.Proof {
		lines = append(lines, line{words(s)})
	}
	for _, l := range []run{{text: p.Change, url: p.ChangeURL}, {text: p.Leave, url: p.LeaveURL}} {
		if l.text != "" {
			lines = append(lines, line{l})
		}
	}
	return lines
}

func entry(e notify.PageEntry) []line {
	lines := []line{
		{words(strconv.Itoa(e.Number) + ". "), {text: e.Title, url: e.Link}},
		{words(e.Byline)},
	}
	if len(e.Excerpt) > 0 {
		l := line{words("“")}
		for _, s := range e.Excerpt {
			l = append(l, run{text: s.Text, bold: s.Marked})
		}
		lines = append(lines, append(l, words("”")))
	}
	if e.AlsoRules != "" {
		lines = append(lines, line{words(e.AlsoRules)})
	}
	if e.AlsoReported != "" {
		l := line{words(e.AlsoReported)}
		for i, r := range e.Also {
			sep := " "
			if i > 0 {
				sep = ", "
			}
			l = append(l, words(sep), run{text: r.Name, url: r.Link})
		}
		if e.AlsoMore != "" {
			l = append(l, words(" "+e.AlsoMore))
		}
		lines = append(lines, l)
	}
	if e.Earlier != "" {
		lines = append(lines, line{{text: e.Earlier, url: e.EarlierLink}})
	}
	return lines
}

// fit makes the message: the most stories for which the service has room, each
// whole but one that would take more than half of it, and the count of the others.
// The names of other outlets and of failing
// feeds, corrections, and what operators are told go before a story does; their
// counts stay. So does what was told earlier of a case.
func fit(d notify.Digest, to Target, s service) ([]byte, error) {
	make := func(d notify.Digest) (body []byte, ok bool, err error) {
		p := d.Page()
		v, ok := s.message(to, p.Subject, compose(p))
		if !ok {
			return nil, false, nil
		}
		body, err = encode(v)
		return body, true, err
	}
	if body, ok, err := make(d); ok || err != nil {
		return body, err
	}
	d = fitting(d, func(d notify.Digest) bool {
		_, ok, err := make(d)
		return ok && err == nil
	})
	for _, cut := range []struct{ also, names int }{{notify.MaxAlso, notify.MaxCoverageNames}, {3, 3}, {0, 0}} {
		d := d.Brief(cut.names)
		if cut.also == 0 {
			d = withoutEarlier(d)
		}
		lo, hi := 0, d.Shown()
		// Nothing to tell fits into the first message that can be made.
		if body, ok, err := make(d.Trim(hi, cut.also)); ok || err != nil {
			return body, err
		}
		var best []byte
		for lo < hi {
			n := (lo + hi + 1) / 2
			body, ok, err := make(d.Trim(n, cut.also))
			if err != nil {
				return nil, err
			}
			if ok {
				lo, best = n, body
			} else {
				hi = n - 1
			}
		}
		if best != nil {
			return best, nil
		}
	}
	body, ok, err := make(d.Brief(0).Trim(0, 0))
	if err == nil && !ok {
		err = errTooLong
	}
	return body, err
}

// fitting returns the digest with no story in it that takes more than half of the
// message, or all of it where there is no other: those below it would not be told.
// All but its headline and its link goes first, then the link, then the story, which
// is counted.
func fitting(d notify.Digest, fits func(notify.Digest) bool) notify.Digest {
	stories := d.Shown()
	narrow := func(g notify.Group, e notify.Entry) bool {
		g.Entries = slices.Repeat([]notify.Entry{e}, min(stories, 2))
		one := d
		one.Groups = []notify.Group{g}
		one.More += stories
		return fits(withoutEarlier(one.Brief(0).Trim(2, 0)))
	}
	var groups []notify.Group
	for _, g := range d.Groups {
		var kept []notify.Entry
		for _, e := range g.Entries {
			ok := narrow(g, e)
			if !ok {
				e.Excerpt, e.AlsoRules = classifier.Excerpt{}, nil
				ok = narrow(g, e)
			}
			if !ok {
				e.Link = ""
				ok = narrow(g, e)
			}
			if !ok {
				d.More++
				continue
			}
			kept = append(kept, e)
		}
		if len(kept) > 0 {
			g.Entries = kept
			groups = append(groups, g)
		}
	}
	d.Groups = groups
	return d
}

func withoutEarlier(d notify.Digest) notify.Digest {
	d.Groups = slices.Clone(d.Groups)
	for i, g := range d.Groups {
		d.Groups[i].Entries = slices.Clone(g.Entries)
		for j := range g.Entries {
			d.Groups[i].Entries[j].Earlier = notify.Earlier{}
		}
	}
	return d
}
