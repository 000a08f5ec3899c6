package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/web/desk"
)

// feedsView is the health of the feeds.
type feedsView struct {
	// Total is the number of all feeds, Count the same in words, and All leads to
	// them.
	Total      int
	Count, All string
	// Grades are the ways in which feeds do, with links to those that do so.
	Grades []gradeView
	// Grade is the one that is shown, or empty; Words are those that were typed.
	Grade, Words string
	// Poll, Pause and Resume are where the forms of a row go, which keeps these two.
	Poll, Pause, Resume string
	// Cut says that the words are in more feeds than are looked at.
	Cut   string
	Feeds []feedView
	// First leads to the first page, Next to the next; both are empty where one is
	// on it.
	First, Next string
}

// gradeView is how many feeds do alike.
type gradeView struct {
	Words, Count, Link string
	Here               bool
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
	Late    bool
	// Rhythm is how often the feed publishes, Every how often it is looked at where
	// the operator said so.
	Rhythm, Every string
}

func (s *Server) feeds(w http.ResponseWriter, r *http.Request) {
	now := s.o.Now()
	ctx, cancel := bounded(r)
	defer cancel()
	params := r.URL.Query()
	q := desk.FeedQuery{Words: strings.TrimSpace(params.Get("words")), After: params.Get("after"), Limit: perPage}
	view := feedsView{Words: q.Words}
	var grade fetcher.Grade
	if grade.UnmarshalText([]byte(params.Get("grade"))) == nil {
		view.Grade = grade.String()
	}
	census, err := s.o.Store.Census(ctx, now.Add(-lateAfter))
	if err != nil {
		s.storeFailed(w, r, err)
		return
	}
	view.Total, view.Count, view.All = census.Feeds, thousands(census.Feeds), feedsLink("", q.Words, "")
	for _, g := range fetcher.Grades {
		if n := census.Grades[g]; n > 0 || g.String() == view.Grade {
			v := gradeView{Words: health(g).String(), Count: thousands(n), Link: feedsLink(g.String(), q.Words, ""), Here: g.String() == view.Grade}
			view.Grades = append(view.Grades, v)
			if view.Grade == "" || v.Here {
				q.Grades = append(q.Grades, g)
			}
		}
	}
	slices.Reverse(view.Grades)
	page, err := s.o.WorstFeeds(ctx, q)
	switch {
	case desk.IsFault(err):
		s.fail(w, r, http.StatusBadRequest, "These feeds cannot be listed", err.Error())
		return
	case err != nil:
		s.storeFailed(w, r, err)
		return
	}
	narrowed := strings.TrimPrefix(feedsLink(view.Grade, q.Words, ""), "feeds")
	view.Poll, view.Pause, view.Resume = "feeds/poll"+narrowed, "feeds/pause"+narrowed, "feeds/resume"+narrowed
	if page.Cut {
		view.Cut = thousands(desk.MaxFound)
	}
	if q.After != "" {
		view.First = feedsLink(view.Grade, q.Words, "")
	}
	if page.Next != "" {
		view.Next = feedsLink(view.Grade, q.Words, page.Next)
	}
	m := moments{now, s.o.Location}
	for _, f := range page.Feeds {
		quiet := ""
		if s.o.Silent != nil && f.State.Grade() == fetcher.Silent {
			quiet = s.o.Silent(f.State, now)
		}
		view.Feeds = append(view.Feeds, m.feed(f, quiet))
	}
	s.show(w, r, http.StatusOK, feedsPage, "Feeds", s.o.Status(), now, view)
}

// feedsLink leads to a part of the list.
func feedsLink(grade, words, after string) string {
	params := url.Values{}
	for key, v := range map[string]string{"grade": grade, "words": words, "after": after} {
		if v != "" {
			params.Set(key, v)
		}
	}
	return strings.TrimSuffix("feeds?"+params.Encode(), "?")
}

func (m moments) feed(f desk.Feed, quiet string) feedView {
	v := feedView{
		ID:      f.ID,
		Name:    short(f.Title(), maxName),
		Lang:    lang(f.Lang),
		Health:  health(f.State.Grade()),
		Paused:  !f.State.Paused.IsZero(),
		Late:    late(f.State, m.now),
		Note:    remark(f.State, quiet, m.now),
		Error:   short(strings.TrimPrefix(f.State.LastError, "fetcher: "), maxError),
		Last:    m.of(f.State.LastSuccess),
		Changed: m.of(newest(f.State)),
		Rhythm:  desk.Rhythm(f.State.PerDay(m.now)),
	}
	if f.Every > 0 {
		v.Every = "every " + span(f.Every)
	}
	switch {
	case v.Paused:
		v.Next = moment{Near: "when it is resumed"}
	case f.State.Retired:
		v.Next = m.of(time.Time{})
	case f.State.NextCheck.IsZero():
		v.Next = moment{Near: "now"}
	default:
		v.Next = m.of(f.State.NextCheck)
	}
	return v
}

// newest is the date of the feed's newest item; where its items have none, when
// its document last changed.
func newest(st fetcher.State) time.Time {
	if st.LastItem.IsZero() {
		return st.LastChange
	}
	return st.LastItem
}
