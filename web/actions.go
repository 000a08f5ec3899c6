package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/web/desk"
)

// maxAction bounds what a form may send, in bytes: a rule file of desk.MaxText in
// the escapes of a form, and what stands around it.
const maxAction = 1 << 20

// action is a change that a form asks for. Each is a POST, which a page of another
// site cannot send (see routes), and ends in a page that was fetched anew, so that
// a reload does not repeat it.
type action struct {
	path string
	// back is the page to go to, relative to path: a fixed one, whatever the form
	// says.
	back string
	// done is the key of doneWords that the page tells then.
	done string
	do   func(ctx context.Context, id string) error
}

// doneWords are what a page says after an action. The page's address holds the key
// alone, so nobody can put words of their own there.
var doneWords = map[string]string{
	"polled":   "The feed is read as soon as a hand is free.",
	"rested":   "The feed is not read until it is resumed.",
	"woken":    "The feed is read again, as soon as a hand is free.",
	"purged":   "The item is gone, and cannot come back. Those who were sent it are told to delete it.",
	"paused":   "The subscriber gets nothing until it is resumed. Its place in the log stays.",
	"resumed":  "The subscriber is served again.",
	"turn":     "The subscriber's turn is taken as soon as a hand is free.",
	"resent":   "The digest is the subscriber's next, as it was.",
	"dropped":  "The digest is dropped for good.",
	"reloaded": "The configuration was loaded anew.",
}

// actions lists every change that the pages can ask for.
func (s *Server) actions() []action {
	return []action{
		{"/feeds/poll", "../feeds", "polled", s.ofFeed(func(ctx context.Context, id string) error {
			return s.o.Store.PollNow(ctx, []string{id}, s.o.Now())
		})},
		{"/feeds/pause", "../feeds", "rested", s.ofFeed(func(ctx context.Context, id string) error {
			return s.o.Store.PauseFeeds(ctx, []string{id}, true, s.o.Now())
		})},
		{"/feeds/resume", "../feeds", "woken", s.ofFeed(func(ctx context.Context, id string) error {
			return s.o.Store.PauseFeeds(ctx, []string{id}, false, s.o.Now())
		})},
		{"/stories/purge", "../stories", "purged", func(ctx context.Context, id string) error {
			item, err := feed.ParseItemID(id)
			if err != nil {
				return store.ErrNotFound
			}
			return s.o.Store.Purge(ctx, item, s.o.Now())
		}},
		{"/subscribers/pause", "../subscribers", "paused", func(ctx context.Context, id string) error {
			return s.o.Store.Pause(ctx, id, notify.Pause{Since: s.o.Now(), By: notify.ByOperator})
		}},
		{"/subscribers/resume", "../subscribers", "resumed", func(ctx context.Context, id string) error {
			return s.o.Store.Resume(ctx, id, s.o.Now())
		}},
		{"/subscribers/send", "../subscribers", "turn", func(ctx context.Context, id string) error {
			return s.o.Store.SendNow(ctx, []string{id}, s.o.Now())
		}},
		{"/deliveries/resend", "../deliveries", "resent", func(ctx context.Context, id string) error {
			return s.o.Store.Resend(ctx, id, s.o.Now())
		}},
		{"/deliveries/drop", "../deliveries", "dropped", func(ctx context.Context, id string) error {
			return s.o.Store.Drop(ctx, id)
		}},
	}
}

// ofFeed refuses what is not a feed of the configuration.
func (s *Server) ofFeed(do func(ctx context.Context, id string) error) func(context.Context, string) error {
	return func(ctx context.Context, id string) error {
		if _, ok := s.o.Status().Feeds[id]; !ok {
			return store.ErrNotFound
		}
		return do(ctx, id)
	}
}

// act makes the handler of an action.
func (s *Server) act(a action) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		form, ok := s.form(w, r)
		if !ok {
			return
		}
		ctx, cancel := bounded(r)
		defer cancel()
		id, err := form.Get("id"), store.ErrNotFound
		if id != "" { // which would mean all of them to some
			err = a.do(ctx, id)
		}
		switch {
		case errors.Is(err, store.ErrNotFound):
			s.fail(w, r, http.StatusNotFound, "This is not there any more", "Somebody else may have been faster. Go back and look at the page again.")
			return
		case err != nil:
			s.storeFailed(w, r, err)
			return
		}
		s.o.Log.Info("an operator acted", "action", a.path, "on", short(id, maxName))
		// What narrowed the list stays: whoever works through it would have to narrow
		// it again after each.
		to := url.Values{"done": {a.done}}
		for _, key := range []string{"grade", "words"} {
			if v := r.URL.Query().Get(key); v != "" && len(v) <= desk.MaxField {
				to.Set(key, v)
			}
		}
		seeOther(w, a.back+"?"+to.Encode())
	}
}

// seeOther sends a browser to another page. The address is relative, so that it
// also leads there below a path of a reverse proxy.
func seeOther(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	plain(w, http.StatusSeeOther, "done\n")
}

// form reads the fields of a form.
func (s *Server) form(w http.ResponseWriter, r *http.Request) (url.Values, bool) {
	r.Body = http.MaxBytesReader(w, r.Body, maxAction)
	if err := r.ParseForm(); err != nil {
		s.fail(w, r, http.StatusBadRequest, "This form cannot be read", "It is too large, or was cut on its way.")
		return nil, false
	}
	return r.PostForm, true
}
