package classifier

import (
	"slices"
	"strconv"
	"strings"
)

// Expr is a rule's condition. String prints the canonical form, which parses
// back to the same Expr.
type Expr interface {
	String() string
	// strength is how tightly the outermost operator binds: an operand that
	// binds no tighter than the operator above it is printed in brackets.
	strength() int
}

const (
	strengthOr = iota
	strengthAnd
	strengthNear
	strengthNot
	strengthTerm
)

// allOf holds when all its operands hold. It has at least two.
type allOf struct{ kids []Expr }

// anyOf holds when at least one of its operands holds. It has at least two.
type anyOf struct{ kids []Expr }

// negation holds when its operand does not.
type negation struct{ kid Expr }

// term holds when its words stand one after the other in the field, or in the
// title, the lead or the body where field is empty.
type term struct {
	field Field
	words []word
}

// exact holds when the form stands in the field with the same letters, case and
// punctuation; any white space is like any other.
type exact struct {
	field Field
	form  string
}

// word is one written word of a term: its parts between hyphens, folded. More
// than one part match both side by side and closed up to one word.
type word struct {
	parts []string
	// prefix means that the last part is the beginning of a word.
	prefix bool
}

// conceptRef holds when one of the concept's terms holds in the field.
type conceptRef struct {
	field Field
	id    string
}

// near holds when its operands stand in one field with at most n words between
// them: in this order if ordered, else in either. Two occurrences that overlap
// are not near each other.
type near struct {
	left, right Expr
	n           int
	ordered     bool
}

// atLeast holds when its operand occurs at n places or more.
type atLeast struct {
	n   int
	kid Expr
}

// same holds when all its operands stand in one sentence, or one paragraph, of
// one field. It has at least two.
type same struct {
	unit textUnit
	kids []Expr
}

// textUnit is what SAME is said of.
type textUnit string

const (
	sentenceUnit  textUnit = "SENTENCE"
	paragraphUnit textUnit = "PARAGRAPH"
)

// weighted holds when its operand does, and makes its places count n times when
// the sentence to show is chosen.
type weighted struct {
	kid Expr
	n   int
}

// regex holds when the expression matches the folded text of the field.
type regex struct {
	field Field
	src   string // as it was written
}

// siteIs holds when the item's link is at the host or a sub-domain of it.
type siteIs struct{ host string }

// langIs holds when the item's language is the tag or a narrower one.
type langIs struct{ tag string }

func (*allOf) strength() int      { return strengthAnd }
func (*anyOf) strength() int      { return strengthOr }
func (*negation) strength() int   { return strengthNot }
func (*near) strength() int       { return strengthNear }
func (*atLeast) strength() int    { return strengthTerm }
func (*term) strength() int       { return strengthTerm }
func (*same) strength() int       { return strengthTerm }
func (*weighted) strength() int   { return strengthTerm }
func (*regex) strength() int      { return strengthTerm }
func (*exact) strength() int      { return strengthTerm }
func (*conceptRef) strength() int { return strengthTerm }
func (*siteIs) strength() int     { return strengthTerm }
func (*langIs) strength() int     { return strengthTerm }

func (e *allOf) String() string      { return join(e.kids, " AND ") }
func (e *anyOf) String() string      { return join(e.kids, " OR ") }
func (e *negation) String() string   { return "NOT " + bracketed(e.kid, strengthNot) }
func (e *conceptRef) String() string { return inField(e.field) + "@" + e.id }
func (e *exact) String() string      { return inField(e.field) + "{" + e.form + "}" }
func (e *siteIs) String() string     { return "site:" + e.host }
func (e *langIs) String() string     { return "lang:" + e.tag }

func (e *near) String() string {
	op := " NEAR/"
	if e.ordered {
		op = " ONEAR/"
	}
	return bracketed(e.left, strengthTerm) + op + strconv.Itoa(e.n) + " " + bracketed(e.right, strengthTerm)
}

func (e *atLeast) String() string {
	return "ATLEAST/" + strconv.Itoa(e.n) + "(" + e.kid.String() + ")"
}

func (e *regex) String() string {
	if e.field == FieldURL { // where slashes without brackets are part of an address
		return "url:(/" + e.src + "/)"
	}
	return inField(e.field) + "/" + e.src + "/"
}

func (e *same) String() string {
	return "SAME/" + string(e.unit) + "(" + join(e.kids, " AND ") + ")"
}

func (e *weighted) String() string {
	return bracketed(e.kid, strengthTerm) + "^" + strconv.Itoa(e.n)
}

func (e *term) String() string {
	var b strings.Builder
	for i, w := range e.words {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strings.Join(w.parts, "-"))
		if w.prefix {
			b.WriteByte('*')
		}
	}
	s := b.String()
	// A lower-case operator is a plain word only within quotes.
	if len(e.words) > 1 || isOperatorWord(s) {
		s = `"` + s + `"`
	}
	return inField(e.field) + s
}

func inField(f Field) string {
	if f == "" {
		return ""
	}
	return string(f) + ":"
}

func join(kids []Expr, op string) string {
	out := make([]string, len(kids))
	for i, k := range kids {
		out[i] = bracketed(k, strengthNot)
	}
	return strings.Join(out, op)
}

// isPlace reports whether an expression stands at places in a text, so that a
// distance from it can be told and its occurrences be counted.
func isPlace(e Expr) bool {
	switch e := e.(type) {
	case *term, *exact, *regex, *conceptRef, *near, *same:
		return true
	case *weighted:
		return isPlace(e.kid)
	case *anyOf:
		return !slices.ContainsFunc(e.kids, func(k Expr) bool { return !isPlace(k) })
	}
	return false
}

// operands are the expressions that one is made of.
func operands(e Expr) []Expr {
	switch e := e.(type) {
	case *allOf:
		return e.kids
	case *anyOf:
		return e.kids
	case *negation:
		return []Expr{e.kid}
	case *near:
		return []Expr{e.left, e.right}
	case *atLeast:
		return []Expr{e.kid}
	case *same:
		return e.kids
	case *weighted:
		return []Expr{e.kid}
	}
	return nil
}

// fieldsIn adds the fields that an expression's terms name to set.
func fieldsIn(e Expr, set map[Field]bool) {
	switch e := e.(type) {
	case *term:
		set[e.field] = true
	case *exact:
		set[e.field] = true
	case *regex:
		set[e.field] = true
	case *conceptRef:
		set[e.field] = true
	}
	for _, k := range operands(e) {
		fieldsIn(k, set)
	}
}

// bracketed prints an operand; and and or are always bracketed within each
// other, since a mix of them without brackets is refused.
func bracketed(e Expr, least int) string {
	if e.strength() < least {
		return "(" + e.String() + ")"
	}
	return e.String()
}

func isOperatorWord(s string) bool { return s == "and" || s == "or" || s == "not" }

// all makes the conjunction of its operands: it flattens, and drops repetitions.
func all(kids ...Expr) Expr {
	flat := flatten(kids, func(e Expr) []Expr {
		if a, ok := e.(*allOf); ok {
			return a.kids
		}
		return nil
	})
	if len(flat) == 1 {
		return flat[0]
	}
	return &allOf{flat}
}

// either makes the disjunction of its operands, likewise.
func either(kids ...Expr) Expr {
	flat := flatten(kids, func(e Expr) []Expr {
		if a, ok := e.(*anyOf); ok {
			return a.kids
		}
		return nil
	})
	if len(flat) == 1 {
		return flat[0]
	}
	return &anyOf{flat}
}

// negate makes the negation of its operand; two cancel out.
func negate(e Expr) Expr {
	if n, ok := e.(*negation); ok {
		return n.kid
	}
	return &negation{e}
}

// weigh gives a place a weight, in place of the one that it has.
func weigh(e Expr, n int) Expr {
	if w, ok := e.(*weighted); ok {
		e = w.kid
	}
	return &weighted{e, n}
}

func flatten(kids []Expr, inner func(Expr) []Expr) []Expr {
	var out []Expr
	seen := make(map[string]bool, len(kids))
	add := func(e Expr) {
		if s := e.String(); !seen[s] {
			seen[s] = true
			out = append(out, e)
		}
	}
	for _, k := range kids {
		if ks := inner(k); ks != nil {
			for _, e := range ks {
				add(e)
			}
			continue
		}
		add(k)
	}
	return out
}
