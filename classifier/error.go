package classifier

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Error is one thing that is wrong with a rule or a concept.
type Error struct {
	Pos Pos
	// Rule is the id of the rule, empty where none is concerned.
	Rule string
	Msg  string
	// Suggestion says what to write instead; it may be empty.
	Suggestion string
	// Line is the line of the file that Pos is on, or as much of it as helps,
	// and Caret the character of it, from 0, that Msg is about. Line is empty
	// where there is none.
	Line  string
	Caret int
}

// Error is the place, the rule and the message on the first line, then the
// offending line with a caret under it, then the suggestion.
func (e *Error) Error() string {
	msg := e.Msg
	if e.Rule != "" {
		msg = fmt.Sprintf("rule %q: %s", e.Rule, e.Msg)
	}
	return report(e.Pos, msg, e.Line, e.Caret, e.Suggestion)
}

// Errors are all that is wrong, in the order of the files. As an error value it
// is never empty.
type Errors []*Error

// Error is every error, one after the other.
func (es Errors) Error() string {
	out := make([]string, len(es))
	for i, e := range es {
		out[i] = e.Error()
	}
	return strings.Join(out, "\n")
}

// Unwrap lets errors.As find a single *Error.
func (es Errors) Unwrap() []error {
	out := make([]error, len(es))
	for i, e := range es {
		out[i] = e
	}
	return out
}

// Sort orders the errors by file, line and column.
func (es Errors) Sort() {
	slices.SortStableFunc(es, func(a, b *Error) int { return comparePos(a.Pos, b.Pos) })
}

func comparePos(a, b Pos) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

// Check names a kind of Finding.
type Check string

const (
	// LowerCaseOperator is an and, or, not between bare words: it is searched
	// for as a word, which is hardly what was meant.
	LowerCaseOperator Check = "lower-case-operator"
	// NeverMatches is a rule that no item can match.
	NeverMatches Check = "never-matches"
	// AlwaysMatches is a rule that matches an item with none of its words.
	AlwaysMatches Check = "always-matches"
	// ASCIIClass is a \b or \w in a regular expression with other letters than
	// those of English.
	ASCIIClass Check = "ascii-class"
	// Shadowed is a rule that never tells more than another one.
	Shadowed Check = "shadowed"
	// NoTest is a rule without a must_match; package ruletest finds it.
	NoTest Check = "no-test"
	// UnusedWeight is a ^N in a rule that shows no sentence.
	UnusedWeight Check = "unused-weight"
	// EmptyConcept is a concept without a term.
	EmptyConcept Check = "empty-concept"
)

// Finding is something in a rule that is allowed and looks like a mistake.
type Finding struct {
	Check Check
	Pos   Pos
	// Rule is the id of the rule, empty where the finding is about a concept.
	Rule       string
	Msg        string
	Suggestion string
	Line       string
	Caret      int
}

// String is laid out like an Error, with the check at the end of the first line.
func (f Finding) String() string {
	msg := f.Msg + " [" + string(f.Check) + "]"
	if f.Rule != "" {
		msg = fmt.Sprintf("rule %q: %s", f.Rule, msg)
	}
	return report(f.Pos, msg, f.Line, f.Caret, f.Suggestion)
}

func report(pos Pos, msg, line string, caret int, suggestion string) string {
	var b strings.Builder
	if pos != (Pos{}) {
		b.WriteString(pos.String() + ": ")
	}
	b.WriteString(msg)
	if line != "" {
		b.WriteString("\n    " + line + "\n    ")
		for i, r := range []rune(line) {
			if i == caret {
				break
			}
			if r != '\t' { // a tab keeps the caret in step with the line above
				r = ' '
			}
			b.WriteRune(r)
		}
		b.WriteByte('^')
	}
	if suggestion != "" {
		b.WriteString("\n    " + suggestion)
	}
	return b.String()
}

// in gives the line that a place is on, and the caret, if the line is known.
func (p Pos) in(line func(int) string) (string, int) {
	if line == nil || p.Line == 0 {
		return "", 0
	}
	return Clip(line(p.Line), p.Column-1)
}

// place gives what an Error or a Finding says of byte i of s.
func (s Source) place(i int) (pos Pos, line string, caret int) {
	i = min(max(i, 0), len(s.Text))
	if s.At != nil {
		pos = s.At(i)
	}
	if s.At != nil && s.Line != nil {
		line, caret = s.Line(pos.Line), pos.Column-1
	} else {
		start := strings.LastIndexByte(s.Text[:i], '\n') + 1
		line, _, _ = strings.Cut(s.Text[start:], "\n")
		caret = utf8.RuneCountInString(s.Text[start:i])
	}
	line, caret = Clip(line, caret)
	return pos, line, caret
}

// Errorf makes an Error about byte i of the source.
func (s Source) Errorf(i int, rule, suggestion, format string, args ...any) *Error {
	pos, line, caret := s.place(i)
	return &Error{Pos: pos, Rule: rule, Msg: fmt.Sprintf(format, args...), Suggestion: suggestion, Line: line, Caret: caret}
}

// Clip shortens a line for an error message to what stands around the caret.
func Clip(line string, caret int) (string, int) {
	const before, after = 60, 60
	line = strings.TrimRight(line, "\r\n")
	r := []rune(line)
	caret = min(max(caret, 0), len(r))
	if end := caret + after; end < len(r) {
		r = append(r[:end:end], '…')
	}
	if from := caret - before; from > 0 {
		r = append([]rune{'…'}, r[from:]...)
		caret = caret - from + 1
	}
	return string(r), caret
}
