package chat

import (
	"slices"
	"strconv"

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
// whole, and the count of the others. The names of other outlets and of failing
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
	for _, cut := range []struct{ also, names int }{{notify.MaxAlso, notify.MaxCoverageNames}, {3, 3}, {0, 0}} {
		d := withNames(d, cut.names)
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
	body, ok, err := make(withNames(d, 0).Trim(0, 0))
	if err == nil && !ok {
		err = errTooLong
	}
	return body, err
}

// withNames keeps at most n names of feeds that fail or are silent, and so many
// corrections and notices where it is less than all names.
func withNames(d notify.Digest, n int) notify.Digest {
	c := &d.Coverage
	c.Failing, c.Silent = c.Failing[:min(n, len(c.Failing))], c.Silent[:min(n, len(c.Silent))]
	if n < len(d.Corrections) && n < notify.MaxCoverageNames {
		d.CorrectionsMore += len(d.Corrections) - n
		d.Corrections = d.Corrections[:n]
	}
	if n < len(d.Notices) && n < notify.MaxCoverageNames {
		d.NoticesMore += len(d.Notices) - n
		d.Notices = d.Notices[:n]
	}
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
