package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"maps"
	"math/rand/v2"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

const (
	desks      = 1000 // subscribers; every fourth has mail, the others a webhook
	topics     = 5    // each subscriber follows one
	deskFeeds  = 30
	faultEvery = 4 // one delivery in so many fails
)

// reportTitle is a title of a planted item, as it stands in JSON and in HTML.
var reportTitle = regexp.MustCompile(`[A-Z][a-z]+ [a-z]+ [a-z]+ [a-z]+ in topic([0-9])x`)

// ledger is what became of every digest at the receivers, and what was published.
type ledger struct {
	mu      sync.Mutex
	printed map[string]int               // items by feed
	planted [topics]map[string]bool      // titles by topic
	told    map[string]map[string]string // by subscriber: title to digest
	bodies  map[string][]byte            // by digest id, as first accepted
	order   map[string][]string          // by subscriber: the ids as they were first accepted
	again   int                          // acceptances beyond the first
	faults  map[string]int
	wrong   []string
	stopped bool
}

func newLedger() *ledger {
	l := &ledger{
		printed: map[string]int{}, told: map[string]map[string]string{}, bodies: map[string][]byte{},
		order: map[string][]string{}, faults: map[string]int{},
	}
	for i := range l.planted {
		l.planted[i] = map[string]bool{}
	}
	return l
}

// feed serves a feed that has one more item at every poll. Five items in six are
// of a topic; no two titles are alike, so each is a story of its own.
func (l *ledger) feed(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	name := r.URL.Path
	if !l.stopped {
		l.printed[name]++
	}
	var b strings.Builder
	b.WriteString(`<rss version="2.0"><channel><title>A paper</title>`)
	for i := l.printed[name]; i > max(0, l.printed[name]-15); i-- {
		hash := sha256.Sum256(fmt.Appendf(nil, "%s#%d", name, i))
		sum := binary.BigEndian.Uint64(hash[:])
		title := strings.Join([]string{pseudoWord(sum), pseudoWord(sum >> 16), pseudoWord(sum >> 32), pseudoWord(sum >> 48)}, " ")
		title = strings.ToUpper(title[:1]) + title[1:]
		if topic := int(sum % (topics + 1)); topic < topics {
			title += fmt.Sprintf(" in topic%dx", topic)
			l.planted[topic][title] = true
		}
		fmt.Fprintf(&b, `<item><title>%s</title><guid>%s-%d</guid></item>`, title, name, i)
	}
	b.WriteString(`</channel></rss>`)
	w.Header().Set("Content-Type", "application/rss+xml")
	_, _ = io.WriteString(w, b.String())
}

// pseudoWord spells 16 bits.
func pseudoWord(n uint64) string {
	const consonants, vowels = "bdfgklmnprstvzhj", "aeio"
	var b strings.Builder
	for range 3 {
		b.WriteByte(consonants[n&15])
		b.WriteByte(vowels[n>>4&3])
		n >>= 5
	}
	return b.String()
}

// accept writes a digest into the ledger. It holds l.mu.
func (l *ledger) accept(subscriber, id string, body []byte) {
	if before, ok := l.bodies[id]; ok {
		l.again++
		if !bytes.Equal(before, body) {
			l.wrong = append(l.wrong, fmt.Sprintf("digest %s came again with other bytes", id))
		}
		return
	}
	l.bodies[id] = body
	l.order[subscriber] = append(l.order[subscriber], id)
	told := l.told[subscriber]
	if told == nil {
		told = map[string]string{}
		l.told[subscriber] = told
	}
	n, _ := strconv.Atoi(subscriber)
	for _, m := range reportTitle.FindAllSubmatch(body, -1) {
		title := string(m[0])
		if first, twice := told[title]; twice && first != id {
			l.wrong = append(l.wrong, fmt.Sprintf("subscriber %s: %q is in digest %s and in %s", subscriber, title, first, id))
		}
		told[title] = id
		if string(m[1]) != strconv.Itoa(n%topics) {
			l.wrong = append(l.wrong, fmt.Sprintf("subscriber %s did not ask for %q", subscriber, title))
		}
	}
}

// fault is what goes wrong with a delivery, "" for nothing. It holds l.mu.
func (l *ledger) fault(kinds ...string) string {
	if rand.IntN(faultEvery) > 0 {
		return ""
	}
	kind := kinds[rand.IntN(len(kinds))]
	l.faults[kind]++
	return kind
}

// hook is the receiver of every webhook.
func (l *ledger) hook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender was killed in the middle
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	subscriber, id := r.PathValue("subscriber"), r.Header.Get("Webhook-Id")
	switch kind := l.fault("500", "503", "429", "408", "404", "302", "reset", "answer lost"); kind {
	case "":
		l.accept(subscriber, id, body)
		w.WriteHeader(http.StatusNoContent)
	case "302":
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	case "reset", "answer lost":
		if kind == "answer lost" {
			l.accept(subscriber, id, body)
		}
		panic(http.ErrAbortHandler)
	default:
		code, _ := strconv.Atoi(kind)
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(code)
	}
}

// NewSession makes the ledger a mail server.
func (l *ledger) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &letterbox{ledger: l, conn: c}, nil
}

type letterbox struct {
	*ledger
	conn       *smtp.Conn
	kind       string
	subscriber string
}

func (b *letterbox) Reset()      {}
func (*letterbox) Logout() error { return nil }

func (b *letterbox) refuse(kind string, code int) error {
	if b.kind == kind {
		return &smtp.SMTPError{Code: code, Message: "not now"}
	}
	return nil
}

func (b *letterbox) Mail(string, *smtp.MailOptions) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kind = b.fault("421 at mail", "450 at rcpt", "451 at data", "452 at dot", "cut in data", "cut after dot")
	return b.refuse("421 at mail", 421)
}

func (b *letterbox) Rcpt(to string, _ *smtp.RcptOptions) error {
	b.subscriber, _, _ = strings.Cut(strings.TrimPrefix(to, "desk"), "@")
	return b.refuse("450 at rcpt", 450)
}

func (b *letterbox) Data(r io.Reader) error {
	if err := b.refuse("451 at data", 451); err != nil {
		return err
	}
	if b.kind == "cut in data" {
		return b.conn.Conn().Close()
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		return err // the sender was killed in the middle
	}
	if err := b.refuse("452 at dot", 452); err != nil {
		return err
	}
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	text, err := io.ReadAll(quotedprintable.NewReader(msg.Body))
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.wrong = append(b.wrong, fmt.Sprintf("a mail to %s cannot be read: %v", b.subscriber, err))
	}
	b.accept(b.subscriber, msg.Header.Get("Message-Id"), text)
	if b.kind == "cut after dot" {
		return b.conn.Conn().Close() // the mail is here, and its sender does not know
	}
	return nil
}

// TestGuarantees: while feeds publish, a thousand subscribers are served by
// receivers that fail in every way, and newswatch is killed at random instants.
// At the end every planted item is one hit, and each subscriber was told of each
// that it asked for in exactly one accepted digest, the digests in order; a
// digest that came again came with the same id and the same bytes.
func TestGuarantees(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	l := newLedger()
	mux := http.NewServeMux()
	mux.HandleFunc("/hook/{subscriber}", l.hook)
	mux.HandleFunc("/elsewhere", func(http.ResponseWriter, *http.Request) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.wrong = append(l.wrong, "a redirect of a webhook was followed")
	})
	mux.HandleFunc("/", l.feed)
	server := httptest.NewServer(mux)
	defer server.Close()
	conf := guaranteeConfig(t, server.URL, l.serveMail(t))

	// A slow machine gets the time that it needs for enough kills.
	const enough = 5
	kills := 0
	for begun := time.Now(); time.Since(begun) < 15*time.Second || kills < enough && time.Since(begun) < time.Minute; {
		// Some passes live long enough to deliver, on a slow machine too.
		most := 500 * time.Millisecond
		if rand.IntN(2) == 0 {
			most = 5 * time.Second
		}
		if killAfter(t, conf, time.Duration(rand.Int64N(int64(most)))) {
			kills++
		}
	}
	l.mu.Lock()
	l.stopped = true
	l.mu.Unlock()
	for try := 0; try < 60; try++ {
		out, err := newswatch(t.Context(), conf, "once", "--send", "--lease", "1s").CombinedOutput()
		if err != nil && !strings.Contains(string(out), "not accepted") {
			t.Fatalf("once after the kills: %v\n%s", err, out)
		}
		if l.missing() == 0 {
			break
		}
		<-time.After(300 * time.Millisecond) // leases of the dead run out; the next try is due
	}

	hits := storedHits(t, conf)
	l.mu.Lock()
	defer l.mu.Unlock()
	planted := 0
	for topic := range l.planted {
		for title := range l.planted[topic] {
			planted++
			if hits[title] != 1 {
				t.Errorf("%q is stored as %d hits, want 1", title, hits[title])
			}
		}
	}
	if len(hits) != planted {
		t.Errorf("%d hits of %d planted", len(hits), planted)
	}
	for i, w := range l.wrong {
		if i == 20 {
			t.Fatalf("and %d more", len(l.wrong)-i)
		}
		t.Error(w)
	}
	l.mustBeWhole(t)
	l.mustBeOrdered(t)
	if kills < enough {
		t.Errorf("killed %d times only: the run shows little", kills)
	}
	t.Logf("%d planted, %d kills, %d digests to %d subscribers, %d of them came again; faults %v",
		planted, kills, len(l.bodies), len(l.told), l.again, l.faults)
}

// missing counts the pairs of a subscriber and an item that were not told.
func (l *ledger) missing() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for i := range desks {
		n += len(l.planted[i%topics]) - len(l.told[strconv.Itoa(i)])
	}
	return n
}

func (l *ledger) mustBeWhole(t *testing.T) {
	t.Helper()
	for i := range desks {
		told := l.told[strconv.Itoa(i)]
		for title := range maps.Keys(l.planted[i%topics]) {
			if told[title] == "" {
				t.Errorf("subscriber %d was not told of %q", i, title)
				break
			}
		}
	}
}

var windowOf = regexp.MustCompile(`"from":(\d+),"to":(\d+)`)

// mustBeOrdered: of a webhook's digests, each begins where the one before ended or
// later.
func (l *ledger) mustBeOrdered(t *testing.T) {
	t.Helper()
	checked := 0
	for subscriber, ids := range l.order {
		last := 0
		for _, id := range ids {
			m := windowOf.FindSubmatch(l.bodies[id])
			if m == nil {
				continue // a mail
			}
			from, _ := strconv.Atoi(string(m[1]))
			to, _ := strconv.Atoi(string(m[2]))
			if from < last || to <= from {
				t.Errorf("subscriber %s: digest %s tells of %d to %d after %d", subscriber, id, from, to, last)
			}
			last = to
			checked++
		}
	}
	if checked == 0 {
		t.Error("no digest says which window it is of")
	}
}

func (l *ledger) serveMail(t *testing.T) (port int) {
	t.Helper()
	s := smtp.NewServer(l)
	s.Domain = "localhost"
	s.ErrorLog = log.New(io.Discard, "", 0) // it is told of every connection that was cut
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(lis) }()
	t.Cleanup(func() { s.Close(); <-done })
	return lis.Addr().(*net.TCPAddr).Port
}

func guaranteeConfig(t *testing.T, server string, mailPort int) string {
	t.Helper()
	dir := t.TempDir()
	var feeds, rules, subscribers strings.Builder
	feeds.WriteString("feeds:\n")
	for i := range deskFeeds {
		fmt.Fprintf(&feeds, "  - {url: \"%s/f%d\", id: feed-%d}\n", server, i, i)
	}
	rules.WriteString("rules:\n")
	for i := range topics {
		fmt.Fprintf(&rules, "  - {id: topic-%d, any: [topic%dx]}\n", i, i)
	}
	subscribers.WriteString("subscribers:\n")
	for i := range desks {
		channel := fmt.Sprintf("webhook: {url: \"%s/hook/%d\"}", server, i)
		if i%4 == 0 {
			channel = fmt.Sprintf("email: desk%d@example.org", i)
		}
		fmt.Fprintf(&subscribers, "  - {id: desk-%d, %s, rules: [topic-%d], schedule: immediate}\n", i, channel, i%topics)
	}
	for name, text := range map[string]string{
		"newswatch.yaml": fmt.Sprintf("data: data\nhttp: {listen: \"\"}\nlog: {level: error}\ninclude: {rules: [rules.yaml]}\n"+
			"fetch: {allow_networks: [127.0.0.0/8], full_text: never, concurrency: 8, per_host: 8}\ndigest: {cap: 1000}\n"+
			"smtp: {host: 127.0.0.1, port: %d, tls: none, from: watch@example.org}\n", mailPort),
		"feeds.yaml": feeds.String(), "rules.yaml": rules.String(), "subscribers.yaml": subscribers.String(),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "newswatch.yaml")
}
