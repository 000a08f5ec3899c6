package classifier

import (
	"fmt"
	"slices"
)

const (
	// maxSharers bounds the rules that share a word and are compared for it: a
	// word that more of them share tells nothing apart.
	maxSharers = 64
	// maxClauses bounds the clauses of the rules that are compared.
	maxClauses = 64
)

// clauses are the operands of a rule's AND, each as the sorted list of what its
// OR offers: the rule holds when each clause has one that does. A rule that is no
// AND of ORs has clauses too, which offer whole expressions.
type clauses [][]string

func clausesOf(e Expr) clauses {
	kids := []Expr{e}
	if a, ok := e.(*allOf); ok {
		kids = a.kids
	}
	out := make(clauses, len(kids))
	for i, k := range kids {
		options := []Expr{k}
		if o, ok := k.(*anyOf); ok {
			options = o.kids
		}
		for _, o := range options {
			if w, ok := o.(*weighted); ok {
				o = w.kid
			}
			out[i] = append(out[i], o.String())
		}
		slices.Sort(out[i])
	}
	return out
}

// imply reports whether what has all clauses of c has all of d: each of d's is
// one of c's, or offers more than one of them.
func (c clauses) imply(d clauses) bool {
	for _, wide := range d {
		if !slices.ContainsFunc(c, func(narrow []string) bool { return contains(wide, narrow) }) {
			return false
		}
	}
	return true
}

// contains reports whether a sorted list has all of another.
func contains(wide, narrow []string) bool {
	for _, s := range narrow {
		n, found := slices.BinarySearch(wide, s)
		if !found {
			return false
		}
		wide = wide[n:]
	}
	return true
}

// shadows finds the rules that tell nothing: another of the same or a higher
// severity matches whenever they do, in the same part of the items of the same
// feeds, and bears all their tags. Only what can be seen from the words is found.
func (c *compiler) shadows() {
	all := make([]clauses, len(c.rules))
	sharers := map[string][]int32{} // by what the first clause of a rule offers
	for i, p := range c.rules {
		all[i] = clausesOf(p.expr)
		if len(all[i]) > maxClauses {
			continue
		}
		for _, s := range all[i][0] {
			sharers[s] = append(sharers[s], int32(i))
		}
	}
	for i, p := range c.rules {
		if len(all[i]) > maxClauses {
			continue
		}
		by := -1
		for _, clause := range all[i] {
			// A rule whose first clause this one implies shares every word of it.
			near := sharers[clause[0]]
			for _, j := range near[:min(len(near), maxSharers)] {
				if int(j) != i && (by < 0 || int(j) < by) && c.shadowed(i, int(j), all) {
					by = int(j)
				}
			}
		}
		if by >= 0 {
			other := c.rules[by].rule
			c.findings = append(c.findings, c.finding(p.rule, Shadowed,
				fmt.Sprintf("whenever the rule matches, so does %q, whose severity is %s", other.ID, other.Severity),
				"leave one of them out, or give this one a higher severity or a tag of its own"))
		}
	}
}

// shadowed reports whether rule i tells nothing beside rule j. Of two that are
// equal, only the later one does not.
func (c *compiler) shadowed(i, j int, all []clauses) bool {
	return c.covers(j, i, all) && (i > j || !c.covers(i, j, all))
}

// covers reports whether rule j matches whenever rule i does, and tells as much.
func (c *compiler) covers(j, i int, all []clauses) bool {
	a, b := c.rules[i].rule, c.rules[j].rule
	return b.Severity >= a.Severity && b.Show.reserve() >= a.Show.reserve() && a.Where.orAnywhere() == b.Where.orAnywhere() && a.Spelling == b.Spelling &&
		within(a.Languages, b.Languages) && within(a.Feeds, b.Feeds) && within(a.FeedTags, b.FeedTags) &&
		(len(a.Tags) == 0 || len(b.Tags) > 0 && within(a.Tags, b.Tags)) &&
		all[i].imply(all[j])
}

// within reports whether a list of what a rule takes takes no more than another;
// an empty one takes everything.
func within(a, b []string) bool {
	return len(b) == 0 || len(a) > 0 && !slices.ContainsFunc(a, func(s string) bool { return !slices.Contains(b, s) })
}
