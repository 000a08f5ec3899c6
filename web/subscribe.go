package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/subscription"
)

// Subscriptions is what the pages need for people to subscribe themselves.
type Subscriptions struct {
	Roll *subscription.Roll
	// Catalogue is what can be chosen now.
	Catalogue func() subscription.Catalogue
}

// maxForm bounds what a stranger may post.
const maxForm = 64 << 10

// subscriptionRoutes are the pages that anyone may open. The forms need no cookie:
// what a link may do, its token alone allows.
func (s *Server) subscriptionRoutes() []route {
	if s.o.Subscriptions == nil {
		return nil
	}
	both := []string{http.MethodGet, http.MethodHead, http.MethodPost}
	table := []route{
		{path: "/subscribe", methods: both, access: open, answer: s.subscribe, public: true},
		{path: "/confirm/{token}", methods: both, access: open, answer: s.confirm, public: true},
		{path: "/unsubscribe/{token}", methods: both, access: open, answer: s.unsubscribe, anyOrigin: true, public: true},
		{path: "/preferences/{token}", methods: both, access: open, answer: s.preferences, public: true},
		{path: "/preferences/{token}/export", methods: reads, access: open, answer: s.export, public: true},
		{path: "/api/v1/subscriptions", methods: writes, access: open, answer: s.subscribeAPI},
	}
	// A link that was cut off on its way is still one of somebody who subscribed.
	for _, path := range []string{"/confirm/", "/unsubscribe/", "/preferences/"} {
		table = append(table, route{path: path, methods: both, access: open, public: true, answer: func(w http.ResponseWriter, r *http.Request) {
			s.linkFailed(w, r, subscription.ErrLink)
		}})
	}
	return table
}

// asked is what everyone is told who asked, known or not.
const asked = "If digests can be sent to what you wrote, a letter is on its way to it with a link to confirm. " +
	"It works for 48 hours. Nothing comes? Look among the unwanted mail, and try again tomorrow: one address is written to three times a day at most."

// subscribeBody is the body of the form.
type subscribeBody struct {
	Faults  []subscription.Fault
	Stamp   string
	Words   string // of the consent
	Form    form
	Choices offered
}

func (s *Server) subscribe(w http.ResponseWriter, r *http.Request) {
	subs := s.o.Subscriptions
	cat := subs.Catalogue()
	if r.Method != http.MethodPost {
		s.showForm(w, r, http.StatusOK, emptyForm(cat), nil)
		return
	}
	f, ok := s.readForm(w, r)
	if !ok {
		return
	}
	if wait, ok := s.mayAsk(r); !ok {
		s.tooMany(w, r, wait)
		return
	}
	genuine, err := subs.Roll.Stamped(r.Context(), f.Stamp)
	if err != nil {
		s.linkFailed(w, r, err)
		return
	}
	q, faults := subscription.Check(f.request(), cat)
	if !genuine {
		faults = append([]subscription.Fault{{Text: "this page was open for too long: look it over, and send it again"}}, faults...)
	}
	if len(faults) > 0 {
		s.showForm(w, r, http.StatusUnprocessableEntity, f, faults)
		return
	}
	if wait, ok := s.mayChallenge(q); !ok {
		s.tooMany(w, r, wait)
		return
	}
	if err := subs.Roll.Ask(r.Context(), q); err != nil {
		s.linkFailed(w, r, err)
		return
	}
	s.tell(w, r, http.StatusAccepted, link{Title: "Look into your mail", Text: []string{asked}})
}

// readForm decodes what was posted, or answers what is wrong with it.
func (s *Server) readForm(w http.ResponseWriter, r *http.Request) (form, bool) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		status := http.StatusBadRequest
		if _, big := errors.AsType[*http.MaxBytesError](err); big {
			status = http.StatusRequestEntityTooLarge
		}
		s.failPublic(w, r, status, "This form cannot be read", "Go back, and send it again.")
		return form{}, false
	}
	return decode(r.PostForm), true
}

// mayAsk counts a request of a stranger.
func (s *Server) mayAsk(r *http.Request) (wait time.Duration, ok bool) {
	return s.clients.take(s.network(r), s.o.Now())
}

// mayChallenge counts a request for an endpoint: nobody shall have us knock at
// another's door under a thousand paths.
func (s *Server) mayChallenge(q subscription.Request) (wait time.Duration, ok bool) {
	if q.Channel != subscription.Webhook {
		return 0, true
	}
	u, err := url.Parse(q.Address)
	if err != nil {
		return limitWindow, false // Check has parsed it
	}
	return s.hosts.take(u.Hostname(), s.o.Now())
}

func (s *Server) tooMany(w http.ResponseWriter, r *http.Request, wait time.Duration) {
	retryAfter(w, wait)
	s.failPublic(w, r, http.StatusTooManyRequests, "Too many requests", tooManyText)
}

const tooManyText = "Many requests came from your network, for this endpoint, or from everywhere. Try again later."

func retryAfter(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
}

func (s *Server) showForm(w http.ResponseWriter, r *http.Request, status int, f form, faults []subscription.Fault) {
	stamp, err := s.o.Subscriptions.Roll.Stamp(r.Context())
	if err != nil {
		s.linkFailed(w, r, err)
		return
	}
	cat := s.o.Subscriptions.Catalogue()
	s.showPublic(w, r, status, "Subscribe", publicPage{subscribePage, subscribeBody{
		Faults: faults, Stamp: stamp, Words: subscription.ConsentWords, Form: f, Choices: offers(cat, f),
	}})
}

// confirm shows what is confirmed, and confirms when the button is pressed:
// scanners of mail open every link, and press none.
func (s *Server) confirm(w http.ResponseWriter, r *http.Request) {
	roll, cat, tok := s.o.Subscriptions.Roll, s.o.Subscriptions.Catalogue(), r.PathValue("token")
	if r.Method != http.MethodPost {
		reader, err := roll.Read(r.Context(), subscription.ToConfirm, tok)
		if err != nil {
			s.linkFailed(w, r, err)
			return
		}
		if reader.State == store.ReaderActive {
			s.tell(w, r, http.StatusOK, subscribed(reader, cat))
			return
		}
		s.tell(w, r, http.StatusOK, link{
			Title:  "Confirm that you want these digests",
			Text:   append(describe(reader.Wishes, cat), subscription.ConsentWords),
			Button: "Yes, send them to me",
		})
		return
	}
	reader, err := roll.Confirm(r.Context(), tok)
	if err != nil {
		s.linkFailed(w, r, err)
		return
	}
	s.tell(w, r, http.StatusOK, subscribed(reader, cat))
}

func subscribed(r store.Reader, cat subscription.Catalogue) link {
	return link{
		Title: "You are subscribed",
		Text:  append(describe(r.Wishes, cat), "Each digest has a link by which you change this, and one by which you leave."),
	}
}

// unsubscribe shows a page, and leaves when it is asked by POST: by its button, or
// by a mail reader's (RFC 8058), which sends no cookie and follows no redirect.
func (s *Server) unsubscribe(w http.ResponseWriter, r *http.Request) {
	roll, tok := s.o.Subscriptions.Roll, r.PathValue("token")
	if r.Method != http.MethodPost {
		reader, err := roll.Read(r.Context(), subscription.ToLeave, tok)
		switch {
		case err != nil:
			s.linkFailed(w, r, err)
		case reader.State == store.ReaderLeft:
			s.tell(w, r, http.StatusOK, hasLeft)
		case reader.State == store.ReaderPending:
			s.tell(w, r, http.StatusOK, link{
				Title:  "Have this address forgotten?",
				Text:   []string{"Somebody asked for digests in your name. The address is deleted, and is not written to again, whoever asks."},
				Button: "Forget it, and never write again",
			})
		default:
			s.tell(w, r, http.StatusOK, link{
				Title: "Leave?", Text: []string{"You get no more digests, and your address is deleted at once. You can subscribe again whenever you like."},
				Button: "Leave", Never: true,
			})
		}
		return
	}
	// The body may be what RFC 8058 says, our own form, or anything: to ask by POST
	// is enough.
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	never := r.PostFormValue("never") == "1"
	if err := roll.Leave(r.Context(), tok, never); err != nil {
		s.linkFailed(w, r, err)
		return
	}
	s.tell(w, r, http.StatusOK, hasLeft)
}

var hasLeft = link{
	Title: "You have left",
	Text:  []string{"No more digests are sent to you. Your address is deleted; a keyed hash of it is kept to show that you left."},
}
