package classifier

// condExact holds where the folded form stands and was written as the form.
type condExact struct {
	folded condLit
	form   string
}

// written reports whether an occurrence of the folded form has the form itself.
func (c *condExact) written(s *scratch, o occurrence) bool {
	tokens := s.words.Tokens()
	got := s.segs[o.seg].text[tokens[o.first].Start:tokens[o.last].End]
	return got == c.form || formOf(got) == c.form
}

func (c *condExact) eval(s *scratch) bool {
	for o := range s.occurrences(c.folded.lit, c.folded.mask) {
		if c.written(s, o) {
			return true
		}
	}
	return false
}

func (c *condExact) collect(s *scratch) {
	n := 0
	for o := range s.occurrences(c.folded.lit, c.folded.mask) {
		if c.written(s, o) {
			if n++; n > MaxMatches {
				return
			}
			s.show(o, c.folded.mask)
		}
	}
}

func (c *condExact) places(s *scratch) {
	n := 0
	for o := range s.occurrences(c.folded.lit, c.folded.mask) {
		if c.written(s, o) {
			if n++; n > maxPlaces {
				return
			}
			s.stretches = append(s.stretches, stretch{o.seg, o.first, o.last})
		}
	}
}

func (c *condExact) proveIn(s *scratch, in stretch) {
	for o := range s.occurrences(c.folded.lit, c.folded.mask) {
		if in.covers(stretch{o.seg, o.first, o.last}) && c.written(s, o) {
			s.show(o, c.folded.mask)
		}
	}
}
