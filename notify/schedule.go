package notify

import "time"

// Schedule gives the times of a subscriber's turns.
type Schedule interface {
	// Next returns the first turn after t.
	Next(t time.Time) time.Time
	// String is the canonical text of the schedule with its time zone; equal
	// schedules have equal texts.
	String() string
}
