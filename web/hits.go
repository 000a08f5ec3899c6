package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/web/desk"
)

const (
	// perPage is how many entries a page lists.
	perPage = 50
	// maxChoices is how many rules or feeds a form offers as a list; more would
	// make the form the larger part of the page, and the id is typed instead.
	maxChoices = 60
)

// hitsView is the list of reports and the form that filters it.
type hitsView struct {
	Filter filter
	// Faults say what is wrong with the filter; with one, nothing is listed.
	Faults []string
	Rules  []choice
	Feeds  []choice
	Hits   []hitView
	// Older is the link to the next page; Paged says that this is not the first.
	Older string
	Paged bool
}

// filter is the form's fields as they were typed, to be shown again.
type filter struct {
	Rule, Feed, Words, Since, Until string
	Quiet                           bool
}

// Narrow reports whether a field is in use that stands behind the words.
func (f filter) Narrow() bool {
	return f.Rule != "" || f.Feed != "" || f.Since != "" || f.Until != "" || f.Quiet
}

// Any reports whether the filter leaves anything out.
func (f filter) Any() bool { return f.Words != "" || f.Narrow() }

// choice is one option of a list.
type choice struct {
	ID, Name string
	Chosen   bool
}

func (s *Server) hits(w http.ResponseWriter, r *http.Request) {
	now := s.o.Now()
	ctx, cancel := bounded(r)
	defer cancel()
	st := s.o.Status()
	params := r.URL.Query()
	f, q, faults := parseFilter(params, s.o.Location)
	view := hitsView{Filter: f, Faults: faults, Paged: params.Get("before") != ""}
	for _, rule := range st.Rules {
		view.Rules = append(view.Rules, choice{ID: rule.ID, Name: rule.Name})
	}
	for id, configured := range st.Feeds {
		view.Feeds = append(view.Feeds, choice{ID: id, Name: configured.Name})
	}
	view.Rules, view.Feeds = choices(view.Rules, f.Rule), choices(view.Feeds, f.Feed)

	status := http.StatusOK
	if len(faults) > 0 {
		status = http.StatusBadRequest
	} else {
		// One more than is shown tells whether there is another page.
		q.Limit = perPage + 1
		hits, err := s.o.Store.Hits(ctx, q)
		if err != nil {
			s.storeFailed(w, r, err)
			return
		}
		if len(hits) > perPage {
			hits = hits[:perPage]
			last := hits[perPage-1]
			params.Set("before", desk.Cursor(last))
			view.Older = "?" + params.Encode()
		}
		m := moments{now, s.o.Location}
		for _, h := range hits {
			view.Hits = append(view.Hits, m.hit(st.Shown(h)))
		}
	}
	s.show(w, r, status, hitsPage, "Reports", st, now, view)
}

// parseFilter reads the form. All faults are told at once.
func parseFilter(params url.Values, loc *time.Location) (filter, store.HitQuery, []string) {
	q, faults := desk.ParseQuery(params, loc)
	get := func(key string) string {
		if v := strings.TrimSpace(params.Get(key)); len(v) <= desk.MaxField {
			return v
		}
		return ""
	}
	return filter{
		Rule: get("rule"), Feed: get("feed"), Words: get("words"), Since: get("since"), Until: get("until"), Quiet: q.Quiet,
	}, q, faults
}

// choices orders a list by name and marks what was chosen. A list that is too
// long is no list.
func choices(list []choice, chosen string) []choice {
	if len(list) > maxChoices {
		return nil
	}
	known := chosen == ""
	for i, c := range list {
		if c.Name == "" {
			list[i].Name = c.ID
		}
		list[i].Name = short(list[i].Name, maxName)
		list[i].Chosen = c.ID == chosen
		known = known || list[i].Chosen
	}
	if !known {
		// Reports outlive the rule that found them, and can still be asked for.
		list = append(list, choice{ID: chosen, Name: short(chosen, maxName), Chosen: true})
	}
	slices.SortFunc(list, func(a, b choice) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return list
}

// bounded is the request's context with the time that a page may ask of the
// store.
func bounded(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(r.Context(), storeTimeout)
}
