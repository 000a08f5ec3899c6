package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/store/export"
	"github.com/newswatch/newswatch/story"
	"github.com/newswatch/newswatch/web/desk"
)

const (
	// perPage is how many entries a page lists.
	perPage = 50
	// maxChoices is how many rules or feeds a form offers as a list; more would
	// make the form the larger part of the page, and the id is typed instead.
	maxChoices = 60
	// exportTimeout bounds an export. It is below writeTimeout, so that one that is
	// cut is seen to be.
	exportTimeout = 50 * time.Second
)

// reportsView is the list of reports and the form that filters it.
type reportsView struct {
	Filter filter
	// Faults say what is wrong with the filter; with one, nothing is listed.
	Faults     []string
	Rules      []choice
	Feeds      []choice
	Severities []choice
	Hits       []hitView
	// Newest leads to the first page, Older to the next; both are empty where one
	// is on it.
	Newest, Older string
	// Exports and Subscribe are the same search as files and as output feeds.
	Exports   []feedLink
	Subscribe []feedLink
}

// filter is the form's fields as they were typed, to be shown again.
type filter struct {
	Rule, Tag, Feed, Outlet, Lang, Severity, Words, Since, Until string
	Quiet                                                        bool
}

// Narrow reports whether a field is in use that stands behind the words.
func (f filter) Narrow() bool {
	f.Words = ""
	return f != filter{}
}

// Any reports whether the filter leaves anything out.
func (f filter) Any() bool { return f != filter{} }

// choice is one option of a list.
type choice struct {
	ID, Name string
	Chosen   bool
}

func (s *Server) reports(w http.ResponseWriter, r *http.Request) {
	now := s.o.Now()
	ctx, cancel := bounded(r)
	defer cancel()
	st := s.o.Status()
	params := r.URL.Query()
	f, q, faults := parseFilter(params, s.o.Location)
	view := reportsView{Filter: f, Faults: faults}
	for _, rule := range st.Rules {
		view.Rules = append(view.Rules, choice{ID: rule.ID, Name: rule.Name})
	}
	view.Rules = choices(view.Rules, f.Rule)
	if len(st.Feeds) <= maxChoices {
		for id, configured := range st.Feeds {
			view.Feeds = append(view.Feeds, choice{ID: id, Name: configured.Name})
		}
		view.Feeds = choices(view.Feeds, f.Feed)
	}
	for _, sev := range []classifier.Severity{classifier.Medium, classifier.High, classifier.Critical} {
		view.Severities = append(view.Severities, choice{ID: sev.String(), Name: sev.String() + " or more", Chosen: sev.String() == f.Severity})
	}
	search := desk.QueryOf(params)
	if params.Get("before") != "" {
		view.Newest = "?" + search.Encode()
	}

	status := http.StatusOK
	if len(faults) > 0 {
		status = http.StatusBadRequest
	} else {
		view.Subscribe = s.feedLinks("feeds", search)
		view.Exports = []feedLink{{"CSV", "stories.csv?" + search.Encode()}, {"JSON Lines", "stories.jsonl?" + search.Encode()}}
		// One more than is shown tells whether there is another page.
		q.Limit = perPage + 1
		hits, err := s.o.Store.Hits(ctx, q)
		if err != nil {
			s.storeFailed(w, r, err)
			return
		}
		if len(hits) > perPage {
			hits = hits[:perPage]
			search.Set("before", desk.Cursor(hits[perPage-1]))
			view.Older = "?" + search.Encode()
		}
		m := moments{now, s.o.Location}
		for _, h := range hits {
			v := m.hit(st.Shown(h))
			first, ok, err := s.o.First(ctx, story.Story{Lead: h})
			if err != nil {
				s.storeFailed(w, r, err)
				return
			}
			if ok {
				earlier := m.hit(st.Shown(first))
				v.Earlier = &earlier
			}
			view.Hits = append(view.Hits, v)
		}
	}
	s.show(w, r, status, storiesPage, "Stories", st, now, view)
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
		Rule: get("rule"), Tag: get("tag"), Feed: get("feed"), Outlet: get("outlet"), Lang: get("lang"), Severity: get("severity"),
		Words: get("words"), Since: get("since"), Until: get("until"), Quiet: q.Quiet,
	}, q, faults
}

// purge asks whether an item is really to be purged.
func (s *Server) purge(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := bounded(r)
	defer cancel()
	id, err := feed.ParseItemID(r.URL.Query().Get("id"))
	if err != nil {
		s.notFound(w, r)
		return
	}
	h, err := s.o.Store.Hit(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		s.fail(w, r, http.StatusNotFound, "There is no such report", "It may have been purged already, or outlived retention.hits.")
		return
	case err != nil:
		s.storeFailed(w, r, err)
		return
	}
	st, now := s.o.Status(), s.o.Now()
	s.show(w, r, http.StatusOK, purgePage, "Purge", st, now, moments{now, s.o.Location}.hit(st.Shown(h)))
}

// maxExport bounds the reports of one file.
const maxExport = 100_000

// exported answers with all the reports of a search as a file. What comes after
// the answer has begun cannot be told in a status: the answer is cut instead.
func (s *Server) exported(w http.ResponseWriter, r *http.Request) {
	q, faults := desk.ParseQuery(r.URL.Query(), s.o.Location)
	if len(faults) > 0 {
		s.fail(w, r, http.StatusBadRequest, "This search is not right", strings.Join(faults, " "))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), exportTimeout)
	defer cancel()
	st, begun := s.o.Status(), false
	var write func(classifier.Hit) error
	begin := func() {
		begun = true
		if r.URL.Path == "/stories.csv" {
			w.Header().Set("Content-Type", "text/csv; charset=utf-8")
			w.Header().Set("Content-Disposition", `attachment; filename="stories.csv"`)
			lines := export.NewCSV(w)
			write = func(h classifier.Hit) error {
				if err := lines.Write(h); err != nil {
					return err
				}
				return lines.Flush()
			}
			return
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		w.Header().Set("Content-Disposition", `attachment; filename="stories.jsonl"`)
		enc := json.NewEncoder(w)
		write = func(h classifier.Hit) error { return enc.Encode(h) }
	}
	for h, err := range export.Hits(ctx, s.o.Store, q, maxExport) {
		switch {
		case err != nil && !begun:
			s.storeFailed(w, r, err)
			return
		case err != nil:
			s.o.Log.Error("an export was cut", "err", err)
			panic(http.ErrAbortHandler)
		case !begun:
			begin()
		}
		if err := write(st.Shown(h)); err != nil {
			return // the client is gone
		}
	}
	if !begun {
		begin()
		w.WriteHeader(http.StatusOK)
	}
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
