package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/story"
	"github.com/newswatch/newswatch/web/desk"
)

const (
	day  = 24 * time.Hour
	week = 7 * day
	// countLimit is how many hits or deliveries of a week are counted; beyond it
	// the page says "more than".
	countLimit = 1000
	// watchStories and watchRules bound the lists on the page.
	watchStories = 12
	watchRules   = 20
)

// watchView is the page that answers: is the watch kept, and what came in?
type watchView struct {
	verdict
	Numbers []number
	Chart   chartView
	// Silent are rules that found nothing in all the days of the chart: one that
	// never matches looks the same as one that has nothing to find, so they are
	// named.
	Silent     []desk.Rule
	SilentMore int
	Stories    []storyView
	// Notices are the newest.
	Notices []noticeView
}

// number is one line of the table of figures.
type number struct {
	Label     string
	Day, Week string
}

func (s *Server) watch(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := bounded(r)
	defer cancel()
	st, now := s.o.Status(), s.o.Now()
	view, err := s.look(ctx, st, now)
	if err != nil {
		s.storeFailed(w, r, err)
		return
	}
	s.show(w, r, http.StatusOK, watchPage, view.Headline, st, now, view)
}

// look asks the store for all that the page tells.
func (s *Server) look(ctx context.Context, st desk.Status, now time.Time) (watchView, error) {
	if err := s.ping(ctx); err != nil {
		return watchView{}, err
	}
	feeds, err := s.condition(ctx, now)
	if err != nil {
		return watchView{}, err
	}
	standings, err := s.o.Store.Standings(ctx)
	if err != nil {
		return watchView{}, err
	}
	counts, err := s.o.Store.Counts(ctx)
	if err != nil {
		return watchView{}, err
	}
	hits, err := s.o.Store.Hits(ctx, store.HitQuery{Since: now.Add(-week), Limit: countLimit})
	if err != nil {
		return watchView{}, err
	}
	edges := desk.Days(now.In(s.o.Location), chartDays)
	tally, err := s.o.Store.Tally(ctx, edges)
	if err != nil {
		return watchView{}, err
	}
	sent, err := s.o.Store.Deliveries(ctx, "", countLimit)
	if err != nil {
		return watchView{}, err
	}
	notices, err := s.o.Store.LatestNotices(ctx, 0, watchNotices)
	if err != nil {
		return watchView{}, err
	}

	view := watchView{verdict: judge(st, feeds, standings, counts.DeadLetters, now)}
	stories := story.Group(hits)
	view.Numbers = figures(hits, stories, sent, now)
	view.Chart = chart(tally, edges, st.Rules)
	view.Silent, view.SilentMore = atMost(silentRules(st.Rules, tally), watchRules)
	m := moments{now, s.o.Location}
	view.Notices = m.notices(notices, st)
	for _, told := range stories[:min(len(stories), watchStories)] {
		view.Stories = append(view.Stories, m.story(told.Each(st.Shown)))
	}
	return view, nil
}

// figures counts the last day and the last week.
func figures(hits []classifier.Hit, stories []story.Story, sent []notify.Delivery, now time.Time) []number {
	yesterday, lastWeek := now.Add(-day), now.Add(-week)
	today := func(h classifier.Hit) bool { return h.Found.After(yesterday) }
	reports, tales := tally{}, tally{}
	for _, h := range hits {
		reports.add(today(h))
	}
	// A story counts for the day on which anyone reported it.
	for _, told := range stories {
		tales.add(today(told.Lead) || slices.ContainsFunc(told.Also, today))
	}
	if len(hits) == countLimit {
		dayCut := today(hits[len(hits)-1])
		reports.cut(dayCut, true)
		tales.cut(dayCut, true)
	}
	digests := tally{}
	for _, d := range sent {
		if d.Accepted.After(lastWeek) {
			digests.add(d.Accepted.After(yesterday))
		}
	}
	if len(sent) == countLimit {
		oldest := sent[len(sent)-1].Accepted
		digests.cut(oldest.After(yesterday), oldest.After(lastWeek))
	}
	return []number{tales.line("Stories"), reports.line("Reports"), digests.line("Digests sent")}
}

// tally counts a day and the week it ends; dayCut and weekCut say that there was
// more than was counted.
type tally struct {
	day, week       int
	dayCut, weekCut bool
}

func (t *tally) add(today bool) {
	t.week++
	if today {
		t.day++
	}
}

func (t *tally) cut(day, week bool) { t.dayCut, t.weekCut = day, week }

func (t *tally) line(label string) number {
	write := func(n int, cut bool) string {
		if cut {
			return "more than " + thousands(n)
		}
		return thousands(n)
	}
	return number{label, write(t.day, t.dayCut), write(t.week, t.weekCut)}
}

// silentRules lists the rules in force that found nothing.
func silentRules(rules []desk.Rule, t store.Tally) []desk.Rule {
	var silent []desk.Rule
	for _, r := range rules {
		if t.Rules[r.ID] == nil {
			silent = append(silent, desk.Rule{ID: r.ID, Name: short(cmp.Or(r.Name, r.ID), maxName)})
		}
	}
	return silent
}

// atMost cuts a list and says how many were cut off.
func atMost[T any](list []T, n int) (kept []T, more int) {
	if len(list) <= n {
		return list, 0
	}
	return list[:n], len(list) - n
}
