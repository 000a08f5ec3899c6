package story

import (
	"slices"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/gazetteer"
)

// account is what one report says, as far as it is compared.
type account struct {
	when  time.Time
	title []term
	sketch
	// titleWeight is what its terms weigh together.
	titleWeight float64
	indic       bool
	// another says that the headline tells of one more of its kind.
	another bool
	// said is title and lead together, sorted, and names are the words of it that
	// are a name's.
	said, names []term
}

// titleWords bounds the words of a title that are read.
const titleWords = 40

func accountOf(h classifier.Hit) account {
	a := account{when: When(h), sketch: sketchFor(h)}
	head := headline(h)
	a.title = a.settle(scan(head, titleWords))
	a.terms = a.settle(a.terms)
	a.indic = mostlyIndic(head)
	for _, t := range a.title {
		a.titleWeight += t.weight()
	}
	a.another = contains(a.title, anotherOne)
	a.said = slices.Concat(a.title, a.terms)
	slices.Sort(a.said)
	a.said = slices.Compact(a.said)
	slices.Sort(a.names)
	return a
}

// sketchFor is the one that the hit keeps or, where there is none, that of its summary.
func sketchFor(h classifier.Hit) sketch {
	if k := decode(h.Sketch); k.words > 0 || h.Item.Summary == "" {
		return k
	}
	return sketchOf(h.Item.Summary)
}

// settle sorts terms and makes plain words of names, which it notes: the same word
// may have its capital in one report and not in another.
func (a *account) settle(terms []term) []term {
	out := make([]term, len(terms))
	for i, t := range terms {
		if t.class() == proper {
			t = plain(t)
			a.names = append(a.names, t)
		}
		out[i] = t
	}
	slices.Sort(out)
	return out
}

// plain makes a word of a name.
func plain(t term) term { return term(word)<<valueBits | t&(1<<valueBits-1) }

var anotherOne = named(weak, "another")

func mostlyIndic(s string) bool {
	n, indic := 0, 0
	for _, r := range s {
		if r > ' ' {
			n++
		}
		if r >= 0x900 && r <= 0xdff {
			indic++
		}
	}
	return indic*2 > n
}

// weights say how much it tells that two reports have a term of a class in common.
var weights = [classes]float64{
	weak: 0.05, common: 0.15, word: 0.7, stage: 0.3, body: 0.6, name: 0.9, role: 0.9, place: 1.2, region: 0.3,
	count: 1.6, age: 1.3, duration: 0.9, percent: 1.2,
}

// nameWeight is that of a word which is a name in either report.
const nameWeight = 1.1

// weigh is the weight of a term that stands in one of two reports.
func (a *account) weigh(b *account, t term) float64 {
	if t.class() == word && (contains(a.names, t) || contains(b.names, t)) {
		return nameWeight
	}
	return t.weight()
}

func (t term) weight() float64 {
	if t.class() >= classes {
		return 0
	}
	if t.class() == count && t.value() < 10 {
		return 0.7
	}
	return weights[t.class()]
}

const (
	// sameText is the resemblance from which two texts are one, as wire copy is, and
	// sameLead that of their beginnings.
	sameText = 0.45
	sameLead = 0.55
	// nearText is what lets two texts be one though their headlines name other
	// numbers, since one was brought up to date; but not other places: then it is a
	// form that was filled in twice.
	nearText = 0.8

	// Two reports tell the same event when what they have in common weighs enough,
	// and is at least minPart of what their headlines say; the larger the part, the
	// less weight it takes. See docs/stories.md for how well.
	enough    = 3.0
	minTitle  = 1.0
	minShared = 2.2
	minPart   = 0.5
	perPart   = 4
	// Between scripts only numbers, places and listed terms can agree.
	across = 0.4
	// What one headline calls another of its kind takes so much more.
	aside = 1.5
)

// tells reports whether two accounts are of the same event.
func (a *account) tells(b *account) bool {
	if gap := a.when.Sub(b.when); gap > maxGap || gap < -maxGap {
		return false
	}
	whole, lead := a.resemblance(b.sketch)
	if whole >= nearText && !elsewhere(a.title, b.title) {
		return true
	}
	if a.differs(b) {
		return false
	}
	if whole >= sameText || lead >= sameLead {
		return true
	}
	if a.titleWeight < minTitle || b.titleWeight < minTitle {
		return false // "Timeline photos" says nothing of what happened
	}
	shared, part := a.shares(b)
	need := enough
	if a.another != b.another {
		need += aside // "Another teacher held": it may not be the one of the other report
	}
	if a.indic != b.indic {
		need += across
	}
	return part >= minPart && shared >= minShared && shared+perPart*(part-0.5) >= need
}

// shares weighs what two accounts have in common, and says what part it is of what
// their headlines say.
func (a *account) shares(b *account) (shared, part float64) {
	listed := a.indic != b.indic // only what the list knows can agree
	ofA, ofB := a.covered(b, listed), b.covered(a, listed)
	for _, t := range a.said {
		if !b.says(t) {
			continue
		}
		// What stands in both headlines counts in full; what one headline and the
		// other's text say, less; of what only the texts say, a word counts half.
		f := 0.8
		inA, inB := contains(a.title, t), contains(b.title, t)
		switch c := t.class(); {
		case inA && inB:
			f = 1
		case !inA && !inB && c != age && c != place && c != count && c != duration:
			f = 0.5
		}
		shared += f * a.weigh(b, t)
	}
	return shared, (ofA + ofB) / 2
}

// covered is the part of a's headline that b says as well.
func (a *account) covered(b *account, listed bool) float64 {
	var all, in float64
	for _, t := range a.title {
		if c := t.class(); listed && (c == word || c == common) {
			continue
		}
		w := a.weigh(b, t)
		all += w
		if b.says(t) {
			in += w
		}
	}
	if all == 0 {
		return 0
	}
	return in / all
}

func contains(sorted []term, t term) bool {
	_, ok := slices.BinarySearch(sorted, t)
	return ok
}

// says reports whether the account holds a term. A number agrees with one that is a
// fiftieth more or less: 36 million are 36.2 million.
func (a *account) says(t term) bool { return holds(a.said, t) }

func holds(sorted []term, t term) bool {
	if contains(sorted, t) {
		return true
	}
	if t.class() != count || t.value() < 1000 {
		return false
	}
	n := t.value()
	i, _ := slices.BinarySearch(sorted, number(count, n-n/50))
	return i < len(sorted) && sorted[i] <= number(count, n+n/50)
}

// differs reports whether the headlines contradict each other: other numbers, ages or
// terms of years, places that do not lie in one another, another stage of the matter.
// What the other report's text says as well is no contradiction.
func (a *account) differs(b *account) bool {
	for _, c := range []class{count, duration, percent} {
		if apart(a, b, c) && apart(b, a, c) {
			return true
		}
	}
	// A report names the age of whom it is about somewhere.
	mine, ok := ofClass(a.said, age)
	if theirs, has := ofClass(b.said, age); ok && has && !slices.ContainsFunc(mine, func(t term) bool { return contains(theirs, t) }) {
		return true
	}
	if x, y := step(a.title), step(b.title); x != y && x > 0 && y > 0 {
		return true
	}
	return elsewhere(a.title, b.said) || elsewhere(b.title, a.said)
}

// apart reports whether a's headline has terms of a class, and b's has too, and b
// says none of a's.
func apart(a, b *account, c class) bool {
	mine, ok := ofClass(a.title, c)
	if _, has := ofClass(b.title, c); !ok || !has {
		return false
	}
	return !slices.ContainsFunc(mine, b.says)
}

// ofClass is the stretch of sorted terms that are of a class.
func ofClass(sorted []term, c class) ([]term, bool) {
	lo, _ := slices.BinarySearch(sorted, term(c)<<valueBits)
	hi, _ := slices.BinarySearch(sorted, term(c+1)<<valueBits)
	return sorted[lo:hi], hi > lo
}

// elsewhere reports whether a headline names places, and the other report names some
// of which none is one of these, holds one, or lies in one.
func elsewhere(title, said []term) bool {
	here, there := placesOf(title), placesOf(said)
	if len(here) == 0 || len(there) == 0 {
		return false
	}
	for _, p := range here {
		for _, q := range there {
			if p.Within(q) || q.Within(p) {
				return false
			}
		}
	}
	return true
}

func placesOf(sorted []term) []gazetteer.Place {
	var out []gazetteer.Place
	for _, c := range []class{place, region} {
		terms, _ := ofClass(sorted, c)
		for _, t := range terms {
			if p, ok := spots[t]; ok {
				out = append(out, p)
			}
		}
	}
	return out
}

// steps are the stages of a matter in the order in which they come.
var steps = map[term]int{
	named(stage, "raid"): 1, named(stage, "arrest"): 1, named(stage, "register"): 1,
	named(stage, "bail"): 2, named(stage, "chargesheet"): 3, named(stage, "acquit"): 4, named(stage, "sentence"): 4,
}

// step is the latest stage that a headline names; zero where it names none.
func step(title []term) int {
	n := 0
	terms, _ := ofClass(title, stage)
	for _, t := range terms {
		n = max(n, steps[t])
	}
	return n
}
