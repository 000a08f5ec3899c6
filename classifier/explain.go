package classifier

import (
	"fmt"
	"strings"
)

// Explanation is why a document matches a rule, or why it does not.
type Explanation struct {
	Rule string `json:"rule"`
	// Canonical is the rule's condition, fully bracketed.
	Canonical string `json:"canonical"`
	Where     Where  `json:"where"`
	Matched   bool   `json:"matched"`
	// Text is what was searched, folded.
	Text []FieldText `json:"text"`
	// Clauses are the condition and its parts, each before its own parts.
	Clauses []Clause `json:"clauses"`
	// NearMisses say what alone stood against a match.
	NearMisses []string `json:"near_misses,omitempty"`
}

// FieldText is the folded text of a field.
type FieldText struct {
	Field Field  `json:"field"`
	Text  string `json:"text"`
}

// Clause is one part of a rule's condition, and what it found.
type Clause struct {
	Depth int    `json:"depth"` // 0 is the whole condition
	Expr  string `json:"expr"`
	Holds bool   `json:"holds"`
	// Found is where a term was found; a clause with parts leaves it to them.
	Found []Match `json:"found,omitempty"`
}

// Explain tells clause by clause what a rule makes of a document. The error says
// that there is no such rule.
func (rs *Ruleset) Explain(id string, doc *Doc) (Explanation, error) {
	r, ok := rs.Rule(id)
	if !ok {
		ids := make([]string, len(rs.rules))
		for i, r := range rs.rules {
			ids[i] = r.ID
		}
		hint := ""
		if n := DidYouMean(id, ids); n != "" {
			hint = fmt.Sprintf(" (did you mean %q?)", n)
		}
		return Explanation{}, fmt.Errorf("classifier: there is no rule %q%s", id, hint)
	}
	// The rule was compiled once already, so its text has no errors. Each of its
	// clauses is made a rule of its own here, and all are tried in one pass.
	c := &compiler{concepts: map[string]*concept{}}
	c.parseConcepts(rs.concepts)
	whole := c.parseRule(r)
	var depths []int
	var walk func(e Expr, depth int)
	walk = func(e Expr, depth int) {
		c.rules = append(c.rules, parsed{Rule{Where: r.Where, Spelling: r.Spelling}, e})
		depths = append(depths, depth)
		for _, k := range parts(e) {
			walk(k, depth+1)
		}
	}
	walk(whole, 0)
	each := c.build()

	s := each.pool.Get().(*scratch)
	s.begin(doc)
	each.scan(s)
	x := Explanation{Rule: id, Canonical: whole.String(), Where: r.Where.orAnywhere()}
	holds := make(map[Expr]bool, len(depths))
	for i, p := range c.rules {
		holds[p.expr] = each.holds(s, i)
		cl := Clause{Depth: depths[i], Expr: p.expr.String(), Holds: holds[p.expr]}
		if len(parts(p.expr)) == 0 {
			cl.Found = each.report(s, i).Matches
			for j := range cl.Found {
				cl.Found[j].Rule = id
			}
		}
		x.Clauses = append(x.Clauses, cl)
	}
	for _, seg := range s.segs {
		x.Text = append(x.Text, FieldText{seg.field, s.folded(&seg)})
	}
	f := filterOf(r)
	admitted := f == nil || f.admits(doc)
	x.Matched = admitted && holds[whole]
	switch {
	case x.Matched:
	case holds[whole]:
		x.NearMisses = []string{f.against(doc)}
	case admitted:
		x.NearMisses = nearMisses(whole, holds)
	}
	return x, nil
}

// folded is the text of a segment as it was searched.
func (s *scratch) folded(seg *segment) string {
	var b strings.Builder
	for i, t := range s.words.Tokens()[seg.first:seg.last] {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.Write(s.words.Folded(t))
	}
	return b.String()
}

// parts are the operands of an expression that hold or do not by themselves;
// those of a NEAR and the like are judged together.
func parts(e Expr) []Expr {
	switch e.(type) {
	case *allOf, *anyOf, *negation:
		return operands(e)
	}
	return nil
}

// nearMisses looks for single clauses that, had they held, would have made the
// whole hold.
func nearMisses(whole Expr, holds map[Expr]bool) []string {
	var out []string
	var try func(e Expr)
	try = func(e Expr) {
		if n, ok := e.(*negation); ok && holdsIf(whole, n, holds) {
			out = append(out, "would have matched but for "+n.String())
			return
		}
		for _, k := range parts(e) {
			try(k)
		}
	}
	try(whole)
	if a, ok := whole.(*allOf); ok {
		for _, k := range a.kids {
			if _, not := k.(*negation); !not && holdsIf(whole, k, holds) {
				out = append(out, fmt.Sprintf("would have matched with %s, which was not found", k))
			}
		}
	}
	return out
}

// holdsIf evaluates e as if one of its parts held.
func holdsIf(e, granted Expr, holds map[Expr]bool) bool {
	if e == granted {
		return true
	}
	switch e := e.(type) {
	case *allOf:
		for _, k := range e.kids {
			if !holdsIf(k, granted, holds) {
				return false
			}
		}
		return true
	case *anyOf:
		for _, k := range e.kids {
			if holdsIf(k, granted, holds) {
				return true
			}
		}
		return false
	case *negation:
		return !holdsIf(e.kid, granted, holds)
	}
	return holds[e]
}

// against says which condition on the item's origin it fails.
func (f *filter) against(d *Doc) string {
	switch {
	case len(f.languages) > 0 && !(&filter{languages: f.languages}).admits(d):
		return fmt.Sprintf("would have matched but for its language, %s: the rule takes %s", d.Lang, strings.Join(f.languages, ", "))
	case len(f.feeds) > 0 && !(&filter{feeds: f.feeds}).admits(d):
		return fmt.Sprintf("would have matched but for its feed, %q: the rule takes %s", d.FeedID, strings.Join(f.feeds, ", "))
	}
	return fmt.Sprintf("would have matched but for its feed's tags, %q: the rule takes %s", d.FeedTags, strings.Join(f.feedTags, ", "))
}

// String lays the explanation out for a terminal.
func (x Explanation) String() string {
	var b strings.Builder
	verdict := "does not match"
	if x.Matched {
		verdict = "matches"
	}
	fmt.Fprintf(&b, "rule %s %s\n\ncondition (%s)\n  %s\n\ntext as it is searched\n", x.Rule, verdict, x.Where, x.Canonical)
	for _, t := range x.Text {
		fmt.Fprintf(&b, "  %-6s  %s\n", t.Field, t.Text)
	}
	b.WriteString("\nclauses\n")
	for _, c := range x.Clauses {
		mark := "no "
		if c.Holds {
			mark = "yes"
		}
		fmt.Fprintf(&b, "  %s  %s%s\n", mark, strings.Repeat("  ", c.Depth), c.Expr)
		if len(c.Found) > 0 {
			fmt.Fprintf(&b, "       %s  found %s\n", strings.Repeat("  ", c.Depth), places(c.Found))
		}
	}
	for _, n := range x.NearMisses {
		b.WriteString("\n" + n + "\n")
	}
	return b.String()
}

// places lists where a term was found, the first few times.
func places(ms []Match) string {
	const most = 3
	var out []string
	for i, m := range ms {
		if i == most {
			out = append(out, fmt.Sprintf("and %d more", len(ms)-most))
			break
		}
		out = append(out, fmt.Sprintf("%q (%s, byte %d)", m.Text, m.Field, m.Start))
	}
	return strings.Join(out, ", ")
}
