package classifier

import (
	"strings"

	"github.com/clipperhouse/uax29/v2/sentences"
)

// condSame holds where all its operands stand within one unit of a text. Its
// place is the stretch from the first of them to the last, one in each unit.
type condSame struct {
	kids []place
	unit textUnit
}

// divide numbers the sentences and the paragraphs of the text, by the words in
// them. It is done once for an item, when the first rule asks for it. A line
// without text ends a paragraph; a sentence is one by UAX #29, and ends with its
// line.
func (s *scratch) divide() {
	if len(s.paragraphOf) > 0 {
		return
	}
	sentence, paragraph := int32(0), int32(0)
	for i := range s.segs {
		seg := &s.segs[i]
		t, base := seg.first, 0
		paragraph++
		for line := range strings.Lines(seg.text) {
			if strings.TrimSpace(line) == "" {
				paragraph++
			}
			for it := sentences.FromString(line); t < seg.last && it.Next(); {
				sentence++
				for t < seg.last && int(s.words.Tokens()[t].Start) < base+it.End() {
					s.sentenceOf = append(s.sentenceOf, sentence)
					s.paragraphOf = append(s.paragraphOf, paragraph)
					t++
				}
			}
			base += len(line)
		}
	}
}

func (c *condSame) places(s *scratch) {
	s.divide()
	of := s.sentenceOf
	if c.unit == paragraphUnit {
		of = s.paragraphOf
	}
	base := len(s.stretches)
	for i, k := range c.kids {
		from := len(s.stretches)
		k.places(s)
		// Of this operand, one stretch in each unit is kept,
		n := from
		for _, p := range s.stretches[from:] {
			switch {
			case of[p.first] != of[p.last]:
			case n > from && of[s.stretches[n-1].first] == of[p.first]:
				s.stretches[n-1] = s.stretches[n-1].with(p)
			default:
				s.stretches[n] = p
				n++
			}
		}
		if i == 0 {
			s.stretches = s.stretches[:n]
			continue
		}
		// and of those before it, the units that it stands in as well.
		m, j := base, from
		for _, p := range s.stretches[base:from] {
			for j < n && of[s.stretches[j].first] < of[p.first] {
				j++
			}
			if j < n && of[s.stretches[j].first] == of[p.first] {
				s.stretches[m] = p.with(s.stretches[j])
				m++
			}
		}
		s.stretches = s.stretches[:m]
	}
}

// with is the stretch that both lie in.
func (in stretch) with(x stretch) stretch {
	return stretch{in.seg, min(in.first, x.first), max(in.last, x.last)}
}

func (c *condSame) eval(s *scratch) bool {
	for _, k := range c.kids {
		if !k.eval(s) {
			return false
		}
	}
	base := len(s.stretches)
	c.places(s)
	holds := len(s.stretches) > base
	s.stretches = s.stretches[:base]
	return holds
}

func (c *condSame) collect(s *scratch) {
	c.prove(s, func(stretch) bool { return true })
}

func (c *condSame) proveIn(s *scratch, in stretch) { c.prove(s, in.covers) }

// prove adds the spans of the places that are wanted.
func (c *condSame) prove(s *scratch, wanted func(stretch) bool) {
	base := len(s.stretches)
	c.places(s)
	end := len(s.stretches)
	for n := base; n < end && n-base < MaxMatches; n++ {
		p := s.stretches[n]
		if !wanted(p) {
			continue
		}
		whole := s.enclose(p)
		for _, k := range c.kids {
			k.proveIn(s, p)
		}
		s.whole = whole
	}
	s.stretches = s.stretches[:base]
}
