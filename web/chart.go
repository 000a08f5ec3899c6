package web

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/web/desk"
)

const (
	// chartDays is how many days of the calendar the chart shows, today included.
	chartDays = 30
	// chartRules is how many rules have a colour of their own; the rest is one.
	chartRules = 5
	// The chart's own units, of which the browser makes what fits.
	chartWidth, chartHeight = 600, 150
)

// chartView is hits a day by rule: as bars, and as a table that says the same.
type chartView struct {
	Width, Height int
	Bars          []bar
	Legend        []series
	// Top is the number at the upper line, zero where there is nothing to show.
	Top  int
	Days []chartDay
	// Said is the chart in a sentence, for who cannot see it.
	Said string
}

// bar is a rectangle: one rule's share of one day.
type bar struct{ X, Y, W, H, Series int }

// series is a rule of the chart, or the others together.
type series struct {
	N     int // the number of its colour
	ID    string
	Name  string
	Total int
}

// chartDay is a row of the table; Counts are in the order of the legend.
type chartDay struct {
	ISO, Name string
	Counts    []int
	Total     int
}

// chart lays out what was found between the edges. A hit of several rules counts
// for each, so the bars can be higher than the day has hits; the table has both.
func chart(t store.Tally, edges []time.Time, rules []desk.Rule) chartView {
	v := chartView{Width: chartWidth, Height: chartHeight}
	name := map[string]string{}
	for _, r := range rules {
		name[r.ID] = r.Name
	}
	for id, days := range t.Rules {
		s := series{ID: id, Name: short(cmp.Or(name[id], id), maxName)}
		for _, n := range days {
			s.Total += n
		}
		v.Legend = append(v.Legend, s)
	}
	slices.SortFunc(v.Legend, func(a, b series) int { return cmp.Or(b.Total-a.Total, strings.Compare(a.ID, b.ID)) })
	if len(v.Legend) > chartRules+1 {
		rest := series{Name: fmt.Sprintf("%d other rules", len(v.Legend)-chartRules)}
		for _, s := range v.Legend[chartRules:] {
			rest.Total += s.Total
		}
		v.Legend = append(v.Legend[:chartRules:chartRules], rest)
	}
	for i := range v.Legend {
		v.Legend[i].N = i
	}
	most := 0
	for d := range t.Hits {
		day := chartDay{ISO: edges[d].Format(time.DateOnly), Name: edges[d].Format("2 Jan"), Total: t.Hits[d]}
		sum := 0
		for _, days := range t.Rules {
			sum += days[d]
		}
		left := sum
		for _, s := range v.Legend {
			n := left
			if s.ID != "" {
				n = t.Rules[s.ID][d]
			}
			left -= n
			day.Counts = append(day.Counts, n)
		}
		most = max(most, sum)
		v.Days = append(v.Days, day)
	}
	v.Top = ceiling(most)
	v.Said = "No report in these days."
	if v.Top > 0 {
		v.draw()
		v.Said = fmt.Sprintf("Most by %s: %s.", v.Legend[0].Name, count(v.Legend[0].Total, "report", "reports"))
	}
	return v
}

// draw stacks each day's rules, the busiest at the bottom.
func (v *chartView) draw() {
	step := v.Width / len(v.Days)
	for d, day := range v.Days {
		below := 0
		for s, n := range day.Counts {
			// From the sums, so that roundings do not add up.
			from, to := below*v.Height/v.Top, (below+n)*v.Height/v.Top
			below += n
			if n > 0 {
				v.Bars = append(v.Bars, bar{X: d*step + 1, Y: v.Height - to, W: step - 2, H: max(1, to-from), Series: s})
			}
		}
	}
}

// ceiling is the next number at which a line is drawn: 1, 2 or 5 and noughts.
func ceiling(n int) int {
	if n == 0 {
		return 0
	}
	for unit := 1; ; unit *= 10 {
		for _, f := range []int{1, 2, 5} {
			if f*unit >= n {
				return f * unit
			}
		}
	}
}
