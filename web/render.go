package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/newswatch/newswatch/web/api"
	"github.com/newswatch/newswatch/web/desk"
)

//go:embed templates/*.html style.css live.js
var assets embed.FS

var (
	watchPage       = parse("watch")
	storiesPage     = parse("stories")
	purgePage       = parse("purge")
	feedsPage       = parse("feeds")
	rulesPage       = parse("rules")
	subscribersPage = parse("subscribers")
	previewPage     = parse("preview")
	deliveriesPage  = parse("deliveries")
	noticesPage     = parse("notices")
	settingsPage    = parse("settings")
	errorPage       = parse("error")

	subscribePage   = parse("subscribe")
	linkPage        = parse("link")
	preferencesPage = parse("preferences")

	stylesheet, script = asset("style.css"), asset("live.js")
	// The versions change with the files, so that a browser that keeps an old one
	// asks for the new.
	styleVersion, scriptVersion = version(stylesheet), version(script)
)

// pages are those of the navigation, in its order. Live ones show what changes by
// itself; live.js leaves them alone while a field of theirs is typed into.
var pages = []struct {
	path, name string
	live       bool
}{
	{"", "Watch", true},
	{"stories", "Stories", false},
	{"feeds", "Feeds", true},
	{"rules", "Rules", false},
	{"subscribers", "Subscribers", true},
	{"deliveries", "Deliveries", true},
	{"notices", "Notices", true},
	{"settings", "Settings", false},
}

// design is a page's template. It is parsed when the page is first shown: to parse all
// took a third of the time in which a command starts that shows none.
type design func() *template.Template

// parse joins a page's template with the layout. Templates are part of the
// program: one that does not parse is found by the first test.
func parse(name string) design {
	return sync.OnceValue(func() *template.Template {
		parts := template.New("").Funcs(template.FuncMap{"half": func(n int) int { return n / 2 }})
		return template.Must(parts.ParseFS(assets, "templates/layout.html", "templates/parts.html", "templates/"+name+".html"))
	})
}

func asset(name string) []byte {
	b, err := assets.ReadFile(name)
	if err != nil {
		panic(err) // The compiler embedded it.
	}
	return b
}

func version(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6])
}

// storeTimeout bounds what one page may ask of the store.
const storeTimeout = 10 * time.Second

// page is what every template is given.
type page struct {
	Title string
	// Public is for the pages of people who subscribe, which lead to none of the
	// operator's.
	Public bool
	// Root leads from the page to the top, so that the pages also work below a
	// path of a reverse proxy.
	Root string
	// Pages are the navigation.
	Pages []pageLink
	// Style and Script are versions.
	Style, Script string
	// Live says that the page follows the stream of events.
	Live bool
	// Done tells of the action that led here.
	Done string
	Made moment
	Zone string
	// What is below is for the footer, and empty on an error.
	Version string
	Ruleset string
	Up      string
	Config  string

	Body any
}

// pageLink is a page in the navigation.
type pageLink struct {
	Path, Name string
	Here       bool
}

// frame fills in what every page has.
func (s *Server) frame(r *http.Request, now time.Time) page {
	p := page{
		Root:   root(r.URL.Path),
		Style:  styleVersion,
		Script: scriptVersion,
		Made:   moments{now, s.o.Location}.of(now),
		Zone:   zone(now.In(s.o.Location)),
	}
	for _, pg := range pages {
		p.Pages = append(p.Pages, pageLink{Path: pg.path, Name: pg.name})
	}
	return p
}

// zone names the time zone in force at t by its place and by its short name.
func zone(t time.Time) string {
	place, name := t.Location().String(), t.Format("MST")
	if place == name {
		return name
	}
	return place + " (" + name + ")"
}

// root leads from a path to the top of the site.
func root(path string) string {
	if n := strings.Count(path, "/") - 1; n > 0 {
		return strings.Repeat("../", n)
	}
	return "./"
}

// show answers with a page about the daemon's status st.
func (s *Server) show(w http.ResponseWriter, r *http.Request, status int, d design, title string, st desk.Status, now time.Time, body any) {
	p := s.frame(r, now)
	p.Title, p.Body = title, body
	p.Done = doneWords[r.URL.Query().Get("done")]
	section, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	for i, pg := range pages {
		if pg.path == section {
			p.Pages[i].Here, p.Live = true, pg.live
		}
	}
	p.Version, p.Ruleset, p.Config = st.Version, st.Ruleset, short(st.ConfigPath, maxError)
	if !st.Started.IsZero() {
		p.Up = span(now.Sub(st.Started))
	}
	s.render(w, r, status, d, p)
}

// render executes the template before it sends a byte, so that a page is whole
// or an error, never a half with a 200.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, d design, p page) {
	var body bytes.Buffer
	if err := d().ExecuteTemplate(&body, "layout", p); err != nil {
		s.o.Log.Error("a page cannot be rendered", "path", r.Pattern, "err", err)
		plain(w, http.StatusInternalServerError, "This page cannot be shown. The log says why.\n")
		return
	}
	api.Send(w, r, status, "text/html; charset=utf-8", body.Bytes())
}

// wantsJSON reports whether a client asked for JSON; a browser, which asks for
// HTML first, did not.
func wantsJSON(r *http.Request) bool {
	accept := strings.ToLower(strings.Join(r.Header.Values("Accept"), ","))
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}

// trouble is the body of an error page.
type trouble struct {
	Status  int
	Message string
	Advice  string
}

// fail answers with an error page, and a program that asked the API with a
// problem. It asks neither the store nor the daemon, so
// that it can be shown when they are what failed.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, status int, message, advice string) {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		api.Problem{Status: status, Detail: message + ". " + advice}.Write(w, r)
		return
	}
	if slices.ContainsFunc(s.routes, func(rt route) bool { return rt.public && rt.path == r.Pattern }) {
		s.failPublic(w, r, status, message, advice)
		return
	}
	p := s.frame(r, s.o.Now())
	p.Title, p.Body = message, trouble{status, message, advice}
	s.render(w, r, status, errorPage, p)
}

// refuse answers a request that may not be answered.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, why *refusal) {
	if why.challenge {
		// Two challenges (RFC 9110 §11.6.1): browsers act on Basic, programs on
		// either.
		w.Header().Add("WWW-Authenticate", `Basic realm="newswatch", charset="UTF-8"`)
		w.Header().Add("WWW-Authenticate", `Bearer realm="newswatch"`)
	}
	s.fail(w, r, why.status, why.title, why.advice)
}

// storeFailed answers where the store did not. A client that hung up is no fault
// of the store, and is told nothing.
func (s *Server) storeFailed(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		return
	}
	s.o.Log.Error("a page could not be read from the store", "path", r.Pattern, "err", err)
	w.Header().Set("Retry-After", "5")
	s.fail(w, r, http.StatusServiceUnavailable, "The store does not answer",
		"Until it does, feeds are not read and digests wait; nothing that was stored is lost. "+
			"See that the server or the disk named by store.url is there, has room, and can be written to. "+
			"newswatch tries again by itself; its log has the store's own words.")
}

func (s *Server) notFound(w http.ResponseWriter, r *http.Request) {
	s.fail(w, r, http.StatusNotFound, "There is no such page", "The pages are linked at the top.")
}

// file serves a part of the program. Its address carries its version, so it may be
// kept.
func file(contentType string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=86400")
		api.Send(w, r, http.StatusOK, contentType, body)
	}
}
