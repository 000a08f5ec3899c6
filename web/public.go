package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/newswatch/newswatch/subscription"
)

// publicPage is a page of people who subscribe.
type publicPage struct {
	design design
	body   any
}

// showPublic answers with a page that leads to none of the operator's and tells
// nothing of the daemon.
func (s *Server) showPublic(w http.ResponseWriter, r *http.Request, status int, title string, pp publicPage) {
	p := s.frame(r, s.o.Now())
	p.Title, p.Public, p.Body = title, true, pp.body
	s.render(w, r, status, pp.design, p)
}

func (s *Server) failPublic(w http.ResponseWriter, r *http.Request, status int, message, advice string) {
	s.showPublic(w, r, status, message, publicPage{errorPage, trouble{status, message, advice}})
}

// link is the body of a page behind a link: some words, and a button where there
// is something to do.
type link struct {
	Title  string
	Text   []string
	Button string
	// Never offers never to be written to again.
	Never bool
}

func (s *Server) tell(w http.ResponseWriter, r *http.Request, status int, l link) {
	s.showPublic(w, r, status, l.Title, publicPage{linkPage, l})
}

// linkFailed answers a link that leads nowhere, without saying why, or a store
// that did not take what was asked: then nothing is promised.
func (s *Server) linkFailed(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, subscription.ErrLink) {
		s.failPublic(w, r, http.StatusNotFound, "This link leads nowhere",
			"It is too old, was cut off on its way, or is of an address that is not known any more. The newest digest has links that work.")
		return
	}
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		return
	}
	s.o.Log.Error("a subscription could not be read or written", "page", r.Pattern, "err", err)
	w.Header().Set("Retry-After", "5")
	s.failPublic(w, r, http.StatusServiceUnavailable, "This could not be written down", "Nothing was changed. Try again in a minute.")
}
