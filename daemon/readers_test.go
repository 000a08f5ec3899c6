package daemon_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/mail"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/daemon"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/store/sqlite"
	"github.com/newswatch/newswatch/subscription"
)

// sink is a mail server, of another's making, that keeps what it takes.
type sink struct {
	port int

	mu       sync.Mutex
	mails    []received
	putOff   int           // how many messages it puts off at their end
	refuse   int           // and how many it refuses there for good
	hold     chan struct{} // where it is set, RCPT waits for it
	arriving chan struct{} // is told that one waits
}

type received struct {
	from, to string
	raw      []byte
}

func newSink(t *testing.T) *sink {
	t.Helper()
	s := &sink{arriving: make(chan struct{}, 10)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := smtp.NewServer(s)
	srv.Domain = "sink.example"
	served := make(chan struct{})
	go func() { defer close(served); _ = srv.Serve(l) }() // it ends with an error when it is closed
	t.Cleanup(func() { _ = srv.Close(); <-served })
	s.port = l.Addr().(*net.TCPAddr).Port
	return s
}

func (s *sink) NewSession(*smtp.Conn) (smtp.Session, error) { return &sinkSession{sink: s}, nil }

type sinkSession struct {
	*sink
	from, to string
}

func (s *sinkSession) Reset()        {}
func (s *sinkSession) Logout() error { return nil }

func (s *sinkSession) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

func (s *sinkSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	s.mu.Lock()
	hold := s.hold
	s.mu.Unlock()
	if hold != nil {
		s.arriving <- struct{}{}
		<-hold
	}
	return nil
}

func (s *sinkSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, received{s.from, s.to, raw})
	if s.putOff > 0 {
		s.putOff--
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "not now"}
	}
	if s.refuse > 0 {
		s.refuse--
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "no such thing here"}
	}
	return nil
}

// to are the messages for an address.
func (s *sink) to(address string) []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []received
	for _, m := range s.mails {
		if m.to == address {
			out = append(out, m)
		}
	}
	return out
}

// town is a daemon where people subscribe.
type town struct {
	*site
	sink *sink
}

func newTown(t *testing.T) *town {
	t.Helper()
	return newTownWith(t, "")
}

// newTownWith is newTown with more of the settings of mail.
func newTownWith(t *testing.T, mail string) *town {
	t.Helper()
	s := newSink(t)
	tn := &town{startOn(t, paper(t), fmt.Sprintf("http: {listen: \"127.0.0.1:0\", public_url: \"https://news.example.org\", admin_token: 0123456789abcdef}\n"+
		"fetch: {allow_networks: [127.0.0.0/8], full_text: never}\n"+
		"smtp: {host: 127.0.0.1, port: %d, tls: none, from: news@example.org%s}\n"+
		"subscriptions: {enabled: true}\n", s.port, mail), "immediate"), s}
	tn.eventually("/readyz answers 200", func() bool { code, _ := tn.get("/readyz"); return code == http.StatusOK })
	return tn
}

func (tn *town) post(path, contentType, body string) (int, string) {
	tn.t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Post(tn.url+path, contentType, strings.NewReader(body))
	if err != nil {
		tn.t.Fatal(err)
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		tn.t.Fatal(err)
	}
	return resp.StatusCode, string(out)
}

// join has an address subscribe and confirm.
func (tn *town) join(address string) {
	tn.t.Helper()
	code, body := tn.post("/api/v1/subscriptions", "application/json", fmt.Sprintf(`{"channel":"email","address":%q,"agree":true,"schedule":"immediate 1h"}`, address))
	if code != http.StatusAccepted {
		tn.t.Fatalf("%d %s", code, body)
	}
	tn.eventually("the letter arrives", func() bool { return len(tn.sink.to(address)) == 1 })
	letter := bodyOf(tn.t, tn.sink.to(address)[0].raw)
	if code, body := tn.post(path(tn.t, letter, "confirm"), "application/x-www-form-urlencoded", ""); code != http.StatusOK {
		tn.t.Fatalf("confirm: %d %s", code, body)
	}
}

func bodyOf(t *testing.T, raw []byte) string {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(m.Body)
	if err != nil {
		t.Fatal(err)
	}
	// Soft line breaks of quoted-printable: the links hold no other escape.
	return strings.NewReplacer("=\r\n", "", "=\n", "").Replace(string(body))
}

func path(t *testing.T, text, page string) string {
	t.Helper()
	m := regexp.MustCompile(`https://news\.example\.org(/` + page + `/[A-Za-z0-9._-]+)`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no link to %s in %s", page, text)
	}
	return m[1]
}

// TestAReadersWholeLife goes from the form to the erasure, over real HTTP and real
// SMTP.
func TestAReadersWholeLife(t *testing.T) {
	const ann = "ann@reader.example"
	tn := newTown(t)
	tn.join(ann)
	tn.eventually("the hit is counted", func() bool {
		_, m := tn.get("/metrics")
		return strings.Contains(m, `newswatch_hits_total{rule="p-hunt"} 1`)
	})
	tn.sendNow()
	tn.eventually("the digest arrives", func() bool { return len(tn.sink.to(ann)) == 2 })
	digest := tn.sink.to(ann)[1]
	m, err := mail.ReadMessage(bytes.NewReader(digest.raw))
	if err != nil {
		t.Fatal(err)
	}
	leave, err := url.Parse(strings.Trim(m.Header.Get("List-Unsubscribe"), "<>"))
	if err != nil || leave.Scheme != "https" || m.Header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" {
		t.Fatalf("headers %v", m.Header)
	}
	text := bodyOf(t, digest.raw)
	if path(t, text, "unsubscribe") != leave.Path {
		t.Error("the text has another link to leave than the header")
	}
	change := path(t, text, "preferences")
	if strings.Contains(text, "news.example.org/hits") {
		t.Error("the digest leads to the operator's pages")
	}
	if code, page := tn.get(change); code != http.StatusOK || !strings.Contains(page, "As it happens") {
		t.Errorf("%d %s", code, page)
	}
	var held struct {
		Deliveries []struct{ Digest string }
		Reader     struct{ Address string }
	}
	// It is in the mailbox a moment before its delivery is written down.
	tn.eventually("the export has the reader and the delivery", func() bool {
		code, exported := tn.get(change + "/export")
		return code == http.StatusOK && json.Unmarshal([]byte(exported), &held) == nil && len(held.Deliveries) == 1 && held.Reader.Address == ann
	})
	for range 2 {
		if code, body := tn.post(leave.Path, "application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"); code != http.StatusOK {
			t.Fatalf("leave: %d %s", code, body)
		}
	}
	tn.sendNow()
	tn.end()
	if n := len(tn.sink.to(ann)); n != 2 {
		t.Errorf("%d messages, of which one came after leaving", n)
	}
	if log := tn.log.String(); strings.Contains(log, ann) || strings.Contains(log, "reader.example") || strings.Contains(log, leave.Path) {
		t.Errorf("the log tells of an address or a link:\n%s", log)
	}
	st, err := sqlite.Open(t.Context(), filepath.Join(tn.dir, "data", "newswatch.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	for r, err := range st.Readers(t.Context()) {
		if err != nil || r.State != store.ReaderLeft || r.Address != "" {
			t.Errorf("%s, address %q: %v", r.State, r.Address, err)
		}
	}
}

// A digest is being handed over when its reader leaves. Once leaving is answered,
// the server is given nothing more.
func TestLeavingBreaksOffWhatIsBeingSent(t *testing.T) {
	const ann = "ann@reader.example"
	tn := newTown(t)
	tn.join(ann)
	leave := path(t, bodyOf(t, tn.sink.to(ann)[0].raw), "unsubscribe")
	tn.eventually("the hit is counted", func() bool {
		_, m := tn.get("/metrics")
		return strings.Contains(m, `newswatch_hits_total{rule="p-hunt"} 1`)
	})
	hold := make(chan struct{})
	tn.sink.mu.Lock()
	tn.sink.hold = hold
	tn.sink.mu.Unlock()
	tn.sendNow()
	<-tn.sink.arriving
	if code, body := tn.post(leave, "", ""); code != http.StatusOK {
		t.Errorf("leave: %d %s", code, body)
	}
	close(hold)
	tn.end()
	if n := len(tn.sink.to(ann)); n != 1 {
		t.Errorf("%d messages: the digest arrived after leaving", n)
	}
}

// A digest that was not accepted is sent again with the same links, so that the
// two are one.
func TestADigestToAReaderIsTheSameAtEveryTry(t *testing.T) {
	const ann = "ann@reader.example"
	tn := newTown(t)
	tn.join(ann)
	tn.eventually("the hit is counted", func() bool {
		_, m := tn.get("/metrics")
		return strings.Contains(m, `newswatch_hits_total{rule="p-hunt"} 1`)
	})
	tn.sink.mu.Lock()
	tn.sink.putOff = 1
	tn.sink.mu.Unlock()
	tn.sendNow()
	tn.eventually("the digest is put off", func() bool { return len(tn.sink.to(ann)) == 2 })
	tn.eventually("it is tried again", func() bool { tn.sendNow(); return len(tn.sink.to(ann)) == 3 })
	mails := tn.sink.to(ann)
	if !bytes.Equal(mails[1].raw, mails[2].raw) {
		t.Errorf("first\n%s\nthen\n%s", mails[1].raw, mails[2].raw)
	}
}

// Who confirmed at one replica is sent digests by all, and one pass of newswatch
// once is one of them; it sends the letters too that are owed.
func TestAReaderIsServedByEveryReplica(t *testing.T) {
	const ann, ben = "ann@reader.example", "ben@reader.example"
	tn := newTown(t)
	tn.join(ann)
	tn.eventually("the hit is counted", func() bool {
		_, m := tn.get("/metrics")
		return strings.Contains(m, `newswatch_hits_total{rule="p-hunt"} 1`)
	})
	tn.end()
	loaded, _, err := configs.Load(filepath.Join(tn.dir, "newswatch.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	st := openStore(t, loaded)
	q, _ := subscription.Check(subscription.Request{Channel: subscription.Email, Address: ben, Agreed: true, Method: "page"}, subscription.Catalogue{Timezone: "UTC"})
	if err := daemon.NewRoll(loaded.Config, st).Ask(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	if err := st.SendNow(t.Context(), nil, time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := newDaemon(t, loaded, st).Once(t.Context(), daemon.OnceOptions{}); err != nil {
		t.Fatal(err)
	}
	if n := len(tn.sink.to(ann)); n != 2 {
		t.Errorf("%d messages to one who confirmed elsewhere, want the letter and a digest", n)
	}
	if n := len(tn.sink.to(ben)); n != 1 {
		t.Errorf("%d letters to one who asked elsewhere", n)
	}
}

// Where people cannot subscribe any more, those who did are sent nothing: the
// links to leave lead nowhere.
func TestNoDigestsWithoutAWayToLeave(t *testing.T) {
	const ann = "ann@reader.example"
	tn := newTown(t)
	tn.join(ann)
	tn.eventually("the hit is counted", func() bool {
		_, m := tn.get("/metrics")
		return strings.Contains(m, `newswatch_hits_total{rule="p-hunt"} 1`)
	})
	tn.end()
	loaded, _, err := configs.Load(filepath.Join(tn.dir, "newswatch.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	loaded.Subscriptions.Enabled = false
	st := openStore(t, loaded)
	if err := st.SendNow(t.Context(), nil, time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := newDaemon(t, loaded, st).Once(t.Context(), daemon.OnceOptions{}); err != nil {
		t.Fatal(err)
	}
	standings, err := st.Standings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range standings {
		if store.IsReader(at.Subscriber) && at.Pending != "" {
			t.Error("a digest is sealed for it")
		}
	}
	if n := len(tn.sink.to(ann)); n != 1 {
		t.Errorf("%d messages", n)
	}
}
