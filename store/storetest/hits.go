package storetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/store"
)

var hitTests = []testCase{
	{"WindowIsBoundedAndOrderedByTheFirstSeqInIt", func(s *suite) {
		s.sync(t0, "a")
		one, two, three := item("a", 1), item("a", 2), item("a", 3)
		b := batch(s.claimOne(t0), t0, one, two, three)
		b.Hits = []classifier.Hit{hit(one, t0, "r1"), hit(two, t0, "r1", "r2"), hit(three, t0, "r1")} // 1; 2 and 3; 4
		s.put(b)
		b = batch(s.claimOne(after(60)), after(60), one)
		b.Hits = []classifier.Hit{hit(one, after(60), "r1", "r9")} // 1 and 5
		s.put(b)
		for _, c := range []struct {
			from, to int64
			want     []feed.Item
		}{
			{0, 0, nil},
			{0, 1, []feed.Item{one}},
			{0, 5, []feed.Item{one, two, three}},
			{0, 999, []feed.Item{one, two, three}},
			{1, 5, []feed.Item{two, three, one}},
			{2, 3, []feed.Item{two}},
			{3, 5, []feed.Item{three, one}},
			{5, 5, nil},
			{5, 9, nil},
			{4, 2, nil},
		} {
			hits, err := s.Window(s.ctx(), c.from, c.to)
			s.ok(err)
			var want []string
			for _, it := range c.want {
				want = append(want, it.Title)
			}
			same(s, fmt.Sprintf("window %d to %d", c.from, c.to), titles(hits), want)
		}
		hits, err := s.Window(s.ctx(), 4, 5)
		s.ok(err)
		same(s, "all rules are there", seqs(hits[0]), map[string]int64{"r1": 1, "r9": 5})
	}},
	{"HitsAreFiltered", testHitFilters},
	{"HitsArePagedWithoutGapsOrRepeats", func(s *suite) {
		s.sync(t0, "a")
		var items []feed.Item
		for i := range 25 {
			items = append(items, item("a", i))
		}
		b := batch(s.claimOne(t0), t0, items...)
		for i, it := range items {
			// Several are found in the same millisecond, as those of one poll are.
			b.Hits = append(b.Hits, hit(it, after(i/7), "r"))
		}
		s.put(b)
		all, err := s.Hits(s.ctx(), store.HitQuery{})
		s.ok(err)
		same(s, "hits", len(all), 25)
		if !slices.IsSortedFunc(all, func(x, y classifier.Hit) int {
			if c := y.Found.Compare(x.Found); c != 0 {
				return c
			}
			return slices.Compare(y.Item.ID[:], x.Item.ID[:])
		}) {
			s.Fatal("not sorted")
		}
		var paged []classifier.Hit
		q := store.HitQuery{Limit: 4}
		for {
			page, err := s.Hits(s.ctx(), q)
			s.ok(err)
			paged = append(paged, page...)
			if len(page) < 4 {
				break
			}
			last := page[len(page)-1]
			q.BeforeTime, q.BeforeID = last.Found, last.Item.ID
		}
		same(s, "pages", paged, all)
	}},
	{"TallyCountsByRule", func(s *suite) {
		s.sync(t0, "a")
		b := batch(s.claimOne(t0), t0)
		for i, rules := range [][]string{{"r1"}, {"r1", "r2"}, {"r2"}, {"r1"}, {"r3"}} {
			it := item("a", i)
			b.Seen = append(b.Seen, sightings(it)...)
			h := hit(it, after(i*10), rules...)
			h.Quiet = rules[0] == "r3"
			b.Hits = append(b.Hits, h)
		}
		s.put(b)
		for _, c := range []struct {
			edges []time.Time
			want  store.Tally
		}{
			{nil, store.Tally{}},
			{[]time.Time{t0}, store.Tally{}},
			{[]time.Time{after(0), after(10), after(30)}, store.Tally{Hits: []int{1, 2}, Rules: map[string][]int{"r1": {1, 1}, "r2": {0, 2}}}},
			{[]time.Time{after(0).Add(time.Microsecond), after(100)}, store.Tally{Hits: []int{3}, Rules: map[string][]int{"r1": {2}, "r2": {2}}}},
			{[]time.Time{after(-9), after(-1), after(0)}, store.Tally{Hits: []int{0, 0}}},
		} {
			got, err := s.Tally(s.ctx(), c.edges)
			s.ok(err)
			if len(got.Hits) == 0 {
				got.Hits = nil
			}
			if len(got.Rules) == 0 {
				got.Rules = nil
			}
			same(s, fmt.Sprintf("tally of %v", c.edges), got, c.want)
		}
	}},
	{"HitsHaveADefaultLimit", func(s *suite) {
		s.hits(t0, "a", 120, "r")
		for limit, want := range map[int]int{0: 100, -1: 100, 7: 7, 110: 110, 1_000_000: 120} {
			hits, err := s.Hits(s.ctx(), store.HitQuery{Limit: limit})
			s.ok(err)
			same(s, fmt.Sprintf("limit %d", limit), len(hits), want)
		}
	}},
}

func testHitFilters(s *suite) {
	s.sync(t0, "a", "b")
	cs := s.claim(t0)
	put := func(c store.Claim, n, minutes int, quiet bool, title, summary, excerpt string, rules ...string) {
		it := item(c.State.FeedID, n)
		it.Title, it.Summary = title, summary
		b := batch(c, after(minutes), it)
		b.State.NextCheck = t0
		h := hit(it, after(minutes), rules...)
		h.Quiet = quiet
		h.FeedTags, h.Source = []string{"feed-" + c.State.FeedID}, "The Daily "+strings.ToUpper(c.State.FeedID)
		h.Item.Lang = map[string]string{"a": "en-IN", "b": ""}[c.State.FeedID]
		for i := range h.Rules {
			h.Rules[i].Tags, h.Rules[i].Severity = []string{"kerala", "by " + h.Rules[i].Rule}, classifier.Low
			if h.Rules[i].Rule == "arrests" {
				h.Rules[i].Severity = classifier.High
			}
			h.Rules[i].Excerpt = classifier.Excerpt{Text: excerpt}
		}
		b.Hits = []classifier.Hit{h}
		s.put(b)
	}
	put(cs[0], 1, 1, false, "Kerala Police ARREST twelve", "In Kochi.", "under Operation P-Hunt", "p-hunt", "arrests")
	put(cs[1], 1, 2, false, "കേരള പോലീസിന്റെ ഓപ്പറേഷൻ പി-ഹണ്ട്", "സൈബർഡോം", "", "p-hunt")
	cs = s.claim(t0)
	put(cs[0], 2, 3, true, "Arrested in 2019", "", "", "arrests")
	put(cs[1], 2, 4, false, "Straße: Ermittler heben Netz aus", "फ़ोन ज़ब्त", "100% sure_thing", "europol")

	const (
		one, ml, old, de = "Kerala Police ARREST twelve", "കേരള പോലീസിന്റെ ഓപ്പറേഷൻ പി-ഹണ്ട്", "Arrested in 2019", "Straße: Ermittler heben Netz aus"
	)
	for name, c := range map[string]struct {
		q    store.HitQuery
		want []string
	}{
		"everything but the quiet": {store.HitQuery{}, []string{de, ml, one}},
		"quiet too":                {store.HitQuery{Quiet: true}, []string{de, old, ml, one}},
		"since":                    {store.HitQuery{Since: after(2)}, []string{de, ml}},
		"since, between":           {store.HitQuery{Since: after(2).Add(time.Microsecond)}, []string{de}},
		"until":                    {store.HitQuery{Until: after(2)}, []string{one}},
		"until, between":           {store.HitQuery{Until: after(2).Add(time.Microsecond)}, []string{ml, one}},
		"since and until":          {store.HitQuery{Since: after(2), Until: after(4)}, []string{ml}},
		"rule":                     {store.HitQuery{Rule: "p-hunt"}, []string{ml, one}},
		"second rule":              {store.HitQuery{Rule: "arrests", Quiet: true}, []string{old, one}},
		"no such rule":             {store.HitQuery{Rule: "p"}, nil},
		"feed":                     {store.HitQuery{Feed: "a"}, []string{one}},
		"word in the title":        {store.HitQuery{Text: "arrest"}, []string{one}},
		"word in the summary":      {store.HitQuery{Text: "kochi"}, []string{one}},
		"word in the excerpt":      {store.HitQuery{Text: "HUNT"}, []string{one}},
		"words, all of them":       {store.HitQuery{Text: "police kochi"}, []string{one}},
		"words, not all":           {store.HitQuery{Text: "police delhi"}, nil},
		"the beginning of a word":  {store.HitQuery{Text: "kera"}, []string{one}},
		"not the middle of one":    {store.HitQuery{Text: "era"}, nil},
		"Malayalam":                {store.HitQuery{Text: "പോലീസ"}, []string{ml}},
		"Malayalam, vowel signs":   {store.HitQuery{Text: "പി"}, []string{ml}},
		"Hindi, decomposed nukta":  {store.HitQuery{Text: "ज\u093cब्त"}, []string{de}},
		"folded ß":                 {store.HitQuery{Text: "STRASSE"}, []string{de}},
		"a wildcard is no word":    {store.HitQuery{Text: "100% sure"}, []string{de}},
		"punctuation alone":        {store.HitQuery{Text: "%_'"}, []string{de, ml, one}},
		"all at once":              {store.HitQuery{Since: after(1), Until: after(9), Rule: "p-hunt", Feed: "a", Text: "twelve"}, []string{one}},
		"tag of the feed":          {store.HitQuery{Tag: "feed-a", Quiet: true}, []string{old, one}},
		"tag of a rule":            {store.HitQuery{Tag: "by p-hunt"}, []string{ml, one}},
		"tag of a second rule":     {store.HitQuery{Tag: "by arrests"}, []string{one}},
		"not a part of a tag":      {store.HitQuery{Tag: "by"}, nil},
		"nor two tags":             {store.HitQuery{Tag: "feed-a\nkerala"}, nil},
		"a wildcard is no tag":     {store.HitQuery{Tag: "kera%"}, nil},
		"outlet":                   {store.HitQuery{Outlet: "the daily  A"}, []string{one}},
		"not a part of its name":   {store.HitQuery{Outlet: "The Daily"}, nil},
		"language":                 {store.HitQuery{Lang: "EN"}, []string{one}},
		"language and region":      {store.HitQuery{Lang: "en_in"}, []string{one}},
		"another region":           {store.HitQuery{Lang: "en-GB"}, nil},
		"not a part of a language": {store.HitQuery{Lang: "e"}, nil},
		"severity":                 {store.HitQuery{Severity: classifier.Medium, Quiet: true}, []string{old, one}},
		"severity, none":           {store.HitQuery{Severity: classifier.Critical, Quiet: true}, nil},
		"before":                   {store.HitQuery{BeforeTime: after(2)}, []string{one}},
	} {
		hits, err := s.Hits(s.ctx(), c.q)
		s.ok(err)
		same(s, name, titles(hits), c.want)
	}
}
