package configs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/newswatch/newswatch/classifier"
)

// Problem is one thing that is wrong in a file, or, as a Warning, that may not
// be what the operator meant.
type Problem struct {
	Pos     classifier.Pos
	Message string
	// Hint says what to write instead; it may be empty.
	Hint string
	// Line is the offending line, with what looks like a secret or an address
	// taken out, and Caret the place in it, in characters from 1. Line is empty
	// where there is none to show.
	Line  string
	Caret int
}

// Warning is a Problem that does not keep the configuration from being used.
type Warning = Problem

// String returns "file:line:column: message", then the line with a caret under
// the place and the hint, where they are known.
func (p Problem) String() string {
	var b strings.Builder
	if p.Pos.File != "" {
		b.WriteString(p.Pos.File)
		if p.Pos.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", p.Pos.Line, p.Pos.Column)
		}
		b.WriteString(": ")
	}
	b.WriteString(p.Message)
	if strings.TrimSpace(p.Line) != "" {
		line, caret := window(p.Line, p.Caret)
		fmt.Fprintf(&b, "\n    %s\n    %s^", line, caret)
	}
	if p.Hint != "" {
		b.WriteString("\n    " + p.Hint)
	}
	return b.String()
}

// maxProblems bounds how many problems are reported: a file of another kind,
// given by mistake, would otherwise fill the screen with one line each.
const maxProblems = 100

// Errors is everything that is wrong with a configuration, by file and line.
type Errors struct {
	Problems []Problem
	// More counts those beyond the most that are kept.
	More int
}

func (e *Errors) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(p.String())
	}
	if e.More > 0 {
		fmt.Fprintf(&b, "\nand %d more", e.More)
	}
	return b.String()
}

// sortProblems orders by the order in which the files were read, then by place.
func sortProblems(ps []Problem, files []string) {
	order := make(map[string]int, len(files))
	for i, f := range files {
		order[f] = i
	}
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(order[a.Pos.File], order[b.Pos.File]),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column),
		)
	})
}

// window cuts a long line around the caret and returns what stands before the
// caret under it: as wide as the text, tabs kept, combining marks left out.
func window(line string, caret int) (shown, indent string) {
	const before, width = 70, 110
	rs := []rune(line)
	at := min(max(caret-1, 0), len(rs))
	from, head := 0, ""
	if at > before {
		from, head = at-before, "… "
	}
	to, tail := len(rs), ""
	if to-from > width {
		to, tail = from+width, " …"
	}
	var pad strings.Builder
	for _, r := range head + string(rs[from:at]) {
		switch {
		case r == '\t':
			pad.WriteRune(r)
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		default:
			pad.WriteByte(' ')
		}
	}
	return head + string(rs[from:to]) + tail, pad.String()
}
