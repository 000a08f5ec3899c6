package classifier

import (
	"fmt"
	"slices"
	"strconv"
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
	lexExact   // what stands between braces
	lexNear    // NEAR/n or ONEAR/n
	lexAtLeast // ATLEAST/n
	lexSame    // SAME/SENTENCE or SAME/PARAGRAPH
	lexRegexp  // what stands between two slashes
	lexWeight  // ^n, directly after an operand
	lexBad     // something that was reported; it stands for an operand
)

type lexeme struct {
	kind lexKind
	text string
	at   int // of text, in bytes
	n    int // the number after the slash, the ^, or the ~ of a phrase; else -1
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
		if w, _, _ := strings.Cut(l.bare(), "^"); w != "" && w[0] != '@' && w[0] != '{' {
			l.pos += len(w)
			return lexeme{lexWord, w, l.pos - len(w), -1}
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
		return lexeme{lexEnd, "", at, -1}
	}
	r, size := utf8.DecodeRuneInString(l.src[at:])
	switch {
	case r == '(':
		l.pos++
		return lexeme{lexOpen, "(", at, -1}
	case r == ')':
		l.pos++
		return lexeme{lexClose, ")", at, -1}
	case isQuote(r):
		return l.phrase(at, size)
	case r == '{':
		return l.exact(at)
	case r == '/':
		return l.regexp(at)
	case r == '^' && l.follows(at):
		w := l.bare()
		l.pos += len(w)
		return lexeme{lexWeight, w, at, l.number(at, w, w[1:], 1)}
	case r == '-' && at+1 < len(l.src):
		// The minus sign of a term to exclude; within a word it is a hyphen.
		if n, _ := utf8.DecodeRuneInString(l.src[at+1:]); !unicode.IsSpace(n) && n != ')' {
			l.pos++
			return lexeme{lexNot, "-", at, -1}
		}
	}
	return l.word(at)
}

// follows reports whether something stands directly before a byte.
func (l *lexer) follows(at int) bool {
	r, _ := utf8.DecodeLastRuneInString(l.src[:at])
	return at > 0 && r != '(' && !unicode.IsSpace(r)
}

// regexp reads a regular expression up to the next slash that no backslash
// stands before.
func (l *lexer) regexp(at int) lexeme {
	end := at + 1
	for end < len(l.src) && l.src[end] != '/' {
		if l.src[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(l.src) {
		l.report(at, "if the slash is text, put it in quotes", "the regular expression that begins here has no closing slash")
		l.pos = len(l.src)
		return lexeme{lexBad, l.src[at:], at, -1}
	}
	l.pos = end + 1
	if tail := l.bare(); tail != "" && tail[0] != '^' {
		l.report(l.pos, "put a space between them; a slash within the expression is written \\/", "%q directly after a regular expression", tail)
		l.pos += len(tail)
	}
	return lexeme{lexRegexp, l.src[at+1 : end], at + 1, -1}
}

func (l *lexer) exact(at int) lexeme {
	form, tail, ok := strings.Cut(l.src[at+1:], "}")
	if !ok {
		l.report(at, "", "the brace that begins here is never closed")
		l.pos = len(l.src)
		return lexeme{lexBad, l.src[at:], at, -1}
	}
	l.pos = len(l.src) - len(tail)
	if tail := l.bare(); tail != "" && tail[0] != '^' {
		l.report(l.pos, "put a space between them", "%q directly after a brace", tail)
		l.pos += len(tail)
	}
	return lexeme{lexExact, form, at + 1, -1}
}

func (l *lexer) phrase(at, size int) lexeme {
	start := at + size
	n := strings.IndexFunc(l.src[start:], isQuote)
	if n < 0 {
		l.report(at, "", "the phrase that begins here has no closing quote")
		l.pos = len(l.src)
		return lexeme{lexBad, l.src[at:], at, -1}
	}
	_, closing := utf8.DecodeRuneInString(l.src[start+n:])
	l.pos = start + n + closing
	phrase := l.src[start : start+n]
	if tail := l.bare(); tail != "" {
		switch {
		case tail[0] == '~':
			tail, _, _ = strings.Cut(tail, "^")
			n := l.number(l.pos, tail, tail[1:], 0)
			l.pos += len(tail)
			return lexeme{lexPhrase, phrase, start, n}
		case tail[0] != '^':
			l.report(l.pos, "put a space between them", "%q directly after a phrase", tail)
			l.pos += len(tail)
		}
	}
	return lexeme{lexPhrase, phrase, start, -1}
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

// symbolHelp is what to do about a symbol that looks like an operator.
var symbolHelp = map[byte]string{
	'^': "a weight stands directly after a term, as in police^3",
	'~': "the distance of a phrase stands directly after its closing quote",
	'{': "put a space before the brace", '}': "no brace was opened",
	'|': "write OR", '!': "write NOT", '+': "leave it out: words side by side must all be there",
}

// operatorNames are what a misspelt operator with a number is compared with.
var operatorNames = []string{"NEAR", "ONEAR", "ATLEAST", "SAME"}

// foreign are operators of other search languages, with the one of this one.
var foreign = map[string]string{
	"W": "NEAR", "WITHIN": "NEAR", "N": "NEAR", "ADJ": "ONEAR", "PRE": "ONEAR", "P": "SAME/PARAGRAPH", "S": "SAME/SENTENCE",
}

func (l *lexer) word(at int) lexeme {
	w := l.bare()
	if i := strings.IndexByte(w, '^'); i > 0 {
		w = w[:i]
	}
	switch w {
	case "AND":
		l.pos += len(w)
		return lexeme{lexAnd, w, at, -1}
	case "OR":
		l.pos += len(w)
		return lexeme{lexOr, w, at, -1}
	case "NOT":
		l.pos += len(w)
		return lexeme{lexNot, w, at, -1}
	case "NEAR", "ONEAR":
		l.pos += len(w)
		return lexeme{lexNear, w, at, DefaultNear}
	case "ATLEAST":
		l.pos += len(w)
		l.report(at, "write ATLEAST/3(…)", "ATLEAST needs a number")
		return lexeme{lexAtLeast, w, at, 1}
	case "SAME":
		return l.same(at, w, "")
	}
	if op := symbols[w]; op != "" {
		l.pos += len(w)
		l.report(at, "write "+op, "%q is not an operator", w)
		return lexeme{lexBad, w, at, -1}
	}
	if name, arg, ok := strings.Cut(w, "/"); ok && name != "" && isUpper(name) && arg != "" {
		switch name {
		case "NEAR", "ONEAR":
			l.pos += len(w)
			return lexeme{lexNear, w, at, l.number(at, w, arg, 0)}
		case "ATLEAST":
			l.pos += len(w)
			return lexeme{lexAtLeast, w, at, l.number(at, w, arg, 1)}
		case "SAME":
			return l.same(at, w, arg)
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
			return lexeme{lexBad, w, at, -1}
		}
	}
	if name, _, ok := strings.Cut(w, ":"); ok && isName(name) {
		if f, known := fieldNames[name]; known {
			l.pos += len(name) + 1
			l.raw = f == FieldSite || f == FieldLang || f == FieldURL
			return lexeme{lexField, string(f), at, -1}
		}
		s := "if it is text to search for, put it in quotes"
		if n := DidYouMean(name, fieldList); n != "" {
			s = fmt.Sprintf("did you mean %s:? %s", n, s)
		}
		l.report(at, s, "there is no field %q", name)
		l.pos += len(name) + 1
		return lexeme{lexField, "", at, -1}
	}
	l.pos += len(w)
	if w[0] == '@' {
		return lexeme{lexConcept, w[1:], at + 1, -1}
	}
	if i := strings.IndexAny(w, "^~{}|!+"); i == 0 || i > 0 && w[i] != '!' && w[i] != '+' {
		l.report(at+i, symbolHelp[w[i]], "%q has no meaning here", w[i:i+1])
		return lexeme{lexBad, w, at, -1}
	}
	if l.pos < len(l.src) && l.src[l.pos] == '(' {
		l.report(l.pos, "put a space before it, or quotes around both if the bracket is text; a term written 67-B finds 67(B), 67 B and 67B",
			"the bracket stands directly after a word")
	} else if r, _ := utf8.DecodeRuneInString(l.src[l.pos:]); l.pos < len(l.src) && isQuote(r) {
		l.report(l.pos, "put a space before it", "the quote stands directly after a word")
	}
	return lexeme{lexWord, w, at, -1}
}

// sameNames are what SAME can be said of.
var sameNames = []string{string(sentenceUnit), string(paragraphUnit)}

func (l *lexer) same(at int, w, arg string) lexeme {
	l.pos += len(w)
	if !slices.Contains(sameNames, arg) {
		s := "write SAME/SENTENCE(…) or SAME/PARAGRAPH(…)"
		if n := DidYouMean(arg, sameNames); arg != "" && n != "" {
			s = "did you mean SAME/" + n + "?"
		}
		l.report(at, s, "%s says neither sentence nor paragraph", w)
		arg = string(sentenceUnit)
	}
	return lexeme{lexSame, "SAME/" + arg, at, -1}
}

const (
	// DefaultNear is the distance of a NEAR without a number.
	DefaultNear = 4
	// maxNear bounds the number of an operator.
	maxNear = 1000
)

// number reads the number of an operator.
func (l *lexer) number(at int, op, digits string, least int) int {
	n, err := strconv.Atoi(digits)
	if err != nil || n < least || n > maxNear || digits[0] == '+' {
		l.report(at, "", "%s: a number from %d to %d is needed, not %q", op, least, maxNear, digits)
		return least
	}
	return n
}

func isUpper(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < 'A' || r > 'Z' }) < 0
}

// isName holds for what can only be meant as a field's name: letters alone.
func isName(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }) < 0
}
