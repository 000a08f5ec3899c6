package configs

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// hidden is what every printed form of a Secret says.
const hidden = "<secret>"

// Secret is a text that never prints: a password, a token, a subscriber's
// address. Each way in which Go turns a value into text gives "<secret>"
// instead, so that a Config can be logged, marshalled or dumped as a whole.
// Reveal is the one way to the text.
//
// The text is behind a pointer because fmt calls no method of a value in an
// unexported field and prints what it holds: here, an address. Compare secrets
// with Equal.
type Secret struct{ text *string }

// NewSecret wraps a text.
func NewSecret(text string) Secret { return Secret{text: &text} }

// Reveal returns the text. What calls it must not log, wrap or store the result.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether there is no text, which is how an unset secret reads.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// Equal compares the texts.
func (s Secret) Equal(o Secret) bool { return s.Reveal() == o.Reveal() }

func (s Secret) String() string               { return hidden }
func (s Secret) GoString() string             { return hidden }
func (s Secret) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, hidden) }
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(hidden) }
func (s Secret) MarshalYAML() (any, error)    { return hidden, nil }
func (s Secret) LogValue() slog.Value         { return slog.StringValue(hidden) }
