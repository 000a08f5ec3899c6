package notify

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Schedule gives the times of a subscriber's turns.
type Schedule interface {
	// Next returns the first turn after t.
	Next(t time.Time) time.Time
	// String is the canonical text of the schedule with its time zone; equal
	// schedules have equal texts.
	String() string
}

const (
	// DefaultHold is how long `immediate` waits between two looks at the log, so
	// that the outlets of one story arrive as one entry.
	DefaultHold = 30 * time.Second
	// MinEvery is the shortest `@every`: what is shorter is `immediate`.
	MinEvery = time.Minute

	minHold, maxHold = time.Second, time.Hour
	maxEvery         = 366 * 24 * time.Hour
	maxSpec          = 256
)

var cronParser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// ParseSchedule reads a subscriber's schedule: five cron fields (minute, hour,
// day of month, month, day of week), a descriptor (@hourly, @daily, @weekly,
// @monthly, @yearly, @every 30m), or `immediate`, which may name its hold:
// `immediate 2m`. The fields are in tz; nil is UTC.
//
// Only the parser of cron/v3 is used. Its Next would skip a day whose hour falls
// into the gap of a clock change, and run twice where the clock goes back.
func ParseSchedule(spec string, tz *time.Location) (Schedule, error) {
	s, err := parseSchedule(strings.TrimSpace(spec), tz)
	if err != nil {
		return nil, fmt.Errorf("notify: schedule %.80q: %w", spec, err)
	}
	return s, nil
}

func parseSchedule(spec string, tz *time.Location) (Schedule, error) {
	if tz == nil {
		tz = time.UTC
	}
	switch {
	case spec == "":
		return nil, errors.New(`is empty: want cron fields such as "0 7 * * *", @daily, or immediate`)
	case len(spec) > maxSpec:
		return nil, fmt.Errorf("is longer than %d bytes", maxSpec)
	// The parser panics on "TZ=" without a rest, so it never sees one.
	case strings.Contains(strings.ToUpper(spec), "TZ="):
		return nil, errors.New("holds a time zone: name it with `timezone:` instead")
	case spec == "immediate" || strings.HasPrefix(spec, "immediate "):
		return parseImmediate(strings.TrimSpace(strings.TrimPrefix(spec, "immediate")))
	}
	parsed, err := cronParser.Parse(spec)
	if err != nil {
		return nil, explain(spec, err)
	}
	switch p := parsed.(type) {
	case cron.ConstantDelaySchedule:
		if p.Delay < MinEvery {
			return nil, fmt.Errorf("comes more than once in %s: use immediate", MinEvery)
		}
		if p.Delay > maxEvery {
			return nil, errors.New("comes less than once a year")
		}
		return every{p.Delay}, nil
	case *cron.SpecSchedule:
		return newCalendar(spec, p, tz)
	}
	return nil, errors.New("is of a kind that is not supported")
}

// explain adds what a person most likely meant to an error of the parser.
func explain(spec string, err error) error {
	fields := strings.Fields(spec)
	switch {
	case strings.HasPrefix(spec, "@"):
		return fmt.Errorf("%w: want @hourly, @daily, @weekly, @monthly, @yearly or @every 30m", err)
	case len(fields) == 6:
		return fmt.Errorf("%w: there is no field for seconds", err)
	case len(fields) == 5 && strings.Contains(fields[4], "7"):
		return fmt.Errorf("%w: Sunday is 0 or sun", err)
	case len(fields) != 5:
		return fmt.Errorf("%w: want minute, hour, day of month, month, day of week", err)
	}
	return err
}

func parseImmediate(hold string) (Schedule, error) {
	if hold == "" {
		return immediate{DefaultHold}, nil
	}
	d, err := time.ParseDuration(hold)
	if err != nil {
		return nil, fmt.Errorf("the hold of immediate: %w", err)
	}
	if d < minHold || d > maxHold {
		return nil, fmt.Errorf("the hold of immediate is %s: want between %s and %s", d, minHold, maxHold)
	}
	return immediate{d}, nil
}

// immediate looks at the log every hold. A turn that finds nothing new costs
// one claim and one write, and never sends an empty digest.
type immediate struct{ hold time.Duration }

func (s immediate) Next(t time.Time) time.Time { return t.Add(s.hold) }
func (s immediate) String() string             { return "immediate " + s.hold.String() }

// IsImmediate reports whether the schedule is `immediate`: such a subscriber is
// never sent an empty digest, whatever its WhenEmpty says.
func IsImmediate(s Schedule) bool {
	_, ok := s.(immediate)
	return ok
}

// every counts real time from turn to turn, so clock changes do not touch it.
type every struct{ delay time.Duration }

func (s every) Next(t time.Time) time.Time { return t.Add(s.delay).Truncate(time.Second) }
func (s every) String() string             { return "@every " + s.delay.String() }
