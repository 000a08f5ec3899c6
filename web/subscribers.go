package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// subscribersView is where everyone is. It holds ids and no address.
type subscribersView struct {
	Subscribers []standingView
	Pager       pager
}

// standingView is one subscriber.
type standingView struct {
	ID       string
	Schedule string
	Next     moment
	Late     bool
	LastSent moment
	// Pending is the id of a digest that was not accepted yet, Attempts how often
	// it was tried.
	Pending  string
	Attempts string
	Error    string
	// Paused is by whom, with the time of it; empty while the subscriber is not.
	Paused      string
	PausedSince moment
}

// byTurn puts who waits for something that was not accepted first, then whose turn
// is next; who is paused has none.
func byTurn(a, b store.Standing) int {
	rest := func(s store.Standing) int {
		if s.Paused != nil {
			return 1
		}
		return 0
	}
	return cmp.Or(rest(a)-rest(b), b.Attempts-a.Attempts, a.Next.Compare(b.Next))
}

func (s *Server) subscribers(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := bounded(r)
	defer cancel()
	st, now := s.o.Status(), s.o.Now()
	standings, err := s.o.Store.Standings(ctx)
	if err != nil {
		s.storeFailed(w, r, err)
		return
	}
	slices.SortStableFunc(standings, byTurn)
	var view subscribersView
	m := moments{now, s.o.Location}
	standings, view.Pager = turn(standings, r)
	for _, sub := range standings {
		view.Subscribers = append(view.Subscribers, m.standing(sub, st.Schedules[sub.Subscriber]))
	}
	s.show(w, r, http.StatusOK, subscribersPage, "Subscribers", st, now, view)
}

func (m moments) standing(sub store.Standing, schedule string) standingView {
	v := standingView{
		ID:       sub.Subscriber,
		Schedule: short(schedule, maxName),
		Next:     m.of(sub.Next),
		Late:     sub.Paused == nil && m.now.Sub(sub.Next) > lateAfter,
		LastSent: m.of(sub.LastSent),
		Pending:  sub.Pending,
		Error:    failure(sub.LastError),
	}
	if sub.Attempts > 0 {
		v.Attempts = "tried " + count(sub.Attempts, "time", "times")
	}
	if p := sub.Paused; p != nil {
		v.Paused, v.PausedSince = "by the "+string(p.By), m.of(p.Since)
		v.Error = failure(p.Why)
	}
	return v
}

// previewView is a digest that was built to be looked at.
type previewView struct{ Subscriber, Holds, Subject, Text string }

// maxPreview bounds the text of a digest that is shown, in characters, so that a
// page stays small: a digest of a thousand entries is read in the mail.
const maxPreview = 24_000

func (s *Server) preview(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("subscriber")
	ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
	defer cancel()
	d, err := s.o.Preview(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		s.fail(w, r, http.StatusNotFound, "There is no such subscriber", "The page Subscribers lists them.")
		return
	case err != nil:
		s.storeFailed(w, r, err)
		return
	}
	s.show(w, r, http.StatusOK, previewPage, "Preview", s.o.Status(), s.o.Now(), previewView{
		Subscriber: short(id, maxName), Holds: count(d.Entries, "story", "stories"), Subject: short(notify.Subject(d), maxTitle),
		Text: cut(notify.Text(d), maxPreview),
	})
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
	pages := max(1, (len(list)+perPage-1)/perPage)
	page, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil {
		page = 1
	}
	page = min(max(page, 1), pages)
	p := pager{Page: page, Pages: pages}
	// Nothing else is carried on: what was done on one page was not done on the next.
	to := func(n int) string { return "?page=" + strconv.Itoa(n) }
	if page > 1 {
		p.Previous = to(page - 1)
	}
	if page < pages {
		p.Next = to(page + 1)
	}
	first := (page - 1) * perPage
	return list[first:min(first+perPage, len(list))], p
}
