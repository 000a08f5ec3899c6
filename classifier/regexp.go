package classifier

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/newswatch/newswatch/classifier/text"
)

const (
	// maxRegexp bounds the source of a regular expression, in bytes.
	maxRegexp = 1000
	// maxSteps bounds its program: RE2 takes time in proportion to it for every
	// byte of a text.
	maxSteps = 2000
)

// regexp reads what stands between two slashes.
func (p *parser) regexp(f Field, x lexeme) Expr {
	if f == FieldSite || f == FieldLang {
		p.errorf(x.at, "", "%s: takes no regular expression", f)
		return nil
	}
	if err := p.checkRegexp(x); err != nil {
		p.errorf(x.at, "", "the regular expression %v", err)
		return nil
	}
	return &regex{f, x.text}
}

func (p *parser) checkRegexp(x lexeme) error {
	if len(x.text) > maxRegexp {
		return fmt.Errorf("is %d bytes long; at most %d are allowed", len(x.text), maxRegexp)
	}
	re, err := parseRegexp(x.text)
	if err != nil {
		return err
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return fmt.Errorf("cannot be compiled: %w", err)
	}
	if n := len(prog.Inst); n > maxSteps {
		return fmt.Errorf("is too costly: it has %d steps, and at most %d are allowed", n, maxSteps)
	}
	if compiled, err := regexp.Compile(re.String()); err != nil {
		return fmt.Errorf("cannot be compiled: %w", err)
	} else if compiled.MatchString("") {
		return errors.New("matches the empty text, and so every item")
	}
	if i := asciiClass(x.text); i >= 0 && strings.IndexFunc(x.text, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0 {
		pos, line, caret := p.src.place(x.at + i)
		p.findings = append(p.findings, Finding{
			Check: ASCIIClass, Pos: pos, Rule: p.rule, Line: line, Caret: caret,
			Msg:        fmt.Sprintf(`%s knows the letters of English alone: beside others it finds a boundary where there is none`, x.text[i:i+2]),
			Suggestion: `write [\pL\pM\pN] for \w, and a space or ^ for \b: words are separated by one space`,
		})
	}
	return nil
}

// asciiClass is the offset of a \b, \w or their opposites, -1 if there is none.
func asciiClass(src string) int {
	for i := 0; i+1 < len(src); i++ {
		if src[i] == '\\' {
			if strings.IndexByte("bBwW", src[i+1]) >= 0 {
				return i
			}
			i++
		}
	}
	return -1
}

// parseRegexp reads an expression and folds its letters as the text is folded.
func parseRegexp(src string) (*syntax.Regexp, error) {
	re, err := syntax.Parse(src, syntax.Perl|syntax.FoldCase)
	if err != nil {
		if e, ok := errors.AsType[*syntax.Error](err); ok {
			return nil, fmt.Errorf("has a mistake: %s in %q", e.Code, e.Expr)
		}
		return nil, fmt.Errorf("has a mistake: %w", err)
	}
	if err := foldRegexp(re); err != nil {
		return nil, err
	}
	return re, nil
}

func foldRegexp(re *syntax.Regexp) error {
	if re.Op == syntax.OpLiteral {
		var folded strings.Builder
		for part := range strings.SplitAfterSeq(string(re.Rune), " ") {
			word, spaced := strings.CutSuffix(part, " ")
			for _, r := range word {
				if !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsNumber(r) && !unicode.Is(unicode.Cf, r) {
					return fmt.Errorf("asks for %q, which the folded text does not have: it is words with one space between them", r)
				}
			}
			if f := text.Fold(word); f != "" {
				word = f
			}
			folded.WriteString(word)
			if spaced {
				folded.WriteByte(' ')
			}
		}
		re.Rune = []rune(folded.String())
		re.Flags &^= syntax.FoldCase
	}
	for _, sub := range re.Sub {
		if err := foldRegexp(sub); err != nil {
			return err
		}
	}
	return nil
}

// needed are texts one of which stands in everything that an expression
// matches; nil where none is known.
func needed(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		return []string{string(re.Rune)}
	case syntax.OpCapture, syntax.OpPlus:
		return needed(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return needed(re.Sub[0])
		}
	case syntax.OpConcat:
		var best []string
		for _, sub := range re.Sub {
			if n := needed(sub); n != nil && (best == nil || shortest(n) > shortest(best)) {
				best = n
			}
		}
		return best
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			n := needed(sub)
			if n == nil {
				return nil
			}
			all = append(all, n...)
		}
		return all
	}
	return nil
}

func shortest(ss []string) int {
	return len(slices.MinFunc(ss, func(a, b string) int { return len(a) - len(b) }))
}

// condRegexp holds where an expression matches the folded words of a field, with
// one space between them.
type condRegexp struct {
	re   *regexp.Regexp
	need [][]byte // as needed has it
	mask fieldMask
}

func (b *builder) regexp(e *regex, mask fieldMask) condition {
	b.searched |= mask
	re, err := parseRegexp(e.src)
	if err != nil {
		panic("classifier: a regular expression that was checked: " + err.Error())
	}
	c := &condRegexp{re: regexp.MustCompile(re.String()), mask: mask}
	for _, n := range needed(re) {
		c.need = append(c.need, []byte(n))
	}
	return c
}

// joinedText is the folded text of an item as regular expressions see it: the
// words of each segment with a space between them.
type joinedText struct {
	bytes []byte
	at    []int32 // by token: where it begins
}

func (j *joinedText) reset()   { j.bytes, j.at = j.bytes[:0], j.at[:0] }
func (j *joinedText) cap() int { return cap(j.bytes) + 4*cap(j.at) }

// join makes the joined text, once for an item.
func (s *scratch) join() {
	if len(s.joined.at) > 0 {
		return
	}
	for _, t := range s.words.Tokens() {
		s.joined.at = append(s.joined.at, int32(len(s.joined.bytes)))
		s.joined.bytes = append(append(s.joined.bytes, s.words.Folded(t)...), ' ')
	}
}

// wordsIn returns the tokens of a segment that are in some fields: where both are,
// the longer one of two fields that share their text.
func (s *scratch) wordsIn(sg *segment, mask fieldMask) (first, last int) {
	first, last = sg.first, sg.last
	// What is in a field is the beginning of the segment or all of it.
	for last > first && sg.fields(s.words.Tokens()[last-1], last-1-sg.first)&mask == 0 {
		last--
	}
	return first, last
}

// find yields what the expression matches, in the order of the text.
func (c *condRegexp) find(s *scratch, yield func(occurrence) bool) {
	s.join()
	for i := range s.segs {
		first, last := s.wordsIn(&s.segs[i], c.mask)
		if first == last {
			continue
		}
		base := int(s.joined.at[first])
		end := int(s.joined.at[last-1]) + int(s.words.Tokens()[last-1].Len)
		in := s.joined.bytes[base:end]
		if !c.possible(in) || !c.re.Match(in) {
			continue
		}
		before := occurrence{first: -1}
		for _, m := range c.re.FindAllIndex(in, maxPlaces) {
			from, to := m[0]+base, m[1]+base
			for from < to && s.joined.bytes[from] == ' ' {
				from++
			}
			for from < to && s.joined.bytes[to-1] == ' ' {
				to--
			}
			if from == to {
				continue
			}
			o := occurrence{seg: int32(i), first: s.tokenAt(from), last: s.tokenAt(to - 1)}
			if o != before && !yield(o) {
				return
			}
			before = o
		}
	}
}

// possible reports whether one of the needed texts is there.
func (c *condRegexp) possible(in []byte) bool {
	return c.need == nil || slices.ContainsFunc(c.need, func(n []byte) bool { return bytes.Contains(in, n) })
}

// tokenAt is the token that a byte of the joined text belongs to.
func (s *scratch) tokenAt(at int) int32 {
	n, found := slices.BinarySearch(s.joined.at, int32(at))
	if !found {
		n--
	}
	return int32(n)
}

func (c *condRegexp) eval(s *scratch) (holds bool) {
	c.find(s, func(occurrence) bool {
		holds = true
		return false
	})
	return holds
}

func (c *condRegexp) collect(s *scratch) {
	n := 0
	c.find(s, func(o occurrence) bool {
		s.show(o, c.mask)
		n++
		return n < MaxMatches
	})
}

func (c *condRegexp) places(s *scratch) {
	n := 0
	c.find(s, func(o occurrence) bool {
		s.stretches = append(s.stretches, stretch{o.seg, o.first, o.last})
		n++
		return n < maxPlaces
	})
}

func (c *condRegexp) proveIn(s *scratch, in stretch) {
	c.find(s, func(o occurrence) bool {
		if in.covers(stretch{o.seg, o.first, o.last}) {
			s.show(o, c.mask)
		}
		return o.seg < in.seg || o.seg == in.seg && o.first <= in.last
	})
}
