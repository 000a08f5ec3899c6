package story

import (
	_ "embed"
	"hash/fnv"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/newswatch/newswatch/classifier/text"
	"github.com/newswatch/newswatch/gazetteer"
)

//go:embed terms.txt
var termList string

// class says what a term is, and so how much it tells.
type class uint32

const (
	weak     class = iota // in nearly every report of the field
	common                // an everyday word
	word                  // any other word
	stage                 // what was done: arrest, sentence
	body                  // an organisation
	name                  // an operation that is told of again and again
	role                  // who it was
	place                 // a town, or what is smaller
	region                // a state, a country
	count                 // a number of persons or things
	age                   // of a person, in years
	duration              // a number of years
	percent
	proper // a word with a capital where only a name has one
	classes
)

// A term is a class and, below it, 28 bits: a number's value, or a hash of what the
// term stands for. Two reports that have a term in common say the same thing there,
// whatever their languages. Terms are kept in the store, see Sketch: neither the
// order of classes nor the hash may change.
type term uint32

const valueBits = 28

func (t term) class() class { return class(t >> valueBits) }
func (t term) value() int   { return int(t & (1<<valueBits - 1)) }

func number(c class, n int) term { return term(c)<<valueBits | term(min(n, 1<<valueBits-1)) } //nolint:gosec // not negative

func named(c class, s string) term {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s)) // a hash takes everything
	return term(c)<<valueBits | term(h.Sum32()>>(32-valueBits))
}

// concepts are the phrases of the list, folded.
var concepts = make(map[string]term)

// starts are the Indic ones, the longest first, by their first two characters.
var starts = make(map[string][]string)

// lengths are the most words of a phrase in the list that begins with a word.
var lengths = make(map[string]int)

// spots are the places by the value that their terms have.
var spots = make(map[term]gazetteer.Place)

func init() {
	kinds := map[string]class{"stage": stage, "weak": weak, "body": body, "name": name, "role": role}
	for line := range strings.Lines(termList) {
		head, rest, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		kind, what, _ := strings.Cut(head, " ")
		t := named(kinds[kind], what)
		for phrase := range strings.SplitSeq(rest, ",") {
			folded := text.Fold(phrase)
			concepts[folded] = t
			first, _, _ := strings.Cut(folded, " ")
			lengths[first] = max(lengths[first], strings.Count(folded, " ")+1)
			if isIndic(folded) {
				starts[prefix(folded, 2)] = append(starts[prefix(folded, 2)], folded)
			} else if !strings.Contains(folded, " ") {
				concepts[stem(folded)] = t
			}
		}
	}
	for _, list := range starts {
		slices.SortFunc(list, func(a, b string) int { return len(b) - len(a) })
	}
	for p := range gazetteer.All() {
		spots[placeTerm(p)] = p
	}
}

// placeTerm is a region for a state or a country, and a place for a smaller one.
func placeTerm(p gazetteer.Place) term {
	if p.Region() {
		return named(region, p.String())
	}
	return named(place, p.String())
}

func isIndic(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return r >= 0x900 && r <= 0xdff
}

// prefix is the first n characters of s.
func prefix(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// stem takes the endings of English off, lightly, and cuts an Indic word, whose
// endings are many, after its first six characters (truncation does about as well
// as true stemming in ranking: McNamee and Mayfield, "Character N-Gram Tokenization
// for European Language Text Retrieval", 2004).
func stem(w string) string {
	if isIndic(w) {
		return prefix(w, 6)
	}
	for _, suffix := range []string{"ing", "ies", "ed", "es", "s"} {
		if rest, ok := strings.CutSuffix(w, suffix); ok && len(rest) >= 4 {
			return rest
		}
	}
	return w
}

var sentenced = named(stage, "sentence")

// maxTerms bounds the terms of one text.
const maxTerms = 48

// scan returns the terms of the first n words of a text, each once, in order.
// A capital tells a name where it does not begin a sentence, and where not (nearly)
// every word has one, as in many headlines.
func scan(s string, n int) []term {
	var b text.Buffer
	b.Add(prefix(s, 16*n))
	tokens := b.Tokens()
	tokens = tokens[:min(len(tokens), n)]
	words := make([]string, len(tokens))
	for i, t := range tokens {
		words[i] = string(b.Folded(t))
	}
	capital, telling := capitals(s, tokens)
	at := make(map[int]gazetteer.Mention)
	for _, m := range gazetteer.Find(words) {
		at[m.From] = m
	}
	var out []term
	add := func(t term) {
		if !slices.Contains(out, t) && len(out) < maxTerms {
			out = append(out, t)
		}
	}
	gap := func(i int) string {
		if i <= 0 || i >= len(tokens) {
			return ""
		}
		return s[tokens[i-1].End:tokens[i].Start]
	}
	for i := 0; i < len(words); {
		before := ""
		if i > 0 {
			before = words[i-1]
		}
		if t, used := numeral(before, words[i:], func(j int) string { return gap(i + j) }); used > 0 {
			if t != 0 {
				add(t)
			}
			i += used
			continue
		}
		if t, used := concept(words[i:]); used > 0 {
			add(t)
			i += used
			continue
		}
		if m, ok := at[i]; ok {
			add(placeTerm(m.Place))
			i = m.To
			continue
		}
		w := words[i]
		i++
		if (w == "gets" || w == "get" || w == "awarded") && i < len(words) {
			if t, _ := numeral("", words[i:], func(j int) string { return gap(i + j) }); t.class() == duration && t != 0 {
				add(sentenced) // gets 12 years
				continue
			}
		}
		switch {
		case filler[w] || utf8.RuneCountInString(w) < 2:
		case everyday[w]:
			add(named(common, stem(w)))
		case telling && capital[i-1] && i > 1 && !strings.ContainsAny(gap(i-1), ".:!?\n\"“‘'|"):
			add(named(proper, stem(w)))
		default:
			add(named(word, stem(w)))
		}
	}
	return out
}

// capitals says which words begin with a capital letter, and whether that tells
// anything.
func capitals(s string, tokens []text.Token) (capital []bool, telling bool) {
	capital = make([]bool, len(tokens))
	long, with := 0, 0
	for i, t := range tokens {
		r, _ := utf8.DecodeRuneInString(s[t.Start:t.End])
		capital[i] = unicode.IsUpper(r)
		if t.End-t.Start > 3 && unicode.IsLetter(r) {
			long++
			if capital[i] {
				with++
			}
		}
	}
	return capital, with*2 <= long
}

// concept returns what the first words mean, by the list, and how many they are.
func concept(words []string) (term, int) {
	for n := min(lengths[words[0]], len(words)); n > 1; n-- {
		phrase := strings.Join(words[:n], " ")
		if t, ok := concepts[phrase]; ok {
			return t, n
		}
		if isIndic(phrase) { // the last word of an Indic phrase inflects
			for _, s := range starts[prefix(phrase, 2)] {
				if strings.Count(s, " ") == n-1 && strings.HasPrefix(phrase, s) {
					return concepts[s], n
				}
			}
		}
	}
	w := words[0]
	if t, ok := concepts[w]; ok {
		return t, 1
	}
	if !isIndic(w) {
		if t, ok := concepts[stem(w)]; ok {
			return t, 1
		}
		return 0, 0
	}
	for _, s := range starts[prefix(w, 2)] {
		if strings.HasPrefix(w, s) {
			return concepts[s], 1
		}
	}
	return 0, 0
}
