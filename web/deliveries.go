package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/newswatch/newswatch/notify"
)

// perList is how many dead letters, and how many sent digests, are listed.
const perList = 25

// nextTurns is how many subscribers are listed whose turn comes.
const nextTurns = 10

// deliveriesView is what will go out, what went out, and what could not. It holds
// ids and no address.
type deliveriesView struct {
	Next        []standingView
	DeadLetters []letterView
	// DeadMore counts the letters that are not listed.
	DeadMore int
	Sent     []deliveryView
}

// letterView is one dead letter.
type letterView struct {
	ID         string
	Subscriber string
	Stories    string
	Attempts   string
	Reason     string
	Buried     moment
	Resending  bool
}

// deliveryView is one digest that was accepted.
type deliveryView struct {
	ID         string
	Subscriber string
	Stories    string
	Attempts   int
	Accepted   moment
}

func (s *Server) deliveries(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := bounded(r)
	defer cancel()
	st, now := s.o.Status(), s.o.Now()
	standings, err := s.o.Store.Standings(ctx)
	if err != nil {
		s.storeFailed(w, r, err)
		return
	}
	letters, err := s.o.Store.DeadLetters(ctx)
	if err != nil {
		s.storeFailed(w, r, err)
		return
	}
	sent, err := s.o.Store.Deliveries(ctx, "", perList)
	if err != nil {
		s.storeFailed(w, r, err)
		return
	}
	var view deliveriesView
	m := moments{now, s.o.Location}
	slices.SortStableFunc(standings, byTurn)
	for _, sub := range standings[:min(len(standings), nextTurns)] {
		view.Next = append(view.Next, m.standing(sub, st.Schedules[sub.Subscriber]))
	}
	slices.Reverse(letters) // The store lists the oldest first.
	letters, view.DeadMore = atMost(letters, perList)
	for _, l := range letters {
		view.DeadLetters = append(view.DeadLetters, m.letter(l))
	}
	for _, d := range sent {
		view.Sent = append(view.Sent, deliveryView{
			ID: d.Digest, Subscriber: d.Subscriber, Attempts: d.Attempts,
			Stories: count(d.Entries, "story", "stories"), Accepted: m.of(d.Accepted),
		})
	}
	s.show(w, r, http.StatusOK, deliveriesPage, "Deliveries", st, now, view)
}

func (m moments) letter(l notify.DeadLetter) letterView {
	return letterView{
		ID:         l.Digest.ID,
		Subscriber: l.Digest.Subscriber,
		Stories:    count(l.Digest.Entries, "story", "stories"),
		Attempts:   count(l.Attempts, "time", "times"),
		Reason:     failure(l.Reason),
		Buried:     m.of(l.Buried),
		Resending:  l.Resending,
	}
}

// failure is a receiver's or a notifier's text without the prefix that every one
// of them has.
func failure(reason string) string {
	return short(strings.TrimPrefix(reason, "notify: "), maxError)
}
