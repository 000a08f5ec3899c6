package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/newswatch/newswatch/internal/redistest"
	"github.com/newswatch/newswatch/notify"
)

// replicaLease is short, so that much is taken over in little time.
const replicaLease = 2 * time.Second

// soak says how long the replicas are harassed, and over how many feeds.
// NEWSWATCH_SOAK=2m takes 2,000 feeds and the time given.
func soak(t *testing.T) (time.Duration, int) {
	t.Helper()
	v := os.Getenv("NEWSWATCH_SOAK")
	if v == "" {
		return 15 * time.Second, 200
	}
	d, err := time.ParseDuration(v)
	if err != nil {
		t.Fatalf("NEWSWATCH_SOAK: %v", err)
	}
	return d, 2000
}

// TestReplicas runs three replicas on one Redis and kills, stops, restarts and
// cuts them off from it at random, while feeds publish and digests go out. At
// the end every planted item is a hit, once; every subscriber was told of it in
// exactly one digest; a digest that came twice came with the same id and the
// same bytes; and no feed was polled, and no digest sent, by two at once.
func TestReplicas(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	long, feeds := soak(t)
	db := redistest.Start(t)
	n := newNewsroom()
	server := httptest.NewUnstartedServer(n)
	server.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, c)
	}
	server.Start()
	defer server.Close()
	const subscribers = 3
	var replicas []*replica
	for i := range 3 {
		name := "replica-" + strconv.Itoa(i)
		r := &replica{t: t, name: name, room: n, proxy: redistest.NewProxy(t, db.Addr)}
		r.config = replicaConfig(t, r, server.URL, feeds, subscribers)
		replicas = append(replicas, r)
		r.start()
		t.Cleanup(func() {
			r.kill()
			if t.Failed() {
				t.Logf("%s:\n%.4000s", r.name, r.log.String())
			}
		})
	}

	var harassing sync.WaitGroup
	end := time.Now().Add(long)
	for _, r := range replicas {
		harassing.Go(func() { r.harass(end) })
	}
	harassing.Wait()
	if t.Failed() {
		return
	}

	n.stop()
	deadline := time.Now().Add(time.Minute)
	for time.Now().Before(deadline) && !n.toldAll(subscribers) {
		<-time.After(200 * time.Millisecond)
	}
	for _, r := range replicas {
		r.kill()
	}
	hits := storedHits(t, replicas[0].config)
	n.verify(t, hits, subscribers)
	did := map[string]int{}
	for _, r := range replicas {
		for what, count := range r.did {
			did[what] += count
		}
	}
	t.Logf("%d feeds, %d polls, %d planted; %v; %d digests, %d calls", feeds, n.polls, len(n.planted), did,
		len(n.digests), n.calls)
}

// replica is a newswatch of its own process and configuration.
type replica struct {
	t      *testing.T
	name   string
	config string
	room   *newsroom
	proxy  *redistest.Proxy

	cmd   *exec.Cmd
	ended chan struct{}
	log   bytes.Buffer // only read when the process has ended
	did   map[string]int
}

func (r *replica) start() {
	r.cmd = newswatch(r.t.Context(), r.config, "run", "--lease", replicaLease.String(), "--grace", "1s")
	r.cmd.Stdout, r.cmd.Stderr = &r.log, &r.log
	r.ended = make(chan struct{})
	if err := r.cmd.Start(); err != nil {
		r.t.Error(err)
		close(r.ended)
		return
	}
	go func() {
		_ = r.cmd.Wait() // killed, mostly
		close(r.ended)
	}()
}

func (r *replica) kill() {
	_ = r.cmd.Process.Kill()
	<-r.ended
}

// harass does to the replica what happens to processes, until the time given;
// then the replica is up.
func (r *replica) harass(end time.Time) {
	r.did = map[string]int{}
	upTo := func(d time.Duration) time.Duration { return time.Duration(rand.Int64N(int64(d))) }
	for {
		pause := upTo(1500 * time.Millisecond)
		if time.Until(end) < pause {
			return
		}
		<-time.After(pause)
		select {
		case <-r.ended:
			r.t.Errorf("%s ended by itself", r.name)
			return
		default:
		}
		switch rand.IntN(4) {
		case 0:
			r.did["killed"]++
			r.kill()
			<-time.After(upTo(time.Second))
			r.start()
		case 1:
			r.did["stopped"]++
			r.room.excuse(r.name, true)
			_ = r.cmd.Process.Signal(syscall.SIGSTOP)
			<-time.After(upTo(replicaLease * 2))
			_ = r.cmd.Process.Signal(syscall.SIGCONT)
			r.room.excuse(r.name, false)
		case 2:
			r.did["restarted"]++
			_ = r.cmd.Process.Signal(syscall.SIGTERM)
			select {
			case <-r.ended:
			case <-time.After(20 * time.Second):
				r.t.Errorf("%s did not stop within 20 s of SIGTERM", r.name)
				r.kill()
			}
			r.start()
		case 3:
			r.did["cut off"]++
			r.proxy.Part()
			<-time.After(replicaLease/2 + upTo(replicaLease*3/2))
			r.proxy.Join()
		}
	}
}

// newsroom is the feeds, which publish one more item at every poll, and the
// subscribers.
type newsroom struct {
	mu      sync.Mutex
	stopped bool
	polls   int
	printed map[string]int
	planted map[string]bool    // titles that the rule matches
	busy    map[string]*worker // what is in flight: feed or digest, to replica
	excused map[string]time.Time
	crimes  []string

	calls   int
	digests map[string][]byte            // by webhook-id
	told    map[string]map[string]string // by subscriber and title, the digest
}

func newNewsroom() *newsroom {
	return &newsroom{
		printed: map[string]int{}, planted: map[string]bool{}, busy: map[string]*worker{}, excused: map[string]time.Time{},
		digests: map[string][]byte{}, told: map[string]map[string]string{},
	}
}

func (n *newsroom) stop() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stopped = true
}

// excuse notes that a replica is stopped, or runs again. What a stopped process
// has under way stays open here, and one that runs again needs a moment to see
// that its leases are gone; so only then may another be at the same work.
func (n *newsroom) excuse(replica string, stopped bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	until := time.Now().Add(replicaLease / 2)
	if stopped {
		until = time.Now().Add(time.Hour)
	}
	n.excused[replica] = until
}

// worker is a replica at a piece of work, which it asked for on a connection.
type worker struct {
	replica string
	conn    net.Conn
	ended   chan struct{}
	gone    bool // it went away before it had an answer; to be read when ended
}

// begin notes that a replica is at a piece of work, until the function that it
// returns is called. Who has gone away meanwhile is at no work, so it neither
// commits a crime nor suffers one.
func (n *newsroom) begin(ctx context.Context, what, replica string) func() {
	w := &worker{replica: replica, conn: ctx.Value(connKey{}).(net.Conn), ended: make(chan struct{})}
	gone := hungUp(w.conn)
	n.mu.Lock()
	now, other := time.Now(), n.busy[what]
	suspect := other != nil && other.replica != replica && !gone && now.After(n.excused[other.replica]) && now.After(n.excused[replica])
	if !gone {
		n.busy[what] = w
	}
	n.mu.Unlock()
	if suspect && other.stays() {
		n.mu.Lock()
		n.crimes = append(n.crimes, fmt.Sprintf("%s was worked at by %s and by %s at once", what, other.replica, replica))
		n.mu.Unlock()
	}
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		w.gone = hungUp(w.conn)
		close(w.ended)
		if n.busy[what] == w {
			delete(n.busy, what)
		}
	}
}

// stays reports whether a worker takes its answer, or does not go away within a
// second, which a process may need on a machine that is busy.
func (w *worker) stays() bool {
	patience := time.After(time.Second)
	for {
		select {
		case <-w.ended:
			return !w.gone
		case <-patience:
			return true
		case <-time.After(10 * time.Millisecond):
			if hungUp(w.conn) {
				return false
			}
		}
	}
}

// connKey is under what a request's context has its connection.
type connKey struct{}

// hungUp reports whether the other end of a connection has closed it. The kernel
// knows at once; that a request's context is done is seen some time later, and so
// one that was cut off and its work given to another would look like two at once.
func hungUp(c net.Conn) bool {
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		return true
	}
	gone := false
	if err := raw.Control(func(fd uintptr) {
		n, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		gone = n <= 0 && !errors.Is(err, syscall.EAGAIN)
	}); err != nil {
		return true
	}
	return gone
}

// ServeHTTP serves /feeds/NAME, and takes digests at /hook/SUBSCRIBER/REPLICA.
func (n *newsroom) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if parts[0] == "hook" {
		n.hook(w, r, parts[1], parts[2])
		return
	}
	agent := r.UserAgent()
	name := parts[1]
	_, replica, _ := strings.Cut(agent, "replica-")
	defer n.begin(r.Context(), r.URL.Path, "replica-"+replica[:1])()

	// Most feeds answer at once; one poll in ten takes longer than a lease.
	think := time.Duration(rand.IntN(40)) * time.Millisecond
	if rand.IntN(10) == 0 {
		think = replicaLease * 2
	}
	select {
	case <-time.After(think):
	case <-r.Context().Done():
		return
	}
	w.Header().Set("Content-Type", "application/rss+xml")
	_, _ = io.WriteString(w, n.document(name)) // the reader may be dead by now
}

func (n *newsroom) document(name string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.polls++
	if !n.stopped {
		n.printed[name]++
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<rss version="2.0"><channel><title>%s</title>`, name)
	nth, _ := strconv.Atoi(strings.TrimPrefix(name, "f"))
	for i := n.printed[name]; i > max(0, n.printed[name]-15); i-- {
		title := fmt.Sprintf("Report %d of %s tells of the weather", i, name)
		// Every fifth report is planted, and not the first of all feeds: what waits for a
		// subscriber whose sender was stopped must still fit into one message.
		if (i+nth)%5 == 0 {
			title = fmt.Sprintf("Report %d of %s tells of Operation P-Hunt", i, name)
			n.planted[title] = true
		}
		fmt.Fprintf(&b, `<item><title>%s</title><guid>%s-%d</guid></item>`, title, name, i)
	}
	b.WriteString(`</channel></rss>`)
	return b.String()
}

func (n *newsroom) hook(w http.ResponseWriter, r *http.Request, subscriber, replica string) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender was killed in the middle
	}
	id := r.Header.Get("webhook-id")
	defer n.begin(r.Context(), "digest "+id, replica)()
	<-time.After(time.Duration(rand.IntN(50)) * time.Millisecond)

	var m struct{ Data notify.Digest }
	err = json.Unmarshal(body, &m)
	n.mu.Lock()
	defer n.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
	n.calls++
	before, again := n.digests[id]
	switch {
	case err != nil:
		n.crimes = append(n.crimes, fmt.Sprintf("digest %s cannot be read: %v", id, err))
	case m.Data.More > 0:
		n.crimes = append(n.crimes, fmt.Sprintf("digest %s of %d bytes shows %d reports and leaves %d out", id, len(body), m.Data.Shown(), m.Data.More))
	case again && !bytes.Equal(before, body):
		n.crimes = append(n.crimes, "digest "+id+" came again with other bytes")
	case !again:
		n.digests[id] = body
		n.tell(subscriber, m.Data)
	}
}

func (n *newsroom) tell(subscriber string, d notify.Digest) {
	told := n.told[subscriber]
	if told == nil {
		told = map[string]string{}
		n.told[subscriber] = told
	}
	one := func(title string) {
		if told[title] != "" {
			n.crimes = append(n.crimes, fmt.Sprintf("%s was told of %q in digest %s and in %s", subscriber, title, told[title], d.ID))
		}
		told[title] = d.ID
	}
	for _, g := range d.Groups {
		for _, e := range g.Entries {
			one(e.Title)
			for _, a := range e.Also {
				one(a.Title)
			}
		}
	}
}

// toldAll reports whether every subscriber has heard of everything.
func (n *newsroom) toldAll(subscribers int) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.told) < subscribers {
		return false
	}
	for _, told := range n.told {
		if len(told) < len(n.planted) {
			return false
		}
	}
	return true
}

func (n *newsroom) verify(t *testing.T, hits map[string]int, subscribers int) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	for title := range n.planted {
		if hits[title] != 1 {
			t.Errorf("%q is stored as %d hits, want 1", title, hits[title])
		}
	}
	for title := range hits {
		if !n.planted[title] {
			t.Errorf("%q is a hit and was not planted", title)
		}
	}
	if len(n.told) != subscribers {
		t.Errorf("%d subscribers heard of anything, want %d", len(n.told), subscribers)
	}
	for subscriber, told := range n.told {
		missed := maps.Clone(n.planted)
		for title := range told {
			delete(missed, title)
		}
		for title := range missed {
			t.Errorf("%s was not told of %q", subscriber, title)
		}
	}
	for _, c := range n.crimes {
		t.Error(c)
	}
	if len(n.planted) == 0 {
		t.Error("nothing was planted")
	}
}

func replicaConfig(t *testing.T, r *replica, server string, feeds, subscribers int) string {
	t.Helper()
	dir := t.TempDir()
	// About a hundred polls a second, whatever the number of feeds.
	every := max(time.Second, time.Duration(feeds)*10*time.Millisecond)
	var list, subs strings.Builder
	list.WriteString("feeds:\n")
	for i := range feeds {
		fmt.Fprintf(&list, "  - {url: \"%s/feeds/f%d\", id: feed-%d, every: %s}\n", server, i, i, every)
	}
	subs.WriteString("subscribers:\n")
	for i := range subscribers {
		fmt.Fprintf(&subs, "  - {id: desk-%d, webhook: {url: \"%s/hook/desk-%d/%s\"}, schedule: immediate 1s}\n", i, server, i, r.name)
	}
	for name, text := range map[string]string{
		"newswatch.yaml": fmt.Sprintf("data: data\nstore: {url: %q}\nhttp: {listen: \"\"}\nlog: {level: warn}\n"+
			"fetch: {allow_networks: [127.0.0.0/8], full_text: never, concurrency: 32, per_host: 32, contact: %s, min_interval: 1s}\n"+
			"digest: {cap: 1000}\ninclude: {rules: [rules.yaml]}\n", r.proxy.URL, r.name),
		"feeds.yaml":       list.String(),
		"rules.yaml":       "rules:\n  - {id: p-hunt, any: [\"operation p-hunt\"]}\n",
		"subscribers.yaml": subs.String(),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "newswatch.yaml")
}
