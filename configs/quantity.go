package configs

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const (
	day  = 24 * time.Hour
	week = 7 * day
)

var durationUnits = []struct {
	name string
	unit time.Duration
}{{"ms", time.Millisecond}, {"s", time.Second}, {"m", time.Minute}, {"h", time.Hour}, {"d", day}, {"w", week}}

// ParseDuration reads 15m, 24h, 30d, 2w, 1h30m or 1.5h, on the command line as
// in a file. A day is 24 hours.
func ParseDuration(s string) (time.Duration, error) {
	d, err := parseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("configs: duration %w", err)
	}
	return d, nil
}

func parseDuration(s string) (time.Duration, *valueError) {
	var total float64
	rest := s
	for rest != "" {
		n := strings.IndexFunc(rest, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
		if n <= 0 {
			return 0, durationError(s)
		}
		num, err := strconv.ParseFloat(rest[:n], 64)
		if err != nil {
			return 0, durationError(s)
		}
		rest = rest[n:]
		end := strings.IndexFunc(rest, func(r rune) bool { return r < 'a' || r > 'z' })
		if end < 0 {
			end = len(rest)
		}
		unit := time.Duration(0)
		for _, u := range durationUnits {
			if rest[:end] == u.name {
				unit = u.unit
			}
		}
		if unit == 0 {
			return 0, durationError(s)
		}
		total += num * float64(unit)
		rest = rest[end:]
	}
	if s == "" || total >= math.MaxInt64 {
		return 0, durationError(s)
	}
	return time.Duration(total), nil
}

func durationError(s string) *valueError {
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return &valueError{Message: fmt.Sprintf("%q has no unit", s), Hint: fmt.Sprintf("write %ss, %sm, %sh or %sd", s, s, s, s)}
	}
	return &valueError{Message: fmt.Sprintf("%q is not a duration", s), Hint: "write 30s, 15m, 24h, 30d or 2w"}
}

// formatDuration is the shortest text that parseDuration reads back, for
// messages.
func formatDuration(d time.Duration) string {
	for i := len(durationUnits) - 1; i >= 0; i-- {
		if u := durationUnits[i]; d%u.unit == 0 && d != 0 && (u.name != "w") {
			return fmt.Sprintf("%d%s", d/u.unit, u.name)
		}
	}
	return d.String()
}

var sizeUnits = []struct {
	name string
	unit int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"KB", 1e3}, {"B", 1}}

// parseSize reads 10MiB (2^20 bytes), 10MB (10^6 bytes), 500KiB, 2000B.
func parseSize(s string) (int64, *valueError) {
	n := strings.IndexFunc(s, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	if n < 0 && s != "" {
		return 0, &valueError{Message: fmt.Sprintf("%q has no unit", s), Hint: fmt.Sprintf("write %sMiB or %sKiB", s, s)}
	}
	bad := &valueError{Message: fmt.Sprintf("%q is not a size", s), Hint: "write 10MiB, 10MB or 500KiB"}
	if n <= 0 {
		return 0, bad
	}
	num, err := strconv.ParseFloat(s[:n], 64)
	if err != nil {
		return 0, bad
	}
	for _, u := range sizeUnits {
		if s[n:] == u.name {
			if total := num * float64(u.unit); total < math.MaxInt64 {
				return int64(total), nil
			}
			return 0, bad
		}
	}
	for _, u := range sizeUnits {
		if strings.EqualFold(s[n:], u.name) || strings.EqualFold(s[n:], strings.TrimSuffix(u.name, "B")) {
			bad.Hint = fmt.Sprintf("write %s%s", s[:n], u.name)
			break
		}
	}
	return 0, bad
}

// valueError is a value that cannot be read, with what to write instead.
type valueError struct {
	Message string
	Hint    string
}

func (e *valueError) Error() string { return e.Message + ": " + e.Hint }
