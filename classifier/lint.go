package classifier

import "slices"

// maxLeaves bounds the rules whose truth table is tried.
const maxLeaves = 12

// lint says of a rule if it can never match, or matches without any of its words.
func (c *compiler) lint(p parsed) (Finding, bool) {
	t := truth{c: c, where: p.rule.Where, index: map[string]int{}}
	t.leaves(p.expr)
	if t.eval(p.expr, 0) {
		return c.finding(p.rule, AlwaysMatches, "the rule matches every item that does not have its words",
			"add a word that an item must have"), true
	}
	if n := len(t.index); n <= maxLeaves {
		for set := range uint64(1) << n {
			if t.eval(p.expr, set) {
				return Finding{}, false
			}
		}
		return c.finding(p.rule, NeverMatches, "no item can match the rule: "+p.expr.String(),
			"look for a word that is both wanted and excluded, or for a part of the item that where leaves out"), true
	}
	return Finding{}, false
}

func (c *compiler) finding(r Rule, check Check, msg, suggestion string) Finding {
	f := Finding{Check: check, Pos: r.Pos, Rule: r.ID, Msg: msg, Suggestion: suggestion}
	f.Line, f.Caret = r.Pos.in(r.Line)
	return f
}

// truth evaluates an expression for a choice of the terms that are found.
type truth struct {
	c     *compiler
	where Where
	index map[string]int // of the terms that can be found at all
}

// possible reports whether a term can be found in the part of an item that the
// rule looks into.
func (t *truth) possible(e Expr) bool {
	switch e := e.(type) {
	case *term:
		return maskOf[e.field].within(t.where) != 0
	case *exact:
		return maskOf[e.field].within(t.where) != 0
	case *conceptRef:
		return len(t.c.concepts[e.id].exprs) > 0 && maskOf[e.field].within(t.where) != 0
	case *near:
		return t.possible(e.left) && t.possible(e.right)
	case *atLeast:
		return t.possible(e.kid)
	case *anyOf: // beside a NEAR
		return slices.ContainsFunc(e.kids, t.possible)
	}
	return true
}

func (t *truth) leaves(e Expr) {
	switch e := e.(type) {
	case *allOf:
		for _, k := range e.kids {
			t.leaves(k)
		}
	case *anyOf:
		for _, k := range e.kids {
			t.leaves(k)
		}
	case *negation:
		t.leaves(e.kid)
	default:
		if s := e.String(); t.possible(e) {
			if _, ok := t.index[s]; !ok {
				t.index[s] = len(t.index)
			}
		}
	}
}

func (t *truth) eval(e Expr, set uint64) bool {
	switch e := e.(type) {
	case *allOf:
		for _, k := range e.kids {
			if !t.eval(k, set) {
				return false
			}
		}
		return true
	case *anyOf:
		for _, k := range e.kids {
			if t.eval(k, set) {
				return true
			}
		}
		return false
	case *negation:
		return !t.eval(e.kid, set)
	}
	i, ok := t.index[e.String()]
	return ok && i < 64 && set&(1<<i) != 0
}
