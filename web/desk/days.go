package desk

import "time"

// MaxDays bounds the days that are counted at a time.
const MaxDays = 90

// Days are the edges of the last n days of the calendar, the one of now included,
// in now's time zone: n+1 instants, the last of them the end of today.
func Days(now time.Time, n int) []time.Time {
	y, m, d := now.Date()
	edges := make([]time.Time, n+1)
	for i := range edges {
		edges[i] = time.Date(y, m, d-n+1+i, 0, 0, 0, 0, now.Location())
	}
	return edges
}
