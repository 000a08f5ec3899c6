package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
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

// write answers. What was read is not sent again to a client that has it.
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
	if a.next != "" {
		// Relative, so that it also leads there below a path of a reverse proxy.
		h.Set("Link", fmt.Sprintf(`<?%s>; rel="next"`, a.next))
	}
	if a.status == 0 {
		a.status = http.StatusOK
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		h.Set("Cache-Control", "private, no-cache")
		SendNew(w, r, a.status, ctype, body)
		return nil
	}
	Send(w, r, a.status, ctype, body)
	return nil
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
