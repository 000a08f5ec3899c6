package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/story"
	"github.com/newswatch/newswatch/web/desk"
)

// pageSize is how many entries a page of a list has, and maxPage how many one may
// ask for.
const (
	pageSize = 50
	maxPage  = 500
)

// limit reads how many entries are asked for.
func limit(r *http.Request) (int, error) {
	v := r.URL.Query().Get("limit")
	if v == "" {
		return pageSize, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > maxPage {
		return 0, badRequest("The limit is a number from 1 to " + strconv.Itoa(maxPage) + ".")
	}
	return n, nil
}

// page reads the hits that a request asks for, as they are stored, and where the
// next page begins.
func (a *API) page(r *http.Request) (hits []classifier.Hit, next string, err error) {
	q, faults := desk.ParseQuery(r.URL.Query(), a.loc)
	if len(faults) > 0 {
		return nil, "", badRequest(faults...)
	}
	n, err := limit(r)
	if err != nil {
		return nil, "", err
	}
	q.Limit = n + 1 // One more than is shown tells whether there is another page.
	if hits, err = a.desk.Store.Hits(r.Context(), q); err != nil {
		return nil, "", err
	}
	if len(hits) > n {
		hits = hits[:n]
		next = desk.Cursor(hits[n-1])
	}
	return hits, next, nil
}

// onward is the query string of the next page.
func onward(r *http.Request, next string) string {
	if next == "" {
		return ""
	}
	params := desk.QueryOf(r.URL.Query())
	if n := r.URL.Query().Get("limit"); n != "" {
		params.Set("limit", n)
	}
	params.Set("before", next)
	return params.Encode()
}

func (a *API) hits(r *http.Request) (answer, error) {
	hits, next, err := a.page(r)
	if err != nil {
		return answer{}, err
	}
	shown, st := make([]classifier.Hit, len(hits)), a.desk.Status()
	for i, h := range hits {
		shown[i] = st.Shown(h)
	}
	return answer{body: listing[classifier.Hit]{shown, next}, next: onward(r, next)}, nil
}

// told is a story: the widest of its reports, the others, and where the case that it
// goes on with was first told of.
type told struct {
	Lead classifier.Hit   `json:"lead"`
	Also []classifier.Hit `json:"also"`
	// Earlier is nil where no case is gone on with.
	Earlier *classifier.Hit `json:"earlier,omitempty"`
}

func (a *API) stories(r *http.Request) (answer, error) {
	hits, next, err := a.page(r)
	if err != nil {
		return answer{}, err
	}
	list, st := listing[told]{Items: []told{}, Next: next}, a.desk.Status()
	// What is withheld is withheld at the end: two reports of one story are told by
	// what they say.
	for _, s := range story.Group(hits) {
		first, ok, err := a.desk.First(r.Context(), s)
		if err != nil {
			return answer{}, err
		}
		shown := s.Each(st.Shown)
		one := told{Lead: shown.Lead, Also: shown.Also}
		if ok {
			first = st.Shown(first)
			one.Earlier = &first
		}
		list.Items = append(list.Items, one)
	}
	return answer{body: list, next: onward(r, next)}, nil
}

// itemID reads the id in the path.
func itemID(r *http.Request) (feed.ItemID, error) {
	id, err := feed.ParseItemID(r.PathValue("id"))
	if err != nil {
		return id, badRequest("The id of an item is 32 hexadecimal digits.")
	}
	return id, nil
}

func (a *API) hit(r *http.Request) (answer, error) {
	id, err := itemID(r)
	if err != nil {
		return answer{}, err
	}
	h, err := a.desk.Store.Hit(r.Context(), id)
	return answer{body: a.desk.Status().Shown(h)}, err
}

func (a *API) purge(r *http.Request) (answer, error) {
	id, err := itemID(r)
	if err != nil {
		return answer{}, err
	}
	a.log.Info("an operator purges an item", "item", id)
	return none, a.desk.Store.Purge(r.Context(), id, a.desk.Now())
}

// tallied is how many hits there were in each of some days.
type tallied struct {
	// Days are the beginnings of the days.
	Days  []time.Time      `json:"days"`
	Hits  []int            `json:"hits"`
	Rules map[string][]int `json:"rules"`
}

func (a *API) tally(r *http.Request) (answer, error) {
	days := 30
	if v := r.URL.Query().Get("days"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > desk.MaxDays {
			return answer{}, badRequest("The days are a number from 1 to " + strconv.Itoa(desk.MaxDays) + ".")
		}
		days = n
	}
	edges := desk.Days(a.desk.Now().In(a.loc), days)
	t, err := a.desk.Store.Tally(r.Context(), edges)
	return answer{body: tallied{Days: edges[:days], Hits: t.Hits, Rules: t.Rules}}, err
}
