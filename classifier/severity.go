package classifier

import (
	"fmt"
	"strings"
)

// Severity is how much the hits of a rule matter. They are ordered: a subscriber
// asks for a least one. A rule that names none is Medium, see ParseSeverity.
type Severity int

const (
	Low Severity = iota
	Medium
	High
	Critical
)

var severityNames = [...]string{"low", "medium", "high", "critical"}

// String returns the word that a rule file uses.
func (s Severity) String() string {
	if s < 0 || int(s) >= len(severityNames) {
		return fmt.Sprintf("severity(%d)", int(s))
	}
	return severityNames[s]
}

// ParseSeverity reads low, medium, high or critical; the empty string is
// Medium.
func ParseSeverity(s string) (Severity, error) {
	if s == "" {
		return Medium, nil
	}
	for i, n := range severityNames {
		if s == n {
			return Severity(i), nil
		}
	}
	return Medium, fmt.Errorf("classifier: severity %q: want one of %s", s, strings.Join(severityNames[:], ", "))
}

// MarshalText makes a severity a word in JSON.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (s *Severity) UnmarshalText(b []byte) error {
	got, err := ParseSeverity(string(b))
	if err != nil {
		return err
	}
	*s = got
	return nil
}
