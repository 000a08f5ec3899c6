package email

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/notify/notifytest"
)

func address(t testing.TB, s string) Address {
	t.Helper()
	a, err := ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func envelope(t testing.TB) Envelope {
	return Envelope{From: address(t, "newswatch <newswatch@example.org>"), To: address(t, "desk@reader.example")}
}

// read takes a message apart as a mail reader would.
func read(t testing.TB, raw []byte) (h mail.Header, parts map[string]string) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("content type %s, %v", kind, err)
	}
	parts = make(map[string]string)
	var order []string
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		kind, params, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
		if err != nil || !strings.EqualFold(params["charset"], "utf-8") {
			t.Fatalf("part %s, %v, %v", kind, params, err)
		}
		var body io.Reader = p
		switch enc := p.Header.Get("Content-Transfer-Encoding"); enc {
		case "quoted-printable":
			body = quotedprintable.NewReader(p)
		case "base64":
			body = base64.NewDecoder(base64.StdEncoding, p)
		default:
			t.Fatalf("part %s is encoded as %q", kind, enc)
		}
		b, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		order = append(order, kind)
		parts[kind] = string(b)
	}
	// RFC 2046 §5.1.4: the plainest first.
	if fmt.Sprint(order) != "[text/plain text/html]" {
		t.Fatalf("parts %v", order)
	}
	return m.Header, parts
}

// wellFormed checks what every server relies on.
func wellFormed(t testing.TB, raw []byte) {
	t.Helper()
	if bytes.Contains(bytes.ReplaceAll(raw, []byte("\r\n"), nil), []byte("\r")) ||
		bytes.Contains(bytes.ReplaceAll(raw, []byte("\r\n"), nil), []byte("\n")) {
		t.Error("a bare CR or LF (RFC 5321 §2.3.8)")
	}
	for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
		if len(line) > 78 {
			t.Errorf("a line of %d characters (RFC 5322 §2.1.1): %.90q", len(line), line)
		}
		for _, c := range line {
			if c >= 0x80 || c < ' ' && c != '\t' {
				t.Errorf("byte %#x in %.90q", c, line)
				break
			}
		}
	}
}

func TestRender(t *testing.T) {
	d := notifytest.Digest()
	raw, err := Render(d, envelope(t))
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, raw)
	h, parts := read(t, raw)
	for key, want := range map[string]string{
		"From":             `"newswatch" <newswatch@example.org>`,
		"To":               "<desk@reader.example>",
		"Subject":          notify.Subject(d),
		"Date":             "Mon, 23 Nov 2026 07:00:00 +0530",
		"Message-Id":       "<" + d.ID + "." + hash("desk", 4) + "@example.org>",
		"References":       "<" + hash("desk", 8) + ".digests@example.org>",
		"List-Id":          "newswatch digests <newswatch.example.org>",
		"Auto-Submitted":   "auto-generated",
		"Mime-Version":     "1.0",
		"List-Unsubscribe": "",
		"X-Mailer":         "",
		"User-Agent":       "",
		"Bcc":              "",
	} {
		if got := h.Get(key); got != want {
			t.Errorf("%s: got %q, want %q", key, got, want)
		}
		if n := len(h[key]); n > 1 {
			t.Errorf("%s stands %d times", key, n)
		}
	}
	if got, want := strings.ReplaceAll(parts["text/plain"], "\r\n", "\n"), notify.Text(d); got != want {
		t.Errorf("the text part is\n%s\nwant\n%s", got, want)
	}
	if got, want := strings.ReplaceAll(parts["text/html"], "\r\n", "\n"), notify.HTML(d); got != want {
		t.Errorf("the HTML part is\n%s\nwant\n%s", got, want)
	}
	// The subscriber's id is the operator's own word for a person.
	if bytes.Contains(bytes.SplitN(raw, []byte("\r\n\r\n"), 2)[0], []byte("<desk.")) {
		t.Error("the header tells the subscriber's id")
	}
}

func TestRenderIsStable(t *testing.T) {
	first, err := Render(notifytest.Digest(), envelope(t))
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if again, _ := Render(notifytest.Digest(), envelope(t)); !bytes.Equal(first, again) {
			t.Fatal("a retry would differ from the first try")
		}
	}
	other := notifytest.Digest()
	other.ID = strings.Repeat("f", 32)
	if again, _ := Render(other, envelope(t)); bytes.Contains(again, []byte(notifytest.Digest().ID)) {
		t.Error("two digests share an id")
	}
}

func TestRenderEnvelope(t *testing.T) {
	e := envelope(t)
	e.To = Address{}
	e.Unsubscribe = []string{"mailto:leave@example.org", "https://example.org/u/1", "https://x>\r\nBcc: a@b", "https://x, y"}
	e.From = address(t, "വാർത്താ നിരീക്ഷണം <newswatch@example.org>")
	raw, err := Render(notifytest.Digest(), e)
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, raw)
	h, _ := read(t, raw)
	if got := h.Get("To"); got != "undisclosed-recipients:;" {
		t.Errorf("To: %q", got)
	}
	if got := h.Get("List-Unsubscribe"); got != "<mailto:leave@example.org>, <https://example.org/u/1>" {
		t.Errorf("List-Unsubscribe: %q", got)
	}
	if from, err := h.AddressList("From"); err != nil || from[0].Name != e.From.Name {
		t.Errorf("From: %v, %v", from, err)
	}
}

func TestHeaderText(t *testing.T) {
	for _, s := range []string{
		"plain", "=?utf-8?q?spoofed?=", "x =?utf-8?b?c3Bvb2Y=?= y", "ഓപ്പറേഷൻ പി ഹണ്ട്: സംസ്ഥാനത്ത് 41 പേർ അറസ്റ്റിൽ", strings.Repeat("é", 200),
	} {
		enc := headerText(s)
		if dec, err := new(mime.WordDecoder).DecodeHeader(enc); err != nil || dec != s {
			t.Errorf("%q is read as %q, %v", s, dec, err)
		}
		for w := range strings.FieldsSeq(enc) {
			if strings.HasPrefix(w, "=?") && len(w) > 75 {
				t.Errorf("an encoded word of %d (RFC 2047 §2)", len(w))
			}
		}
	}
	if got := headerText("a\r\nBcc: x\x00"); strings.ContainsAny(got, "\r\n\x00") {
		t.Errorf("controls came through: %q", got)
	}
}

func bigDigest(n, also int) notify.Digest {
	d := notifytest.Digest()
	e := d.Groups[0].Entries[0]
	for i := range also {
		e.Also = append(e.Also, notify.Report{Outlet: fmt.Sprint("Outlet ", i), Link: "https://other.example/" + strings.Repeat("x", 2000)})
	}
	d.Groups = d.Groups[:1]
	d.Groups[0].Entries = nil
	for i := range n {
		e.Title = fmt.Sprintf("Story %d: %s", i, d.Groups[0].Name)
		d.Groups[0].Entries = append(d.Groups[0].Entries, e)
	}
	d.Entries, d.Hits = n, n
	return d
}

// Gmail hides what is beyond about 102 kB, and says little about it. A digest is
// cut before that, and says by how much.
func TestRenderSize(t *testing.T) {
	for _, tt := range []struct{ entries, also, least int }{{40, 0, 40}, {1000, 0, 50}, {40, 18, 1}} {
		d := bigDigest(tt.entries, tt.also)
		raw, err := Render(d, envelope(t))
		if err != nil {
			t.Fatal(err)
		}
		if len(raw) > MaxMessage {
			t.Errorf("%d entries with %d others: %d bytes", tt.entries, tt.also, len(raw))
		}
		wellFormed(t, raw)
		_, parts := read(t, raw)
		shown := strings.Count(parts["text/plain"], "Story ")
		if shown < tt.least {
			t.Errorf("%d entries with %d others: only %d are shown", tt.entries, tt.also, shown)
		}
		if rest := tt.entries - shown; rest > 0 && !strings.Contains(parts["text/plain"], fmt.Sprintf("\n%d more stor", rest)) {
			t.Errorf("%d entries were cut without a word:\n%.300s", rest, parts["text/plain"])
		}
		t.Logf("%d entries with %d others: %d bytes, %d shown", tt.entries, tt.also, len(raw), shown)
	}
}

// TestCorrectionsLeaveRoom: the publisher of a few reports that were sent before
// must not be able to hide what is new by the length of what it makes of them.
func TestCorrectionsLeaveRoom(t *testing.T) {
	d := bigDigest(5, 0)
	for range notify.MaxCorrections {
		d.Corrections = append(d.Corrections, notify.Correction{
			Title: strings.Repeat("കേ", 150), Was: strings.Repeat("പൊ", 150), Link: "https://evil.example/?" + strings.Repeat("&", 2000), Found: d.Sealed,
		})
	}
	raw, err := Render(d, envelope(t))
	if err != nil {
		t.Fatal(err)
	}
	_, parts := read(t, raw)
	if n := strings.Count(parts["text/plain"], "Story "); n != 5 || len(raw) > MaxMessage {
		t.Errorf("%d of 5 stories are told, in %d bytes", n, len(raw))
	}
	if n := strings.Count(parts["text/plain"], "evil.example"); !strings.Contains(parts["text/plain"], fmt.Sprintf("and %d more", notify.MaxCorrections-n)) {
		t.Errorf("%d of %d corrections are told, and nothing says so", n, notify.MaxCorrections)
	}
}

func TestCRLF(t *testing.T) {
	if got := crlf("a\nb\r\nc\rd\r\r\n"); got != "a\r\nb\r\ncd\r\n" {
		t.Errorf("got %q", got)
	}
}

func BenchmarkRender(b *testing.B) {
	d := bigDigest(40, 0)
	e := envelope(b)
	for b.Loop() {
		if _, err := Render(d, e); err != nil {
			b.Fatal(err)
		}
	}
}

func TestDateOfUnknownZone(t *testing.T) {
	d := notifytest.Digest()
	d.Timezone = "Mars/Olympus"
	if got := dateIn(d).Format(time.RFC1123Z); got != "Mon, 23 Nov 2026 01:30:00 +0000" {
		t.Errorf("got %s", got)
	}
}
