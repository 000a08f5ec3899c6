package classifier

// condWeighted makes the spans of its operand count n times when the sentence to
// show is chosen. Where the operand is a place, so is this.
type condWeighted struct {
	of condition
	n  int32
}

func (c *condWeighted) eval(s *scratch) bool { return c.of.eval(s) }

func (c *condWeighted) places(s *scratch) { c.of.(place).places(s) }

func (c *condWeighted) collect(s *scratch) {
	from := len(s.spans)
	c.of.collect(s)
	c.weigh(s.spans[from:])
}

func (c *condWeighted) proveIn(s *scratch, in stretch) {
	from := len(s.spans)
	c.of.(place).proveIn(s, in)
	c.weigh(s.spans[from:])
}

func (c *condWeighted) weigh(spans []span) {
	for i := range spans {
		spans[i].weight = max(spans[i].weight, c.n)
	}
}
