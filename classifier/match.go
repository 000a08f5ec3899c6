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
	// wild[wildAt[t]:wildAt[t+1]] are the words with ? that token t is one of;
	// wildAt is empty where no rule has any.
	wild   []unit
	wildAt []int32
	// sentenceOf and paragraphOf are by token, and empty until they are asked
	// for; so is joined.
	sentenceOf  []int32
	paragraphOf []int32
	joined      joinedText

	fields []fieldMask // by literal: where it was found
	found  []literal   // the literals that were, in the order of their first occurrence
	occ    []occurrence
	// byLit are the occurrences in the order of their literals: the literal in
	// the upper half, the index of the occurrence in the lower. It is made when
	// the first rule has matched.
	byLit []uint64

	tried []uint64 // by rule, a bit: it was evaluated already
	cand  []int32  // the rules that were
	held  []int32  // those of them that matched

	stretches []stretch // a stack, for what needs the places of a condition

	spans []span
	whole stretch // where the clause that is being proved stands, if in more than one place
	doc   *Doc
	host  string
}

// occurrence is a place at which a literal stands: tokens first to last of a
// segment.
type occurrence struct {
	lit         literal
	seg         int32
	first, last int32
}

// span is an occurrence that proves a rule, in the field that it is shown in.
type span struct {
	seg        int32
	field      Field
	start, end int // bytes of the field
	lo, hi     int // bytes of the segment
	// wholeLo and wholeHi are where all spans of its clause stand: those of a
	// NEAR prove nothing without each other.
	wholeLo, wholeHi int
	weight           int32
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
	for _, r := range rs.always {
		rs.try(s, r)
	}
	for _, l := range s.found {
		for _, w := range rs.waiting[rs.waitingAt[l]:rs.waitingAt[l+1]] {
			if w.also[0] < 0 || s.fields[w.also[0]] != 0 || w.also[1] >= 0 && s.fields[w.also[1]] != 0 {
				rs.try(s, w.rule)
			}
		}
	}
	var out []RuleMatch
	if len(s.held) > 0 {
		slices.Sort(s.held)
		out = make([]RuleMatch, len(s.held))
		for i, r := range s.held {
			out[i] = rs.report(s, int(r))
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
	s.begin(doc)
	rs.scan(s)
	ok = rs.holds(s, i)
	rs.release(s)
	return ok
}

// try evaluates a rule, once for a document.
func (rs *Ruleset) try(s *scratch, r int32) {
	if bit := uint64(1) << (r % 64); s.tried[r/64]&bit == 0 {
		s.tried[r/64] |= bit
		s.cand = append(s.cand, r)
		if rs.holds(s, int(r)) {
			s.held = append(s.held, r)
		}
	}
}

func (s *scratch) begin(doc *Doc) { s.doc, s.host, s.whole = doc, host(doc.URL), stretch{seg: -1} }

// release gives the scratch back to the pool as it was: only what was touched is
// cleared.
func (rs *Ruleset) release(s *scratch) {
	s.doc = nil
	clear(s.segs)
	for _, l := range s.found {
		s.fields[l] = 0
	}
	for _, r := range s.cand {
		s.tried[r/64] = 0
	}
	s.words.Reset()
	s.segs, s.units, s.prefixes = s.segs[:0], s.units[:0], s.prefixes[:0]
	s.wild, s.wildAt = s.wild[:0], s.wildAt[:0]
	s.sentenceOf, s.paragraphOf = s.sentenceOf[:0], s.paragraphOf[:0]
	s.joined.reset()
	s.found, s.occ, s.byLit = s.found[:0], s.occ[:0], s.byLit[:0]
	s.cand, s.held, s.spans = s.cand[:0], s.held[:0], s.spans[:0]
	if s.words.Cap()+s.joined.cap()+8*(cap(s.units)+cap(s.byLit)+cap(s.wildAt)+cap(s.sentenceOf))+16*cap(s.occ)+12*cap(s.stretches) <= maxKeep {
		rs.pool.Put(s)
	}
}

// scan finds every literal in the document, and the rules to look at for it.
func (rs *Ruleset) scan(s *scratch) {
	s.segs = s.doc.segments(s.segs, rs.searched)
	for i := range s.segs {
		seg := &s.segs[i]
		seg.first = s.words.Len()
		if seg.field == FieldURL {
			s.addAddress(seg.text)
		} else {
			s.words.Add(seg.text)
		}
		seg.last = s.words.Len()
	}
	lx := rs.lexicon
	tokens := s.words.Tokens()
	for _, t := range tokens {
		w := s.words.Folded(t)
		s.units = append(s.units, lx.word(t.Hash, w))
		s.prefixes = append(s.prefixes, lx.prefixOf(w))
	}
	if lx.wild != nil {
		for _, t := range tokens {
			s.wildAt = append(s.wildAt, int32(len(s.wild)))
			s.wild = lx.wild.find(s.wild, s.words.Folded(t))
		}
		s.wildAt = append(s.wildAt, int32(len(s.wild)))
	}
	for i := range s.segs {
		for t := s.segs[i].first; t < s.segs[i].last; t++ {
			if u := s.units[t]; u != 0 {
				rs.walk(s, int32(i), int32(u), t, t+1)
			}
			for p := s.prefixes[t]; p != 0; p = lx.prefixes[p-1].parent {
				rs.walk(s, int32(i), int32(lx.prefixes[p-1].unit), t, t+1)
			}
			for _, u := range s.wildOf(t) {
				rs.walk(s, int32(i), int32(u), t, t+1)
			}
		}
	}
}

// walk records the literal of a node, whose words began at token first, and goes
// on with the word at next.
func (rs *Ruleset) walk(s *scratch, seg, at int32, first, next int) {
	lx := rs.lexicon
	n := lx.nodes[at]
	if n.lit >= 0 {
		s.record(n.lit, seg, first, next-1)
	}
	if !n.inside || next == s.segs[seg].last {
		return
	}
	if u := s.units[next]; u != 0 {
		if to := lx.follow(at, u); to != 0 {
			rs.walk(s, seg, to, first, next+1)
		}
	}
	for p := s.prefixes[next]; p != 0; p = lx.prefixes[p-1].parent {
		if to := lx.follow(at, lx.prefixes[p-1].unit); to != 0 {
			rs.walk(s, seg, to, first, next+1)
		}
	}
	for _, u := range s.wildOf(next) {
		if to := lx.follow(at, u); to != 0 {
			rs.walk(s, seg, to, first, next+1)
		}
	}
}

// wildOf returns the words with ? that a token is one of.
func (s *scratch) wildOf(t int) []unit {
	if len(s.wildAt) == 0 {
		return nil
	}
	return s.wild[s.wildAt[t]:s.wildAt[t+1]]
}

func (s *scratch) record(lit literal, seg int32, first, last int) {
	if s.fields[lit] == 0 {
		s.found = append(s.found, lit)
	}
	s.fields[lit] |= s.fieldsOf(seg, last)
	s.occ = append(s.occ, occurrence{lit, seg, int32(first), int32(last)})
}

// fieldsOf is what fields something ends in, of a segment, at a token.
func (s *scratch) fieldsOf(seg int32, last int) fieldMask {
	sg := &s.segs[seg]
	return sg.fields(s.words.Tokens()[last], last-sg.first)
}

// holds reports whether a rule matches the document that was scanned.
func (rs *Ruleset) holds(s *scratch, i int) bool {
	c := &rs.compiled[i]
	return (c.filter == nil || c.filter.admits(s.doc)) && c.cond.eval(s)
}

// report collects what proves that rule i matched.
func (rs *Ruleset) report(s *scratch, i int) RuleMatch {
	r := &rs.rules[i]
	m := RuleMatch{Rule: r.ID, Name: r.Name, Severity: r.Severity, Tags: r.Tags, Show: r.Show}
	s.spans = s.spans[:0]
	rs.compiled[i].cond.collect(s)
	slices.SortFunc(s.spans, func(a, b span) int {
		return cmp.Or(
			cmp.Compare(a.seg, b.seg), cmp.Compare(a.lo, b.lo), cmp.Compare(a.hi, b.hi), cmp.Compare(a.field, b.field),
			cmp.Compare(a.wholeLo, b.wholeLo), cmp.Compare(a.wholeHi, b.wholeHi), cmp.Compare(b.weight, a.weight),
		)
	})
	s.spans = slices.Compact(s.spans)
	for i, sp := range s.spans {
		if i > 0 && sp.at() == s.spans[i-1].at() {
			continue // proves another clause as well
		}
		if len(m.Matches) == MaxMatches {
			break
		}
		seg := &s.segs[sp.seg]
		m.Matches = append(m.Matches, Match{
			Rule: r.ID, Field: sp.field, Start: sp.start, End: sp.end, Text: seg.text[sp.lo:sp.hi],
		})
	}
	m.Excerpt = excerpt(s.segs, s.spans)
	return m
}

// prove adds the occurrences of a literal in some fields to the spans, the first
// MaxMatches of them.
func (s *scratch) prove(lit literal, mask fieldMask) {
	added := 0
	for o := range s.occurrences(lit, mask) {
		if added++; added > MaxMatches {
			return
		}
		s.show(o, mask)
	}
}

// show adds an occurrence to the spans, in a field of the mask.
func (s *scratch) show(o occurrence, mask fieldMask) {
	tokens := s.words.Tokens()
	seg := &s.segs[o.seg]
	lo, hi := int(tokens[o.first].Start), int(tokens[o.last].End)
	sp := span{seg: o.seg, field: seg.field, start: seg.base + lo, end: seg.base + hi, lo: lo, hi: hi}
	if mask&seg.mask == 0 && (mask&inOpening == 0 || seg.mask&inBody == 0) {
		// Only the field that shares its text with this one was asked for.
		sp.field = seg.alias
		sp.start, sp.end = lo-seg.aliasAt+seg.aliasBase, hi-seg.aliasAt+seg.aliasBase
	}
	sp.weight, sp.wholeLo, sp.wholeHi = 1, lo, hi
	if w := s.whole; w.covers(stretch{o.seg, o.first, o.last}) {
		sp.wholeLo, sp.wholeHi = int(tokens[w.first].Start), int(tokens[w.last].End)
	}
	s.spans = append(s.spans, sp)
}

// spanAt is where a span is.
type spanAt struct {
	seg        int32
	field      Field
	start, end int
}

func (sp span) at() spanAt { return spanAt{sp.seg, sp.field, sp.start, sp.end} }

// enclose makes what is proved next part of a clause that stands in a stretch,
// unless it is part of a larger one already. It returns what to put back into
// whole afterwards.
func (s *scratch) enclose(in stretch) (before stretch) {
	before = s.whole
	if !before.covers(in) {
		s.whole = in
	}
	return before
}

// condition is an expression as it is evaluated on a document that was scanned.
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

func (s *scratch) has(lit literal, mask fieldMask) bool { return s.fields[lit]&mask != 0 }

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
	if len(f.languages) > 0 && !d.inLanguage(f.languages) {
		return false
	}
	if len(f.feeds) > 0 && !slices.Contains(f.feeds, d.FeedID) {
		return false
	}
	return len(f.feedTags) == 0 ||
		slices.ContainsFunc(d.FeedTags, func(have string) bool { return slices.Contains(f.feedTags, have) })
}
