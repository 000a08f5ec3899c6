package email

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/notify/notifytest"
)

func TestLetter(t *testing.T) {
	srv := &script{}
	cfg := Config{Host: "127.0.0.1", Port: srv.start(t), TLS: None, From: "Watch <newswatch@example.org>"}
	m := mailbox(t, cfg, "ann@reader.example")
	l := Letter{
		ID: "0123456789abcdef0123456789abcdef", Date: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Subject: "Please confirm",
		Text: "Open\nhttps://news.example.org/confirm/" + strings.Repeat("a", 80) + "\n.\nBcc: x@y.example\n", Leave: "https://news.example.org/unsubscribe/t",
	}
	for range 2 {
		if err := m.Write(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	got := srv.received()
	if len(got) != 2 || got[0] != got[1] {
		t.Fatalf("%q", got)
	}
	msg, err := mail.ReadMessage(strings.NewReader(got[0]))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"From": `"Watch" <newswatch@example.org>`, "To": "<ann@reader.example>", "Subject": "Please confirm", "Auto-Submitted": "auto-generated",
		"Message-Id": "<0123456789abcdef0123456789abcdef.letter@example.org>", "Date": "Mon, 23 Nov 2026 12:00:00 +0000", "Bcc": "",
		"List-Unsubscribe": "<https://news.example.org/unsubscribe/t>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
	} {
		if got := msg.Header.Get(key); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	body, err := io.ReadAll(msg.Body)
	if err != nil {
		t.Fatal(err)
	}
	if msg.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
		if body, err = io.ReadAll(quotedprintable.NewReader(bytes.NewReader(body))); err != nil {
			t.Fatal(err)
		}
	}
	if text := strings.ReplaceAll(string(body), "\r\n", "\n"); strings.TrimRight(text, "\n") != strings.TrimRight(l.Text, "\n") {
		t.Errorf("%q", text)
	}
}

// A letter in another script arrives as it was written.
func TestLetterInMalayalam(t *testing.T) {
	srv := &script{}
	m := mailbox(t, Config{Host: "127.0.0.1", Port: srv.start(t), TLS: None, From: "newswatch@example.org"}, "ann@reader.example")
	l := Letter{ID: "1", Date: time.Now(), Subject: strings.Repeat("ഡൈജസ്റ്റുകൾ വേണമെന്ന് സ്ഥിരീകരിക്കുക ", 3) + ".", Text: strings.Repeat("നിങ്ങൾക്ക് ", 60) + "\nhttps://news.example.org/confirm/a\n"}
	if err := m.Write(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	msg, err := mail.ReadMessage(strings.NewReader(srv.received()[0]))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
	if err != nil || subject != l.Subject {
		t.Errorf("subject %q (%v)", subject, err)
	}
	body := msg.Body
	switch how := msg.Header.Get("Content-Transfer-Encoding"); how {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	default:
		t.Errorf("it goes out as %q", how)
	}
	text, err := io.ReadAll(body)
	if got := strings.ReplaceAll(string(text), "\r\n", "\n"); err != nil || got != l.Text {
		t.Errorf("text %q (%v)", got, err)
	}
}

// A digest whose reader can leave carries the headers of RFC 8058; another has
// neither.
func TestOneClickHeaders(t *testing.T) {
	from, err := ParseAddress("newswatch@example.org")
	if err != nil {
		t.Fatal(err)
	}
	d := notifytest.Digest()
	for _, c := range []struct{ leave, list, post string }{
		{"", "", ""},
		{"https://news.example.org/unsubscribe/t", "<https://news.example.org/unsubscribe/t>", "List-Unsubscribe=One-Click"},
		// RFC 8058 §3.1 wants https, and a header that says which.
		{"http://news.example.org/unsubscribe/t", "<http://news.example.org/unsubscribe/t>", ""},
		{"https://നാട്.example/unsubscribe/t", "", ""},
	} {
		d.LeaveURL, d.ChangeURL = c.leave, c.leave
		raw, err := Render(d, Envelope{From: from})
		if err != nil {
			t.Fatal(err)
		}
		msg, err := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if l, p := msg.Header.Get("List-Unsubscribe"), msg.Header.Get("List-Unsubscribe-Post"); l != c.list || p != c.post {
			t.Errorf("%q, %q", l, p)
		}
	}
}
