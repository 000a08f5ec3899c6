package story

import (
	"cmp"
	"slices"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
)

// Archive is the reports of a past in which the beginning of a case is looked for.
// It does not change, and is safe for concurrent use; nil is an empty one.
type Archive struct {
	hits     []classifier.Hit // the earliest first
	accounts []account
	stages   []int
	// posts are the reports that have a fact by which cases are told apart, and days
	// on how many days such a fact was told of.
	posts map[term][]int
	days  map[term]int
}

// NewArchive arranges reports, in any order.
func NewArchive(hits []classifier.Hit) *Archive {
	x := &Archive{hits: slices.Clone(hits), posts: make(map[term][]int), days: make(map[term]int)}
	slices.SortStableFunc(x.hits, func(a, b classifier.Hit) int {
		return cmp.Or(When(a).Compare(When(b)), slices.Compare(a.Item.ID[:], b.Item.ID[:]))
	})
	last := make(map[term]int64) // the day on which a fact was last told of
	for i, h := range x.hits {
		a := accountOf(h)
		x.accounts, x.stages = append(x.accounts, a), append(x.stages, a.stage())
		x.hits[i] = slim(h)
		day := a.when.Unix() / int64(24*time.Hour/time.Second)
		for _, t := range a.said {
			if !ofCase(t) {
				continue
			}
			x.posts[t] = append(x.posts[t], i)
			if last[t] != day {
				x.days[t]++
				last[t] = day
			}
		}
	}
	return x
}

// slim is a hit without what only its account is made of: an archive is kept.
func slim(h classifier.Hit) classifier.Hit {
	h.Item.Summary, h.Item.Content, h.Item.Authors, h.Item.Categories, h.Sketch = "", "", nil, nil, nil
	h.Rules = slices.Clone(h.Rules)
	for i := range h.Rules {
		h.Rules[i].Matches, h.Rules[i].Excerpt = nil, classifier.Excerpt{}
	}
	return h
}

// Stages by their steps, see steps.
const (
	atCourt = 2 // bail
	ended   = 4 // a verdict
)

// FollowsUp reports whether a hit is of a stage that others come before: bail, a
// charge sheet, a verdict.
func FollowsUp(h classifier.Hit) bool {
	a := accountOf(h)
	return a.stage() >= atCourt
}

// stage is the latest that the headline names or, where it names none, the text.
func (a *account) stage() int { return cmp.Or(step(a.title), step(a.said)) }

// First returns the first report of the case that a story goes on with: bail, a
// charge sheet, or a verdict, weeks or months after an arrest. fits says whether a
// report of the archive may be returned.
//
// A wrong case is worse than none. What both tell must weigh enough, see evidence,
// nothing may contradict it, and where reports of two cases would do, neither does.
func (x *Archive) First(s Story, fits func(classifier.Hit) bool) (classifier.Hit, bool) {
	if x == nil || len(x.hits) == 0 {
		return classifier.Hit{}, false
	}
	members := append([]classifier.Hit{s.Lead}, s.Also...)
	members = members[:min(len(members), maxWitnesses)]
	told := make([]account, len(members))
	begun := When(s.Lead)
	own := make(map[feed.ItemID]bool)
	for i, h := range members {
		told[i] = accountOf(h)
		own[h.Item.ID] = true
		if told[i].when.Before(begun) {
			begun = told[i].when
		}
	}
	weights := make(map[int]float64) // of the reports that may be of the case
	for i := range told {
		if told[i].stage() < atCourt {
			continue
		}
		for _, n := range x.near(&told[i], begun) {
			if own[x.hits[n].Item.ID] || !fits(x.hits[n]) {
				continue
			}
			if w, ok := x.goesOn(&told[i], n); ok && !contradicted(told, &x.accounts[n]) {
				weights[n] = max(weights[n], w)
			}
		}
	}
	n, ok := x.oneCase(weights)
	if !ok {
		return classifier.Hit{}, false
	}
	return x.hits[n], true
}

// near lists the reports before a time that share a fact by which cases are told
// apart with the account.
func (x *Archive) near(a *account, before time.Time) []int {
	var out []int
	for _, t := range a.said {
		if x.own(t) == 0 {
			continue
		}
		for _, n := range x.posts[t] {
			if !x.accounts[n].when.Before(before) {
				break
			}
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// goesOn weighs what speaks for it that the account is of a later stage of the case
// that a report of the archive tells of.
func (x *Archive) goesOn(a *account, n int) (weight float64, ok bool) {
	if earlier := x.stages[n]; earlier == a.stage() || earlier == ended {
		return 0, false
	}
	weight, telling := x.evidence(a, &x.accounts[n])
	return weight, telling && weight >= sameCase
}

const (
	// sameCase is the evidence from which two reports are of one case.
	sameCase = 3.0
	// clearly is by how much one case must speak for itself where two would do.
	clearly = 1.3
	// A fact that is told of on more than fewDays is hardly a case's own, and on
	// more than manyDays not at all: a police station, an officer, a round number.
	fewDays, manyDays = 6, 20
	// rareWords is what so many rare words weigh that a name must be among them.
	rareWords = 1.5
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

// evidence weighs the facts that two reports agree on. telling says that there is one
// among them which is more than a place and a trade: a name, a number, an age.
func (x *Archive) evidence(a, b *account) (sum float64, telling bool) {
	var names, plain, roles, bodies, spot, operation float64
	operations := slices.Concat(a.operations, b.operations)
	var shared []term // places
	for _, t := range a.said {
		if !b.says(t) {
			continue
		}
		own := x.own(t)
		switch t.class() {
		case word:
			switch {
			case slices.Contains(operations, t):
				operation = 0.6 // it runs for years, and has many cases
			case contains(a.names, t) || contains(b.names, t):
				names += 1.3 * own
				telling = telling || own > 0
			case own == 1:
				plain += 0.5
			}
		case count:
			if own > 0 {
				telling = true
				if t.value() >= 100 {
					sum += 1.6 * own
				} else {
					sum += 1.2 * own
				}
			}
		case age:
			sum += 1.4
			telling = true
		case role:
			if t == named(role, "student") {
				roles += 0.3
			} else {
				roles += 0.8
			}
		case body:
			bodies += 0.4
		case place:
			shared = append(shared, t)
		}
	}
	for _, t := range shared {
		p := spots[t]
		if !slices.ContainsFunc(shared, func(o term) bool { return o != t && spots[o].Within(p) }) {
			if p.Depth() >= town {
				spot += 1.2
			} else {
				spot += 0.9
			}
		}
	}
	if a.indic && b.indic && plain >= rareWords {
		telling = true // no capital tells a name there
	}
	return sum + operation + min(names, 2.6) + min(plain, 1.5) + min(roles, 1.6) + min(bodies, 0.4) + min(spot, 2), telling
}

// contradicted reports whether any of a story's reports says other than b, which is
// months older: another place, trade or number, or an age that b's person cannot
// have come to.
func contradicted(story []account, b *account) bool {
	return slices.ContainsFunc(story, func(a account) bool {
		if apart(&a, b, count) && apart(b, &a, count) || elsewhere(a.title, b.said) || elsewhere(b.title, a.said) {
			return true
		}
		mine, ok := ofClass(a.said, age)
		theirs, has := ofClass(b.said, age)
		if ok && has && !slices.ContainsFunc(mine, func(t term) bool { return contains(theirs, t) || contains(theirs, t-1) }) {
			return true
		}
		return otherTrade(&a, b)
	})
}

// otherTrade reports whether both say what the accused is, and nothing of it agrees.
// A student may be the accused or the child.
func otherTrade(a, b *account) bool {
	mine, _ := ofClass(a.said, role)
	theirs, _ := ofClass(b.said, role)
	isStudent := func(t term) bool { return t == named(role, "student") }
	mine, theirs = slices.DeleteFunc(slices.Clone(mine), isStudent), slices.DeleteFunc(slices.Clone(theirs), isStudent)
	return len(mine) > 0 && len(theirs) > 0 && !slices.ContainsFunc(mine, func(t term) bool { return contains(theirs, t) })
}

// oneCase returns the earliest of the reports that are of the case for which most
// speaks, and false where another case may be meant as well.
func (x *Archive) oneCase(weights map[int]float64) (int, bool) {
	if len(weights) == 0 {
		return 0, false
	}
	best, most := -1, 0.0
	for n, w := range weights {
		if w > most || w == most && n < best {
			best, most = n, w
		}
	}
	first := best
	for n, w := range weights {
		switch {
		case x.sameMatter(n, best):
			first = min(first, n)
		case w*clearly > most:
			return 0, false
		}
	}
	return first, true
}

// sameMatter reports whether two reports that may both be of the case can be of one:
// either of one stage and told within days of each other, or of two stages; and
// neither contradicts the other.
func (x *Archive) sameMatter(i, j int) bool {
	if i == j {
		return true
	}
	a, b := &x.accounts[max(i, j)], &x.accounts[min(i, j)]
	if x.stages[i] == x.stages[j] && a.when.Sub(b.when) > maxGap {
		return false
	}
	return !contradicted([]account{*a}, b)
}
