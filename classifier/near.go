package classifier

import (
	"cmp"
	"slices"
)

// place is a condition that holds at places in a text.
type place interface {
	condition
	// places pushes where it holds on the scratch's stretches, in the order of
	// the text.
	places(s *scratch)
	// proveIn adds the spans that make it hold within a stretch.
	proveIn(s *scratch, in stretch)
}

// stretch is the tokens first to last of a segment.
type stretch struct{ seg, first, last int32 }

func compareStretch(a, b stretch) int {
	return cmp.Or(cmp.Compare(a.seg, b.seg), cmp.Compare(a.first, b.first), cmp.Compare(a.last, b.last))
}

// maxPlaces bounds the places of one condition in one item: a text that repeats
// two words a hundred thousand times is not searched for all their pairs.
const maxPlaces = 1 << 16

// condNear holds where its sides stand with at most n words between them.
type condNear struct {
	left, right place
	n           int32
	ordered     bool
}

// condAtLeast holds when a place occurs n times; what begins at the same word
// counts once.
type condAtLeast struct {
	n  int
	of place
}

// occurrences yields those of a literal in some fields, in the order of the
// text.
func (s *scratch) occurrences(lit literal, mask fieldMask) func(yield func(occurrence) bool) {
	return func(yield func(occurrence) bool) {
		if s.fields[lit]&mask == 0 {
			return
		}
		if len(s.byLit) == 0 {
			for i, o := range s.occ {
				s.byLit = append(s.byLit, uint64(o.lit)<<32|uint64(i))
			}
			slices.Sort(s.byLit)
		}
		n, _ := slices.BinarySearch(s.byLit, uint64(lit)<<32)
		for ; n < len(s.byLit) && literal(s.byLit[n]>>32) == lit; n++ {
			o := s.occ[uint32(s.byLit[n])]
			if s.fieldsOf(o.seg, int(o.last))&mask != 0 && !yield(o) {
				return
			}
		}
	}
}

func (c *condLit) places(s *scratch) {
	n := 0
	for o := range s.occurrences(c.lit, c.mask) {
		if n++; n > maxPlaces {
			break
		}
		s.stretches = append(s.stretches, stretch{o.seg, o.first, o.last})
	}
}

func (c *condLits) places(s *scratch) {
	base := len(s.stretches)
	for _, l := range c.lits {
		(&condLit{l, c.mask}).places(s)
	}
	s.tidy(base)
}

func (c condAny) places(s *scratch) {
	base := len(s.stretches)
	for _, k := range c {
		k.(place).places(s)
	}
	s.tidy(base)
}

// tidy sorts the stretches from base on, and drops repetitions.
func (s *scratch) tidy(base int) {
	top := s.stretches[base:]
	slices.SortFunc(top, compareStretch)
	s.stretches = s.stretches[:base+len(slices.Compact(top))]
}

func (c *condNear) places(s *scratch) {
	base, n := len(s.stretches), 0
	end := c.pairs(s, func(l, r stretch) bool {
		s.stretches = append(s.stretches, l.with(r))
		n++
		return n < maxPlaces
	})
	s.stretches = append(s.stretches[:base], s.stretches[end:]...)
	s.tidy(base)
}

// pairs yields the places of the two sides that are near each other. It leaves
// them on the stretches, up to end, below what yield pushes.
func (c *condNear) pairs(s *scratch, yield func(l, r stretch) bool) (end int) {
	base := len(s.stretches)
	c.left.places(s)
	mid := len(s.stretches)
	c.right.places(s)
	end = len(s.stretches)
	left, right := s.stretches[base:mid], s.stretches[mid:end]
	// The longest of the right side bounds how far before a place of the left
	// one may begin that is near it.
	longest := int32(0)
	for _, r := range right {
		longest = max(longest, r.last-r.first)
	}
	from := 0
	for _, l := range left {
		for from < len(right) && (right[from].seg < l.seg || right[from].seg == l.seg && right[from].first+longest+c.n+1 < l.first) {
			from++
		}
		for _, r := range right[from:] {
			if r.seg > l.seg || r.first-l.last-1 > c.n {
				break
			}
			after := r.first > l.last
			before := r.last < l.first && l.first-r.last-1 <= c.n && !c.ordered
			if (after || before) && !yield(l, r) {
				return end
			}
		}
	}
	return end
}

func (c *condNear) eval(s *scratch) (holds bool) {
	if !c.left.eval(s) || !c.right.eval(s) {
		return false
	}
	base := len(s.stretches)
	c.pairs(s, func(l, r stretch) bool {
		holds = true
		return false
	})
	s.stretches = s.stretches[:base]
	return holds
}

func (c *condNear) collect(s *scratch) {
	n, base := 0, len(s.stretches)
	c.pairs(s, func(l, r stretch) bool {
		whole := s.enclose(l.with(r))
		c.left.proveIn(s, l)
		c.right.proveIn(s, r)
		s.whole = whole
		n++
		return n < MaxMatches
	})
	s.stretches = s.stretches[:base]
}

func (c *condNear) proveIn(s *scratch, in stretch) {
	n, base := 0, len(s.stretches)
	c.pairs(s, func(l, r stretch) bool {
		if in.covers(l) && in.covers(r) {
			whole := s.enclose(l.with(r))
			c.left.proveIn(s, l)
			c.right.proveIn(s, r)
			s.whole = whole
			n++
		}
		return n < MaxMatches && (l.seg < in.seg || l.seg == in.seg && l.first <= in.last)
	})
	s.stretches = s.stretches[:base]
}

func (in stretch) covers(x stretch) bool {
	return x.seg == in.seg && x.first >= in.first && x.last <= in.last
}

func (c *condLit) proveIn(s *scratch, in stretch) {
	for o := range s.occurrences(c.lit, c.mask) {
		if in.covers(stretch{o.seg, o.first, o.last}) {
			s.show(o, c.mask)
		}
	}
}

func (c *condLits) proveIn(s *scratch, in stretch) {
	for _, l := range c.lits {
		(&condLit{l, c.mask}).proveIn(s, in)
	}
}

func (c condAny) proveIn(s *scratch, in stretch) {
	for _, k := range c {
		k.(place).proveIn(s, in)
	}
}

func (c *condAtLeast) eval(s *scratch) bool {
	if !c.of.eval(s) {
		return false
	}
	n, last, base := 0, stretch{seg: -1}, len(s.stretches)
	c.of.places(s)
	for _, p := range s.stretches[base:] {
		if p.seg != last.seg || p.first != last.first {
			n++
		}
		last = p
	}
	s.stretches = s.stretches[:base]
	return n >= c.n
}

func (c *condAtLeast) collect(s *scratch) {
	if c.eval(s) {
		c.of.collect(s)
	}
}
