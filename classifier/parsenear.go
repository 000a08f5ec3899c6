package classifier

import (
	"slices"
	"strings"
)

// chain reads operands with NEAR between them, which binds tighter than AND and
// OR: a NEAR b NEAR c is (a NEAR b) NEAR c.
func (p *parser) chain(f Field) Expr {
	before := len(p.refs)
	e := p.operand(f)
	for p.peek().kind == lexNear {
		x := p.take()
		switch p.peek().kind {
		case lexEnd, lexClose, lexAnd, lexOr, lexNear:
			p.errorf(x.at, "", "%s has nothing after it", x.text)
			return nil
		}
		right := p.operand(f)
		if e == nil || right == nil {
			e = nil
			continue
		}
		e = p.near(x, e, right)
		p.places = append(p.places, p.refs[before:]...)
	}
	return e
}

func (p *parser) near(x lexeme, left, right Expr) Expr {
	for _, e := range []Expr{left, right} {
		if !isPlace(e) {
			p.errorf(x.at, "put words, phrases, or several of them with OR in brackets beside it",
				"%s cannot tell the distance from %s", x.text, e)
			return nil
		}
	}
	e := &near{left: left, right: right, n: x.n, ordered: x.text[0] == 'O'}
	if !inOneField(e) {
		p.errorf(x.at, "write the field before brackets around both, as in title:(a NEAR b)",
			"%s has its sides in different fields, which it never crosses", x.text)
		return nil
	}
	return e
}

func inOneField(e Expr) bool {
	set := map[Field]bool{}
	fieldsIn(e, set)
	return len(set) <= 1
}

// same reads SAME/SENTENCE(a b).
func (p *parser) same(f Field) Expr {
	x, before := p.take(), len(p.refs)
	if p.peek().kind != lexOpen {
		p.errorf(x.at, "write "+x.text+"(…)", "%s needs brackets around its words", x.text)
		return nil
	}
	e := p.primary(f)
	if e == nil {
		return nil
	}
	kids, ok := e.(*allOf)
	if !ok {
		p.errorf(x.at, "write "+x.text+"(a b)", "%s needs at least two operands, not %s", x.text, e)
		return nil
	}
	for _, k := range kids.kids {
		if !isPlace(k) {
			p.errorf(x.at, "put words, phrases, or several of them with OR in the brackets", "%s cannot tell where %s stands", x.text, k)
			return nil
		}
	}
	if !inOneField(e) {
		p.errorf(x.at, "write the field before it, as in title:"+x.text+"(a b)", "%s has operands in different fields, which it never crosses", x.text)
		return nil
	}
	p.places = append(p.places, p.refs[before:]...)
	return &same{textUnit(strings.TrimPrefix(x.text, "SAME/")), kids.kids}
}

// spread makes "a b"~N the words of the phrase near each other.
func (p *parser) spread(t *term, x lexeme) Expr {
	if len(t.words) < 2 {
		p.errorf(x.at, "", "~%d needs a phrase of at least two words", x.n)
		return nil
	}
	var e Expr = &term{t.field, t.words[:1]}
	for i := range t.words[1:] {
		e = &near{left: e, right: &term{t.field, t.words[i+1 : i+2]}, n: x.n}
	}
	return e
}

func (p *parser) atLeast(f Field) Expr {
	x, before := p.take(), len(p.refs)
	if p.peek().kind != lexOpen {
		p.errorf(x.at, "write "+x.text+"(…)", "%s needs brackets around what is to be counted", x.text)
		return nil
	}
	e := p.operand(f)
	if e == nil {
		return nil
	}
	if !isPlace(e) {
		p.errorf(x.at, "put a word, a phrase, or several of them with OR in the brackets", "%s cannot count %s", x.text, e)
		return nil
	}
	p.places = append(p.places, p.refs[before:]...)
	return &atLeast{n: x.n, kid: e}
}

// placesOnly reports whether all of a concept's terms stand at places.
func placesOnly(concepts map[string]*concept, id string, depth int) bool {
	if depth > maxDepth {
		return true // in a circle, which is reported as such
	}
	var ok func(e Expr) bool
	ok = func(e Expr) bool {
		switch e := e.(type) {
		case *conceptRef:
			return placesOnly(concepts, e.id, depth+1)
		case *anyOf, *near, *same, *weighted:
			return !slices.ContainsFunc(operands(e), func(k Expr) bool { return !ok(k) })
		}
		return isPlace(e)
	}
	for _, e := range concepts[id].exprs {
		if !ok(e) {
			return false
		}
	}
	return true
}
