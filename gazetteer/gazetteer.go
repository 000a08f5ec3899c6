// Package gazetteer knows the names of places, in several scripts, and which
// place lies in which.
package gazetteer

import (
	_ "embed"
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/newswatch/newswatch/classifier/text"
)

//go:embed places.txt
var list string

// Place is the number of a place; zero is none.
type Place uint16

type place struct {
	name string
	in   Place
}

// Mention is a place that a text names, in its folded words From to To.
type Mention struct {
	Place
	From, To int
}

const (
	// maxNameWords is the most words that a name in the list has.
	maxNameWords = 3
	// An Indic name finds a longer word by its stem: what is left when the vowel
	// sign, the anusvara or the virama at its end, which inflection changes, is
	// taken off. A stem has so many characters at least, and the ending so many
	// at most: കൊച്ചി finds കൊച്ചിയിൽ, and not every word that begins like it.
	minStem   = 4
	maxEnding = 9
)

var (
	places = []place{{}}
	names  = make(map[string]Place) // by folded name
	stems  = make(map[string]declined)
)

// declined is an Indic name whose forms share a stem.
type declined struct {
	Place
	folded string
}

// declines reports whether the ending makes of the stem a form of the name. A
// Malayalam name in anusvara takes ത്ത: കൊല്ലം is കൊല്ലത്ത്, and കൊല്ലപ്പെട്ടു (was
// killed) is no place.
func (d declined) declines(stem, ending string) bool {
	const anusvara, ta = "ം", "ത"
	return d.folded != stem+anusvara || ending == "" || strings.HasPrefix(ending, anusvara) || strings.HasPrefix(ending, ta)
}

func init() {
	ids := map[string]Place{"": 0}
	for line := range strings.Lines(list) {
		in, rest, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		p := Place(len(places)) //nolint:gosec // the list is ours, and short
		for i, name := range strings.Split(rest, ",") {
			name = strings.TrimSpace(name)
			if i == 0 {
				ids[name] = p
				places = append(places, place{name: name, in: ids[in]})
			}
			folded := text.Fold(name)
			names[folded] = p
			if s := stem(folded); s != "" {
				stems[s] = declined{p, folded}
			}
			if r, _ := utf8.DecodeRuneInString(folded); unicode.Is(unicode.Tamil, r) && utf8.RuneCountInString(folded) >= minStem {
				stems[folded] = declined{p, folded} // Tamil adds to the whole word: கோவையில்
			}
		}
	}
}

// stem is the part of an Indic name that all its forms share, or "".
func stem(folded string) string {
	r, _ := utf8.DecodeRuneInString(folded)
	if r < 0x900 || r > 0xdff || strings.ContainsRune(folded, ' ') {
		return ""
	}
	s := folded
	for {
		last, size := utf8.DecodeLastRuneInString(s)
		if !unicode.In(last, unicode.Mn, unicode.Mc) {
			break
		}
		s = s[:len(s)-size]
	}
	if utf8.RuneCountInString(s) < minStem {
		return ""
	}
	return s
}

// Find returns the places that folded words name, the longest names first tried,
// none inside another.
func Find(words []string) []Mention {
	var out []Mention
	for i := 0; i < len(words); {
		p, n := at(words[i:])
		if n == 0 {
			i++
			continue
		}
		out = append(out, Mention{p, i, i + n})
		i += n
	}
	return out
}

// at returns the place that the first words name, and how many they are.
func at(words []string) (Place, int) {
	for n := min(maxNameWords, len(words)); n > 0; n-- {
		if p, ok := names[strings.Join(words[:n], " ")]; ok {
			return p, n
		}
	}
	w := words[0]
	if r, _ := utf8.DecodeRuneInString(w); r < 0x900 || r > 0xdff {
		return 0, 0
	}
	for s, ending := w, 0; ending <= maxEnding && s != ""; ending++ {
		if p, ok := stems[s]; ok && p.declines(s, w[len(s):]) {
			return p.Place, 1
		}
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return 0, 0
}

// String is the place's first name.
func (p Place) String() string { return places[p].name }

// Within reports whether p is q or lies in it.
func (p Place) Within(q Place) bool {
	for ; p != 0; p = places[p].in {
		if p == q {
			return true
		}
	}
	return false
}

// Depth is how many places p lies in: 1 for a country, 2 for a state or a city of
// a country without states in the list, and so on.
func (p Place) Depth() int {
	n := 0
	for p = places[p].in; p != 0; p = places[p].in {
		n++
	}
	return n
}

// federations are the countries whose states the list names.
var federations = map[string]bool{"India": true, "United States": true, "Australia": true, "Canada": true}

// Region reports whether the place is a country, or a state of a federation, and
// not a district, a city or a town.
func (p Place) Region() bool {
	d := p.Depth()
	return d <= 1 || d == 2 && federations[places[p].in.String()]
}

// All yields every place but the world.
func All() iter.Seq[Place] {
	return func(yield func(Place) bool) {
		for p := range Place(len(places)) { //nolint:gosec // the list is ours, and short
			if p.Depth() > 0 && !yield(p) {
				return
			}
		}
	}
}
