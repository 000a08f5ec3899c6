package email

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/newswatch/newswatch/notify/notifytest"
)

// dkimKey makes a key of a kind, and its record in the DNS.
func dkimKey(t testing.TB, kind string) (keyPEM []byte, record string) {
	t.Helper()
	var key crypto.Signer
	var err error
	switch kind {
	case "rsa", "pkcs1":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ed25519":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	case "ecdsa":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	block := &pem.Block{Type: "PRIVATE KEY", Bytes: der}
	if kind == "pkcs1" {
		block = &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key.(*rsa.PrivateKey))}
	}
	switch pub := key.Public().(type) {
	case ed25519.PublicKey:
		record = "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(pub)
	case *rsa.PublicKey:
		der, err := x509.MarshalPKIXPublicKey(pub)
		if err != nil {
			t.Fatal(err)
		}
		record = "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
	}
	return pem.EncodeToMemory(block), record
}

// verify asks go-msgauth whether the message has one good signature.
func verify(t testing.TB, raw []byte, record string) error {
	t.Helper()
	got, err := dkim.VerifyWithOptions(bytes.NewReader(raw), &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
		if name != "watch._domainkey.example.org" {
			t.Errorf("asked for %s", name)
		}
		return []string{record}, nil
	}})
	if err != nil {
		return err
	}
	if len(got) != 1 || got[0].Domain != "example.org" {
		t.Fatalf("%d signatures", len(got))
	}
	return got[0].Err
}

func TestDKIM(t *testing.T) {
	for _, kind := range []string{"rsa", "pkcs1", "ed25519"} {
		t.Run(kind, func(t *testing.T) {
			key, record := dkimKey(t, kind)
			signer, err := NewDKIM("Example.org", "watch", key)
			if err != nil {
				t.Fatal(err)
			}
			m := mailbox(t, Config{
				Host: "127.0.0.1", Port: 25, TLS: None, DKIM: signer, ReplyTo: "desk@example.org",
				Unsubscribe: []string{"mailto:leave@example.org", "https://example.org/u/1"},
			}, "desk@reader.example")
			d := notifytest.Digest()
			raw, err := m.Render(d)
			if err != nil {
				t.Fatal(err)
			}
			again, err := m.Render(d)
			if err != nil || !bytes.Equal(raw, again) {
				t.Error("a retry differs from the first try")
			}
			if err := verify(t, raw, record); err != nil {
				t.Fatal(err)
			}
			for line := range strings.SplitSeq(string(raw), "\r\n") {
				if len(line) > 78 {
					t.Errorf("a line of %d bytes: %s", len(line), line)
				}
			}
			// A relay may fold and pad; nobody may change or add.
			padded := strings.Replace(string(raw), "Auto-Submitted: ", "AUTO-submitted:  \r\n\t", 1) + "\r\n\r\n"
			if err := verify(t, []byte(padded), record); err != nil {
				t.Errorf("after folding on the way: %v", err)
			}
			for name, spoil := range map[string]func(string) string{
				"a word of the body": func(s string) string { return strings.Replace(s, "Kerala", "Korala", 1) },
				"the way to leave":   func(s string) string { return strings.Replace(s, "example.org/u/1", "evil.example/1", 1) },
				"a second From": func(s string) string {
					return strings.Replace(s, "\r\nFrom:", "\r\nFrom: evil@example.net\r\nFrom:", 1)
				},
				"a second Subject": func(s string) string { return strings.Replace(s, "\r\nSubject:", "\r\nSubject: win\r\nSubject:", 1) },
				"a Post that was not there": func(s string) string {
					return strings.Replace(s, "\r\nSubject:", "\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nSubject:", 1)
				},
				"the answer's address": func(s string) string { return strings.Replace(s, "Reply-To: <desk", "Reply-To: <evil", 1) },
			} {
				bad := spoil(string(raw))
				if bad == string(raw) {
					t.Errorf("%s: nothing was changed", name)
				}
				if verify(t, []byte(bad), record) == nil {
					t.Errorf("%s was changed, and the signature holds", name)
				}
			}
		})
	}
}

// Whatever a body is, the library that verifies hashes the same of it.
func FuzzDKIM(f *testing.F) {
	key, record := dkimKey(f, "ed25519")
	signer, err := NewDKIM("example.org", "watch", key)
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{"", "\r\n", "\r\n\r\n", "a", "a\r\n", "a \t b  \r\n \r\n\r\n", "  a\r\n.\r\n", "\t\r\n"} {
		f.Add(s, "one")
		f.Add("x", s)
	}
	f.Fuzz(func(t *testing.T, body, subject string) {
		body = crlf(body)
		subject = strings.Map(func(r rune) rune {
			if r < ' ' && r != '\t' || r == 0x7f {
				return -1
			}
			return r
		}, subject)
		raw := []byte("From: a@example.org\r\nDate: Mon, 23 Nov 2026 01:30:00 +0000\r\nSubject: " + subject + "\r\nTo: b@example.net\r\n\r\n" + body)
		signed, err := signer.sign(raw)
		if err != nil {
			t.Skip()
		}
		if err := verify(t, signed, record); err != nil {
			t.Errorf("%q, %q: %v", subject, body, err)
		}
	})
}

func TestNewDKIMRefuses(t *testing.T) {
	good, _ := dkimKey(t, "ed25519")
	curve, _ := dkimKey(t, "ecdsa")
	for name, tt := range map[string]struct {
		domain, selector string
		key              []byte
	}{
		"no domain":           {"", "watch", good},
		"a URL as domain":     {"https://example.org", "watch", good},
		"no selector":         {"example.org", "", good},
		"selector with space": {"example.org", "a b", good},
		"selector with a tag": {"example.org", "a; d=evil", good},
		"no key":              {"example.org", "watch", nil},
		"a public key":        {"example.org", "watch", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("s3cret")})},
		"a damaged key":       {"example.org", "watch", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("s3cret")})},
		"another kind of key": {"example.org", "watch", curve},
	} {
		_, err := NewDKIM(tt.domain, tt.selector, tt.key)
		if err == nil || !strings.HasPrefix(err.Error(), "email: ") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
