package api

import (
	"cmp"
	"errors"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/web/desk"
)

// statusView is the state of the daemon and the totals of its store.
type statusView struct {
	Version    string      `json:"version"`
	Started    time.Time   `json:"started"`
	Ready      bool        `json:"ready"`
	Reasons    []string    `json:"reasons"`
	ConfigPath string      `json:"config_path"`
	LastReload *reloadView `json:"last_reload"`
	Ruleset    string      `json:"ruleset"`
	Rules      int         `json:"rules"`
	Feeds      int         `json:"feeds"`
	// Grades counts the feeds of the queue by how they do.
	Grades   map[fetcher.Grade]int `json:"grades"`
	Warnings []string              `json:"warnings"`
	Store    store.Counts          `json:"store"`
}

// reloadView is the last attempt to load the configuration.
type reloadView struct {
	At    time.Time `json:"at"`
	OK    bool      `json:"ok"`
	Error string    `json:"error,omitempty"`
}

func (a *API) status(r *http.Request) (answer, error) {
	counts, err := a.desk.Store.Counts(r.Context())
	if err != nil {
		return answer{}, err
	}
	census, err := a.desk.Store.Census(r.Context(), a.desk.Now())
	if err != nil {
		return answer{}, err
	}
	st := a.desk.Status()
	v := statusView{
		Version: st.Version, Started: st.Started, Ready: st.Ready, Reasons: list(st.Reasons), ConfigPath: st.ConfigPath,
		Ruleset: st.Ruleset, Rules: len(st.Rules), Feeds: len(st.Feeds), Grades: census.Grades, Warnings: list(st.Warnings), Store: counts,
	}
	if l := st.LastReload; !l.At.IsZero() {
		v.LastReload = &reloadView{l.At, l.OK, l.Error}
	}
	return answer{body: v}, nil
}

// list is a list that JSON writes as [] where it is empty.
func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// feedView is a feed of the configuration and what is remembered of it.
type feedView struct {
	ID   string   `json:"id"`
	Name string   `json:"name"`
	URL  string   `json:"url"`
	Tags []string `json:"tags"`
	Lang string   `json:"lang,omitempty"`
	// Silent says why the feed is thought to be silent.
	Silent string `json:"silent,omitempty"`
	// State is what the last poll left; none of a feed that was never polled.
	State *feedState `json:"state"`
}

// feedState is the part of a fetcher.State that tells how a feed does.
type feedState struct {
	Grade       fetcher.Grade  `json:"grade"`
	MovedTo     string         `json:"moved_to,omitempty"`
	Items       int            `json:"items"`
	Truncated   bool           `json:"truncated,omitempty"`
	LastPoll    time.Time      `json:"last_poll,omitzero"`
	LastSuccess time.Time      `json:"last_success,omitzero"`
	LastChange  time.Time      `json:"last_change,omitzero"`
	LastItem    time.Time      `json:"last_item,omitzero"`
	NextCheck   time.Time      `json:"next_check,omitzero"`
	PutOff      time.Time      `json:"put_off,omitzero"`
	Paused      time.Time      `json:"paused,omitzero"`
	Failures    int            `json:"failures"`
	Reason      fetcher.Reason `json:"reason,omitempty"`
	LastError   string         `json:"last_error,omitempty"`
	Retired     bool           `json:"retired"`
	Poisoned    int            `json:"poisoned"`
	// PerDay is how many items a day it publishes; left out while that is not known.
	PerDay float64 `json:"per_day,omitzero"`
}

func (a *API) feedView(f feed.Feed, st *fetcher.State, now time.Time) feedView {
	v := feedView{ID: f.ID, Name: f.Name, URL: desk.PlainURL(f.URL), Tags: list(f.Tags), Lang: f.Lang}
	if st == nil {
		return v
	}
	v.Name = cmp.Or(v.Name, st.Title)
	v.State = &feedState{
		Grade: st.Grade(), MovedTo: st.URL, Items: st.Items, Truncated: st.Truncated, LastPoll: st.LastPoll, LastSuccess: st.LastSuccess, LastChange: st.LastChange,
		LastItem: st.LastItem, NextCheck: st.NextCheck, PutOff: st.PutOff, Paused: st.Paused, Failures: st.Failures, Reason: st.Reason, LastError: st.LastError,
		Retired: st.Retired, Poisoned: st.Poisoned, PerDay: math.Round(st.PerDay(now)*100) / 100,
	}
	if a.desk.Silent != nil && st.Grade() == fetcher.Silent {
		v.Silent = a.desk.Silent(*st, now)
	}
	return v
}

// feeds lists the feeds of the queue.
func (a *API) feeds(r *http.Request) (answer, error) {
	n, err := limit(r)
	if err != nil {
		return answer{}, err
	}
	params := r.URL.Query()
	q := desk.FeedQuery{Words: strings.TrimSpace(params.Get("words")), After: params.Get("after"), Limit: n}
	for _, v := range params["grade"] {
		var g fetcher.Grade
		if err := g.UnmarshalText([]byte(v)); err != nil {
			return answer{}, badRequest("The grade is one of fine, unread, paused, temporary, silent, soft and hard.")
		}
		q.Grades = append(q.Grades, g)
	}
	page, err := a.desk.Feeds(r.Context(), q)
	if err != nil {
		return answer{}, err
	}
	out, next := listing[feedView]{Items: []feedView{}, Next: page.Next}, ""
	for _, f := range page.Feeds {
		out.Items = append(out.Items, a.feedView(f.Feed, &f.State, a.desk.Now()))
	}
	if page.Next != "" {
		onward := url.Values{"after": {page.Next}}
		for _, key := range []string{"grade", "words", "limit"} {
			if v := params[key]; len(v) > 0 {
				onward[key] = v
			}
		}
		next = onward.Encode()
	}
	return answer{body: out, next: next}, nil
}

// pageByID answers with a page of a list that is ordered by its ids: the cursor is
// the id of the last entry of the page before.
func pageByID[T any](r *http.Request, ids []string, view func(id string) T) (answer, error) {
	n, err := limit(r)
	if err != nil {
		return answer{}, err
	}
	params := r.URL.Query()
	if after := params.Get("after"); after != "" {
		ids = slices.DeleteFunc(ids, func(id string) bool { return id <= after })
	}
	out, next := listing[T]{Items: []T{}}, ""
	for i, id := range ids {
		if i == n {
			out.Next = ids[n-1]
			next = url.Values{"after": {out.Next}, "limit": params["limit"]}.Encode()
			break
		}
		out.Items = append(out.Items, view(id))
	}
	return answer{body: out, next: next}, nil
}

// configuredFeed returns the feed that the path names.
func (a *API) configuredFeed(r *http.Request) (feed.Feed, error) {
	id := r.PathValue("id")
	f, ok := a.desk.Status().Feeds[id]
	if !ok {
		return f, store.ErrNotFound
	}
	f.ID = id
	return f, nil
}

func (a *API) feed(r *http.Request) (answer, error) {
	f, err := a.configuredFeed(r)
	if err != nil {
		return answer{}, err
	}
	st, err := a.desk.Store.State(r.Context(), f.ID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return answer{body: a.feedView(f, nil, a.desk.Now())}, nil
	case err != nil:
		return answer{}, err
	}
	return answer{body: a.feedView(f, &st, a.desk.Now())}, nil
}

func (a *API) poll(r *http.Request) (answer, error) {
	f, err := a.configuredFeed(r)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusAccepted, body: asked{f.ID, a.desk.Now()}}, a.desk.Store.PollNow(r.Context(), []string{f.ID}, a.desk.Now())
}

// pauseFeed returns what takes a feed out of the queue, or puts it back in.
func (a *API) pauseFeed(paused bool) func(*http.Request) (answer, error) {
	return func(r *http.Request) (answer, error) {
		f, err := a.configuredFeed(r)
		if err != nil {
			return answer{}, err
		}
		a.log.Info("an operator pauses or resumes a feed", "feed", f.ID, "paused", paused)
		return none, a.desk.Store.PauseFeeds(r.Context(), []string{f.ID}, paused, a.desk.Now())
	}
}

// asked is the answer to a request that is worked off soon.
type asked struct {
	ID  string    `json:"id"`
	Due time.Time `json:"due"`
}

// configView is the configuration in force.
type configView struct {
	Path     string            `json:"path"`
	Settings []configs.Setting `json:"settings"`
}

func (a *API) config(*http.Request) (answer, error) {
	v := configView{Path: a.desk.Status().ConfigPath, Settings: []configs.Setting{}}
	if a.desk.Settings != nil {
		v.Settings = list(a.desk.Settings())
	}
	return answer{body: v}, nil
}

func (a *API) reload(r *http.Request) (answer, error) {
	if a.desk.Reload == nil {
		return answer{}, store.ErrNotFound
	}
	if err := a.desk.Reload(r.Context()); err != nil {
		// The loader's text has places in files, a line for each mistake.
		return answer{}, Problem{
			Status: http.StatusUnprocessableEntity,
			Detail: "The configuration was refused. What was in force before it still is.",
			Faults: strings.Split(err.Error(), "\n"),
		}
	}
	return none, nil
}

func (a *API) openapi(*http.Request) (answer, error) {
	return answer{raw: document, ctype: "application/yaml"}, nil
}
