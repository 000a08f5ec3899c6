package classifier

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/clipperhouse/uax29/v2/sentences"
	"pgregory.net/rapid"

	"github.com/newswatch/newswatch/classifier/text"
)

// The reference is the slow and obvious way to evaluate a rule: it folds every
// field again for every term and compares words one by one. It shares the fold
// with the engine, and nothing else.

type reference struct {
	doc      *Doc
	where    Where
	loose    bool
	concepts map[string][]Expr
}

// fieldTexts are the pieces of a field that no phrase crosses.
func (r reference) fieldTexts(f Field) []string {
	switch f {
	case FieldTitle:
		return []string{r.doc.Title}
	case FieldLead:
		return []string{r.doc.Lead}
	case FieldBody:
		return []string{r.doc.Body}
	case FieldAuthor:
		return r.doc.Authors
	case FieldTag:
		return r.doc.Categories
	case FieldURL:
		return []string{r.doc.URL}
	case FieldSource:
		return []string{r.doc.Source}
	}
	panic(f)
}

func (r reference) holds(e Expr) bool {
	if r.where == Major && r.hasPlace(e) {
		r.where = prominent
		if r.holds(e) {
			return true
		}
		r.where, e = Anywhere, &atLeast{MajorMentions, e}
		if inner, ok := e.(*atLeast).kid.(*atLeast); ok {
			e = &atLeast{max(MajorMentions, inner.n), inner.kid}
		}
	}
	switch e := e.(type) {
	case *allOf:
		return !slices.ContainsFunc(e.kids, func(k Expr) bool { return !r.holds(k) })
	case *anyOf:
		return slices.ContainsFunc(e.kids, r.holds)
	case *negation:
		return !r.holds(e.kid)
	case *langIs:
		return r.doc.Lang == e.tag || strings.HasPrefix(r.doc.Lang, e.tag+"-")
	case *siteIs:
		host, _, _ := strings.Cut(strings.TrimPrefix(r.doc.URL, "https://"), "/")
		return host == e.host || strings.HasSuffix(host, "."+e.host)
	case *conceptRef:
		return slices.ContainsFunc(r.concepts[e.id], func(k Expr) bool {
			if e.field != "" {
				k = scoped(k, e.field)
			}
			return r.holds(k)
		})
	case *near:
		return len(r.places(e)) > 0
	case *atLeast:
		starts := map[[2]int]bool{}
		for p := range r.places(e.kid) {
			starts[[2]int{p[0], p[1]}] = true
		}
		return len(starts) >= e.n
	case *weighted:
		return r.holds(e.kid)
	case *term, *exact, *regex, *same:
		return len(r.places(e)) > 0
	}
	panic(e)
}

// hasPlace holds for what is counted as a whole where only major mentions do.
func (r reference) hasPlace(e Expr) bool {
	switch e := e.(type) {
	case *term, *exact, *regex, *near, *same, *atLeast:
		return true
	case *conceptRef:
		for _, k := range r.concepts[e.id] {
			if w, ok := k.(*weighted); ok {
				k = w.kid
			}
			if a, ok := k.(*anyOf); ok {
				if slices.ContainsFunc(a.kids, func(k Expr) bool { return !r.hasPlace(k) || isCount(k) }) {
					return false
				}
			} else if !r.hasPlace(k) || isCount(k) {
				return false
			}
		}
		return true
	}
	return false
}

func isCount(e Expr) bool {
	_, ok := e.(*atLeast)
	return ok
}

// places are the piece of text and the first and last word of each place.
func (r reference) places(e Expr) map[[3]int]bool {
	out := map[[3]int]bool{}
	switch e := e.(type) {
	case *anyOf:
		for _, k := range e.kids {
			maps.Copy(out, r.places(k))
		}
	case *conceptRef:
		for _, k := range r.concepts[e.id] {
			if e.field != "" {
				k = scoped(k, e.field)
			}
			maps.Copy(out, r.places(k))
		}
	case *near:
		for x := range r.places(e.left) {
			for y := range r.places(e.right) {
				if x[0] == y[0] && (x[2] < y[1] && y[1]-x[2]-1 <= e.n || !e.ordered && y[2] < x[1] && x[1]-y[2]-1 <= e.n) {
					out[[3]int{x[0], min(x[1], y[1]), max(x[2], y[2])}] = true
				}
			}
		}
	case *weighted:
		return r.places(e.kid)
	case *same:
		r.sames(e, out)
	case *regex:
		tree, err := parseRegexp(e.src)
		if err != nil {
			panic(err)
		}
		re := regexp.MustCompile(tree.String())
		r.eachText(e.field, func(n int, s string) {
			folded := text.Fold(s)
			for _, m := range re.FindAllStringIndex(folded, -1) {
				hit := strings.TrimSpace(folded[m[0]:m[1]])
				if hit != "" {
					at := m[0] + strings.Index(folded[m[0]:], hit)
					first := strings.Count(folded[:at], " ")
					out[[3]int{n, first, first + strings.Count(hit, " ")}] = true
				}
			}
		})
	case *exact:
		r.eachText(e.field, func(n int, s string) {
			var b text.Buffer
			b.Add(s)
			for i, x := range b.Tokens() {
				for j, y := range b.Tokens()[i:] {
					if strings.Join(strings.Fields(s[x.Start:y.End]), " ") == e.form {
						out[[3]int{n, i, i + j}] = true
					}
				}
			}
		})
	case *term:
		r.eachText(e.field, func(n int, s string) {
			words := strings.Fields(text.Fold(s))
			for i := range words {
				for _, seq := range r.sequences(e.words) {
					if startsWith(words[i:], seq) {
						out[[3]int{n, i, i + len(seq) - 1}] = true
					}
				}
			}
		})
	default:
		panic(e)
	}
	return out
}

// sames adds the stretches, one in each sentence or paragraph, from the first to
// the last word of the operands that all stand in it.
func (r reference) sames(e *same, out map[[3]int]bool) {
	set := map[Field]bool{}
	fieldsIn(e, set)
	for f := range set {
		r.eachText(f, func(n int, s string) {
			first := 0
			for _, unit := range units(s, e.unit) {
				end := first + len(strings.Fields(text.Fold(unit)))
				lo, hi, all := end, first, true
				for _, k := range e.kids {
					found := false
					for p := range r.places(k) {
						if p[0] == n && p[1] >= first && p[2] < end {
							found, lo, hi = true, min(lo, p[1]), max(hi, p[2])
						}
					}
					all = all && found
				}
				if all {
					out[[3]int{n, lo, hi}] = true
				}
				first = end
			}
		})
	}
}

// units are the sentences or the paragraphs of a text.
func units(s string, unit textUnit) (out []string) {
	if unit == paragraphUnit {
		return regexp.MustCompile(`\n\s*\n`).Split(s, -1)
	}
	for _, line := range strings.SplitAfter(s, "\n") {
		for it := sentences.FromString(line); it.Next(); {
			out = append(out, it.Value())
		}
	}
	return out
}

// eachText calls f for every piece of text that a field stands for.
func (r reference) eachText(f Field, do func(n int, s string)) {
	fields := []Field{f}
	if f == "" {
		fields = []Field{FieldTitle, FieldLead, FieldBody}
	}
	for _, f := range fields {
		if r.where == Headline && (f == FieldLead || f == FieldBody) || r.where == prominent && f == FieldBody || r.repeated(f, fields) {
			continue
		}
		for n, s := range r.fieldTexts(f) {
			do(100*slices.Index(allFields, f)+n, s)
		}
	}
}

var allFields = []Field{FieldTitle, FieldLead, FieldBody, FieldAuthor, FieldTag, FieldURL, FieldSource}

// repeated holds for a lead or a body that the other one begins with, when both
// are searched: it does not count twice.
func (r reference) repeated(f Field, fields []Field) bool {
	lead, _ := trimmed(r.doc.Lead)
	body, _ := trimmed(r.doc.Body)
	switch {
	case len(fields) == 1 || r.where == prominent || lead == "" || body == "":
		return false
	case f == FieldLead:
		return begins(body, lead, r.doc.Lead)
	}
	return f == FieldBody && begins(lead, body, r.doc.Body) && lead != body
}

// sequences are the ways to write a term; a word that ends in * is a prefix.
func (r reference) sequences(ws []word) [][]string {
	if len(ws) == 0 {
		return [][]string{nil}
	}
	var out [][]string
	star := ""
	if ws[0].prefix {
		star = "*"
	}
	for _, tail := range r.sequences(ws[1:]) {
		open := slices.Clone(ws[0].parts)
		open[len(open)-1] += star
		ways := [][]string{open}
		if len(open) > 1 {
			ways = append(ways, []string{strings.Join(ws[0].parts, "") + star})
		}
		for _, way := range ways {
			for i, s := range way {
				stem, prefix := strings.CutSuffix(s, "*")
				out = append(out, append(slices.Clone(way), tail...))
				if !r.loose {
					continue
				}
				for _, v := range variants(stem, prefix) {
					other := slices.Clone(way)
					if other[i] = v; prefix {
						other[i] += "*"
					}
					out = append(out, append(other, tail...))
				}
			}
		}
	}
	return out
}

func startsWith(words, seq []string) bool {
	if len(words) < len(seq) {
		return false
	}
	for i, s := range seq {
		stem, prefix := strings.CutSuffix(s, "*")
		got, want := []rune(words[i]), []rune(stem)
		if len(got) < len(want) || len(got) > len(want) && !prefix {
			return false
		}
		for j, c := range want {
			if c != '?' && c != got[j] {
				return false
			}
		}
	}
	return true
}

// known is what the parser must know of the concept.
var known = map[string]*concept{"c": {}}

// TestEngineAgreesWithReference also holds that the canonical form of a random
// expression parses back to it: the rules are compiled from what it prints.
func TestEngineAgreesWithReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms := rapid.SliceOfN(genExpr(1).Filter(func(e Expr) bool { return !strings.Contains(e.String(), "@") }), 0, 4).Draw(t, "concept")
		concept := Concept{ID: "c", Terms: map[string][]Source{}}
		for _, e := range terms {
			concept.Terms["en"] = append(concept.Terms["en"], Text(e.String()))
		}
		exprs := rapid.SliceOfN(genExpr(3), 1, 12).Draw(t, "rules")
		rules := make([]Rule, len(exprs))
		for i, e := range exprs {
			rules[i] = Rule{ID: string(rune('a' + i)), Query: Text(e.String()), Where: rapid.SampledFrom([]Where{"", Anywhere, Headline, Start, Major}).Draw(t, "where"), Spelling: rapid.SampledFrom([]Spelling{AsWritten, Loose}).Draw(t, "spelling")}
		}
		rs, _, err := Compile(rules, []Concept{concept})
		if err != nil {
			t.Fatalf("a printed rule does not parse: %v", err)
		}
		for range 3 {
			doc := genDoc.Draw(t, "doc")
			got := map[string]RuleMatch{}
			for _, m := range rs.Match(doc) {
				got[m.Rule] = m
			}
			for i, e := range exprs {
				p := parser{src: rules[i].Query, concepts: known}
				if s := p.parse().String(); s != e.String() {
					t.Fatalf("%s parses to %s", e, s)
				}
				want := reference{doc, rules[i].Where, rules[i].Spelling == Loose, map[string][]Expr{"c": terms}}.holds(e)
				m, ok := got[rules[i].ID]
				if ok != want {
					t.Fatalf("%s (where %s): engine %v, reference %v", e, rules[i].Where, ok, want)
				}
				if rs.Matches(rules[i].ID, doc) != want {
					t.Fatalf("%s: Matches disagrees with Match", e)
				}
				checkMatches(t, doc, m)
			}
		}
	})
}

// failer is what testing.T and rapid.T have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// checkMatches holds that every span is where it says and what it says.
func checkMatches(t failer, doc *Doc, m RuleMatch) {
	t.Helper()
	for i, x := range m.Matches {
		if s := doc.Text(x.Field); x.Start < 0 || x.End > len(s) || x.Start >= x.End || s[x.Start:x.End] != x.Text {
			t.Fatalf("match %+v is not in %s %q", x, x.Field, s)
		}
		if i > 0 && x == m.Matches[i-1] {
			t.Fatalf("match %+v twice", x)
		}
	}
	x, last := m.Excerpt, 0
	if n := len([]rune(x.Text)); n > MaxExcerpt {
		t.Fatalf("an excerpt of %d characters", n)
	}
	if x.Text != "" && !strings.Contains(doc.Text(x.Field), strings.Trim(x.Text, "…")) {
		t.Fatalf("the excerpt %q is not in %s %q", x.Text, x.Field, doc.Text(x.Field))
	}
	for _, mark := range x.Marks {
		if mark[0] < last || mark[1] <= mark[0] || mark[1] > len(x.Text) {
			t.Fatalf("marks %v of an excerpt of %d bytes", x.Marks, len(x.Text))
		}
		last = mark[1]
	}
	if x.Text != "" && len(x.Marks) == 0 {
		t.Fatalf("an excerpt without a mark: %q", x.Text)
	}
}
