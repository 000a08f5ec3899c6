package guard

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/newswatch/newswatch/classifier/text"
	"github.com/newswatch/newswatch/gazetteer"
)

// finding is what could identify a child: bytes lo to hi of the text.
type finding struct{ lo, hi int }

// token is a word and what it is taken for.
type token struct {
	start, end int
	folded     string
	// gap is what stands between the word before and this one.
	gap     string
	capital bool // begins with a capital letter
	acronym bool // has two capitals or more and nothing else
	known   bool // part of the name of a place that is at least a town
	number  int  // -1 for a word that is none
}

// prose is a text as the patterns see it.
type prose struct {
	text   string
	tokens []token
	// titled texts write (nearly) every word with a capital, so that a capital
	// says nothing.
	titled bool
}

func read(s string) prose {
	p := prose{text: s}
	var b text.Buffer
	b.Add(s)
	at := 0
	long, capitals := 0, 0
	var words []string
	for _, t := range b.Tokens() {
		word := s[t.Start:t.End]
		k := token{start: int(t.Start), end: int(t.End), folded: string(b.Folded(t)), gap: s[at:t.Start], number: -1}
		at = k.end
		first, _ := utf8.DecodeRuneInString(word)
		k.capital = unicode.IsUpper(first)
		k.acronym = len(word) > 1 && k.capital && strings.ToUpper(word) == word && !unicode.IsDigit(first)
		if n, err := strconv.Atoi(k.folded); err == nil {
			k.number = n
		} else if n := slices.Index(numberWords, k.folded); n >= 0 {
			k.number = n
		}
		if len(word) >= 4 && unicode.Is(unicode.Latin, first) {
			long++
			if k.capital {
				capitals++
			}
		}
		p.tokens = append(p.tokens, k)
		words = append(words, k.folded)
	}
	p.titled = long >= 4 && capitals*10 >= long*7
	for _, m := range gazetteer.Find(words) {
		for i := m.From; i < m.To; i++ {
			p.tokens[i].known = true
		}
	}
	return p
}

// numberWords are at the index of what they mean.
var numberWords = strings.Fields(`zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
	fifteen sixteen seventeen`)

// find returns what in a text could identify a child. about says that it is known
// to be about one.
func find(s string, about bool) []finding {
	p := read(s)
	about = about || aboutChild(p)
	var found []finding
	for i := range p.tokens {
		for _, pattern := range patterns {
			if to := pattern(p, i, about); to > i {
				found = append(found, finding{p.tokens[i].start, p.tokens[to-1].end})
			}
		}
	}
	return found
}

// patterns look at the words from i on, and return the end of what they found, or
// a number that is not beyond i. They may look at what stands before.
var patterns = []func(p prose, i int, about bool) int{
	aged, named, nameless(namedBefore), kin, relative, school, schoolAt, home, residence,
	indicAged, indicNamed, indicKin, indicSchool, indicHome,
}

func nameless(f func(prose, int) int) func(prose, int, bool) int {
	return func(p prose, i int, _ bool) int { return f(p, i) }
}

// aboutChild reports whether a text speaks of a child.
func aboutChild(p prose) bool {
	for i, t := range p.tokens {
		if children[t.folded] || indicChild(t.folded) || p.ageAt(i) > i {
			return true
		}
	}
	return false
}

// at is the token at i, or an empty one.
func (p prose) at(i int) token {
	if i < 0 || i >= len(p.tokens) {
		return token{number: -1}
	}
	return p.tokens[i]
}

// ageAt returns the end of an age under 18 that is said at i: 14-year-old, aged 14,
// Class 9, Plus Two.
func (p prose) ageAt(i int) int {
	t, next := p.at(i), p.at(i+1)
	minor := func(t token) bool { return t.number >= 0 && t.number < 18 }
	switch {
	case minor(t) && (next.folded == "year" || next.folded == "yr" || next.folded == "years" || next.folded == "month" || next.folded == "months") && p.at(i+2).folded == "old":
		return i + 3
	case (t.folded == "aged" || t.folded == "age") && minor(next):
		return i + 2
	case (t.folded == "class" || t.folded == "std" || t.folded == "grade") && (next.number > 0 && next.number <= 12 || romanClass[next.folded]):
		return i + 2
	case t.folded == "plus" && (next.folded == "one" || next.folded == "two"):
		return i + 2
	}
	return i
}

// name returns the end of a run of words from i on that has the form of a person's
// name: at most four capitalised words that are not known to be something else.
func (p prose) name(i int) int {
	end := i
	for end < len(p.tokens) && end-i < 4 {
		t := p.tokens[end]
		if !t.capital || t.known || t.acronym && utf8.RuneCountInString(t.folded) > 2 || notNames[t.folded] || children[t.folded] || t.number >= 0 {
			break
		}
		if end > i && strings.Trim(t.gap, " .'’") != "" {
			break
		}
		end++
	}
	if end > i && (titles[p.tokens[i].folded] || p.at(end).folded == "doe") {
		return i // a police officer, a judge, Jane Doe
	}
	return end
}

// closed reports whether something other than the same phrase goes on at i.
func (p prose) closed(i int) bool {
	if i >= len(p.tokens) {
		return true
	}
	return strings.ContainsAny(p.tokens[i].gap, ",.;:()[]—–!?\"”|")
}

// gapIs reports whether only these characters stand before the word at i.
func (p prose) gapIs(i int, chars string) bool {
	return i < len(p.tokens) && strings.Trim(p.tokens[i].gap, chars) == ""
}
