// Package lease names the right to work on one thing until a time.
package lease

import (
	"errors"
	"time"
)

// ErrLost is returned by a write whose lease ran out and was taken by another
// holder. The work was done again there; what was written late is dropped.
var ErrLost = errors.New("lease: lost to another holder")

// Lease is held by whoever claimed a feed or a subscriber. Token is a fencing
// token: it grows with every claim of the same key, and the store refuses a
// write whose token is not the newest, so a holder that was paused past Until
// cannot overwrite its successor's work.
type Lease struct {
	Key   string
	Token int64
	Until time.Time
}
