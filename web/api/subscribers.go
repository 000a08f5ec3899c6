package api

import (
	"net/http"
	"slices"
	"time"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// subscriberView is where a subscriber is. It holds an id and no address.
type subscriberView struct {
	store.Standing
	Schedule string `json:"schedule"`
}

func (a *API) subscribers(r *http.Request) (answer, error) {
	standings, err := a.desk.Store.Standings(r.Context())
	if err != nil {
		return answer{}, err
	}
	schedules := a.desk.Status().Schedules
	byID := make(map[string]subscriberView, len(standings))
	ids := make([]string, 0, len(standings))
	for _, s := range standings {
		byID[s.Subscriber] = subscriberView{s, schedules[s.Subscriber]}
		ids = append(ids, s.Subscriber)
	}
	return pageByID(r, ids, func(id string) subscriberView { return byID[id] })
}

func (a *API) preview(r *http.Request) (answer, error) {
	if a.desk.Preview == nil {
		return answer{}, store.ErrNotFound
	}
	d, err := a.desk.Preview(r.Context(), r.PathValue("id"))
	if err != nil {
		return answer{}, err
	}
	d.Groups = list(d.Groups)
	return answer{body: d}, nil
}

func (a *API) sendNow(r *http.Request) (answer, error) {
	id := r.PathValue("id")
	standings, err := a.desk.Store.Standings(r.Context())
	if err != nil {
		return answer{}, err
	}
	if !slices.ContainsFunc(standings, func(s store.Standing) bool { return s.Subscriber == id }) {
		return answer{}, store.ErrNotFound
	}
	return answer{status: http.StatusAccepted, body: asked{id, a.desk.Now()}}, a.desk.Store.SendNow(r.Context(), []string{id}, a.desk.Now())
}

func (a *API) pause(r *http.Request) (answer, error) {
	id := r.PathValue("id")
	a.log.Info("an operator pauses a subscriber", "subscriber", id)
	return none, a.desk.Store.Pause(r.Context(), id, notify.Pause{Since: a.desk.Now(), By: notify.ByOperator})
}

func (a *API) resume(r *http.Request) (answer, error) {
	id := r.PathValue("id")
	a.log.Info("an operator resumes a subscriber", "subscriber", id)
	return none, a.desk.Store.Resume(r.Context(), id, a.desk.Now())
}

func (a *API) deliveries(r *http.Request) (answer, error) {
	n, err := limit(r)
	if err != nil {
		return answer{}, err
	}
	sent, err := a.desk.Store.Deliveries(r.Context(), r.URL.Query().Get("subscriber"), n)
	return answer{body: listing[notify.Delivery]{Items: list(sent)}}, err
}

// letterView is a digest that could not be delivered, without what it tells.
type letterView struct {
	ID         string    `json:"id"`
	Subscriber string    `json:"subscriber"`
	Hits       int       `json:"hits"`
	Entries    int       `json:"entries"`
	Reason     string    `json:"reason"`
	Attempts   int       `json:"attempts"`
	Buried     time.Time `json:"buried"`
	Resending  bool      `json:"resending"`
}

func (a *API) letters(r *http.Request) (answer, error) {
	letters, err := a.desk.Store.DeadLetters(r.Context())
	if err != nil {
		return answer{}, err
	}
	out := listing[letterView]{Items: []letterView{}}
	for _, l := range letters {
		out.Items = append(out.Items, letterView{
			ID: l.Digest.ID, Subscriber: l.Digest.Subscriber, Hits: l.Digest.Hits, Entries: l.Digest.Entries,
			Reason: l.Reason, Attempts: l.Attempts, Buried: l.Buried, Resending: l.Resending,
		})
	}
	return answer{body: out}, nil
}

func (a *API) resend(r *http.Request) (answer, error) {
	id, now := r.PathValue("id"), a.desk.Now()
	a.log.Info("an operator sends a dead letter again", "digest", id)
	return answer{status: http.StatusAccepted, body: asked{id, now}}, a.desk.Store.Resend(r.Context(), id, now)
}

func (a *API) drop(r *http.Request) (answer, error) {
	id := r.PathValue("id")
	a.log.Info("an operator drops a dead letter", "digest", id)
	return none, a.desk.Store.Drop(r.Context(), id)
}
