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
	hits  []classifier.Hit // the earliest first
	facts []facts
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
		f := factsOf(h)
		x.facts = append(x.facts, f)
		x.hits[i] = slim(h)
		day := f.when.Unix() / int64(24*time.Hour/time.Second)
		for _, t := range f.said {
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

// slim is a hit without what only its facts are made of: an archive is kept.
func slim(h classifier.Hit) classifier.Hit {
	h.Item.Summary, h.Item.Content, h.Item.Authors, h.Item.Categories, h.Sketch = "", "", nil, nil, nil
	h.Rules = slices.Clone(h.Rules)
	for i := range h.Rules {
		h.Rules[i].Matches, h.Rules[i].Excerpt = nil, classifier.Excerpt{}
	}
	return h
}

// FollowsUp reports whether a hit is of a stage that others come before: bail, a
// charge sheet, a verdict.
func FollowsUp(h classifier.Hit) bool {
	a := accountOf(h)
	return a.stage() >= atCourt
}

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
	told := make([]facts, len(members))
	begun := When(s.Lead)
	own := make(map[feed.ItemID]bool)
	for i, h := range members {
		told[i] = factsOf(h)
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
			if w, ok := x.goesOn(&told[i], &x.facts[n]); ok && !contradicted(told, &x.facts[n]) {
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
// apart with f.
func (x *Archive) near(f *facts, before time.Time) []int {
	var out []int
	for _, t := range f.said {
		if x.own(t) == 0 {
			continue
		}
		for _, n := range x.posts[t] {
			if !x.facts[n].when.Before(before) {
				break
			}
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
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
	a, b := &x.facts[max(i, j)], &x.facts[min(i, j)]
	if a.stage() == b.stage() && a.when.Sub(b.when) > maxGap {
		return false
	}
	return !contradicted([]facts{*a}, b)
}
