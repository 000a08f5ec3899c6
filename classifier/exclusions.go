package classifier

// WithoutExclusions returns the rules with every NOT taken out of them. What
// they match and the rules themselves do not is a near miss: an item that only a
// NOT kept away, and that an author should look at now and then. A rule that is
// nothing but NOT is left out.
func (rs *Ruleset) WithoutExclusions() *Ruleset {
	// The rules were compiled once already, so their text has no errors.
	c := &compiler{concepts: map[string]*concept{}}
	c.parseConcepts(rs.concepts)
	for _, r := range rs.rules {
		if e := admitting(c.parseRule(r)); e != nil {
			c.rules = append(c.rules, parsed{r, e})
		}
	}
	out := c.build()
	out.concepts = rs.concepts
	return out
}

// admitting is e without its negations; nil is what is always true.
func admitting(e Expr) Expr {
	switch e := e.(type) {
	case *negation:
		return nil
	case *allOf:
		var kids []Expr
		for _, k := range e.kids {
			if k = admitting(k); k != nil {
				kids = append(kids, k)
			}
		}
		switch len(kids) {
		case 0:
			return nil
		case 1:
			return kids[0]
		}
		return &allOf{kids: kids}
	case *anyOf:
		kids := make([]Expr, 0, len(e.kids))
		for _, k := range e.kids {
			if k = admitting(k); k == nil {
				return nil
			}
			kids = append(kids, k)
		}
		return &anyOf{kids: kids}
	}
	return e
}
