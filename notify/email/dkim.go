package email

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	stdmail "net/mail"
	"slices"
	"strings"
)

// DKIM signs messages for a domain (RFC 6376), so that receivers can tell them
// from those of somebody who writes in its name.
//
// It is our own, and go-msgauth verifies it in the tests: that library's signer
// dates each signature by the clock, and a retry would then differ from the first
// try, which a receiver may have.
type DKIM struct {
	domain, selector string
	key              crypto.Signer
	algorithm        string
}

// minRSA is the shortest key, in bits, that receivers take (RFC 8301 §3.2).
const minRSA = 1024

// NewDKIM reads a private key in PEM: RSA (PKCS #1 or #8) or Ed25519 (PKCS #8).
// Errors do not quote it.
func NewDKIM(domain, selector string, keyPEM []byte) (*DKIM, error) {
	ascii, err := asciiDomain(domain)
	if err != nil {
		return nil, errors.New("email: dkim.domain is not a domain")
	}
	if sel, err := asciiDomain(selector + ".example"); err != nil || sel != strings.ToLower(selector)+".example" {
		return nil, errors.New("email: dkim.selector is not a label of a domain")
	}
	d := &DKIM{domain: ascii, selector: strings.ToLower(selector)}
	block, _ := pem.Decode(keyPEM)
	if block == nil {
		return nil, errors.New("email: the DKIM key is not PEM: make one with: openssl genrsa -out dkim.pem 2048")
	}
	var key any
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("email: the DKIM key is a %.40q: want a private key without a passphrase", block.Type)
	}
	if err != nil {
		return nil, errors.New("email: the DKIM key cannot be read")
	}
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if k.N.BitLen() < minRSA {
			return nil, fmt.Errorf("email: the DKIM key has %d bits: receivers want %d or more", k.N.BitLen(), minRSA)
		}
		d.key, d.algorithm = k, "rsa-sha256"
	case ed25519.PrivateKey:
		d.key, d.algorithm = k, "ed25519-sha256" // RFC 8463
	default:
		return nil, fmt.Errorf("email: the DKIM key is a %T: want RSA or Ed25519", key)
	}
	return d, nil
}

// signedHeaders are those that a signature covers, where the message has them.
// Those that must not be added on the way are named once more than they are there
// (RFC 6376 §8.15): a second From would show another sender. RFC 8058 §4 wants
// List-Unsubscribe and its Post among them.
var signedHeaders = []struct {
	name  string
	fixed bool
}{
	{"From", true},
	{"Sender", true},
	{"Reply-To", true},
	{"To", true},
	{"Subject", true},
	{"Date", true},
	{"Message-ID", true},
	{"References", false},
	{"MIME-Version", true},
	{"Content-Type", true},
	{"Content-Transfer-Encoding", false},
	{"Auto-Submitted", false},
	{"List-Id", true},
	{"List-Unsubscribe", true},
	{"List-Unsubscribe-Post", true},
}

// sign returns the message with a DKIM-Signature above it, the same for the same
// message: its time is the message's Date.
func (d *DKIM) sign(raw []byte) ([]byte, error) {
	end := bytes.Index(raw, []byte("\r\n\r\n"))
	if end < 0 {
		return nil, errors.New("email: a message without a body cannot be signed")
	}
	fields := headerFields(string(raw[:end+2]))
	msg, err := stdmail.ReadMessage(bytes.NewReader(raw[:end+4]))
	if err != nil {
		return nil, fmt.Errorf("email: sign: %w", err)
	}
	date, err := msg.Header.Date()
	if err != nil {
		return nil, fmt.Errorf("email: sign: %w", err)
	}
	body := sha256.Sum256(relaxedBody(raw[end+4:]))

	var names []string
	var hashed strings.Builder
	for _, h := range signedHeaders {
		there := fields[strings.ToLower(h.name)]
		for _, f := range slices.Backward(there) { // from the bottom up (RFC 6376 §5.4.2)
			hashed.WriteString(relaxedHeader(f) + "\r\n")
			names = append(names, h.name)
		}
		if h.fixed {
			names = append(names, h.name)
		}
	}
	sig := fmt.Sprintf("DKIM-Signature: v=1; a=%s; c=relaxed/relaxed;\r\n d=%s; s=%s; t=%d;\r\n h=%s;\r\n bh=%s;\r\n b=",
		d.algorithm, d.domain, d.selector, date.Unix(), foldNames(names), base64.StdEncoding.EncodeToString(body[:]))
	hashed.WriteString(relaxedHeader(sig))
	sum := sha256.Sum256([]byte(hashed.String()))
	hash := crypto.SHA256
	if d.algorithm == "ed25519-sha256" {
		hash = 0 // Ed25519 signs the hash as if it were the message (RFC 8463 §3)
	}
	b, err := d.key.Sign(nil, sum[:], hash)
	if err != nil {
		return nil, fmt.Errorf("email: sign: %w", err)
	}
	out := make([]byte, 0, len(raw)+1024)
	out = append(out, sig...)
	text := base64.StdEncoding.EncodeToString(b)
	for len(text) > 72 {
		out = append(out, text[:72]+"\r\n "...)
		text = text[72:]
	}
	out = append(out, text+"\r\n"...)
	return append(out, raw...), nil
}

// foldNames joins the value of h=, which may be long, on lines that are not.
func foldNames(names []string) string {
	var b strings.Builder
	line := len(" h=")
	for i, n := range names {
		if i > 0 {
			b.WriteByte(':')
			line++
		}
		if line+len(n) > 72 {
			b.WriteString("\r\n  ")
			line = 2
		}
		b.WriteString(n)
		line += len(n)
	}
	return b.String()
}

// headerFields parts a header into its fields, by their names in lower case.
func headerFields(header string) map[string][]string {
	fields := make(map[string][]string)
	var field string
	add := func() {
		if name, _, ok := strings.Cut(field, ":"); ok {
			name = strings.ToLower(strings.TrimRight(name, " \t"))
			fields[name] = append(fields[name], field)
		}
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(header, "\r\n"), "\r\n") {
		if line != "" && (line[0] == ' ' || line[0] == '\t') {
			field += "\r\n" + line
			continue
		}
		add()
		field = line
	}
	add()
	return fields
}

// relaxedHeader is a field as it is hashed (RFC 6376 §3.4.2), without its end.
func relaxedHeader(field string) string {
	name, value, _ := strings.Cut(field, ":")
	value = strings.Join(strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '\n' }), " ")
	return strings.ToLower(strings.TrimRight(name, " \t")) + ":" + value
}

// relaxedBody is a body as it is hashed (RFC 6376 §3.4.4).
func relaxedBody(body []byte) []byte {
	var out []byte
	for line := range bytes.SplitSeq(bytes.TrimSuffix(body, []byte("\r\n")), []byte("\r\n")) {
		blank := false
		for _, c := range line {
			if c == ' ' || c == '\t' {
				blank = true
				continue
			}
			if blank {
				out = append(out, ' ')
				blank = false
			}
			out = append(out, c)
		}
		out = append(out, "\r\n"...)
	}
	for bytes.HasSuffix(out, []byte("\r\n\r\n")) {
		out = out[:len(out)-2]
	}
	if string(out) == "\r\n" {
		return nil
	}
	return out
}
