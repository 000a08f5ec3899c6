package desk

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/store"
)

// MaxFound is how many feeds are looked at that have the words that are searched
// for: the first by their ids.
const MaxFound = 1000

// Feed is a feed of the queue: what the configuration says of it, and what is
// remembered. One that the configuration in force does not hold has only its id.
type Feed struct {
	feed.Feed
	State fetcher.State
}

// Title is the first of what the operator, the document and the configuration call
// the feed.
func (f Feed) Title() string { return cmp.Or(f.Name, f.State.Title, f.ID) }

// FeedQuery selects feeds. Zero fields select everything.
type FeedQuery struct {
	// Grades are how they do, any of them.
	Grades []fetcher.Grade
	// Words must each be a part of the feed's id, name, URL or tags, whatever the
	// case.
	Words string
	// After continues a listing: the Next of the page before.
	After string
	Limit int
}

// FeedPage is a page of a list of feeds.
type FeedPage struct {
	Feeds []Feed
	// Next is empty at the end.
	Next string
	// Cut says that more than MaxFound feeds have the words.
	Cut bool
}

// worstFirst is the order in which an operator looks at feeds.
var worstFirst = func() []fetcher.Grade {
	grades := slices.Clone(fetcher.Grades)
	slices.Reverse(grades)
	return grades
}()

// WorstFeeds lists feeds, those in trouble first, and those that do alike by their
// ids. It reads the states of the page alone. A feed that begins to do otherwise
// meanwhile may be on two pages or on none.
func (d *Desk) WorstFeeds(ctx context.Context, q FeedQuery) (FeedPage, error) {
	var page FeedPage
	var sq store.StateQuery
	from := 0
	if q.After != "" {
		var grade fetcher.Grade
		name, id, _ := strings.Cut(q.After, ".")
		if grade.UnmarshalText([]byte(name)) != nil {
			return page, faultf("The place to go on from is not one that newswatch gave. Start at the beginning.")
		}
		from, sq.After = slices.Index(worstFirst, grade), id
	}
	st := d.Status()
	if q.Words != "" {
		var err error
		if sq.IDs, page.Cut, err = st.find(q.Words, ""); err != nil || len(sq.IDs) == 0 {
			return page, err
		}
	}
	limit := store.PageSize(q.Limit)
	for _, g := range worstFirst[from:] {
		if len(q.Grades) == 0 || slices.Contains(q.Grades, g) {
			// One more than is shown tells whether there is another page.
			sq.Grades, sq.Limit = []fetcher.Grade{g}, limit+1-len(page.Feeds)
			states, err := d.Store.States(ctx, sq)
			if err != nil {
				return FeedPage{}, err
			}
			for _, s := range states {
				if len(page.Feeds) == limit {
					last := page.Feeds[limit-1]
					page.Next = last.State.Grade().String() + "." + last.ID
					return page, nil
				}
				page.Feeds = append(page.Feeds, st.feed(s))
			}
		}
		sq.After = ""
	}
	return page, nil
}

// Feeds lists feeds by their ids.
func (d *Desk) Feeds(ctx context.Context, q FeedQuery) (FeedPage, error) {
	var page FeedPage
	limit := store.PageSize(q.Limit)
	sq := store.StateQuery{Grades: q.Grades, After: q.After, Limit: limit + 1}
	st := d.Status()
	if q.Words != "" {
		var err error
		if sq.IDs, page.Cut, err = st.find(q.Words, q.After); err != nil || len(sq.IDs) == 0 {
			return page, err
		}
	}
	states, err := d.Store.States(ctx, sq)
	if err != nil {
		return FeedPage{}, err
	}
	for _, s := range states[:min(len(states), limit)] {
		page.Feeds = append(page.Feeds, st.feed(s))
	}
	switch {
	case len(states) > limit:
		page.Next = states[limit-1].FeedID
	case page.Cut:
		page.Next = sq.IDs[len(sq.IDs)-1]
	}
	return page, nil
}

// feed joins a state with its feed.
func (st Status) feed(s fetcher.State) Feed {
	f := Feed{st.Feeds[s.FeedID], s}
	f.ID = s.FeedID
	return f
}

// find returns the ids, behind one, of the configuration's feeds that have all the
// words; cut says that there are more of them.
func (st Status) find(words, after string) (ids []string, cut bool, err error) {
	if len(words) > MaxField {
		return nil, false, faultf("The text to look for is too long.")
	}
	wanted := strings.Fields(strings.ToLower(words))
	for id, f := range st.Feeds {
		if id > after && hasAll(wanted, id, f.Name, PlainURL(f.URL), strings.Join(f.Tags, "\n")) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids[:min(len(ids), MaxFound)], len(ids) > MaxFound, nil
}

// hasAll reports whether each word is in one of the texts.
func hasAll(words []string, texts ...string) bool {
	for i := range texts {
		texts[i] = strings.ToLower(texts[i])
	}
	for _, w := range words {
		if !slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(t, w) }) {
			return false
		}
	}
	return true
}

// PlainURL is a URL without a name and a password in it: whoever may look at the
// feeds is shown neither, and cannot guess at them by a search.
func PlainURL(raw string) string {
	if !strings.Contains(raw, "@") {
		return raw
	}
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	u.User = nil
	return u.String()
}

// Rhythm says in words how often a feed publishes that has so many items a day;
// empty where that is not known.
func Rhythm(perDay float64) string {
	const week, month = 7, 30.44
	about := func(n float64, of string) string { return fmt.Sprintf("about %d a %s", int(math.Round(n)), of) }
	switch {
	case perDay <= 0:
		return ""
	case perDay >= 1:
		return about(perDay, "day")
	case perDay*week >= 1:
		return about(perDay*week, "week")
	case perDay*month >= 1:
		return about(perDay*month, "month")
	default:
		return "less than one a month"
	}
}
