package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/web/api"
	"github.com/newswatch/newswatch/web/desk"
	"github.com/newswatch/newswatch/web/syndication"
)

// feedEntries is how many reports an output feed lists.
const feedEntries = 50

// ruleFeed serves /feeds/{rule}.atom and .json.
func (s *Server) ruleFeed(w http.ResponseWriter, r *http.Request) {
	id, form, ok := cutForm(r.PathValue("file"))
	i := slices.IndexFunc(s.o.Status().Rules, func(rule desk.Rule) bool { return rule.ID == id })
	if !ok || i < 0 {
		s.fail(w, r, http.StatusNotFound, "There is no such feed", "A rule's feed is feeds/RULE.atom or feeds/RULE.json, where RULE is the id of a rule in force.")
		return
	}
	name := s.o.Status().Rules[i].Name
	if name == "" {
		name = id
	}
	s.syndicate(w, r, form, name, url.Values{"rule": {id}})
}

// tagFeed serves /feeds/tag/{tag}.atom and .json.
func (s *Server) tagFeed(w http.ResponseWriter, r *http.Request) {
	tag, form, ok := cutForm(r.PathValue("file"))
	if !ok || tag == "" {
		s.fail(w, r, http.StatusNotFound, "There is no such feed", "A tag's feed is feeds/tag/TAG.atom or feeds/tag/TAG.json.")
		return
	}
	s.syndicate(w, r, form, tag, url.Values{"tag": {tag}})
}

// searchFeed serves /feeds.atom and /feeds.json: what the query string selects, as
// on the page of stories.
func (s *Server) searchFeed(w http.ResponseWriter, r *http.Request) {
	_, form, _ := cutForm(r.URL.Path)
	params := desk.QueryOf(r.URL.Query())
	var words []string
	for _, key := range desk.QueryFields {
		if v := params.Get(key); v != "" {
			words = append(words, v)
		}
	}
	name := "all reports"
	if len(words) > 0 {
		name = strings.Join(words, ", ")
	}
	s.syndicate(w, r, form, name, params)
}

// cutForm splits the form, atom or json, from a file's name.
func cutForm(file string) (name, form string, ok bool) {
	for _, form := range []string{"atom", "json"} {
		if name, ok := strings.CutSuffix(file, "."+form); ok {
			return name, form, true
		}
	}
	return "", "", false
}

func (s *Server) syndicate(w http.ResponseWriter, r *http.Request, form, name string, params url.Values) {
	ctx, cancel := bounded(r)
	defer cancel()
	st := s.o.Status()
	q, faults := desk.ParseQuery(params, s.o.Location)
	if len(faults) > 0 {
		s.fail(w, r, http.StatusBadRequest, "This feed's address is not right", strings.Join(faults, " "))
		return
	}
	q.Limit = feedEntries
	hits, err := s.o.Store.Hits(ctx, q)
	if err != nil {
		s.storeFailed(w, r, err)
		return
	}
	f := syndication.Feed{
		Name: params.Encode(), Title: "newswatch: " + name, Updated: st.Started, Version: st.Version,
		Hits: make([]classifier.Hit, len(hits)),
	}
	for i, h := range hits {
		f.Hits[i] = st.Shown(h).Reserved()
		f.Updated = hits[0].Found
	}
	if base := s.base(r); base != "" {
		f.Self = base + r.URL.EscapedPath()
		if r.URL.RawQuery != "" {
			f.Self += "?" + r.URL.RawQuery
		}
		f.Home = base + "/stories?" + params.Encode()
	}
	write, ctype := f.Atom, "application/atom+xml; charset=utf-8"
	if form == "json" {
		write, ctype = f.JSON, "application/feed+json"
	}
	body, err := write()
	if err != nil {
		s.o.Log.Error("an output feed cannot be written", "path", r.URL.Path, "err", err)
		s.fail(w, r, http.StatusInternalServerError, "This feed cannot be written", "The log says why.")
		return
	}
	w.Header().Set("Cache-Control", "private, max-age=60")
	api.SendNew(w, r, http.StatusOK, ctype, body)
}

// base is how the outside reaches the pages, without a slash at its end; empty
// where nobody said, since what a stranger puts into Host must not get into a
// feed.
func (s *Server) base(r *http.Request) string {
	if s.o.PublicURL != "" {
		return s.o.PublicURL
	}
	if local(r.Host) {
		return "http://" + r.Host
	}
	return ""
}

// feedLinks are the addresses of the feeds of a search, relative to the top, with
// the key that opens them.
func (s *Server) feedLinks(path string, params url.Values) []feedLink {
	var out []feedLink
	for _, l := range []feedLink{{Name: "Atom", Href: path + ".atom"}, {Name: "JSON Feed", Href: path + ".json"}} {
		q := url.Values{}
		for k, v := range params {
			q[k] = v
		}
		if key := s.gate.feedKey("/"+l.Href, q); key != "" {
			q.Set("key", key)
		}
		if len(q) > 0 {
			l.Href += "?" + q.Encode()
		}
		out = append(out, l)
	}
	return out
}

// feedLink is an output feed as a page offers it.
type feedLink struct{ Name, Href string }
