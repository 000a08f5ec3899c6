package web

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/subscription"
	"github.com/newswatch/newswatch/web/api"
)

// askedFor is the body of POST /api/v1/subscriptions.
type askedFor struct {
	Channel string `json:"channel"` // email or webhook
	Address string `json:"address"` // or the endpoint's URL
	Secret  string `json:"secret"`
	Agree   bool   `json:"agree"`
	store.Wishes
}

// refuseJSON answers with a problem, in the form of the rest of the API.
func refuseJSON(w http.ResponseWriter, r *http.Request, status int, detail string, faults []subscription.Fault) {
	p := api.Problem{Status: status, Detail: detail}
	for _, f := range faults {
		p.Faults = append(p.Faults, f.Field+": "+f.Text)
	}
	p.Write(w, r)
}

// subscribeAPI is the form for programs: the same double opt-in, the same answer
// for every address.
func (s *Server) subscribeAPI(w http.ResponseWriter, r *http.Request) {
	// A page of another site cannot send this type without being asked for it.
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		refuseJSON(w, r, http.StatusUnsupportedMediaType, "send application/json", nil)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	var in askedFor
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	err := dec.Decode(&in)
	if _, more := dec.Token(); err == nil && !errors.Is(more, io.EOF) {
		err = errors.New("more than one value")
	}
	if err != nil {
		status := http.StatusBadRequest
		if _, big := errors.AsType[*http.MaxBytesError](err); big {
			status = http.StatusRequestEntityTooLarge
		}
		refuseJSON(w, r, status, "the body is not one JSON object of the keys channel, address, secret, agree, rules, tags, "+
			"languages, severity, schedule, timezone, when_empty and lang", nil)
		return
	}
	if wait, ok := s.mayAsk(r); !ok {
		retryAfter(w, wait)
		refuseJSON(w, r, http.StatusTooManyRequests, tooManyText, nil)
		return
	}
	q, faults := subscription.Check(subscription.Request{
		Channel: in.Channel, Address: in.Address, Secret: in.Secret, Wishes: in.Wishes, Agreed: in.Agree, Method: "api",
	}, s.o.Subscriptions.Catalogue())
	if len(faults) > 0 {
		refuseJSON(w, r, http.StatusUnprocessableEntity, "some of it cannot be taken", faults)
		return
	}
	if wait, ok := s.mayChallenge(q); !ok {
		retryAfter(w, wait)
		refuseJSON(w, r, http.StatusTooManyRequests, tooManyText, nil)
		return
	}
	if err := s.o.Subscriptions.Roll.Ask(r.Context(), q); err != nil {
		s.o.Log.Error("a subscription could not be written", "page", r.Pattern, "err", err)
		w.Header().Set("Retry-After", "5")
		refuseJSON(w, r, http.StatusServiceUnavailable, "nothing was changed; try again in a minute", nil)
		return
	}
	body, _ := json.Marshal(map[string]string{"status": "asked", "detail": askedAPI})
	api.Send(w, r, http.StatusAccepted, "application/json", body)
}

// askedAPI is what every program is told that asked.
const askedAPI = "if digests can be sent to the address, a letter with a link to confirm, or to an endpoint a signed challenge, is on its way; it must be answered within 48 hours"
