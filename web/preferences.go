package web

import (
	"encoding/json"
	"net/http"

	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/subscription"
	"github.com/newswatch/newswatch/web/api"
)

// preferencesBody is the body of the page where a reader changes what it is sent.
type preferencesBody struct {
	Faults  []subscription.Fault
	Saved   bool
	Form    form
	Choices offered
	Now     []string // what it is sent now, in words
	Leave   string   // where it leaves
	Token   string
}

// preferences shows what a reader is sent, changes it, and erases it. The link is
// all the right that it needs.
func (s *Server) preferences(w http.ResponseWriter, r *http.Request) {
	roll, tok := s.o.Subscriptions.Roll, r.PathValue("token")
	reader, err := roll.Read(r.Context(), subscription.ToChange, tok)
	if err != nil {
		s.linkFailed(w, r, err)
		return
	}
	links, err := roll.Links(r.Context(), reader, s.o.Now())
	if err != nil {
		s.linkFailed(w, r, err)
		return
	}
	cat := s.o.Subscriptions.Catalogue()
	body := preferencesBody{Form: formOf(reader.Wishes), Leave: links.Leave, Token: tok}
	status := http.StatusOK
	if r.Method == http.MethodPost {
		f, ok := s.readForm(w, r)
		if !ok {
			return
		}
		if f.Erase {
			if err := roll.Erase(r.Context(), tok); err != nil {
				s.linkFailed(w, r, err)
				return
			}
			s.tell(w, r, http.StatusOK, link{Title: "All is erased", Text: []string{"Nothing is held of you any more, not even that you were here."}})
			return
		}
		body.Form = f
		var wishes store.Wishes
		if wishes, body.Faults = subscription.CheckWishes(f.wishes(), cat); len(body.Faults) == 0 {
			if reader, err = roll.Change(r.Context(), tok, wishes); err != nil {
				s.linkFailed(w, r, err)
				return
			}
			body.Saved, body.Form = true, formOf(reader.Wishes)
		} else {
			status = http.StatusUnprocessableEntity
		}
	}
	body.Now, body.Choices = describe(reader.Wishes, cat), offers(cat, body.Form)
	s.showPublic(w, r, status, "What you are sent", publicPage{preferencesPage, body})
}

// export answers with all that is held of a reader.
func (s *Server) export(w http.ResponseWriter, r *http.Request) {
	held, err := s.o.Subscriptions.Roll.Export(r.Context(), r.PathValue("token"))
	if err != nil {
		s.linkFailed(w, r, err)
		return
	}
	body, err := json.MarshalIndent(held, "", "  ")
	if err != nil {
		s.linkFailed(w, r, err)
		return
	}
	w.Header().Set("Content-Disposition", `attachment; filename="newswatch-subscription.json"`)
	api.Send(w, r, http.StatusOK, "application/json", append(body, '\n'))
}
