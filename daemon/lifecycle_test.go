package daemon_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/daemon"
	"github.com/newswatch/newswatch/store/sqlite"
)

// site is a folder of configuration and the daemon that runs on it.
type site struct {
	t      *testing.T
	dir    string
	url    string // of the pages
	hangup chan os.Signal
	stop   context.CancelFunc
	ended  chan error
	log    *safeBuffer
}

// safeBuffer is a log that a test reads while the daemon writes to it.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func (s *site) write(name, text string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		s.t.Fatal(err)
	}
	// As editors do: a new file takes the place of the old one.
	if err := os.WriteFile(path+"~", []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		s.t.Fatal(err)
	}
}

// start writes a configuration around one feed URL and runs the daemon on it.
func start(t *testing.T, feedURL string) *site {
	t.Helper()
	return startOn(t, feedURL, "fetch: {allow_networks: [127.0.0.0/8], full_text: never}\n", "immediate")
}

// startOn is start with more of newswatch.yaml, and the subscriber's schedule.
func startOn(t *testing.T, feedURL, more, schedule string) *site {
	t.Helper()
	s := newSite(t)
	if !strings.HasPrefix(more, "http:") {
		more = "http: {listen: \"127.0.0.1:0\"}\n" + more
	}
	s.write("newswatch.yaml", "data: data\n"+more)
	s.write("feeds.yaml", fmt.Sprintf("feeds:\n  - {url: %q, id: paper}\n", feedURL))
	s.write("subscribers.yaml", "subscribers:\n  - {id: files, file: {}, schedule: "+schedule+"}\n")
	s.start(0)
	return s
}

// newSite is a folder with a rule in it.
func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir(), hangup: make(chan os.Signal, 1), ended: make(chan error, 1), log: &safeBuffer{}}
	s.write("rules/a.yaml", "rules:\n  - {id: p-hunt, any: [\"operation p-hunt\"]}\n")
	return s
}

// start runs the daemon on what was written, until the test ends; zero is the
// usual lease.
func (s *site) start(lease time.Duration) {
	s.t.Helper()
	conf := filepath.Join(s.dir, "newswatch.yaml")
	load := func() (*configs.Loaded, []configs.Warning, error) { return configs.Load(conf) }
	loaded, _, err := load()
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(s.t.Context())
	s.stop = stop
	addr := make(chan string, 1)
	go func() {
		s.ended <- daemon.Run(ctx, loaded, daemon.Options{
			Version: "test", Load: load, Reload: s.hangup, Grace: 5 * time.Second, Lease: lease,
			Log:       slog.New(slog.NewTextHandler(s.log, nil)),
			Listening: func(a string) { addr <- a },
		})
	}()
	select {
	case a := <-addr:
		s.url = "http://" + a
	case err := <-s.ended:
		s.t.Fatalf("the daemon did not start: %v\n%s", err, s.log)
	}
	s.t.Cleanup(s.end)
}

// end stops the daemon and waits for it.
func (s *site) end() {
	s.stop()
	if err := <-s.ended; err != nil {
		s.t.Errorf("the daemon ended with %v\n%s", err, s.log)
	}
	s.ended <- nil // a second end finds it ended
}

func (s *site) get(path string) (int, string) {
	s.t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(s.url + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// sendNow makes every subscriber due, as another process may.
func (s *site) sendNow() {
	s.t.Helper()
	s.besides(func(st *sqlite.Store) error { return st.SendNow(s.t.Context(), nil, time.Now()) })
}

// pollNow makes every feed due, as another process may.
func (s *site) pollNow() {
	s.t.Helper()
	s.besides(func(st *sqlite.Store) error { return st.PollNow(s.t.Context(), nil, time.Now()) })
}

// besides works on the store while the daemon does.
func (s *site) besides(do func(*sqlite.Store) error) {
	s.t.Helper()
	st, err := sqlite.Open(s.t.Context(), filepath.Join(s.dir, "data", "newswatch.db"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer st.Close()
	if err := do(st); err != nil {
		s.t.Fatal(err)
	}
}

// eventually waits for what another goroutine brings about.
func (s *site) eventually(what string, ok func() bool) {
	s.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			s.t.Fatalf("it did not come about that %s\n%s", what, s.log)
		}
	}
}

func paper(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `<rss version="2.0"><channel><title>P</title>
			<item><title>Five held in Operation P-Hunt</title><guid>1</guid></item>
			<item><title>Bridge closes for repairs</title><guid>2</guid></item></channel></rss>`)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestRunDeliversAndStops is the daemon's whole life: it starts, answers its
// probes, polls, delivers, counts, and stops when told to.
func TestRunDeliversAndStops(t *testing.T) {
	s := start(t, paper(t))
	if code, _ := s.get("/healthz"); code != http.StatusOK {
		t.Errorf("/healthz answers %d", code)
	}
	s.eventually("/readyz answers 200", func() bool { code, _ := s.get("/readyz"); return code == http.StatusOK })
	s.eventually("the hit is counted", func() bool {
		_, m := s.get("/metrics")
		return strings.Contains(m, `newswatch_hits_total{rule="p-hunt"} 1`)
	})
	s.sendNow() // "immediate" holds back for half a minute
	s.eventually("the digest is in the folder", func() bool {
		files, _ := filepath.Glob(filepath.Join(s.dir, "data", "digests", "*.eml"))
		return len(files) == 1
	})
	for _, want := range []string{
		`newswatch_polls_total{outcome="fetched",reason=""} 1`,
		`newswatch_hits_total{rule="p-hunt"} 1`,
		`newswatch_deliveries_total{failure="",result="accepted"} 1`,
		`newswatch_config_last_reload_successful 1`,
		`newswatch_feeds 1`,
	} {
		s.eventually("/metrics has "+want, func() bool {
			_, metrics := s.get("/metrics")
			return strings.Contains(metrics, want)
		})
	}
	if _, page := s.get("/"); !strings.Contains(page, "Five held in Operation P-Hunt") {
		t.Errorf("the first page does not show the hit:\n%s", page)
	}
	s.end()
	if !strings.Contains(s.log.String(), "msg=stopped") {
		t.Errorf("the log does not tell of the stop:\n%s", s.log)
	}
}

// TestReloadOfAnyName: a file of the configuration counts when it changes, whatever
// its name ends in.
func TestReloadOfAnyName(t *testing.T) {
	s := newSite(t)
	s.write("newswatch.yaml", "data: data\nhttp: {listen: \"127.0.0.1:0\"}\ninclude: {rules: [\"rules/*.rules\"]}\n")
	s.write("feeds.yaml", "feeds: []\n")
	s.write("subscribers.yaml", "subscribers: []\n")
	s.write("rules/b.rules", "rules:\n  - {id: p-hunt, any: [\"operation p-hunt\"]}\n")
	s.start(0)
	reloads := func(n int) func() bool {
		return func() bool { return strings.Count(s.log.String(), "configuration reloaded") >= n }
	}
	s.eventually("what is newer than the start is read again", reloads(1))
	s.write("rules/b.rules", "rules:\n  - {id: bridge, any: [bridge]}\n")
	s.eventually("the change is noticed", reloads(2))
}

// TestReloadKeepsGoodRules breaks a rule file under a running daemon: the rules
// before it stay in force, everything says so, and the mended file is taken up.
func TestReloadKeepsGoodRules(t *testing.T) {
	s := start(t, paper(t))
	failed := func() bool {
		_, m := s.get("/metrics")
		return strings.Contains(m, "newswatch_config_last_reload_successful 0")
	}
	succeeded := func() bool { return !failed() }

	s.write("rules/a.yaml", "rules:\n  - {id: p-hunt, anny: [bridge]}\n")
	s.eventually("the broken file is noticed", failed)
	s.eventually("the log shows the place of the mistake, and what is in force", func() bool {
		log := s.log.String()
		return strings.Contains(log, "a.yaml:2:") && strings.Contains(log, "stays in force")
	})
	if _, m := s.get("/metrics"); !strings.Contains(m, `newswatch_notices_total{kind="reload_failed"} 1`) {
		t.Error("the notice of it is not counted")
	}
	for _, path := range []string{"/", "/notices", "/api/v1/notices"} {
		if _, page := s.get(path); !strings.Contains(page, "The changed configuration was refused") {
			t.Errorf("%s does not show the notice of it", path)
		}
	}
	if _, page := s.get("/"); !strings.Contains(page, "a.yaml:2:") {
		t.Error("the first page does not show the failed reload")
	}
	resp, err := http.Post(s.url+"/-/reload", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if resp.StatusCode != http.StatusInternalServerError || !strings.Contains(string(body), "a.yaml:2:") {
		t.Errorf("POST /-/reload of a broken file: %d %s", resp.StatusCode, body)
	}

	s.write("rules/a.yaml", "rules:\n  - {id: p-hunt, any: [\"operation p-hunt\"]}\n  - {id: bridge, any: [bridge]}\n")
	s.eventually("the mended file is in force", succeeded)
	s.write("feeds.yaml", "feeds: []\n")
	s.hangup <- syscall.SIGHUP
	s.eventually("the signal is heard", func() bool {
		_, m := s.get("/metrics")
		return strings.Contains(m, "newswatch_feeds 0")
	})
}
