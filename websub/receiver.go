package websub

import (
	"context"
	"crypto/hmac"
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	// maxToken bounds the token of a callback, and maxChallenge what is echoed.
	maxToken     = 1 << 10
	maxChallenge = 4 << 10
	// spacing is how often one feed is read for a hub's word at most: a hub that
	// goes mad must not make us a nuisance to the publisher.
	spacing = 30 * time.Second
)

// Receiver answers hubs at the callback: it confirms that a subscription was asked
// for, and has a feed read when a hub says that it has changed.
type Receiver struct {
	Keys Keyring
	// Known says whether a feed is watched.
	Known func(feed string) bool
	// PollAt makes a feed due at a time.
	PollAt func(ctx context.Context, feed string, at time.Time) error
	// MaxBody bounds what a hub may send, in bytes.
	MaxBody int64
	Now     func() time.Time

	mu   sync.Mutex
	next map[string]time.Time // by feed: when it may be read for a hub's word again
}

// ServeHTTP answers at the callback whose token is the path value "token". It
// reveals nothing: what is not one of our callbacks is not found.
func (rc *Receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token := r.PathValue("token")
	feed, topic, ok := rc.Keys.open(token)
	switch {
	case !ok:
		http.Error(w, "there is nothing here", http.StatusNotFound)
	case r.Method == http.MethodGet:
		rc.confirm(w, r, feed, topic)
	case r.Method == http.MethodPost:
		rc.told(w, r, feed, token)
	default:
		w.Header().Set("Allow", "GET, POST")
		http.Error(w, "a hub asks with GET and tells with POST", http.StatusMethodNotAllowed)
	}
}

// confirm answers the hub's question whether the subscription is wanted (§5.3).
// It is for the topic that the token was made for, as long as the feed is watched.
// An end is never asked for: a subscription is left to run out.
func (rc *Receiver) confirm(w http.ResponseWriter, r *http.Request, feed string, topic []byte) {
	q := r.URL.Query()
	challenge := q.Get("hub.challenge")
	switch {
	case q.Get("hub.mode") == "denied": // §5.2: the hub tells that it will not; there is nothing to do
		w.WriteHeader(http.StatusNoContent)
	case q.Get("hub.mode") != "subscribe", !rc.Known(feed), challenge == "", len(challenge) > maxChallenge,
		subtle.ConstantTimeCompare(topicHash(q.Get("hub.topic")), topic) != 1:
		http.Error(w, "this was not asked for", http.StatusNotFound)
	default:
		// Plain text that is never sniffed: the challenge comes from outside.
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = io.WriteString(w, challenge)
	}
}

// told takes a hub's word that a feed has news (§7). One that is not signed with
// our secret is answered alike and does nothing, as §8 asks.
func (rc *Receiver) told(w http.ResponseWriter, r *http.Request, feed, token string) {
	if !rc.Known(feed) {
		http.Error(w, "this is not watched any more", http.StatusGone)
		return
	}
	sum, want := signed(r.Header.Get("X-Hub-Signature"), rc.Keys.Secret(token))
	body := http.MaxBytesReader(w, r.Body, rc.MaxBody)
	into := io.Discard
	if sum != nil {
		into = sum
	}
	if _, err := io.Copy(into, body); err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		}
		return // or the hub broke off
	}
	if sum != nil && hmac.Equal(sum.Sum(nil), want) {
		if err := rc.PollAt(r.Context(), feed, rc.turn(feed)); err != nil {
			http.Error(w, "try again later", http.StatusServiceUnavailable)
			return
		}
	}
	w.WriteHeader(http.StatusAccepted)
}

// turn is when a feed is read for a hub's word: now, or when the spacing allows it.
func (rc *Receiver) turn(feed string) time.Time {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	now := rc.Now()
	for id, t := range rc.next { // feeds that were told of lately; few
		if t.Before(now) {
			delete(rc.next, id)
		}
	}
	at, waits := rc.next[feed]
	if !waits {
		at = now
	}
	if rc.next == nil {
		rc.next = make(map[string]time.Time)
	}
	if !waits || at.Sub(now) < spacing {
		rc.next[feed] = at.Add(spacing)
	}
	return at
}
