package api

import (
	"encoding/json"
	"net/http"
)

// Problem is what went wrong with a request, in the form of RFC 9457. The type of
// each is about:blank: the status says all that a program can act on.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	// Instance is the path that was asked for.
	Instance string `json:"instance,omitempty"`
	// Faults are all that is wrong with what was sent, a sentence each.
	Faults []string `json:"faults,omitempty"`
}

func (p Problem) Error() string { return "api: " + p.Detail }

// Write answers with the problem.
func (p Problem) Write(w http.ResponseWriter, r *http.Request) {
	p.Type, p.Title, p.Instance = "about:blank", http.StatusText(p.Status), r.URL.Path
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // It holds texts and a number.
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(body, '\n'))
}

// badRequest is a problem with what was sent.
func badRequest(faults ...string) error {
	return Problem{Status: http.StatusBadRequest, Detail: faults[0], Faults: faults}
}
