package notify

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/guard"
	"github.com/newswatch/newswatch/story"
)

const (
	// DefaultCap is the Cap of a subscriber that names none.
	DefaultCap = 40
	// MaxAlso bounds the reports that one entry lists beside its own.
	MaxAlso = 20

	// What a sealed digest takes of one report, in characters; a publisher can
	// write more than anyone reads. A longer link is left out, not cut: half a
	// link leads nowhere.
	maxTitle  = 300
	maxOutlet = 100
	maxLink   = 2048
	maxNote   = 200
)

// Window is the part of the hit log that a digest tells of.
type Window struct {
	// From and To bound it: From < seq <= To.
	From, To int64
	// Since and Until are the same in time.
	Since, Until time.Time
	// Hits are those that have a rule reported within it.
	Hits []classifier.Hit
	// Begin is where the subscriber's log begins, and Amendments are those within
	// the window.
	Begin      int64
	Amendments []Amendment
	// Notices are those within it, for a subscriber who is an operator.
	Notices []Notice
	// Part is set where the log goes on behind it, see Digest.Part.
	Part bool
}

// BuildOptions is what a digest says beside its hits.
type BuildOptions struct {
	// Sealed is when the digest is closed.
	Sealed   time.Time
	Coverage Coverage
	// Past is where the beginnings of cases are looked for; nil is nowhere.
	Past *story.Archive
	// MoreURL is where a reader finds what the cap left out; it may be empty.
	MoreURL string
	// Preview builds a digest that holds nothing even where none would be sent.
	Preview bool
}

// Build returns the digest that the subscriber is due, and false when there is
// nothing to send: nothing in the window is for the subscriber, who wants no
// empty digests. It reads no clock and no store, so the same input gives the
// same digest.
//
// A report is news in the window in which the first of its rules that the
// subscriber follows was logged. An edit that adds another rule that the
// subscriber follows as well does not make it news again.
func Build(sub Subscriber, w Window, o BuildOptions) (Digest, bool) {
	news := News(sub.Selection, w.From, w.To, w.Hits)
	notices := w.Notices
	if !sub.Operator {
		notices = nil
	}
	amended := Amended(sub.Selection, w.Begin, w.From, w.Amendments)
	if !o.Preview && !sub.wants(len(news)+len(amended)+len(notices)) {
		return Digest{}, false
	}
	tz := cmp.Or(sub.Timezone, time.UTC)
	d := Digest{
		ID:         digestID(sub.ID, w),
		Subscriber: sub.ID,
		From:       w.From,
		To:         w.To,
		Since:      w.Since.UTC().Round(0),
		Until:      w.Until.UTC().Round(0),
		Sealed:     o.Sealed.UTC().Round(0),
		Timezone:   tz.String(),
		Lang:       sub.Lang,
		Hits:       len(news),
		Groups:     groups(news, sub, o.Past),
		Coverage:   o.Coverage.bounded(),
		Part:       w.Part,
	}
	for _, g := range d.Groups {
		d.Entries += len(g.Entries)
	}
	d.Corrections, d.CorrectionsMore = corrections(amended, !sub.Unguarded)
	d.Notices, d.NoticesMore = listed(notices)
	d = d.Trim(cmp.Or(max(sub.Cap, 0), DefaultCap), MaxAlso)
	if d.More > 0 {
		d.MoreURL = o.MoreURL
	}
	return d, true
}

// digestID names the digest. The time at which the window begins is part of it:
// two empty digests on end have the same place in the log, and a mail server
// would drop the second as a copy of the first.
func digestID(subscriber string, w Window) string {
	h := sha256.New()
	var n [8]byte
	for _, v := range []int64{int64(len(subscriber)), w.From, w.To, w.Since.UnixMilli()} {
		binary.BigEndian.PutUint64(n[:], uint64(v))
		h.Write(n[:])
	}
	h.Write([]byte(subscriber))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// groups turns reports into stories, each under the most severe rule that caught
// it: the most severe group first, the newest entry first.
func groups(news []classifier.Hit, sub Subscriber, past *story.Archive) []Group {
	byRule := make(map[string]int)
	var out []Group
	for _, st := range story.Group(news) {
		first, goesOn := past.First(st, sub.Selection.told)
		if !sub.Unguarded { // behind what compares reports, which needs the titles as they are
			st, first = st.Each(guard.Hit), guard.Hit(first)
		}
		st, first = st.Each(classifier.Hit.Reserved), first.Reserved()
		rules := rulesOf(st)
		top := rules[0]
		n, ok := byRule[top.Rule]
		if !ok {
			n = len(out)
			byRule[top.Rule] = n
			out = append(out, Group{Rule: top.Rule, Name: ruleName(top), Severity: top.Severity})
		}
		e := entry(st, rules)
		if goesOn {
			e.Earlier = earlier(first)
		}
		out[n].Entries = append(out[n].Entries, e)
	}
	slices.SortFunc(out, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Rule, b.Rule))
	})
	return out
}

// corrections are what a digest shows of amendments, bounded, and how many more
// there are.
func corrections(amended []Amendment, guarded bool) (shown []Correction, more int) {
	for _, a := range amended[:min(len(amended), MaxCorrections)] {
		title, was := a.Hit.Item.Title, a.Was
		if guarded {
			title, was = guard.Title(title), guard.Title(was)
		}
		if a.Hit.Show() == classifier.ShowLink {
			title, was = "", ""
		}
		shown = append(shown, Correction{
			Item: a.Hit.Item.ID, Title: clip(title, maxTitle), Was: clip(was, maxTitle), Link: link(a.Hit),
			Outlet: clip(a.Hit.Outlet(), maxOutlet), Published: a.Hit.Item.Time().UTC(), Found: a.Hit.Found.UTC(), At: a.At.UTC(), TakenDown: a.TakenDown, Withdrawn: a.Withdrawn, Back: a.Back,
		})
	}
	return shown, len(amended) - len(shown)
}

// rulesOf returns the rules that caught any report of the story, each once, the
// most severe first.
func rulesOf(st story.Story) []classifier.RuleMatch {
	var out []classifier.RuleMatch
	seen := make(map[string]bool)
	for _, h := range append([]classifier.Hit{st.Lead}, st.Also...) {
		for _, r := range h.Rules {
			if !seen[r.Rule] {
				seen[r.Rule] = true
				out = append(out, r)
			}
		}
	}
	slices.SortFunc(out, func(a, b classifier.RuleMatch) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(ruleName(a), ruleName(b)), cmp.Compare(a.Rule, b.Rule))
	})
	return out
}

func ruleName(r classifier.RuleMatch) string { return clip(cmp.Or(r.Name, r.Rule), maxOutlet) }

func entry(st story.Story, rules []classifier.RuleMatch) Entry {
	lead := st.Lead
	e := Entry{
		Item:      lead.Item.ID,
		Title:     clip(lead.Item.Title, maxTitle),
		Link:      link(lead),
		Outlet:    clip(lead.Outlet(), maxOutlet),
		Lang:      clip(lead.Item.Lang, maxOutlet),
		Published: lead.Item.Time().UTC(),
		Found:     lead.Found.UTC().Round(0),
		Excerpt:   excerpt(lead, rules[0].Rule),
		TakenDown: lead.TakenDown,
		Show:      lead.Show(),
	}
	for _, r := range rules[1:] {
		e.AlsoRules = append(e.AlsoRules, ruleName(r))
	}
	for _, h := range st.Also {
		e.Also = append(e.Also, Report{
			Item: h.Item.ID, Title: clip(h.Item.Title, maxTitle), Link: link(h), Outlet: clip(h.Outlet(), maxOutlet),
		})
	}
	return e
}

func earlier(h classifier.Hit) Earlier {
	return Earlier{
		Item: h.Item.ID, Title: clip(h.Item.Title, maxTitle), Link: link(h), Outlet: clip(h.Outlet(), maxOutlet),
		Published: story.When(h).UTC().Round(0),
	}
}

// excerpt is the sentence that the rule found in the report or, where it found none,
// since it matched the headline alone or another report of the story, the one of the
// most severe of the report's rules that has one.
func excerpt(h classifier.Hit, rule string) classifier.Excerpt {
	var best classifier.RuleMatch
	for _, r := range h.Rules {
		switch {
		case r.Excerpt.Text == "":
		case r.Rule == rule:
			return r.Excerpt
		case best.Excerpt.Text == "" || r.Severity > best.Severity:
			best = r
		}
	}
	return best.Excerpt
}

// Trim returns the digest with at most the given number of entries, in their
// order, and of other reports in each. What is cut is counted, never silent.
func (d Digest) Trim(entries, also int) Digest {
	entries, also = max(entries, 0), max(also, 0)
	cut := make([]Group, 0, len(d.Groups))
	for _, g := range d.Groups {
		if n := min(len(g.Entries), entries); n < len(g.Entries) {
			d.More += len(g.Entries) - n
			g.Entries = g.Entries[:n]
		}
		entries -= len(g.Entries)
		if len(g.Entries) == 0 {
			continue
		}
		g.Entries = slices.Clone(g.Entries)
		for i, e := range g.Entries {
			if len(e.Also) > also {
				g.Entries[i].AlsoMore += len(e.Also) - also
				g.Entries[i].Also = e.Also[:also]
			}
		}
		cut = append(cut, g)
	}
	d.Groups = cut
	return d
}

// Brief returns the digest with at most n names of feeds that fail or are silent,
// and so many corrections and notices where n is less than MaxCoverageNames. What
// is cut is counted, never silent.
func (d Digest) Brief(n int) Digest {
	c := &d.Coverage
	c.Failing, c.Silent = c.Failing[:min(n, len(c.Failing))], c.Silent[:min(n, len(c.Silent))]
	if n >= MaxCoverageNames {
		return d
	}
	if n < len(d.Corrections) {
		d.CorrectionsMore += len(d.Corrections) - n
		d.Corrections = d.Corrections[:n]
	}
	if n < len(d.Notices) {
		d.NoticesMore += len(d.Notices) - n
		d.Notices = d.Notices[:n]
	}
	return d
}

// Shown counts the entries that the digest lists.
func (d Digest) Shown() int {
	n := 0
	for _, g := range d.Groups {
		n += len(g.Entries)
	}
	return n
}

// bounded keeps a coverage within what a digest may take. The counts are at
// least as high as the lists are long.
func (c Coverage) bounded() Coverage {
	c.FailingCount = max(c.FailingCount, len(c.Failing))
	c.SilentCount = max(c.SilentCount, len(c.Silent))
	c.Failing, c.Silent = boundedNotes(c.Failing), boundedNotes(c.Silent)
	return c
}

func boundedNotes(notes []SourceNote) []SourceNote {
	notes = slices.Clone(notes[:min(len(notes), MaxCoverageNames)])
	for i, n := range notes {
		notes[i] = SourceNote{Feed: clip(n.Feed, maxOutlet), Note: clip(n.Note, maxNote)}
	}
	return notes
}

// link leads to a report, if it is still there.
func link(h classifier.Hit) string {
	if h.TakenDown || len(h.Item.Link) > maxLink {
		return ""
	}
	return h.Item.Link
}

// clip cuts s to n characters, the last of which then says that it was cut.
func clip(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)
	return string(r[:n-1]) + "…"
}
