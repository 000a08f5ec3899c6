package classifier

import "slices"

// maxLeaves bounds the rules whose truth table is tried.
const maxLeaves = 12

// lint says of a rule if it can never match, or matches without any of its words.
func (c *compiler) lint(p parsed) (Finding, bool) {
	t := truth{c: c, where: p.rule.Where, index: map[string]int{}}
	root := t.table(p.expr, true)
	switch {
	case root.eval(0):
		return c.finding(p.rule, AlwaysMatches, "the rule matches every item that does not have its words",
			"add a word that an item must have"), true
	case root.eval(t.wanted):
		return Finding{}, false
	}
	if n := len(t.index); n <= maxLeaves {
		for set := range uint64(1) << n {
			if root.eval(set) {
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

// truth turns an expression into one over bits, each of which says whether a
// term is found.
type truth struct {
	c      *compiler
	where  Where
	index  map[string]int // of the terms that can be found at all
	wanted uint64         // those that stand under no NOT
}

// truthNode is all of its kids, or any of them, or a bit; each perhaps negated.
type truthNode struct {
	kids []truthNode
	any  bool
	not  bool
	bit  int // -1 for what cannot be found
}

func (t *truth) table(e Expr, wanted bool) truthNode {
	var n truthNode
	switch e := e.(type) {
	case *negation:
		n = t.table(e.kid, !wanted)
		n.not = !n.not
		return n
	case *allOf, *anyOf:
		_, n.any = e.(*anyOf)
		for _, k := range parts(e) {
			n.kids = append(n.kids, t.table(k, wanted))
		}
		return n
	}
	if w, ok := e.(*weighted); ok {
		return t.table(w.kid, wanted)
	}
	if !t.possible(e) {
		n.bit = -1
		return n
	}
	s := e.String()
	bit, ok := t.index[s]
	if !ok {
		bit = len(t.index)
		t.index[s] = bit
	}
	// Beyond 63 terms several share the last bit: a rule of so many is not
	// tried in full, and is taken to be satisfiable if that makes it so.
	n.bit = min(bit, 63)
	if wanted {
		t.wanted |= 1 << n.bit
	}
	return n
}

func (n truthNode) eval(set uint64) bool {
	holds := n.bit >= 0 && set&(1<<max(n.bit, 0)) != 0
	if len(n.kids) > 0 {
		holds = !n.any
		for _, k := range n.kids {
			if k.eval(set) == n.any {
				holds = n.any
				break
			}
		}
	}
	return holds != n.not
}

// possible reports whether a term can be found in the part of an item that the
// rule looks into.
func (t *truth) possible(e Expr) bool {
	switch e := e.(type) {
	case *term:
		return maskOf[e.field].within(t.where) != 0
	case *regex:
		return maskOf[e.field].within(t.where) != 0
	case *exact:
		return maskOf[e.field].within(t.where) != 0
	case *conceptRef:
		return len(t.c.concepts[e.id].exprs) > 0 && maskOf[e.field].within(t.where) != 0
	case *near, *same, *atLeast, *weighted:
		return !slices.ContainsFunc(operands(e), func(k Expr) bool { return !t.possible(k) })
	case *anyOf: // beside a NEAR
		return slices.ContainsFunc(e.kids, t.possible)
	}
	return true
}

// weighs reports whether an expression prefers a sentence.
func weighs(e Expr) bool {
	_, ok := e.(*weighted)
	return ok || slices.ContainsFunc(operands(e), weighs)
}
