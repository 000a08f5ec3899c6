package email

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

const word = "0123456789abcdef"

// dsn is a report as servers write them, whose group about the recipient is given.
func dsn(group string) string {
	return strings.ReplaceAll(`Return-Path: <>
Delivered-To: bounces+`+word+`@example.org
From: MAILER-DAEMON@mx.example (Mail Delivery System)
To: Bounces+`+strings.ToUpper(word)+`@example.org
Date: Fri, 27 Nov 2026 10:00:00 +0530
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
	boundary="b1"

This is a MIME-encapsulated message.

--b1
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not
be delivered. Status: 5.9.9

--b1
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
Arrival-Date: Fri, 27 Nov 2026 09:59:00 +0530

`+group+`

--b1
Content-Type: text/rfc822-headers

Message-ID: <d@example.org>

--b1--
`, "\n", "\r\n")
}

const noMailbox = `Final-Recipient: rfc822; ann@reader.example
Original-Recipient: rfc822;ann@reader.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <ann@reader.example>: no such user
    here`

func TestReadReport(t *testing.T) {
	for name, tt := range map[string]struct {
		text, code string
		after      int
	}{
		"postfix":                   {dsn(noMailbox), "5.1.1", 1},
		"lines that end in \\n":     {strings.ReplaceAll(dsn(noMailbox), "\r", ""), "5.1.1", 1},
		"another case, a comment":   {dsn("ACTION: Failed (it was refused)\nstatus: 5.2.2 (mailbox full)"), "5.2.2", 3},
		"no enhanced code known":    {dsn("Action: failed\nStatus: 5.0.0"), "5.0.0", 3},
		"a policy":                  {dsn("Action: failed\nStatus: 5.7.26"), "5.7.26", 0},
		"the message":               {dsn("Action: failed\nStatus: 5.3.4"), "5.3.4", 0},
		"the second recipient":      {dsn("Action: relayed\nStatus: 2.0.0\n\nAction: failed\nStatus: 5.2.1"), "5.2.1", 3},
		"cut off":                   {strings.Split(dsn(noMailbox), "--b1\r\nContent-Type: text/rfc822")[0], "5.1.1", 1},
		"it is only late":           {dsn("Action: delayed\nStatus: 4.4.1"), "", 0},
		"the reason may pass":       {dsn("Action: failed\nStatus: 4.4.7"), "", 0},
		"it was delivered":          {dsn("Action: delivered\nStatus: 2.0.0"), "", 0},
		"delayed, with a class 5":   {dsn("Action: delayed\nStatus: 5.1.1"), "", 0},
		"no code":                   {dsn("Action: failed\nStatus: 5"), "", 0},
		"no group of a recipient":   {dsn(""), "", 0},
		"an answer from a person":   {"From: ann@reader.example\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n", "", 0},
		"another kind of multipart": {strings.Replace(dsn(noMailbox), "multipart/report", "multipart/mixed", 1), "", 0},
		"longer than is read":       {strings.Replace(dsn(noMailbox), "This is", strings.Repeat("x", maxReport), 1), "", 0},
		"nothing":                   {"", "", 0},
	} {
		r, err := ReadReport(strings.NewReader(tt.text))
		if tt.code == "" {
			if !errors.Is(err, ErrNoReport) {
				t.Errorf("%s: %+v, %v", name, r, err)
			}
			continue
		}
		if err != nil || r.Code != tt.code || r.PauseAfter() != tt.after {
			t.Errorf("%s: %+v, pause after %d, %v; want %s and %d", name, r, r.PauseAfter(), err, tt.code, tt.after)
		}
		if len(r.Words) != 2 || r.Words[0] != word || r.Words[1] != word || !r.Date.Equal(time.Date(2026, 11, 27, 4, 30, 0, 0, time.UTC)) {
			t.Errorf("%s: words %q, date %s", name, r.Words, r.Date)
		}
		if strings.Contains(r.Reason(), "ann") || !strings.Contains(r.Reason(), tt.code) {
			t.Errorf("%s: %q", name, r.Reason())
		}
	}
}

func TestReports(t *testing.T) {
	reports := func(r io.Reader) (out []string) {
		for r, err := range Reports(r) {
			out = append(out, fmt.Sprint(r.Code, err))
		}
		return out
	}
	no, other := "From: x@y.example\r\n\r\nA letter.\r\n\r\nFrom here on it goes.\r\n", dsn("Action: failed\nStatus: 5.2.2")
	long := dsn(noMailbox) + strings.Repeat("x", 3*maxReport) + "\r\n"
	for name, tt := range map[string]struct{ text, want string }{
		"one message":                {dsn(noMailbox), "5.1.1<nil>"},
		"one letter":                 {no, ErrNoReport.Error()},
		"nothing":                    {"", ""},
		"an mbox":                    {"From a\n" + dsn(noMailbox) + "\nFrom b\n" + other + "\n", "5.1.1<nil>|5.2.2<nil>"},
		"a long one":                 {"From a\n" + long + "\nFrom b\n" + other, "5.1.1<nil>|5.2.2<nil>"},
		"one without an end of line": {"From a\n" + strings.TrimRight(other, "\r\n"), "5.2.2<nil>"},
	} {
		if got := strings.Join(reports(strings.NewReader(tt.text)), "|"); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	broken := io.MultiReader(strings.NewReader("From a\n"+dsn(noMailbox)), failing{})
	if got := reports(broken); len(got) != 1 || !strings.Contains(got[0], "the disk") {
		t.Errorf("a mailbox that cannot be read: %q", got)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the disk is gone") }

// A word is another under every key and for every mailbox, and one whatever the
// case of the address.
func TestBounceWord(t *testing.T) {
	words := map[string]bool{}
	for _, key := range []string{"a", "b"} {
		for _, to := range []string{"ann@reader.example", "Ann@Reader.example", "ben@reader.example"} {
			a, err := ParseAddress(to)
			if err != nil {
				t.Fatal(err)
			}
			words[BounceWord([]byte(key), a)] = true
		}
	}
	if len(words) != 4 {
		t.Errorf("%v", words)
	}
}

// FuzzReport: whatever a stranger sends, what comes of it is a report of a class
// that lasts, with words that VERP may have made.
func FuzzReport(f *testing.F) {
	f.Add(dsn(noMailbox))
	f.Add("From a\n" + dsn("Action: delayed\nStatus: 4.0.0") + "\nFrom b\n" + dsn(noMailbox))
	f.Add("Content-Type: multipart/report; boundary=\"\"\r\n\r\n--\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		for r, err := range Reports(strings.NewReader(text)) {
			if err != nil {
				if !errors.Is(err, ErrNoReport) {
					t.Error(err)
				}
				continue
			}
			if !lasting.MatchString(r.Code) || strings.ContainsAny(r.Reason(), "\r\n@") {
				t.Errorf("%q: %q", r.Code, r.Reason())
			}
			for _, w := range r.Words {
				if len(w) != bounceWordLen || strings.Trim(w, "0123456789abcdef") != "" {
					t.Errorf("word %q", w)
				}
			}
		}
	})
}
