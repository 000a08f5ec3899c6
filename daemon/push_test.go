package daemon_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// hub is a WebSub hub, and the site of the feed that announces it.
type hub struct {
	mu       sync.Mutex
	asked    []url.Values
	edition  int
	inHeader bool
	server   *httptest.Server
}

func startHub(t *testing.T, inHeader bool) *hub {
	t.Helper()
	h := &hub{inHeader: inHeader, edition: 1}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /hub", func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		h.mu.Lock()
		h.asked = append(h.asked, r.PostForm)
		h.mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
	})
	mux.HandleFunc("GET /feed.xml", func(w http.ResponseWriter, _ *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		links := ""
		if h.inHeader {
			w.Header().Add("Link", fmt.Sprintf(`<%s/hub>; rel="hub", <%s/feed.xml>; rel="self"`, h.server.URL, h.server.URL))
		} else {
			links = fmt.Sprintf(`<a:link rel="hub" href="%s/hub"/><a:link rel="self" href="%s/feed.xml"/>`, h.server.URL, h.server.URL)
		}
		fmt.Fprintf(w, `<rss version="2.0" xmlns:a="http://www.w3.org/2005/Atom"><channel><title>P</title>%s`, links)
		for i := range h.edition {
			fmt.Fprintf(w, `<item><title>Edition %d tells of Operation P-Hunt</title><guid>%d</guid></item>`, i, i)
		}
		_, _ = io.WriteString(w, `</channel></rss>`)
	})
	h.server = httptest.NewServer(mux)
	t.Cleanup(h.server.Close)
	return h
}

func (h *hub) requests() []url.Values {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.asked
}

// TestHubTellsOfNews: a daemon that can be reached subscribes at the hub that a
// feed announces, confirms what it asked for and nothing else, and reads the feed
// at once when the hub says that there is news. What the hub itself sends is not
// read.
func TestHubTellsOfNews(t *testing.T) {
	for name, inHeader := range map[string]bool{"in the document": false, "in the headers": true} {
		t.Run(name, func(t *testing.T) {
			h := startHub(t, inHeader)
			s := startOn(t, h.server.URL+"/feed.xml", "http: {listen: \"127.0.0.1:0\", public_url: \"http://watch.example\", admin_token: 0123456789abcdef0123}\n"+
				"fetch: {allow_networks: [127.0.0.0/8], full_text: never}\n", `"@yearly"`)
			s.eventually("the hub is asked", func() bool { return len(h.requests()) == 1 })
			form := h.requests()[0]
			path, ok := strings.CutPrefix(form.Get("hub.callback"), "http://watch.example")
			if !ok || form.Get("hub.topic") != h.server.URL+"/feed.xml" {
				t.Fatalf("asked for %v", form)
			}
			question := url.Values{"hub.mode": {"subscribe"}, "hub.topic": {form.Get("hub.topic")}, "hub.challenge": {"c-1"}, "hub.lease_seconds": {"60"}}
			if code, body := s.get(path + "?" + question.Encode()); code != http.StatusOK || body != "c-1" {
				t.Errorf("the subscription is answered %d %q", code, body)
			}
			question.Set("hub.topic", "http://elsewhere.example/")
			if code, _ := s.get(path + "?" + question.Encode()); code != http.StatusNotFound {
				t.Errorf("what was not asked for is answered %d", code)
			}

			h.mu.Lock()
			h.edition = 2
			h.mu.Unlock()
			tell := func(secret string) {
				t.Helper()
				body := `<rss><channel><item><title>A hub invents Operation P-Hunt</title></item></channel></rss>`
				m := hmac.New(sha256.New, []byte(secret))
				m.Write([]byte(body))
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("X-Hub-Signature", "sha256="+hex.EncodeToString(m.Sum(nil)))
				resp, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				http.DefaultClient.CloseIdleConnections()
				if resp.StatusCode != http.StatusAccepted {
					t.Errorf("the hub's word is answered %d", resp.StatusCode)
				}
			}
			tell("another secret")
			tell(form.Get("hub.secret"))
			counted := func(n int) bool {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/metrics", nil)
				if err != nil {
					t.Fatal(err)
				}
				resp, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				defer http.DefaultClient.CloseIdleConnections()
				defer resp.Body.Close()
				m, _ := io.ReadAll(resp.Body)
				return strings.Contains(string(m), fmt.Sprintf(`newswatch_hits_total{rule="p-hunt"} %d`, n))
			}
			s.eventually("the news is a hit", func() bool { return counted(2) })
			if len(h.requests()) != 1 {
				t.Errorf("the hub was asked %d times in a day", len(h.requests()))
			}
		})
	}
}
