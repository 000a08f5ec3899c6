package configs

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"

	"github.com/newswatch/newswatch/classifier"
)

// document is one YAML file: its lines, for messages, and its nodes.
type document struct {
	name  string // as it is printed
	dir   string // where its relative paths start
	lines []string
	// private is set for files that hold subscribers.
	private bool
	hidden  []bool
	root    *yaml.Node // nil for a file that is empty
}

// parse reads the YAML. Whatever is wrong with it as YAML is one Problem, since
// a parser cannot go on from there; ok is false then.
func (l *loader) parse(name, dir string, data []byte, private bool) (doc *document, ok bool) {
	doc = &document{name: name, dir: dir, private: private}
	doc.lines = splitLines(strings.TrimPrefix(string(data), "\ufeff"))
	doc.hidden = secretLines(doc.lines)
	for i, line := range doc.lines {
		if at := badRune(line); at >= 0 {
			col := utf8.RuneCountInString(line[:at]) + 1
			l.fail(doc, i+1, col, "a byte that is not text", "save the file as UTF-8, without control characters")
			return doc, false
		}
	}
	var nodes []yaml.Node
	if err := yaml.Load(data, &nodes, yaml.WithAllDocuments()); err != nil {
		le, isLoad := errors.AsType[*yaml.LoadError](err)
		if !isLoad {
			l.fail(doc, 1, 1, fmt.Sprintf("not YAML: %v", err), "")
			return doc, false
		}
		line, col := le.Mark.Line, le.Mark.Column
		if line == 0 || strings.Contains(le.Message, "end of stream") && le.ContextMark.Line > 0 {
			// Where an open quotation mark began says more than where the file ends.
			line, col = max(le.ContextMark.Line, 1), max(le.ContextMark.Column, 1)
		}
		l.fail(doc, line, max(col, 1), "not YAML: "+le.Message, yamlHint(doc, line, le.Message))
		return doc, false
	}
	if len(nodes) > 1 {
		l.fail(doc, max(nodes[1].Line, 1), max(nodes[1].Column, 1), "a second YAML document in one file", "take out the line ---, or make two files")
		return doc, false
	}
	if len(nodes) == 1 && nodes[0].Kind == yaml.DocumentNode && len(nodes[0].Content) == 1 {
		doc.root = nodes[0].Content[0]
	}
	return doc, true
}

// yamlHint turns the parser's terms into what to do, for the mistakes that
// people make most.
func yamlHint(doc *document, line int, msg string) string {
	text := ""
	if line >= 1 && line <= len(doc.lines) {
		text = doc.lines[line-1]
	}
	switch {
	case strings.Contains(text, "\t"):
		return "indent with spaces, not with tabs"
	case strings.Contains(msg, "mapping values are not allowed"):
		return "put a value that holds a colon in quotes, and check the indentation"
	case strings.Contains(msg, "unknown anchor"):
		return "put a value that begins with * or & in quotes"
	case strings.Contains(msg, "escape character"):
		return `inside "…" write \\ for a backslash, or use '…'`
	case strings.Contains(msg, "unexpected end of stream"):
		return "a quotation mark or a bracket is not closed"
	case strings.Contains(msg, "cannot start any token"):
		return "put the value in quotes"
	}
	return "check the indentation, the quotation marks and the brackets"
}

// splitLines breaks where YAML 1.1 does, so that line numbers agree with the
// parser's.
func splitLines(s string) []string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(s)
	return strings.Split(s, "\n")
}

// badRune is the offset of the first thing in a line that is not text, or -1.
func badRune(line string) int {
	for i, r := range line {
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(line[i:]); n == 1 {
				return i
			}
		}
		if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 || r == 0xfffe || r == 0xffff {
			return i
		}
	}
	return -1
}

// show returns a line as it may be printed, and the caret's place in it.
func (d *document) show(line, col int) (string, int) {
	if line < 1 || line > len(d.lines) {
		return "", 0
	}
	if d.hidden[line-1] {
		return hidden, 1
	}
	return redact(printable(d.lines[line-1]), col, d.private)
}

// printable keeps what a file holds from moving the cursor of a terminal, or
// from beginning a line of its own in a log.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && unicode.IsControl(r) {
			return utf8.RuneError
		}
		return r
	}, s)
}

// fail records a problem at a place of a document.
func (l *loader) fail(d *document, line, col int, msg, hint string) {
	l.add(d.problem(line, col, msg, hint))
}

// warn records a warning at a place of a document.
func (l *loader) warn(d *document, n *yaml.Node, msg, hint string) {
	l.warnings = append(l.warnings, d.problem(n.Line, n.Column, msg, hint))
}

func (l *loader) add(p Problem) {
	if len(l.problems) >= maxProblems {
		l.more++
		return
	}
	l.problems = append(l.problems, p)
}

func (d *document) problem(line, col int, msg, hint string) Problem {
	p := Problem{Pos: classifier.Pos{File: d.name, Line: line, Column: col}, Message: printable(msg), Hint: printable(hint)}
	p.Line, p.Caret = d.show(line, col)
	return p
}

// path makes what an operator wrote in d a path that can be opened.
func (d *document) path(p string) string {
	if filepath.IsAbs(p) {
		return filepath.Clean(p)
	}
	return filepath.Join(d.dir, p)
}
