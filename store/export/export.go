// Package export lists hits beyond one page, and writes them as CSV.
package export

import (
	"context"
	"encoding/csv"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/store"
)

// page is how many hits are read at a time: an export of everything takes no
// more memory than that.
const page = 500

// Lister lists the hits that a query selects, the newest first, as store.Items
// does.
type Lister interface {
	Hits(ctx context.Context, q store.HitQuery) ([]classifier.Hit, error)
}

// Hits yields at most limit of the hits that q selects, all where limit is zero.
func Hits(ctx context.Context, from Lister, q store.HitQuery, limit int) iter.Seq2[classifier.Hit, error] {
	return func(yield func(classifier.Hit, error) bool) {
		for left := limit; limit == 0 || left > 0; {
			q.Limit = page
			if limit > 0 {
				q.Limit = min(page, left)
			}
			hits, err := from.Hits(ctx, q)
			if err != nil {
				yield(classifier.Hit{}, err)
				return
			}
			for _, h := range hits {
				if !yield(h, nil) {
					return
				}
			}
			if len(hits) < q.Limit {
				return
			}
			last := hits[len(hits)-1]
			q.BeforeTime, q.BeforeID = last.Found, last.Item.ID
			left -= len(hits)
		}
	}
}

// CSV writes hits as lines of comma-separated values (RFC 4180), with a first
// line that names the columns.
type CSV struct{ w *csv.Writer }

// NewCSV begins to write. An error of w is returned by Flush.
func NewCSV(w io.Writer) CSV {
	c := CSV{csv.NewWriter(w)}
	_ = c.w.Write([]string{"id", "found", "published", "severity", "rules", "outlet", "lang", "title", "link", "excerpt"})
	return c
}

// Write adds one hit.
func (c CSV) Write(h classifier.Hit) error {
	return c.w.Write([]string{
		h.Item.ID.String(), stamp(h.Found), stamp(h.Item.Published), store.HitSeverity(h).String(), formula(strings.Join(RuleIDs(h), " ")),
		formula(h.Outlet()), formula(h.Item.Lang), formula(h.Item.Title), formula(h.Item.Link), formula(excerpt(h)),
	})
}

// Flush writes what is still held back.
func (c CSV) Flush() error {
	c.w.Flush()
	return c.w.Error()
}

// RuleIDs are the rules of a hit.
func RuleIDs(h classifier.Hit) []string {
	ids := make([]string, len(h.Rules))
	for i, r := range h.Rules {
		ids[i] = r.Rule
	}
	return ids
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func excerpt(h classifier.Hit) string {
	for _, r := range h.Rules {
		if r.Excerpt.Text != "" {
			return r.Excerpt.Text
		}
	}
	return ""
}

// formula keeps a spreadsheet from running what a publisher wrote: a cell that
// begins with one of these characters would be a formula (OWASP, CSV injection).
func formula(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n", rune(s[0])) {
		return "'" + s
	}
	return s
}
