package notify

import (
	"context"
	"errors"
	"time"
)

// Failure is the closed set of classes of failed deliveries. It labels metrics,
// so it never holds anything from outside.
type Failure string

const (
	FailureConnect  Failure = "connect"
	FailureTLS      Failure = "tls"
	FailureTimeout  Failure = "timeout"
	FailureAuth     Failure = "auth"
	FailureRejected Failure = "rejected" // the receiver said no, for good
	FailureDeferred Failure = "deferred" // the receiver said not now
	FailureGone     Failure = "gone"     // the endpoint wants nothing more (410)
	FailureRefused  Failure = "address_refused"
	FailureLocal    Failure = "local" // our own disk, our own configuration
	FailureUnknown  Failure = "unknown"
)

// DeliveryError is a digest that was not accepted. Its text never holds a
// subscriber's address, a URL's path or query, or a secret.
type DeliveryError struct {
	Failure Failure
	// Permanent means that trying again cannot help.
	Permanent bool
	// PauseAfter is set where it is the subscriber that is refused and not the
	// message: when so many digests on end were refused for good, the subscriber is
	// paused. Zero never pauses; it is read only with Permanent.
	PauseAfter int
	// Untried means that nothing was sent, for a reason that is not the digest's: it
	// is no try, and the turn comes again after RetryAfter.
	Untried bool
	// RetryAfter is how long the receiver asked us to wait; zero if it did not.
	RetryAfter time.Duration
	Err        error
}

func (e *DeliveryError) Error() string { return "notify: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *DeliveryError) Unwrap() error { return e.Err }

// AsDeliveryError returns err as a DeliveryError; one that is not is a passing
// failure, of unknown cause unless it ran out of time.
func AsDeliveryError(err error) *DeliveryError {
	if de, ok := errors.AsType[*DeliveryError](err); ok {
		return de
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &DeliveryError{Failure: FailureTimeout, Err: err}
	}
	return &DeliveryError{Failure: FailureUnknown, Err: err}
}
