package story

import (
	_ "embed"
	"slices"
	"testing"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
)

//go:embed testdata/cases.txt
var devCases string

//go:embed testdata/casesheld.txt
var heldCases string

// links is how well the stories of a fixture are linked to what they follow up.
type links struct{ followUps, linked, right, first int }

func (l links) precision() float64 { return float64(l.right) / float64(max(l.linked, 1)) }
func (l links) recall() float64    { return float64(l.right) / float64(max(l.followUps, 1)) }

// judgeLinks takes every story of the reports for news at its time, with all that was
// reported before it, of every fixture, for the past. each takes each report for a
// story of its own.
func judgeLinks(t testing.TB, past, news []labelled, each bool) (l links) {
	t.Helper()
	archive := NewArchive(hitsOf(past))
	byID := make(map[feed.ItemID]labelled)
	of := make(map[string]string) // what an event follows up
	for _, r := range past {
		byID[r.hit.Item.ID] = r
		of[r.series+r.event] = r.of
	}
	stories := Group(hitsOf(news))
	if each {
		stories = nil
		for _, r := range news {
			stories = append(stories, Story{Lead: r.hit})
		}
	}
	for _, s := range stories {
		r := byID[s.Lead.Item.ID]
		if r.of != "" {
			l.followUps++
		}
		hit, ok := archive.First(s, func(classifier.Hit) bool { return true })
		if !ok {
			if r.of != "" && *show {
				t.Logf("missed: %s\n\t%s", r.event, s.Lead.Item.Title)
			}
			continue
		}
		got := byID[hit.Item.ID]
		l.linked++
		if r.of != "" && r.series == got.series && (got.event == r.of || of[got.series+got.event] == r.of) {
			l.right++
			if got.event == r.of {
				l.first++
				continue
			}
		}
		if *show {
			t.Logf("%s is linked to %s\n\t%s\n\t%s", r.event, got.event, s.Lead.Item.Title, hit.Item.Title)
		}
	}
	return l
}

func hitsOf(reports []labelled) []classifier.Hit {
	hits := make([]classifier.Hit, len(reports))
	for i, r := range reports {
		hits[i] = r.hit
	}
	return slices.Clip(hits)
}

// What docs/stories.md says of links to a case's first report.
func TestLinks(t *testing.T) {
	dev := readLabelled(t, devPairs+devCases)
	all := readLabelled(t, devPairs+devCases+heldPairs+heldCases)
	for _, tt := range []struct {
		name string
		news []labelled
	}{{"dev", all[:len(dev)]}, {"held", all[len(dev):]}} {
		for _, each := range []bool{false, true} {
			l := judgeLinks(t, all, tt.news, each)
			t.Logf("%s, each report alone %t: %d follow-ups, %d linked, %d of them right, %d to the first story: precision %.3f, recall %.3f",
				tt.name, each, l.followUps, l.linked, l.right, l.first, l.precision(), l.recall())
			if !*bare && !*sameDay && (l.precision() < 0.97 || l.recall() < 0.7) {
				t.Errorf("%s: precision below 0.97 or recall below 0.7", tt.name)
			}
		}
	}
}

// TestNoLinkToAnotherCase: where a case's own reports are gone, none of all others'
// is taken for its beginning.
func TestNoLinkToAnotherCase(t *testing.T) {
	all := readLabelled(t, devPairs+devCases+heldPairs+heldCases)
	for _, r := range all {
		if r.of == "" {
			continue
		}
		others := slices.DeleteFunc(slices.Clone(all), func(o labelled) bool {
			return o.series == r.series && (o.event == r.of || o.of == r.of)
		})
		if got, ok := NewArchive(hitsOf(others)).First(Story{Lead: r.hit}, func(classifier.Hit) bool { return true }); ok {
			t.Errorf("%s is linked to another case's %q", r.event, got.Item.Title)
		}
	}
}
