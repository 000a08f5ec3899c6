package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/newswatch/newswatch/classifier"
)

// press is a set of feeds that publish one more item at every poll, and a
// receiver of digests that now and then says "not now".
type press struct {
	mu      sync.Mutex
	printed map[string]int  // items by feed
	planted map[string]bool // titles that a rule matches
	digests map[string]bool // the ids of those that were accepted
}

func (p *press) feed(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	name := r.URL.Path
	p.printed[name]++
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
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return // the sender was killed in the middle
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if rand.IntN(4) == 0 {
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	p.digests[r.Header.Get("webhook-id")] = true
	w.WriteHeader(http.StatusNoContent)
}

func pressConfig(t *testing.T, server string, feeds int) string {
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
		if err != nil && !strings.Contains(out.String(), "not accepted") {
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
