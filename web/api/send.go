package api

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
)

// minGzip is below what one packet holds: to shrink less saves nothing.
const minGzip = 1400

// Send answers with body, compressed where the client takes it.
func Send(w http.ResponseWriter, r *http.Request, status int, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Vary", "Accept-Encoding")
	if len(body) >= minGzip && takesGzip(r) {
		var small bytes.Buffer
		z := gzip.NewWriter(&small)
		_, _ = z.Write(body) // A bytes.Buffer takes everything.
		_ = z.Close()
		body = small.Bytes()
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// SendNew is Send with an ETag (RFC 9110 §8.8.3), and sends nothing to a client
// that has the body.
func SendNew(w http.ResponseWriter, r *http.Request, status int, contentType string, body []byte) {
	sum := sha256.Sum256(body)
	tag := `W/"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	w.Header().Set("ETag", tag)
	if fresh(r, tag) {
		w.Header().Set("Vary", "Accept-Encoding") // which a 304 has to repeat (RFC 9110 §15.4.5)
		w.WriteHeader(http.StatusNotModified)
		return
	}
	Send(w, r, status, contentType, body)
}

// fresh reports whether a client has what it asks for: its If-None-Match names the
// tag (RFC 9110 §13.1.2). A date is never taken for it: a report that was purged,
// or edited, changes what is told and not when the newest was found.
func fresh(r *http.Request, tag string) bool {
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("If-None-Match"), ","), ",") {
		part = strings.TrimSpace(part)
		if part == "*" || strings.TrimPrefix(part, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}

// takesGzip reads Accept-Encoding (RFC 9110 §12.5.3) as far as it matters here: a
// client that names gzip, and does not refuse it with q=0, takes it.
func takesGzip(r *http.Request) bool {
	for _, part := range strings.Split(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		coding, params, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			name, q, _ := strings.Cut(strings.TrimSpace(params), "=")
			weight, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
			return !strings.EqualFold(strings.TrimSpace(name), "q") || err != nil || weight > 0
		}
	}
	return false
}
