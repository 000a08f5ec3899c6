package configs

import (
	"encoding/json"
	"log/slog"
)

// hidden is what every printed form of a Secret says.
const hidden = "<secret>"

// Secret is a text that never prints: a password, a token, a subscriber's
// address. Each way in which Go turns a value into text gives "<secret>"
// instead, so that a Config can be logged, marshalled or dumped as a whole.
// Reveal is the one way to the text.
type Secret struct{ text string }

// NewSecret wraps a text.
func NewSecret(text string) Secret { return Secret{text: text} }

// Reveal returns the text. What calls it must not log, wrap or store the result.
func (s Secret) Reveal() string { return s.text }

// IsZero reports whether there is no text, which is how an unset secret reads.
func (s Secret) IsZero() bool { return s.text == "" }

// Equal compares two secrets; go-cmp uses it, which cannot look inside.
func (s Secret) Equal(o Secret) bool { return s.text == o.text }

func (s Secret) String() string               { return hidden }
func (s Secret) GoString() string             { return hidden }
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(hidden) }
func (s Secret) MarshalYAML() (any, error)    { return hidden, nil }
func (s Secret) LogValue() slog.Value         { return slog.StringValue(hidden) }
