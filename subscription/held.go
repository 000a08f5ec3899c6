package subscription

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// Held is all that is held of one subscriber, of the configuration or of the
// roll.
type Held struct {
	ID string `json:"id"`
	// Reader is nil for a subscriber of the configuration. Its Secret is left
	// out: who has it need not be told, and who has not must not.
	Reader *store.Reader `json:"reader,omitempty"`
	// Standing is nil for one that has no turn.
	Standing    *store.Standing     `json:"standing,omitempty"`
	DeadLetters []notify.DeadLetter `json:"dead_letters,omitempty"`
	// Deliveries are the last thousand.
	Deliveries []notify.Delivery `json:"deliveries,omitempty"`
}

// Empty reports whether nothing is held.
func (h Held) Empty() bool {
	return h.Reader == nil && h.Standing == nil && len(h.DeadLetters) == 0 && len(h.Deliveries) == 0
}

// All returns all that is held of a subscriber.
func (l *Roll) All(ctx context.Context, id string) (Held, error) {
	h := Held{ID: id}
	wrap := func(err error) (Held, error) { return h, fmt.Errorf("subscription: %w", err) }
	r, err := l.Store.Reader(ctx, id)
	switch {
	case err == nil:
		r.Secret = ""
		h.Reader = &r
	case !errors.Is(err, store.ErrNotFound):
		return wrap(err)
	}
	standings, err := l.Store.Standings(ctx)
	if err != nil {
		return wrap(err)
	}
	if i := slices.IndexFunc(standings, func(s store.Standing) bool { return s.Subscriber == id }); i >= 0 {
		h.Standing = &standings[i]
	}
	letters, err := l.Store.DeadLetters(ctx)
	if err != nil {
		return wrap(err)
	}
	for _, letter := range letters {
		if letter.Digest.Subscriber == id {
			h.DeadLetters = append(h.DeadLetters, letter)
		}
	}
	if h.Deliveries, err = l.Store.Deliveries(ctx, id, 1000); err != nil {
		return wrap(err)
	}
	return h, nil
}

// Export returns all that is held of the reader of a link.
func (l *Roll) Export(ctx context.Context, tok string) (Held, error) {
	r, err := l.Read(ctx, ToChange, tok)
	if err != nil {
		return Held{}, err
	}
	return l.All(ctx, r.ID)
}
