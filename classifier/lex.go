package classifier

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

type lexKind int

const (
	lexEnd    lexKind = iota
	lexWord           // bare characters up to the next space, bracket or quote
	lexPhrase         // what stands between two quotes
	lexOpen
	lexClose
	lexAnd
	lexOr
	lexNot
	lexField   // "title:", with text the field's name
	lexConcept // "@csam", with text the concept's id
	lexBad     // something that was reported; it stands for an operand
)

type lexeme struct {
	kind lexKind
	text string
	at   int // of text, in bytes
}

// fieldNames are the names that a rule may write before a colon.
var fieldNames = map[string]Field{
	"title": FieldTitle, "intitle": FieldTitle, "lead": FieldLead, "ingress": FieldLead, "body": FieldBody,
	"author": FieldAuthor, "tag": FieldTag, "url": FieldURL, "inurl": FieldURL, "site": FieldSite,
	"source": FieldSource, "lang": FieldLang,
}

// fieldList is what a suggestion chooses from.
var fieldList = []string{"title", "lead", "ingress", "body", "author", "tag", "url", "site", "source", "lang", "intitle", "inurl"}

// isOpenQuote holds for the quotes that begin and end a phrase: the straight
// one and those that a word processor makes of it.
func isQuote(r rune) bool {
	return r == '"' || r == '“' || r == '”' || r == '„' || r == '‟' || r == '＂'
}

// lexer cuts a query into lexemes, and reports what is none.
type lexer struct {
	src    string
	pos    int
	raw    bool // what follows is an address or a tag, in which / and : mean nothing
	report func(at int, suggestion, format string, args ...any)
}

func (l *lexer) run() []lexeme {
	var out []lexeme
	for {
		x := l.next()
		out = append(out, x)
		if x.kind == lexEnd {
			return out
		}
	}
}

func (l *lexer) next() lexeme {
	if l.raw {
		l.raw = false
		if w := l.bare(); w != "" && w[0] != '@' {
			l.pos += len(w)
			return lexeme{lexWord, w, l.pos - len(w)}
		}
	}
	for l.pos < len(l.src) {
		r, size := utf8.DecodeRuneInString(l.src[l.pos:])
		if !unicode.IsSpace(r) {
			break
		}
		l.pos += size
	}
	at := l.pos
	if at == len(l.src) {
		return lexeme{lexEnd, "", at}
	}
	r, size := utf8.DecodeRuneInString(l.src[at:])
	switch {
	case r == '(':
		l.pos++
		return lexeme{lexOpen, "(", at}
	case r == ')':
		l.pos++
		return lexeme{lexClose, ")", at}
	case isQuote(r):
		return l.phrase(at, size)
	case r == '{':
		return l.unsupported(at, strings.IndexByte(l.src[at:], '}')+1, "{…}, the exact form,")
	case r == '/':
		return l.unsupported(at, strings.IndexByte(l.src[at+1:], '/')+2, "/…/, a regular expression,")
	case r == '-' && at+1 < len(l.src):
		// The minus sign of a term to exclude; within a word it is a hyphen.
		if n, _ := utf8.DecodeRuneInString(l.src[at+1:]); !unicode.IsSpace(n) && n != ')' {
			l.pos++
			return lexeme{lexNot, "-", at}
		}
	}
	return l.word(at)
}

// unsupported reports an operator of the language that this version does not
// have, and skips it.
func (l *lexer) unsupported(at, n int, what string) lexeme {
	l.report(at, "", "%s is not supported", what)
	if n < 1 || at+n > len(l.src) {
		n = 1
	}
	l.pos = at + n
	l.pos += len(l.bare())
	return lexeme{lexBad, l.src[at:l.pos], at}
}

func (l *lexer) phrase(at, size int) lexeme {
	start := at + size
	n := strings.IndexFunc(l.src[start:], isQuote)
	if n < 0 {
		l.report(at, "", "the phrase that begins here has no closing quote")
		l.pos = len(l.src)
		return lexeme{lexBad, l.src[at:], at}
	}
	_, closing := utf8.DecodeRuneInString(l.src[start+n:])
	l.pos = start + n + closing
	if tail := l.bare(); tail != "" {
		switch {
		case tail[0] == '~':
			return l.unsupported(l.pos, len(tail), "~, the distance of a phrase,")
		case tail[0] == '^':
			return l.unsupported(l.pos, len(tail), "^, the weight of a term,")
		}
		l.report(l.pos, "put a space between them", "%q directly after a phrase", tail)
		l.pos += len(tail)
	}
	return lexeme{lexPhrase, l.src[start : start+n], start}
}

// bare is what follows up to the next space, bracket or quote.
func (l *lexer) bare() string {
	rest := l.src[l.pos:]
	if n := strings.IndexFunc(rest, func(r rune) bool {
		return unicode.IsSpace(r) || r == '(' || r == ')' || isQuote(r)
	}); n >= 0 {
		return rest[:n]
	}
	return rest
}

// symbols are what other languages write for the operators.
var symbols = map[string]string{
	"&": "AND", "&&": "AND", "+": "AND", "|": "OR", "||": "OR", "!": "NOT", "-": "NOT", "~": "NOT",
}

// operatorNames are what a misspelt operator with a number is compared with.
var operatorNames = []string{"NEAR", "ONEAR", "ATLEAST", "SAME"}

// foreign are operators of other search languages, with the one of this one.
var foreign = map[string]string{
	"W": "NEAR", "WITHIN": "NEAR", "N": "NEAR", "ADJ": "ONEAR", "PRE": "ONEAR", "P": "SAME/PARAGRAPH", "S": "SAME/SENTENCE",
}

func (l *lexer) word(at int) lexeme {
	w := l.bare()
	switch w {
	case "AND":
		l.pos += len(w)
		return lexeme{lexAnd, w, at}
	case "OR":
		l.pos += len(w)
		return lexeme{lexOr, w, at}
	case "NOT":
		l.pos += len(w)
		return lexeme{lexNot, w, at}
	case "NEAR", "ONEAR", "SAME", "ATLEAST":
		return l.unsupported(at, len(w), w)
	}
	if op := symbols[w]; op != "" {
		l.pos += len(w)
		l.report(at, "write "+op, "%q is not an operator", w)
		return lexeme{lexBad, w, at}
	}
	if name, arg, ok := strings.Cut(w, "/"); ok && name != "" && isUpper(name) && arg != "" {
		if slices.Contains(operatorNames, name) {
			return l.unsupported(at, len(w), name+"/"+arg)
		}
		op := foreign[name]
		if op == "" && arg[0] >= '0' && arg[0] <= '9' {
			op = DidYouMean(name, operatorNames)
		}
		if op != "" {
			if !strings.Contains(op, "/") {
				op += "/" + arg
			}
			l.report(at, fmt.Sprintf("did you mean %s? If these are words to search for, put them in quotes", op), "%q is not an operator", w)
			l.pos += len(w)
			return lexeme{lexBad, w, at}
		}
	}
	if name, _, ok := strings.Cut(w, ":"); ok && isName(name) {
		if f, known := fieldNames[name]; known {
			l.pos += len(name) + 1
			l.raw = f == FieldSite || f == FieldLang || f == FieldURL
			return lexeme{lexField, string(f), at}
		}
		s := "if it is text to search for, put it in quotes"
		if n := DidYouMean(name, fieldList); n != "" {
			s = fmt.Sprintf("did you mean %s:? %s", n, s)
		}
		l.report(at, s, "there is no field %q", name)
		l.pos += len(name) + 1
		return lexeme{lexField, "", at}
	}
	l.pos += len(w)
	if w[0] == '@' {
		return lexeme{lexConcept, w[1:], at + 1}
	}
	if i := strings.IndexByte(w, '^'); i > 0 {
		l.report(at+i, "", "^, the weight of a term, is not supported")
		return lexeme{lexBad, w, at}
	}
	if l.pos < len(l.src) && l.src[l.pos] == '(' {
		l.report(l.pos, "put a space before it, or quotes around both if the bracket is text; a term written 67-B finds 67(B), 67 B and 67B",
			"the bracket stands directly after a word")
	} else if r, _ := utf8.DecodeRuneInString(l.src[l.pos:]); l.pos < len(l.src) && isQuote(r) {
		l.report(l.pos, "put a space before it", "the quote stands directly after a word")
	}
	return lexeme{lexWord, w, at}
}

func isUpper(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < 'A' || r > 'Z' }) < 0
}

// isName holds for what can only be meant as a field's name: letters alone.
func isName(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }) < 0
}
