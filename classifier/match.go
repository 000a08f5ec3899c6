package classifier

import (
	"cmp"
	"slices"

	"github.com/newswatch/newswatch/classifier/text"
)

// MaxMatches bounds the spans that a RuleMatch carries. They prove the match;
// a text that repeats a word a thousand times proves it no better.
const MaxMatches = 64

// scratch is the working memory of one Match. A pool keeps it, so that matching
// does not allocate.
type scratch struct {
	words    text.Buffer
	segs     []segment
	units    []unit  // by token: the whole word
	prefixes []int32 // by token: the longest prefix, as in lexicon.prefixOf

	// gen stamps what belongs to the present document: nothing is cleared
	// between two.
	gen  uint32
	lits []litState
	seen []uint32 // by rule: the gen in which it became a candidate
	cand []int32
	occ  []occurrence

	spans []span
	doc   *Doc
	host  string
}

type litState struct {
	gen    uint32
	last   int32 // the index plus one of the latest occurrence
	fields fieldMask
}

// occurrence is a place at which a literal stands: tokens first to last of a
// segment.
type occurrence struct {
	seg         int32
	first, last int32
	prev        int32 // the occurrence of the same literal before this, plus one
	fields      fieldMask
}

// span is an occurrence that proves a rule, in the field that it is shown in.
type span struct {
	seg        int32
	field      Field
	start, end int // bytes of the field
	lo, hi     int // bytes of the segment
}

// maxKeep is the memory that a scratch may take back to the pool, in bytes: a
// monstrous item must not be paid for ever after.
const maxKeep = 8 << 20

// Match returns the rules that a document matches, in the order in which they
// were compiled. It may be called by any number of goroutines.
func (rs *Ruleset) Match(doc *Doc) []RuleMatch {
	s := rs.pool.Get().(*scratch)
	s.begin(doc)
	rs.scan(s)
	var out []RuleMatch
	for _, r := range rs.always {
		s.consider(r)
	}
	slices.Sort(s.cand)
	for _, r := range s.cand {
		if rs.holds(s, int(r)) {
			out = append(out, rs.report(s, int(r)))
		}
	}
	rs.release(s)
	return out
}

// Matches reports whether one rule matches a document.
func (rs *Ruleset) Matches(id string, doc *Doc) bool {
	i, ok := rs.index[id]
	if !ok {
		return false
	}
	s := rs.pool.Get().(*scratch)
	defer rs.release(s)
	s.begin(doc)
	rs.scan(s)
	return rs.holds(s, i)
}

func (rs *Ruleset) release(s *scratch) {
	s.doc = nil
	clear(s.segs)
	if s.words.Cap()+20*cap(s.occ)+8*cap(s.units) <= maxKeep {
		rs.pool.Put(s)
	}
}

func (s *scratch) begin(doc *Doc) {
	s.doc, s.host = doc, host(doc.URL)
	s.gen++
	if s.gen == 0 { // after four thousand million documents the stamps begin anew
		clear(s.lits)
		clear(s.seen)
		s.gen = 1
	}
	s.words.Reset()
	s.segs, s.units, s.prefixes = s.segs[:0], s.units[:0], s.prefixes[:0]
	s.cand, s.occ = s.cand[:0], s.occ[:0]
}

func (s *scratch) consider(rule int32) {
	if s.seen[rule] != s.gen {
		s.seen[rule] = s.gen
		s.cand = append(s.cand, rule)
	}
}

// scan finds every literal in the document, and the rules to look at for it.
func (rs *Ruleset) scan(s *scratch) {
	s.segs = s.doc.segments(s.segs, rs.searched)
	for i := range s.segs {
		seg := &s.segs[i]
		seg.first = s.words.Len()
		s.words.Add(seg.text)
		seg.last = s.words.Len()
	}
	lx := rs.lexicon
	tokens := s.words.Tokens()
	for _, t := range tokens {
		w := s.words.Folded(t)
		s.units = append(s.units, lx.word(t.Hash, w))
		s.prefixes = append(s.prefixes, lx.prefixOf(w))
	}
	for i := range s.segs {
		for t := s.segs[i].first; t < s.segs[i].last; t++ {
			if u := s.units[t]; u != 0 {
				rs.walk(s, int32(i), lx.roots[u], t, t+1)
			}
			for p := s.prefixes[t]; p != 0; p = lx.prefixes[p-1].parent {
				rs.walk(s, int32(i), lx.roots[lx.prefixes[p-1].unit], t, t+1)
			}
		}
	}
}

// walk records the literal of a node, whose words began at token first, and goes
// on with the word at next.
func (rs *Ruleset) walk(s *scratch, seg, at int32, first, next int) {
	if at <= 0 { // a unit that begins no literal
		return
	}
	lx := rs.lexicon
	n := lx.nodes[at]
	if n.lit >= 0 {
		rs.record(s, n.lit, seg, first, next-1)
	}
	if !n.inside || next == s.segs[seg].last {
		return
	}
	if u := s.units[next]; u != 0 {
		rs.walk(s, seg, lx.follow(at, u), first, next+1)
	}
	for p := s.prefixes[next]; p != 0; p = lx.prefixes[p-1].parent {
		rs.walk(s, seg, lx.follow(at, lx.prefixes[p-1].unit), first, next+1)
	}
}

func (rs *Ruleset) record(s *scratch, lit literal, seg int32, first, last int) {
	sg := &s.segs[seg]
	fields := sg.mask
	if sg.aliasMask != 0 && int(s.words.Tokens()[last].End) <= sg.aliasEnd {
		fields |= sg.aliasMask
	}
	st := &s.lits[lit]
	if st.gen != s.gen {
		*st = litState{gen: s.gen}
		for _, r := range rs.waiting[rs.waitingAt[lit]:rs.waitingAt[lit+1]] {
			s.consider(r)
		}
	}
	s.occ = append(s.occ, occurrence{seg, int32(first), int32(last), st.last, fields})
	st.last = int32(len(s.occ))
	st.fields |= fields
}

// holds reports whether a rule matches the document that was scanned.
func (rs *Ruleset) holds(s *scratch, i int) bool {
	c := &rs.compiled[i]
	return (c.filter == nil || c.filter.admits(s.doc)) && c.cond.eval(s)
}

// report collects what proves that rule i matched.
func (rs *Ruleset) report(s *scratch, i int) RuleMatch {
	r := &rs.rules[i]
	m := RuleMatch{Rule: r.ID, Name: r.Name, Severity: r.Severity, Tags: r.Tags}
	s.spans = s.spans[:0]
	rs.compiled[i].cond.collect(s)
	slices.SortFunc(s.spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.seg, b.seg), cmp.Compare(a.lo, b.lo), cmp.Compare(a.hi, b.hi))
	})
	s.spans = slices.Compact(s.spans)
	for _, sp := range s.spans[:min(len(s.spans), MaxMatches)] {
		seg := &s.segs[sp.seg]
		m.Matches = append(m.Matches, Match{
			Rule: r.ID, Field: sp.field, Start: sp.start, End: sp.end, Text: seg.text[sp.lo:sp.hi],
		})
	}
	m.Excerpt = excerpt(s.segs, s.spans)
	return m
}

// prove adds the occurrences of a literal in some fields to the spans.
func (s *scratch) prove(lit literal, mask fieldMask) {
	st := &s.lits[lit]
	if st.gen != s.gen || st.fields&mask == 0 {
		return
	}
	tokens := s.words.Tokens()
	for n := st.last; n != 0; n = s.occ[n-1].prev {
		o := s.occ[n-1]
		if o.fields&mask == 0 {
			continue
		}
		seg := &s.segs[o.seg]
		lo, hi := int(tokens[o.first].Start), int(tokens[o.last].End)
		sp := span{seg: o.seg, field: seg.field, start: seg.base + lo, end: seg.base + hi, lo: lo, hi: hi}
		if mask&seg.mask == 0 {
			// Only the field that shares its text with this one was asked for.
			sp.field = seg.alias
			sp.start, sp.end = lo-seg.aliasAt+seg.aliasBase, hi-seg.aliasAt+seg.aliasBase
		}
		s.spans = append(s.spans, sp)
	}
}

// eval.go's conditions, as they are evaluated on a scanned document.
type condition interface {
	eval(s *scratch) bool
	// collect adds the spans that make the condition hold, if it does. What is
	// under a negation proves nothing.
	collect(s *scratch)
}

type (
	condAll []condition
	condAny []condition
	condNot struct{ of condition }
	// condLits holds when one of the literals is in one of the fields.
	condLits struct {
		lits []literal
		mask fieldMask
	}
	// condLit is condLits with a single literal, which most have.
	condLit struct {
		lit  literal
		mask fieldMask
	}
	condSite string
	condLang string
)

func (s *scratch) has(lit literal, mask fieldMask) bool {
	st := &s.lits[lit]
	return st.gen == s.gen && st.fields&mask != 0
}

func (c condAll) eval(s *scratch) bool {
	for _, k := range c {
		if !k.eval(s) {
			return false
		}
	}
	return true
}

func (c condAll) collect(s *scratch) {
	if c.eval(s) {
		for _, k := range c {
			k.collect(s)
		}
	}
}

func (c condAny) eval(s *scratch) bool {
	for _, k := range c {
		if k.eval(s) {
			return true
		}
	}
	return false
}

func (c condAny) collect(s *scratch) {
	for _, k := range c {
		k.collect(s)
	}
}

func (c condNot) eval(s *scratch) bool { return !c.of.eval(s) }
func (condNot) collect(*scratch)       {}

func (c *condLits) eval(s *scratch) bool {
	for _, l := range c.lits {
		if s.has(l, c.mask) {
			return true
		}
	}
	return false
}

func (c *condLits) collect(s *scratch) {
	for _, l := range c.lits {
		s.prove(l, c.mask)
	}
}

func (c *condLit) eval(s *scratch) bool { return s.has(c.lit, c.mask) }
func (c *condLit) collect(s *scratch)   { s.prove(c.lit, c.mask) }

func (c condSite) eval(s *scratch) bool { return withinHost(s.host, string(c)) }
func (condSite) collect(*scratch)       {}

func (c condLang) eval(s *scratch) bool { return withinLang(s.doc.Lang, string(c)) }
func (condLang) collect(*scratch)       {}

// filter are a rule's languages, feeds and feed tags.
type filter struct{ languages, feeds, feedTags []string }

func (f *filter) admits(d *Doc) bool {
	if len(f.languages) > 0 && d.Lang != "" &&
		!slices.ContainsFunc(f.languages, func(want string) bool { return withinLang(d.Lang, want) }) {
		return false
	}
	if len(f.feeds) > 0 && !slices.Contains(f.feeds, d.FeedID) {
		return false
	}
	return len(f.feedTags) == 0 ||
		slices.ContainsFunc(d.FeedTags, func(have string) bool { return slices.Contains(f.feedTags, have) })
}
