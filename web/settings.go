package web

import (
	"context"
	"net/http"

	"github.com/newswatch/newswatch/configs"
)

// settingsView is the configuration in force, and how it came to be.
type settingsView struct {
	Settings []configs.Setting
	Loaded   moment
	OK       bool
	Error    string
	Warnings []string
	// CanReload says that there is a configuration to load anew.
	CanReload bool
}

func (s *Server) settings(w http.ResponseWriter, r *http.Request) {
	s.showSettings(w, r, http.StatusOK)
}

func (s *Server) showSettings(w http.ResponseWriter, r *http.Request, status int) {
	st, now := s.o.Status(), s.o.Now()
	view := settingsView{
		Loaded: moments{now, s.o.Location}.of(st.LastReload.At), OK: st.LastReload.OK, Error: cut(st.LastReload.Error, maxDetail),
		CanReload: s.o.Reload != nil,
	}
	if s.o.Settings != nil {
		view.Settings = s.o.Settings()
	}
	for i := range view.Settings {
		view.Settings[i].Value = short(view.Settings[i].Value, maxError)
	}
	for _, warning := range st.Warnings {
		view.Warnings = append(view.Warnings, cut(warning, maxDetail))
	}
	s.show(w, r, status, settingsPage, "Settings", st, now, view)
}

// reloadForm answers the button of the page: whatever came of it stands there.
func (s *Server) reloadForm(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), reloadTimeout)
	defer cancel()
	if err := s.o.Reload(ctx); err != nil {
		seeOther(w, "../settings")
		return
	}
	seeOther(w, "../settings?done=reloaded")
}
