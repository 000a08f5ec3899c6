package store

import (
	"context"
	"iter"
	"time"

	"github.com/newswatch/newswatch/fetcher"
)

// StateQuery selects the states of feeds, in the order of their ids. Zero fields
// select everything.
type StateQuery struct {
	// IDs are the feeds that are asked for, in any order; those that are not in the
	// queue are passed over.
	IDs []string
	// Grades are how the feeds do, any of them; see State.Grade.
	Grades []fetcher.Grade
	// After continues a listing: the id of the last feed of the page before.
	After string
	Limit int // at most 1,000; 0 means 100
}

// StateLister is a store whose feeds can be listed.
type StateLister interface {
	States(ctx context.Context, q StateQuery) ([]fetcher.State, error)
}

// AllStates yields what a query selects, page by page, whatever its Limit. What
// is changed meanwhile is seen before or after the change.
func AllStates(ctx context.Context, s StateLister, q StateQuery) iter.Seq2[fetcher.State, error] {
	return func(yield func(fetcher.State, error) bool) {
		q.Limit = PageSize(maxPage)
		for {
			page, err := s.States(ctx, q)
			if err != nil {
				yield(fetcher.State{}, err)
				return
			}
			for _, st := range page {
				if !yield(st, nil) {
					return
				}
				q.After = st.FeedID
			}
			if len(page) < q.Limit {
				return
			}
		}
	}
}

// Census counts the feeds of the queue without reading their states, so that it
// costs little at any number of them: every page asks for it.
type Census struct {
	Feeds int `json:"feeds"`
	// Grades counts the feeds by how they do. Its sum is Feeds.
	Grades map[fetcher.Grade]int `json:"grades"`
	// Late counts those that could have been claimed before a time that was asked
	// about, and were not.
	Late int `json:"late"`
}

// Reads counts the feeds of the queue by the minute of their last good poll, the
// oldest first. Feeds that never had one are not in it.
type Reads []ReadsIn

// ReadsIn is how many feeds had their last good poll in a minute.
type ReadsIn struct {
	Minute int64 // since 1970
	Feeds  int
}

// Since counts the feeds that had a good poll since the minute in which t is, which
// is how exactly digests tell their times.
func (rs Reads) Since(t time.Time) int {
	n := 0
	for _, r := range rs {
		if r.Minute >= floorMinute(t) {
			n += r.Feeds
		}
	}
	return n
}

// ReadMinute is the minute by which a state counts in Reads; ok is false
// when its feed never had a good poll.
func ReadMinute(st fetcher.State) (minute int64, ok bool) {
	if st.LastSuccess.IsZero() {
		return 0, false
	}
	return floorMinute(st.LastSuccess), true
}

func floorMinute(t time.Time) int64 {
	s := t.Unix()
	if s < 0 {
		s -= 59
	}
	return s / 60
}
