package story

import "slices"

// Stages by their steps, see steps.
const (
	atCourt = 2 // bail
	ended   = 4 // a verdict
)

// goesOn weighs what speaks for it that a is of another stage of the case that b, which
// is of the archive and older, tells of.
func (x *Archive) goesOn(a, b *facts) (weight float64, ok bool) {
	if b.stage() == a.stage() || b.stage() == ended {
		return 0, false
	}
	weight, own := x.evidence(a, b)
	return weight, weight >= sameCase && own >= ownFacts
}

const (
	// sameCase is the evidence from which two reports are of one case.
	sameCase = 3.0
	// ownFacts is how many of the facts must be a case's own.
	ownFacts = 2
	// clearly is by how much one case must speak for itself where two would do.
	clearly = 1.3
	// A fact that is told of on more than fewDays is hardly a case's own, and on
	// more than manyDays not at all: a police station, an officer, a round number.
	fewDays, manyDays = 6, 20
	// town is the depth from which a place is smaller than a district.
	town = 4
)

// ofCase reports whether a term may tell one case from another.
func ofCase(t term) bool {
	switch t.class() {
	case word, age:
		return true
	case count:
		return t.value() >= 10
	}
	return false
}

// own is how far a fact is one case's own, from 0 to 1.
func (x *Archive) own(t term) float64 {
	switch {
	case !ofCase(t) || x.days[t] > manyDays && t.class() != age:
		return 0
	case x.days[t] > fewDays && t.class() != age:
		return 0.5
	}
	return 1
}

// evidence weighs the facts that two reports agree on, and counts those of them that
// a case has for itself: names, numbers, ages, small places, and words that hardly any
// other report has. A place and a trade, and a first name with them, have many men.
func (x *Archive) evidence(a, b *facts) (sum, own float64) {
	var names, rare, roles, bodies, places, operation float64
	operations := slices.Concat(a.operations, b.operations)
	officials := slices.Concat(a.officials, b.officials)
	houses := slices.Concat(a.houses, b.houses)
	var shared []term // places
	for _, t := range a.said {
		if !b.says(t) {
			continue
		}
		f := x.own(t)
		switch t.class() {
		case word:
			switch {
			case slices.Contains(operations, t):
				operation = 0.6 // it runs for years, and has many cases
			case slices.Contains(officials, t): // and so have they
			case slices.Contains(styles, t):
			case contains(a.names, t) || contains(b.names, t):
				names += 1.3 * f
				own += f
				if slices.Contains(houses, t) {
					own += f // of which there is one, where many men are called Rajesh
				}
			case f == 1:
				rare++
			}
		case count:
			if t.value() >= 100 {
				f *= 1.3
			}
			sum += 1.2 * f
			own += f
		case age:
			sum += 1.4
			own++
		case role:
			if t == student {
				roles += 0.3
			} else {
				roles += 0.8
			}
		case body:
			bodies = 0.4
		case place:
			shared = append(shared, t)
		}
	}
	for _, t := range shared {
		p := spots[t]
		switch {
		case slices.ContainsFunc(shared, func(o term) bool { return o != t && spots[o].Within(p) }):
		case p.Depth() >= town:
			places += 1.2
			own++
		default:
			places += 0.9
		}
	}
	if a.indic && b.indic { // no capital tells a name there
		own += min(rare/2, 2)
		rare = min(0.6*rare, 2.4)
	} else {
		own += min(rare/3, 1)
		rare = min(0.5*rare, 1.5)
	}
	return sum + operation + min(names, 2.6) + rare + min(roles, 1.6) + bodies + min(places, 2), own
}

// student may be the accused or the child.
var student = named(role, "student")

// contradicted reports whether any of a story's reports says other than b, which is
// months older: another place, trade, number or surname, or an age that b's person cannot
// have come to.
func contradicted(story []facts, b *facts) bool {
	return slices.ContainsFunc(story, func(a facts) bool {
		if apart(&a.account, &b.account, count) && apart(&b.account, &a.account, count) || elsewhere(a.title, b.said) || elsewhere(b.title, a.said) {
			return true
		}
		mine, ok := ofClass(a.said, age)
		theirs, has := ofClass(b.said, age)
		if ok && has && !slices.ContainsFunc(mine, func(t term) bool { return contains(theirs, t) || contains(theirs, t-1) }) {
			return true
		}
		return otherTrade(&a, b) || a.namesakes(b)
	})
}

// otherTrade reports whether both say what the accused is, and nothing of it agrees.
func otherTrade(a, b *facts) bool {
	mine, _ := ofClass(a.said, role)
	theirs, _ := ofClass(b.said, role)
	isStudent := func(t term) bool { return t == student }
	mine, theirs = slices.DeleteFunc(slices.Clone(mine), isStudent), slices.DeleteFunc(slices.Clone(theirs), isStudent)
	return len(mine) > 0 && len(theirs) > 0 && !slices.ContainsFunc(mine, func(t term) bool { return contains(theirs, t) })
}
