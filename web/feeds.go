package web

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// feedsView is the health of every feed.
type feedsView struct {
	Summary string
	Sort    string
	Feeds   []feedView
	Pager   pager
}

// feedView is one row.
type feedView struct {
	ID     string
	Name   string
	Lang   string
	Health health
	Note   string
	// Error is the last failure in the fetcher's own words.
	Error   string
	Last    moment
	Changed moment
	Next    moment
	Paused  bool
	// Rhythm is how often the feed is looked at where the operator said so.
	Rhythm string
}

// feedOrders are the ways to sort the feeds. Equal feeds stand in the order of
// their ids.
var feedOrders = map[string]func(a, b checkup) int{
	"trouble": func(a, b checkup) int { return cmp.Compare(a.health, b.health) },
	"name":    func(a, b checkup) int { return strings.Compare(strings.ToLower(a.name()), strings.ToLower(b.name())) },
	"last":    func(a, b checkup) int { return b.state.LastSuccess.Compare(a.state.LastSuccess) },
	"changed": func(a, b checkup) int { return b.newest().Compare(a.newest()) },
	"next":    func(a, b checkup) int { return a.state.NextCheck.Compare(b.state.NextCheck) },
}

func (s *Server) feeds(w http.ResponseWriter, r *http.Request) {
	now := s.o.Now()
	ctx, cancel := bounded(r)
	defer cancel()
	st := s.o.Status()
	states, err := s.o.States(ctx)
	if err != nil {
		s.storeFailed(w, r, err)
		return
	}
	feeds := s.checkups(st, states, now)
	view := feedsView{Sort: r.URL.Query().Get("sort"), Summary: summary(feeds)}
	order, known := feedOrders[view.Sort]
	if !known {
		view.Sort = "trouble"
		order = feedOrders[view.Sort]
	}
	slices.SortStableFunc(feeds, order)
	feeds, view.Pager = turn(feeds, r)
	m := moments{now, s.o.Location}
	for _, c := range feeds {
		view.Feeds = append(view.Feeds, m.feed(c))
	}
	s.show(w, r, http.StatusOK, feedsPage, "Feeds", st, now, view)
}

func (m moments) feed(c checkup) feedView {
	v := feedView{
		ID:      c.feed.ID,
		Name:    c.name(),
		Lang:    lang(c.feed.Lang),
		Health:  c.health,
		Paused:  !c.state.Paused.IsZero(),
		Note:    c.note,
		Error:   short(strings.TrimPrefix(c.state.LastError, "fetcher: "), maxError),
		Last:    m.of(c.state.LastSuccess),
		Changed: m.of(c.newest()),
	}
	if c.feed.Every > 0 {
		v.Rhythm = "every " + span(c.feed.Every)
	}
	switch {
	case c.state.Retired:
		v.Next = m.of(time.Time{})
	case c.state.NextCheck.IsZero():
		v.Next = moment{Near: "now"}
	default:
		v.Next = m.of(c.state.NextCheck)
	}
	return v
}

// summary counts the feeds by health, in words.
func summary(feeds []checkup) string {
	if len(feeds) == 0 {
		return "No feed is configured. Feeds are listed in feeds.yaml."
	}
	n := map[health]int{}
	for _, c := range feeds {
		n[c.health]++
	}
	parts := []string{count(len(feeds), "feed", "feeds")}
	for h := range healthWords {
		if n[health(h)] > 0 {
			parts = append(parts, thousands(n[health(h)])+" "+health(h).String())
		}
	}
	return strings.Join(parts, " · ")
}

// pager leads from one part of a long list to the next. Zero pages mean that
// there is no such part.
type pager struct {
	Page, Pages    int
	Previous, Next string // links, empty where there is none
}

// turn cuts out of a list the part that the request asked for. A page that is not
// there is the nearest one that is, since a list shrinks while it is looked at.
func turn[T any](list []T, r *http.Request) ([]T, pager) {
	params := r.URL.Query()
	pages := max(1, (len(list)+perPage-1)/perPage)
	page, err := strconv.Atoi(params.Get("page"))
	if err != nil {
		page = 1
	}
	page = min(max(page, 1), pages)
	p := pager{Page: page, Pages: pages}
	to := func(n int) string {
		params.Set("page", strconv.Itoa(n))
		return "?" + params.Encode()
	}
	if page > 1 {
		p.Previous = to(page - 1)
	}
	if page < pages {
		p.Next = to(page + 1)
	}
	first := (page - 1) * perPage
	return list[first:min(first+perPage, len(list))], p
}
