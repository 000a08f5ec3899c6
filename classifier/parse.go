package classifier

import (
	"fmt"
	"slices"
	"strings"
)

const (
	// maxQuery bounds the length of one query, in bytes.
	maxQuery = 64 << 10
	// maxDepth bounds brackets within brackets, and concepts within concepts.
	maxDepth = 64
)

// parser reads one query. All that is wrong goes to problems, so that one
// reading finds every mistake.
type parser struct {
	src      Source
	rule     string
	concepts map[string]*concept
	// plain makes bare words side by side a phrase, as in a list of terms.
	plain bool

	lex      []lexeme
	n        int
	depth    int
	problems Errors
	findings []Finding
	refs     []lexeme // the concepts that the query names
	places   []lexeme // those of them that a distance or a number is told of
}

// errorf records an error at byte at of the source.
func (p *parser) errorf(at int, suggestion, format string, args ...any) {
	p.problems = append(p.problems, p.src.Errorf(at, p.rule, suggestion, format, args...))
}

// parse returns the query's condition, or nil if there were errors.
func (p *parser) parse() Expr {
	if len(p.src.Text) > maxQuery {
		p.errorf(0, "use a concept, or more than one rule", "the query is %d bytes long; at most %d are allowed", len(p.src.Text), maxQuery)
		return nil
	}
	lx := lexer{src: p.src.Text, report: p.errorf}
	p.lex = lx.run()
	if p.peek().kind == lexEnd {
		what := "query"
		if p.plain {
			what = "term"
		}
		p.errorf(0, "", "the %s is empty", what)
		return nil
	}
	e := p.sequence("")
	for p.peek().kind == lexClose {
		p.errorf(p.peek().at, "", "this bracket closes none")
		p.n++
		if p.peek().kind != lexEnd && p.peek().kind != lexClose {
			p.sequence("") // for its errors
		}
	}
	if len(p.problems) > 0 {
		return nil
	}
	return e
}

func (p *parser) peek() lexeme { return p.lex[p.n] }

func (p *parser) take() lexeme {
	x := p.lex[p.n]
	if x.kind != lexEnd {
		p.n++
	}
	return x
}

// sequence reads operands and the operators between them up to a closing
// bracket or the end.
func (p *parser) sequence(f Field) Expr {
	var (
		operands []Expr
		ops      []lexKind // ops[i] stands before operands[i+1]
		mixed    = -1      // where the second kind of operator is first seen
	)
	push := func(op lexKind, at int, e Expr) {
		if len(operands) > 0 {
			if mixed < 0 && len(ops) > 0 && ops[len(ops)-1] != op {
				mixed = at
			}
			ops = append(ops, op)
		}
		operands = append(operands, e)
	}
	for {
		x := p.peek()
		op, at := lexAnd, x.at
		switch x.kind {
		case lexEnd, lexClose:
			if len(operands) == 0 {
				p.errorf(x.at, "", "an operand is missing here")
				return nil
			}
			if mixed >= 0 {
				p.ambiguous(mixed, operands, ops)
				return nil
			}
			if slices.Contains(operands, nil) {
				return nil
			}
			if len(ops) > 0 && ops[0] == lexOr {
				return either(operands...)
			}
			return all(operands...)
		case lexAnd, lexOr:
			p.take()
			op = x.kind
			if len(operands) == 0 {
				p.errorf(x.at, "", "%s has nothing before it", x.text)
			}
			switch next := p.peek(); next.kind {
			case lexEnd, lexClose:
				p.errorf(x.at, "", "%s has nothing after it", x.text)
				operands = append(operands, nil)
				ops = append(ops, op)
				continue
			case lexAnd, lexOr:
				p.errorf(next.at, "", "two operators in a row, %s %s", x.text, next.text)
				continue
			}
		}
		push(op, at, p.chain(f))
	}
}

// ambiguous refuses a mix of AND and OR, and shows what it could mean.
func (p *parser) ambiguous(at int, operands []Expr, ops []lexKind) {
	if slices.Contains(operands, nil) {
		return // a reading cannot be printed of what was not understood
	}
	p.errorf(at, fmt.Sprintf("write either  %s\n    or  %s", reading(operands, ops, lexAnd), reading(operands, ops, lexOr)),
		"AND and OR are mixed without brackets (words side by side are AND)")
}

// reading prints the operands as if tight bound tighter than the other operator.
func reading(operands []Expr, ops []lexKind, tight lexKind) string {
	names := map[lexKind]string{lexAnd: " AND ", lexOr: " OR "}
	var out strings.Builder
	for i := 0; i < len(operands); {
		j := i
		for j < len(ops) && ops[j] == tight {
			j++
		}
		if i > 0 {
			out.WriteString(names[ops[i-1]])
		}
		group := make([]string, 0, j-i+1)
		for _, e := range operands[i : j+1] {
			group = append(group, bracketed(e, strengthNot))
		}
		s := strings.Join(group, names[tight])
		if len(group) > 1 {
			s = "(" + s + ")"
		}
		out.WriteString(s)
		i = j + 1
	}
	return out.String()
}

// operand reads one term, or what stands in brackets, with what stands before
// it and its weight. It returns nil when it reported an error.
func (p *parser) operand(f Field) Expr {
	e := p.primary(f)
	for p.peek().kind == lexWeight {
		x := p.take()
		switch {
		case e == nil:
		case !isPlace(e):
			p.errorf(x.at, "put it after a word, a phrase, or several of them with OR in brackets", "%s cannot be the weight of %s", x.text, e)
			e = nil
		default:
			e = weigh(e, x.n)
		}
	}
	return e
}

func (p *parser) primary(f Field) Expr {
	if p.depth++; p.depth > maxDepth {
		if p.depth == maxDepth+1 {
			p.errorf(p.peek().at, "", "brackets are nested more than %d deep", maxDepth)
		}
		p.n = len(p.lex) - 1
		p.depth--
		return nil
	}
	defer func() { p.depth-- }()
	x := p.peek()
	switch x.kind {
	case lexNot:
		p.take()
		switch next := p.peek(); next.kind {
		case lexEnd, lexClose, lexAnd, lexOr, lexNear:
			p.errorf(x.at, "", "%s has nothing after it", x.text)
			return nil
		}
		e := p.chain(f)
		if e == nil {
			return nil
		}
		return negate(e)
	case lexOpen:
		p.take()
		e := p.sequence(f)
		if p.peek().kind != lexClose {
			if p.depth <= maxDepth && p.peek().kind == lexEnd && !p.closedReported() {
				p.errorf(x.at, "", "this bracket is never closed")
			}
			return nil
		}
		p.take()
		return e
	case lexField:
		return p.field(f)
	case lexConcept:
		p.take()
		return p.conceptRef(f, x)
	case lexPhrase:
		p.take()
		e := p.term(f, x)
		if t, ok := e.(*term); ok && x.n >= 0 {
			return p.spread(t, x)
		}
		return e
	case lexExact:
		p.take()
		return p.exact(f, x)
	case lexNear:
		p.take()
		p.errorf(x.at, "", "%s has nothing before it", x.text)
		return nil
	case lexWeight:
		p.take()
		p.errorf(x.at, symbolHelp['^'], "%s has nothing before it", x.text)
		return nil
	case lexAtLeast:
		return p.atLeast(f)
	case lexSame:
		return p.same(f)
	case lexRegexp:
		p.take()
		return p.regexp(f, x)
	case lexWord:
		return p.bareWords(f)
	}
	p.take()
	return nil
}

// closedReported holds when the nesting was refused: then the brackets that
// were not read are not missing.
func (p *parser) closedReported() bool {
	return slices.ContainsFunc(p.problems, func(e *Error) bool { return strings.HasPrefix(e.Msg, "brackets are nested") })
}

func (p *parser) field(outer Field) Expr {
	x := p.take()
	f := Field(x.text)
	if outer != "" && f != "" && f != outer {
		p.errorf(x.at, "move it out of the brackets", "%s: cannot stand within %s:", f, outer)
	}
	switch next := p.peek(); next.kind {
	case lexEnd, lexClose, lexAnd, lexOr, lexNear:
		p.errorf(x.at, "", "%s: has nothing after it", f)
		return nil
	}
	e := p.operand(f)
	if f == "" { // an unknown field, which the lexer reported
		return nil
	}
	return e
}

// bareWords reads a word, or in the plain form all words side by side.
func (p *parser) bareWords(f Field) Expr {
	x := p.take()
	if f == FieldSite || f == FieldLang {
		return p.term(f, x)
	}
	if p.plain {
		end := x.at + len(x.text)
		for p.peek().kind == lexWord {
			next := p.take()
			end = next.at + len(next.text)
		}
		return p.term(f, lexeme{lexPhrase, p.src.Text[x.at:end], x.at, -1})
	}
	if low := strings.ToLower(x.text); isOperatorWord(low) {
		pos, line, caret := p.src.place(x.at)
		p.findings = append(p.findings, Finding{
			Check: LowerCaseOperator, Pos: pos, Rule: p.rule, Line: line, Caret: caret,
			Msg:        fmt.Sprintf("%q is searched for as a word", x.text),
			Suggestion: fmt.Sprintf("write %s for the operator, or put the phrase in quotes", strings.ToUpper(low)),
		})
	}
	return p.term(f, x)
}

func (p *parser) conceptRef(f Field, x lexeme) Expr {
	id := x.text
	if p.concepts[id] == nil {
		var names []string
		for n := range p.concepts {
			names = append(names, n)
		}
		slices.Sort(names)
		s := ""
		if n := DidYouMean(id, names); n != "" {
			s = fmt.Sprintf("did you mean @%s?", n)
		}
		p.errorf(x.at-1, s, "there is no concept %q", id)
		return nil
	}
	switch f {
	case FieldSite, FieldLang:
		p.errorf(x.at-1, "", "%s: cannot be searched for a concept", f)
		return nil
	}
	p.refs = append(p.refs, lexeme{x.kind, id, x.at - 1, -1})
	return &conceptRef{field: f, id: id}
}
