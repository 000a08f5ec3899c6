package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/newswatch/newswatch/classifier"
)

// plantedTitle is what the rule finds, as a digest prints it.
var plantedTitle = regexp.MustCompile(`Report \d+ of /f\d+ tells of Operation P-Hunt`)

// press is a set of feeds that publish one more item at every poll, and a
// receiver of digests that now and then says "not now".
type press struct {
	mu      sync.Mutex
	printed map[string]int // items by feed
	stopped bool
	planted map[string]bool // titles that a rule matches
	// digests are the bodies by webhook-id, and calls the number of times each
	// was accepted.
	digests map[string][]byte
	calls   map[string]int
	torn    []string
}

func (p *press) feed(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	name := r.URL.Path
	if !p.stopped {
		p.printed[name]++
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<rss version="2.0"><channel><title>%s</title>`, name)
	for i := p.printed[name]; i > max(0, p.printed[name]-15); i-- {
		title := fmt.Sprintf("Report %d of %s tells of the weather", i, name)
		if i%2 == 1 {
			title = fmt.Sprintf("Report %d of %s tells of Operation P-Hunt", i, name)
			p.planted[title] = true
		}
		fmt.Fprintf(&b, `<item><title>%s</title><guid>%s-%d</guid></item>`, title, name, i)
	}
	b.WriteString(`</channel></rss>`)
	w.Header().Set("Content-Type", "application/rss+xml")
	_, _ = io.WriteString(w, b.String())
}

func (p *press) hook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender was killed in the middle
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if rand.IntN(4) == 0 {
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	id := r.Header.Get("webhook-id")
	if before, again := p.digests[id]; again && !bytes.Equal(before, body) {
		p.torn = append(p.torn, id)
	}
	p.digests[id] = body
	p.calls[id]++
	w.WriteHeader(http.StatusNoContent)
}

// TestKilledAtAnyInstant kills newswatch with SIGKILL at random instants, over
// and over, while feeds publish and digests go out. At the end every planted
// item is a hit, once, and was told in exactly one digest; a digest that came
// twice came with the same id and the same bytes.
func TestKilledAtAnyInstant(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	p := &press{printed: map[string]int{}, planted: map[string]bool{}, digests: map[string][]byte{}, calls: map[string]int{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/hook", p.hook)
	mux.HandleFunc("/", p.feed)
	server := httptest.NewServer(mux)
	defer server.Close()
	conf := killConfig(t, server.URL, 40)

	deadline := time.Now().Add(15 * time.Second)
	kills := 0
	for time.Now().Before(deadline) {
		// Some passes live long enough to deliver, on a slow machine too.
		most := 400 * time.Millisecond
		if rand.IntN(4) == 0 {
			most = 2 * time.Second
		}
		if killAfter(t, conf, time.Duration(rand.Int64N(int64(most)))) {
			kills++
		}
	}
	t.Logf("killed %d times", kills)
	if kills < 10 {
		t.Errorf("killed %d times only: the run shows little", kills)
	}

	planted := p.stop()
	var told map[string]string // title to digest
	for try := 0; ; try++ {
		out, err := newswatch(t.Context(), conf, "once", "--send", "--lease", "1s").CombinedOutput()
		if err != nil && !strings.Contains(string(out), "digests were not accepted") {
			t.Fatalf("once after the kills: %v\n%s", err, out)
		}
		told = p.told(t)
		if len(told) == len(planted) || try == 60 {
			break
		}
		<-time.After(300 * time.Millisecond) // leases of the dead run out; the next try is due
	}

	hits := storedHits(t, conf)
	for title := range planted {
		if hits[title] != 1 {
			t.Errorf("%q is stored as %d hits, want 1", title, hits[title])
		}
		if told[title] == "" {
			t.Errorf("%q was in no digest", title)
		}
	}
	for title := range hits {
		if !planted[title] {
			t.Errorf("%q is a hit and was not planted", title)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range p.torn {
		t.Errorf("digest %s came again with other bytes", id)
	}
	twice := 0
	for _, n := range p.calls {
		twice += n - 1
	}
	if twice > kills {
		t.Errorf("%d digests came twice, more than the %d kills explain", twice, kills)
	}
	t.Logf("%d planted, %d digests, %d of them came again after a kill", len(planted), len(p.digests), twice)
}

// stop freezes the feeds, and returns what was planted until then.
func (p *press) stop() map[string]bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	return maps.Clone(p.planted)
}

// told says in which digest each title was, and fails on one that was in two.
func (p *press) told(t *testing.T) map[string]string {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	told := map[string]string{}
	for id, body := range p.digests {
		for _, found := range plantedTitle.FindAll(body, -1) {
			title := string(found)
			if told[title] != "" {
				t.Errorf("%q is in digest %s and in %s", title, told[title], id)
			}
			told[title] = id
		}
	}
	return told
}

func killConfig(t *testing.T, server string, feeds int) string {
	t.Helper()
	dir := t.TempDir()
	var list strings.Builder
	list.WriteString("feeds:\n")
	for i := range feeds {
		fmt.Fprintf(&list, "  - {url: %q, id: feed-%d}\n", fmt.Sprintf("%s/f%d", server, i), i)
	}
	for name, text := range map[string]string{
		"newswatch.yaml": "data: data\nhttp: {listen: \"\"}\nlog: {level: error}\n" +
			"fetch: {allow_networks: [127.0.0.0/8], full_text: never, concurrency: 8, per_host: 8}\ndigest: {cap: 1000}\n",
		"feeds.yaml":       list.String(),
		"rules.yaml":       "rules:\n  - {id: p-hunt, any: [\"operation p-hunt\"]}\n",
		"subscribers.yaml": fmt.Sprintf("subscribers:\n  - {id: hook, webhook: {url: \"%s/hook\"}, schedule: immediate}\n", server),
	} {
		if name == "newswatch.yaml" {
			text += "include: {rules: [rules.yaml]}\n"
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "newswatch.yaml")
}

// newswatch is this test binary as the program, see TestMain.
func newswatch(ctx context.Context, conf string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "newswatch", append(args, "--config", conf)...)
	cmd.Env = os.Environ()
	return cmd
}

// killAfter runs one pass and kills it after d, unless it ended before.
func killAfter(t *testing.T, conf string, d time.Duration) (killed bool) {
	t.Helper()
	var out bytes.Buffer
	cmd := newswatch(t.Context(), conf, "once", "--lease", "1s")
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil && !strings.Contains(out.String(), "digests were not accepted") {
			t.Fatalf("a pass between kills failed: %v\n%s", err, &out)
		}
		return false
	case <-time.After(d):
		_ = cmd.Process.Kill() // it may have ended by now
		<-ended
		return true
	}
}

func storedHits(t *testing.T, conf string) map[string]int {
	t.Helper()
	out, err := newswatch(t.Context(), conf, "hits", "--json", "--limit", "0").Output()
	if err != nil {
		t.Fatal(err)
	}
	hits := map[string]int{}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var h classifier.Hit
		if err := json.Unmarshal(lines.Bytes(), &h); err != nil {
			t.Fatal(err)
		}
		hits[h.Item.Title]++
	}
	return hits
}
