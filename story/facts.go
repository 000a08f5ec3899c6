package story

import (
	"cmp"
	"slices"
	"strings"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/classifier/text"
)

// facts is what a report says by which one case is told from another.
type facts struct {
	account
	// operations are those of the words that are an operation's name, officials those
	// that are the name of one who has to do with many cases, and houses those that are
	// the name of a house, of which there is one.
	operations, officials, houses []term
	// pairs are names on end: a first name and a surname, maybe.
	pairs [][2]term
}

func factsOf(h classifier.Hit) facts {
	f := facts{account: accountOf(h)}
	for _, terms := range [][]term{scan(headline(h), titleWords), sketchFor(h).terms} { // in the order of the words
		f.operations = append(f.operations, behind(operation, 2, terms)...)
		f.officials = append(f.officials, behind(official, 3, terms)...)
		f.houses = append(f.houses, before(house, 2, terms)...)
		f.pairs = append(f.pairs, pairs(terms)...)
	}
	return f
}

// stage is how far the matter has come, see steps: the latest stage that the headline
// names or, where it names none, the text.
func (a *account) stage() int { return cmp.Or(step(a.title), step(a.said)) }

// operation is what stands before an operation's name, official before an official's,
// and house behind a house's. Styles are no names.
var (
	operation = wordsOf("operation ഓപ്പറേഷൻ ऑपरेशन ஆபரேஷன்")
	official  = wordsOf(`inspector superintendent commissioner constable dysp acp dcp sp si asi ci dgp adgp ig dig judge justice
		magistrate prosecutor advocate minister ഇൻസ്പെക്ടർ എസ്ഐ എസ്പി ഡിവൈഎസ്പി സിഐ ജഡ്ജി പ്രോസിക്യൂട്ടർ मंत्री इंस्पेक्टर एसपी न्यायाधीश`)
	house = append(wordsOf(`academy centre center church clinic club college company firm forum gym home hospital hostel hotel institute
		mosque school seminary shelter shop site studio temple university`), named(role, "orphanage"), named(role, "madrasa"))
	styles = wordsOf("fr dr mr mrs ms st sr rev shri smt adv")
)

// wordsOf are the terms of words, each of which may be an everyday one or any other.
func wordsOf(words string) []term {
	var out []term
	for w := range strings.FieldsSeq(words) {
		w = stem(text.Fold(w))
		out = append(out, named(common, w), named(word, w))
	}
	return out
}

// behind returns the words that follow one of some titles and can be a name: n of them
// at most.
func behind(titles []term, n int, terms []term) []term {
	var out []term
	for i, t := range terms {
		if t.class() == proper {
			t = plain(t)
		}
		if !slices.Contains(titles, t) {
			continue
		}
		for _, next := range terms[i+1 : min(i+1+n, len(terms))] {
			if next.class() != proper && next.class() != word {
				break
			}
			out = append(out, plain(next))
		}
	}
	return out
}

// before returns the names that stand right before one of some words: n of them at
// most.
func before(words []term, n int, terms []term) []term {
	var out []term
	for i, t := range terms {
		if !slices.Contains(words, t) {
			continue
		}
		for j := i - 1; j >= max(0, i-n) && terms[j].class() == proper; j-- {
			out = append(out, plain(terms[j]))
		}
	}
	return out
}

// pairs returns the names on end. Where so much has a capital that it tells no name,
// any two words may be.
func pairs(terms []term) [][2]term {
	of := proper
	if !slices.ContainsFunc(terms, func(t term) bool { return t.class() == proper }) {
		of = word
	}
	var out [][2]term
	for i := 1; i < len(terms); i++ {
		if terms[i-1].class() == of && terms[i].class() == of {
			out = append(out, [2]term{plain(terms[i-1]), plain(terms[i])})
		}
	}
	return out
}

// surnames are what follows a name.
func (f *facts) surnames(name term) []term {
	var out []term
	for _, p := range f.pairs {
		if p[0] == name {
			out = append(out, p[1])
		}
	}
	return out
}

// namesakes reports whether two reports have a name in common that is another's in
// each: Praveen Nambiar is not Praveen Kumar.
func (f *facts) namesakes(g *facts) bool {
	for _, p := range f.pairs {
		name := p[0]
		if !contains(f.names, name) && !contains(g.names, name) || slices.Contains(styles, name) {
			continue
		}
		mine, theirs := f.surnames(name), g.surnames(name)
		if len(theirs) > 0 && !slices.ContainsFunc(mine, g.says) && !slices.ContainsFunc(theirs, f.says) {
			return true
		}
	}
	return false
}
