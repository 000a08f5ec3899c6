package api

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// answer is a body of JSON, or of another type where that is set, or none.
type answer struct {
	status int // 0 means 200, or 204 without a body
	body   any
	raw    []byte
	ctype  string
	next   string // the query string of the next page, for a Link header
}

// none is the answer to a change that leaves nothing to tell.
var none = answer{status: http.StatusNoContent}

// listing is a page of a list. Next is where to go on, and is not there at the
// end.
type listing[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

// write answers. What was read carries an ETag (RFC 9110 §8.8.3), and is not sent
// again to a client that has it.
func (a answer) write(w http.ResponseWriter, r *http.Request) error {
	if a.status == http.StatusNoContent {
		w.WriteHeader(a.status)
		return nil
	}
	body, ctype := a.raw, a.ctype
	if body == nil {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(true) // A browser that is shown it must find no markup.
		if err := enc.Encode(a.body); err != nil {
			return fmt.Errorf("api: encode: %w", err)
		}
		body, ctype = b.Bytes(), "application/json"
	}
	h := w.Header()
	h.Set("Content-Type", ctype)
	if a.next != "" {
		h.Set("Link", fmt.Sprintf(`<%s?%s>; rel="next"`, r.URL.EscapedPath(), a.next))
	}
	if a.status == 0 {
		a.status = http.StatusOK
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		h.Set("Cache-Control", "private, no-cache")
		sum := sha256.Sum256(body)
		tag := `W/"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
		h.Set("ETag", tag)
		if Fresh(r, tag) {
			h.Del("Content-Type")
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	h.Add("Vary", "Accept-Encoding")
	if len(body) > 1400 && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		var small bytes.Buffer
		z := gzip.NewWriter(&small)
		_, _ = z.Write(body) // A bytes.Buffer takes everything.
		_ = z.Close()
		body = small.Bytes()
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(a.status)
	_, _ = w.Write(body)
	return nil
}

// Fresh reports whether a client has what it asks for: its If-None-Match names the
// tag (RFC 9110 §13.1.2). A date is never taken for it: a report that was purged,
// or edited, changes what is told and not when the newest was found.
func Fresh(r *http.Request, tag string) bool {
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("If-None-Match"), ","), ",") {
		part = strings.TrimSpace(part)
		if part == "*" || strings.TrimPrefix(part, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}

// maxBody bounds what a request may send, in bytes: a text of desk.MaxText in
// JSON's escapes, and what stands around it.
const maxBody = 2 << 20

// read decodes the body of a request. It must be JSON and say so: a form that a
// page of another site sends cannot.
func read(r *http.Request, into any) error {
	ctype, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || ctype != "application/json" {
		return Problem{Status: http.StatusUnsupportedMediaType, Detail: "The body must be JSON, with Content-Type: application/json."}
	}
	body := http.MaxBytesReader(nil, r.Body, maxBody)
	dec := json.NewDecoder(body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return Problem{Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf("The body is larger than %d bytes.", maxBody)}
		}
		return badRequest("The body is not what is expected: " + strings.TrimPrefix(err.Error(), "json: ") + ".")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return badRequest("There is something behind the JSON of the body.")
	}
	return nil
}
