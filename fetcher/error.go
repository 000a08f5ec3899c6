package fetcher

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// Reason is the closed set of classes of failure. It labels metrics, so it
// never holds anything from outside.
type Reason string

const (
	ReasonDNS          Reason = "dns"             // the name could not be looked up
	ReasonNoHost       Reason = "no_host"         // there is no such name
	ReasonRefused      Reason = "address_refused" // not public, and not allowed
	ReasonConnect      Reason = "connect"         // no connection, or one cut before an answer
	ReasonTLS          Reason = "tls"
	ReasonTimeout      Reason = "timeout"
	ReasonRedirect     Reason = "redirect" // a loop, too many, or to where we do not go
	ReasonGone         Reason = "gone"     // 410
	ReasonNotFound     Reason = "not_found"
	ReasonForbidden    Reason = "forbidden" // 401, 402, 403, 407, 451
	ReasonRobots       Reason = "robots"    // robots.txt asks us not to; articles only
	ReasonRateLimited  Reason = "rate_limited"
	ReasonClient       Reason = "client_error" // other 4xx
	ReasonServer       Reason = "server_error" // 5xx, or an answer that makes no sense
	ReasonTooLarge     Reason = "too_large"
	ReasonBody         Reason = "body" // broken compression, wrong length, cut off
	ReasonNotAFeed     Reason = "not_a_feed"
	ReasonNotAnArticle Reason = "not_an_article" // articles only
	ReasonHostile      Reason = "hostile"        // the guard refused the document
	ReasonParse        Reason = "parse"
	ReasonPanic        Reason = "panic"
	ReasonOffline      Reason = "offline" // nothing at all can be reached: it is not the feed
	ReasonConfig       Reason = "config"  // the URL itself cannot be polled
	ReasonBusy         Reason = "busy"    // put off: too many feeds of the host are due
	ReasonHeld         Reason = "held"    // put off, or an article not asked for: the host wants no requests now
)

// Error is a failed poll or article. Its text is fit for an operator and holds
// no secret: of a URL it shows the host, never user info, path or query.
type Error struct {
	Reason Reason
	Status int // the HTTP status, or zero
	Err    error
}

func (e *Error) Error() string { return "fetcher: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// wrap gives an error that is not an *Error, which is a context's or a caller's
// own, the package's name.
func wrap(err error) error {
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	return fmt.Errorf("fetcher: %w", err)
}

// explained is a cause with words of our own in place of its text, which may
// quote a URL or what a server sent.
type explained struct {
	text  string
	cause error
}

func (e *explained) Error() string { return e.text }
func (e *explained) Unwrap() error { return e.cause }

// failf makes an *Error whose text is ours.
func failf(reason Reason, cause error, format string, args ...any) *Error {
	return &Error{Reason: reason, Err: &explained{text: tame(fmt.Sprintf(format, args...)), cause: cause}}
}

// maxErrorRunes bounds an error's text, which is kept in the feed's state.
const maxErrorRunes = 300

// tame makes one short printable line of a text that may quote a server.
func tame(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == unicode.ReplacementChar, unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	n := 0
	for i := range s {
		if n == maxErrorRunes {
			return s[:i] + "…"
		}
		n++
	}
	return s
}
