package story

import (
	"slices"
	"time"

	"github.com/newswatch/newswatch/classifier"
)

// grouping is Group at work: the reports in the order of their times, what they
// say, and the sets that they were joined to so far.
type grouping struct {
	hits     []classifier.Hit
	accounts []account
	sets     sets
}

// byKeys joins the reports of one page, of one title, and of one recorded story.
func (g *grouping) byKeys() {
	lists := listPages(g.hits)
	last := make(map[string]int) // a key's newest hit so far
	for i, h := range g.hits {
		title := titleKey(h)
		for _, k := range []string{"title\x00" + title, "story\x00" + h.Story} {
			if k == "title\x00" || k == "story\x00" {
				continue
			}
			if j, ok := last[k]; ok && When(h).Sub(When(g.hits[j])) <= maxGap {
				g.sets.join(i, j)
			}
			last[k] = i
		}
		link := linkKey(h.Item.Link)
		if link == "" || lists[link] {
			continue
		}
		if j, ok := last["link\x00"+link]; ok {
			g.sets.join(i, j)
		}
		last["link\x00"+link] = i
	}
}

// byContent joins what tells the same in other words. A report is compared with
// those before it that share a key with it, and joins the story of those that tell
// the same, unless it contradicts another report of that story.
func (g *grouping) byContent() {
	var x index
	members := make(map[int][]int) // of each set, by its root
	for i := range g.hits {
		r := g.sets.root(i)
		members[r] = append(members[r], i)
	}
	for i := range g.accounts {
		a := &g.accounts[i]
		for _, j := range x.near(a, a.when.Add(-maxGap)) {
			r, s := g.sets.root(i), g.sets.root(j)
			if r == s || !a.tells(&g.accounts[j]) || !g.agree(members[r], members[s]) {
				continue
			}
			g.sets.join(i, j)
			members[g.sets.root(i)] = slices.Concat(members[r], members[s])
		}
		x.add(i, a)
	}
}

const (
	// maxWitnesses bounds how many reports of a story are asked whether another
	// belongs to it, and agreeing is the part of them that must say so: stories that
	// were joined by a chain of reports, each like the next, would have no end.
	maxWitnesses = 8
	agreeing     = 0.5
)

// agree reports whether two stories are one: enough of their reports tell the same,
// and none contradicts another.
func (g *grouping) agree(a, b []int) bool {
	a, b = a[:min(len(a), maxWitnesses)], b[:min(len(b), maxWitnesses)]
	same := 0
	for _, i := range a {
		for _, j := range b {
			x, y := &g.accounts[i], &g.accounts[j]
			if x.tells(y) {
				same++
			} else if x.differs(y) {
				return false
			}
		}
	}
	return float64(same) >= agreeing*float64(len(a)*len(b))
}

// stories gathers the sets, the one with the newest report first.
func (g *grouping) stories() []Story {
	at := make(map[int]int)
	var sets [][]int
	for i := range g.hits {
		root := g.sets.root(i)
		n, ok := at[root]
		if !ok {
			n = len(sets)
			at[root] = n
			sets = append(sets, nil)
		}
		sets[n] = append(sets[n], i)
	}
	slices.SortFunc(sets, func(a, b []int) int { return b[len(b)-1] - a[len(a)-1] })
	out := make([]Story, len(sets))
	for n, set := range sets {
		lead := g.lead(set)
		out[n].Lead = g.hits[lead]
		for _, i := range set {
			if i != lead {
				out[n].Also = append(out[n].Also, g.hits[i])
			}
		}
	}
	return out
}

// index finds the reports that may tell the same as another.
type index struct{ posts map[uint64][]post }

type post struct {
	n    int
	when time.Time
}

const (
	// maxPosts is how many reports are looked at under one key, the newest first: a
	// key that many share tells nothing, and must not cost more for it.
	maxPosts = 24
	// keyWeight is what a term must weigh to be a key.
	keyWeight = 0.6
)

func (a *account) keys() []uint64 {
	out := a.bands()
	for _, t := range a.said {
		if t.weight() >= keyWeight && (t.class() != word || contains(a.title, t)) {
			out = append(out, uint64(t))
		}
	}
	return out
}

func (x *index) add(n int, a *account) {
	if x.posts == nil {
		x.posts = make(map[uint64][]post)
	}
	for _, k := range a.keys() {
		x.posts[k] = append(x.posts[k], post{n, a.when})
	}
}

// near returns the reports since a time that share a key with the account, those
// first that share most.
func (x *index) near(a *account, since time.Time) []int {
	shared := make(map[int]int)
	for _, k := range a.keys() {
		list := x.posts[k]
		for i := len(list) - 1; i >= 0 && i >= len(list)-maxPosts && !list[i].when.Before(since); i-- {
			shared[list[i].n]++
		}
	}
	out := make([]int, 0, len(shared))
	for n := range shared {
		out = append(out, n)
	}
	slices.SortFunc(out, func(p, q int) int {
		if d := shared[q] - shared[p]; d != 0 {
			return d
		}
		return p - q
	})
	return out
}

// listPages finds the links that one feed gives to different titles, or to several
// items without one.
func listPages(hits []classifier.Hit) map[string]bool {
	type place struct{ feed, link string }
	titles := make(map[place]string)
	lists := make(map[string]bool)
	for _, h := range hits {
		link := linkKey(h.Item.Link)
		if link == "" {
			continue
		}
		p := place{h.Item.FeedID, link}
		if t, seen := titles[p]; seen && (t != h.Item.Title || t == "") {
			lists[link] = true
		}
		titles[p] = h.Item.Title
	}
	return lists
}

// sets is a forest of disjoint sets.
type sets []int

func newSets(n int) sets {
	s := make(sets, n)
	for i := range s {
		s[i] = i
	}
	return s
}

func (s sets) root(i int) int {
	for s[i] != i {
		s[i] = s[s[i]]
		i = s[i]
	}
	return i
}

func (s sets) join(i, j int) { s[s.root(i)] = s.root(j) }
