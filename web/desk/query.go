package desk

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/store"
)

// MaxField bounds one field of a query, in bytes.
const MaxField = 400

// QueryFields are the fields of a query string that select hits. The pages, the
// API and the output feeds have the same, so that a search that was found on one
// can be taken to the others.
var QueryFields = []string{"rule", "tag", "feed", "outlet", "lang", "severity", "words", "since", "until", "quiet"}

// ParseQuery reads what hits are asked for. A day without a time is one in loc,
// and as the end takes in the whole day. All faults are told at once, in
// sentences.
func ParseQuery(params url.Values, loc *time.Location) (store.HitQuery, []string) {
	var faults []string
	get := func(key, what string) string {
		v := strings.TrimSpace(params.Get(key))
		if len(v) > MaxField {
			faults = append(faults, what+" is too long.")
			return ""
		}
		return v
	}
	q := store.HitQuery{
		Rule:   get("rule", "The rule"),
		Tag:    get("tag", "The tag"),
		Feed:   get("feed", "The feed"),
		Outlet: get("outlet", "The outlet"),
		Lang:   get("lang", "The language"),
		Text:   get("words", "The text to look for"),
	}
	switch get("quiet", "The choice of back catalogues") {
	case "", "0", "false":
	case "1", "true":
		q.Quiet = true
	default:
		faults = append(faults, "Whether back catalogues are wanted (quiet) is one of 1, 0, true and false.")
	}
	if v := get("severity", "The severity"); v != "" {
		var err error
		if q.Severity, err = classifier.ParseSeverity(v); err != nil {
			faults = append(faults, "The severity is one of low, medium, high and critical.")
		}
	}
	date := func(v, what string, after int) time.Time {
		if v == "" {
			return time.Time{}
		}
		if t, err := time.Parse(time.RFC3339, v); err == nil {
			return t
		}
		t, err := time.ParseInLocation(time.DateOnly, v, loc)
		if err != nil {
			faults = append(faults, what+" is not a date. Write it as 2026-01-31.")
			return time.Time{}
		}
		// AddDate, not 24 hours: a day on which the clocks change has another
		// length.
		return t.AddDate(0, 0, after)
	}
	q.Since = date(get("since", "The first day"), "The first day", 0)
	q.Until = date(get("until", "The last day"), "The last day", 1)
	if !q.Since.IsZero() && !q.Until.IsZero() && !q.Since.Before(q.Until) {
		faults = append(faults, "The first day is after the last.")
	}
	if before := get("before", "The place to go on from"); before != "" {
		var err error
		if q.BeforeTime, q.BeforeID, err = ParseCursor(before); err != nil {
			faults = append(faults, "The place to go on from is not one that newswatch gave. Start at the newest.")
		}
	}
	return q, faults
}

// QueryOf keeps of a query string what selects hits, so that nothing else that a
// visitor added is carried on into links.
func QueryOf(params url.Values) url.Values {
	out := url.Values{}
	for key, v := range params {
		if slices.Contains(QueryFields, key) && len(v) > 0 && v[0] != "" {
			out.Set(key, v[0])
		}
	}
	return out
}

// Cursor names the last hit of a page. Found is kept to the millisecond, so that
// is all of it.
func Cursor(h classifier.Hit) string {
	return strconv.FormatInt(h.Found.UnixMilli(), 10) + "." + h.Item.ID.String()
}

// ParsePlace reads a place in the log of hits, where a list goes on that has its
// order; 0 is its beginning.
func ParsePlace(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("desk: %q is not a place in the log", s)
	}
	return n, nil
}

// maxMillis is the end of the year 9999, after which times have no text.
const maxMillis = 253402300799999

// ParseCursor is the inverse of Cursor.
func ParseCursor(s string) (time.Time, feed.ItemID, error) {
	ms, id, ok := strings.Cut(s, ".")
	n, err := strconv.ParseInt(ms, 10, 64)
	if !ok || err != nil || n <= 0 || n > maxMillis {
		return time.Time{}, feed.ItemID{}, fmt.Errorf("desk: %q is not a cursor", s)
	}
	item, err := feed.ParseItemID(id)
	if err != nil {
		return time.Time{}, feed.ItemID{}, fmt.Errorf("desk: cursor: %w", err)
	}
	return time.UnixMilli(n).UTC(), item, nil
}
