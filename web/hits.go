package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/store"
)

const (
	// perPage is how many entries a page lists.
	perPage = 50
	// maxChoices is how many rules or feeds a form offers as a list; more would
	// make the form the larger part of the page, and the id is typed instead.
	maxChoices = 60
	// maxFilter bounds what is typed into a filter, in bytes.
	maxFilter = 400
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
			params.Set("before", cursor(last.Found, last.Item.ID))
			view.Older = "?" + params.Encode()
		}
		m := moments{now, s.o.Location}
		for _, h := range hits {
			view.Hits = append(view.Hits, m.hit(st.shown(h)))
		}
	}
	s.show(w, r, status, hitsPage, "Reports", st, now, view)
}

// parseFilter reads the form. All faults are told at once.
func parseFilter(params url.Values, loc *time.Location) (filter, store.HitQuery, []string) {
	var faults []string
	get := func(key, what string) string {
		v := strings.TrimSpace(params.Get(key))
		if len(v) > maxFilter {
			faults = append(faults, what+" is too long.")
			return ""
		}
		return v
	}
	f := filter{
		Rule:  get("rule", "The rule"),
		Feed:  get("feed", "The feed"),
		Words: get("words", "The text to look for"),
		Since: get("since", "The first day"),
		Until: get("until", "The last day"),
		Quiet: params.Get("quiet") != "",
	}
	date := func(v, what string) time.Time {
		if v == "" {
			return time.Time{}
		}
		t, err := time.ParseInLocation(time.DateOnly, v, loc)
		if err != nil {
			faults = append(faults, what+" is not a date. Write it as 2026-01-31.")
		}
		return t
	}
	q := store.HitQuery{Rule: f.Rule, Feed: f.Feed, Text: f.Words, Quiet: f.Quiet}
	q.Since = date(f.Since, "The first day")
	q.Until = date(f.Until, "The last day")
	if !q.Until.IsZero() {
		// The last day is a part of what is asked for. AddDate, not 24 hours: a day
		// on which the clocks change has another length.
		q.Until = q.Until.AddDate(0, 0, 1)
	}
	if !q.Since.IsZero() && !q.Until.IsZero() && !q.Since.Before(q.Until) {
		faults = append(faults, "The first day is after the last.")
	}
	if before := get("before", "The place to go on from"); before != "" {
		var err error
		if q.BeforeTime, q.BeforeID, err = parseCursor(before); err != nil {
			faults = append(faults, "The place to go on from is not one that newswatch gave. Start at the newest.")
		}
	}
	return f, q, faults
}

// cursor names the last report of a page. Found is kept to the millisecond, so
// that is all of it.
func cursor(found time.Time, id feed.ItemID) string {
	return strconv.FormatInt(found.UnixMilli(), 10) + "." + id.String()
}

// parseCursor is the inverse of cursor.
func parseCursor(s string) (time.Time, feed.ItemID, error) {
	ms, id, ok := strings.Cut(s, ".")
	n, err := strconv.ParseInt(ms, 10, 64)
	if !ok || err != nil || n <= 0 || n > maxMillis {
		return time.Time{}, feed.ItemID{}, fmt.Errorf("web: %q is not a cursor", s)
	}
	item, err := feed.ParseItemID(id)
	if err != nil {
		return time.Time{}, feed.ItemID{}, fmt.Errorf("web: cursor: %w", err)
	}
	return time.UnixMilli(n).UTC(), item, nil
}

// maxMillis is the end of the year 9999, after which times have no text.
const maxMillis = 253402300799999

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
