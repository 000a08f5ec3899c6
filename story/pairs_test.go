package story

import (
	_ "embed"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
)

//go:embed testdata/dev.txt
var devPairs string

//go:embed testdata/held.txt
var heldPairs string

var (
	sameDay = flag.Bool("same-day", false, "date every labelled report to one day")
	bare    = flag.Bool("bare", false, "leave the texts of labelled reports out")
	show    = flag.Bool("show", false, "print every pair that is judged wrongly")
)

// labelled is a report of a fixture, and which event of which series it tells of.
type labelled struct {
	hit                     classifier.Hit
	lang, series, event, of string
}

func readLabelled(t testing.TB, fixture string) []labelled {
	t.Helper()
	var out []labelled
	var series, event, of string
	var when time.Time
	for line := range strings.Lines(fixture) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "# "):
		case strings.HasPrefix(line, "## "):
			series = line[3:]
		case strings.HasPrefix(line, "= "):
			f := strings.Fields(line)
			var err error
			if when, err = time.Parse("2006-01-02T15:04", f[2]); err != nil {
				t.Fatal(err)
			}
			if *sameDay {
				when = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			}
			event, of = f[1], ""
			if len(f) == 5 {
				of = f[4]
			}
		default:
			f := strings.SplitN(line, " | ", 3)
			if len(f) != 3 {
				t.Fatalf("not a report: %s", line)
			}
			if *bare {
				f[2] = ""
			}
			n := len(out)
			link := fmt.Sprintf("https://outlet%d.example/%d", n%7, n)
			it := feed.Item{
				ID: feed.NewItemID("f", "", link, ""), FeedID: fmt.Sprintf("f%d", n%7), Title: f[1], Link: link, Content: f[2],
				Lang: f[0], Published: when.Add(time.Duration(n%5) * time.Hour),
			}
			h := classifier.Hit{Item: it, Found: it.Published.Add(time.Minute), Sketch: Sketch(it)}
			h.Item.Content = ""
			out = append(out, labelled{h, f[0], series, event, of})
		}
	}
	return out
}

type score struct{ tp, fp, fn, tn int }

func (s score) precision() float64 { return float64(s.tp) / float64(max(s.tp+s.fp, 1)) }
func (s score) recall() float64    { return float64(s.tp) / float64(max(s.tp+s.fn, 1)) }

// judgePairs groups each series' reports and compares every pair of them with its
// label.
func judgePairs(t testing.TB, fixture string) (all, sameLang score) {
	t.Helper()
	reports := readLabelled(t, fixture)
	var hits []classifier.Hit
	for _, r := range reports {
		hits = append(hits, r.hit)
	}
	told := make(map[feed.ItemID]int)
	for n, st := range Group(hits) {
		for _, h := range append([]classifier.Hit{st.Lead}, st.Also...) {
			told[h.Item.ID] = n
		}
	}
	for i, a := range reports {
		for _, b := range reports[:i] {
			if a.series != b.series {
				if told[a.hit.Item.ID] == told[b.hit.Item.ID] {
					t.Errorf("two series are one story: %q and %q", b.hit.Item.Title, a.hit.Item.Title)
				}
				continue
			}
			want, got := a.event == b.event, told[a.hit.Item.ID] == told[b.hit.Item.ID]
			for _, s := range []*score{&all, &sameLang} {
				if s == &sameLang && a.lang != b.lang {
					continue
				}
				switch {
				case want && got:
					s.tp++
				case want:
					s.fn++
				case got:
					s.fp++
				default:
					s.tn++
				}
			}
			if want != got && *show {
				x, y := accountOf(b.hit), accountOf(a.hit)
				sh, part := x.shares(&y)
				w, l := x.resemblance(y.sketch)
				t.Logf("joined=%t, want %t (shared %.2f, part %.2f, text %.2f, lead %.2f, differs %t)\n\t%s\n\t%s", got, want, sh, part, w, l, x.differs(&y), b.hit.Item.Title, a.hit.Item.Title)
			}
		}
	}
	return all, sameLang
}

// What docs/stories.md says of precision and recall.
func TestPairs(t *testing.T) {
	for _, tt := range []struct{ name, fixture string }{{"dev", devPairs}, {"held", heldPairs}} {
		all, same := judgePairs(t, tt.fixture)
		t.Logf("%s: %d pairs, of which %d are of one event: precision %.3f, recall %.3f; in one language: %d of one event, precision %.3f, recall %.3f",
			tt.name, all.tp+all.fp+all.fn+all.tn, all.tp+all.fn, all.precision(), all.recall(), same.tp+same.fn, same.precision(), same.recall())
		if !*bare && (all.precision() < 0.95 || all.recall() < 0.95) {
			t.Errorf("%s: below 0.95", tt.name)
		}
	}
}
