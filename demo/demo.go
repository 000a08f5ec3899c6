// Package demo serves a few invented feeds from loopback, so that the whole line
// can be watched at work without a network.
package demo

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"text/template"
	"time"

	"github.com/newswatch/newswatch/feed"
)

//go:embed feeds
var files embed.FS

// documents are the feeds, one of each format. Everything in them is invented;
// no person, case or place is meant.
var documents = []struct {
	file, contentType string
	feed              feed.Feed
}{
	{"coast-herald.rss", "application/rss+xml; charset=utf-8", feed.Feed{ID: "coast-herald", Name: "The Coast Herald", Tags: []string{"kerala"}, Lang: "en"}},
	{"malayala-vartha.rss", "application/rss+xml; charset=utf-8", feed.Feed{ID: "malayala-vartha", Name: "മലയാള വാർത്ത", Tags: []string{"kerala"}, Lang: "ml"}},
	{"wire.atom", "application/atom+xml", feed.Feed{ID: "wire", Name: "Continental Wire", Tags: []string{"world"}, Lang: "en"}},
	{"child-safety.json", "application/feed+json", feed.Feed{ID: "child-safety", Name: "Child Safety Monitor", Tags: []string{"ngo"}, Lang: "en"}},
}

// Server serves the feeds until Close.
type Server struct {
	http *http.Server
	addr string
	done chan struct{}
}

// Serve listens on a free port of 127.0.0.1. Items are dated shortly before now,
// so that they are news.
func Serve(ctx context.Context, now time.Time) (*Server, error) {
	mux := http.NewServeMux()
	for _, d := range documents {
		body, err := render(d.file, now)
		if err != nil {
			return nil, err
		}
		etag := strconv.Quote(strconv.Itoa(len(body)))
		mux.HandleFunc("GET /"+d.file, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", d.contentType)
			w.Header().Set("ETag", etag)
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
		})
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	s := &Server{
		http: &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second},
		addr: ln.Addr().String(),
		done: make(chan struct{}),
	}
	go func() {
		defer close(s.done)
		_ = s.http.Serve(ln) // ends with http.ErrServerClosed
	}()
	return s, nil
}

// Feeds are the feeds as an operator would configure them.
func (s *Server) Feeds() []feed.Feed {
	out := make([]feed.Feed, len(documents))
	for i, d := range documents {
		out[i] = d.feed
		out[i].URL = "http://" + s.addr + "/" + d.file
		out[i].Kind = feed.KindFeed
		out[i].FullText = feed.FullTextNever
	}
	return out
}

// Close stops serving and waits for the server to end.
func (s *Server) Close() error {
	err := s.http.Close()
	<-s.done
	return err
}

// render fills in the dates of one document.
func render(file string, now time.Time) ([]byte, error) {
	ago := func(layout string) func(string) (string, error) {
		return func(d string) (string, error) {
			back, err := time.ParseDuration(d)
			return now.Add(-back).UTC().Format(layout), err
		}
	}
	t, err := template.New(file).
		Funcs(template.FuncMap{"rfc822": ago(time.RFC1123Z), "rfc3339": ago(time.RFC3339)}).
		ParseFS(files, "feeds/"+file)
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, nil); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	return b.Bytes(), nil
}
