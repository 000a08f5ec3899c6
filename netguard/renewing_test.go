package netguard

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// TestRenewing: a transport takes so many requests and no more; who is served by
// one that gave way is served to the end, and nothing of it is left open.
func TestRenewing(t *testing.T) {
	var mu sync.Mutex
	open, opened := 0, 0
	let := make(chan struct{})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			w.(http.Flusher).Flush()
			<-let
		}
		_, _ = io.WriteString(w, "read")
	}))
	closed := make(chan struct{}, 10)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		switch state {
		case http.StateNew:
			open++
			opened++
		case http.StateClosed:
			open--
			closed <- struct{}{}
		}
	}
	s.Start()
	defer s.Close()

	tr := NewRenewing(func() *http.Transport { return &http.Transport{} })
	defer tr.CloseIdleConnections()
	client := &http.Client{Transport: tr}
	get := func() {
		t.Helper()
		resp, err := client.Get(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
	slow, err := client.Get(s.URL + "/slow")
	if err != nil {
		t.Fatal(err)
	}
	for range renewAfter - 1 {
		get()
	}
	mu.Lock()
	if opened != 2 {
		t.Errorf("%d connections were opened by one transport, want one for the slow request and one for all others", opened)
	}
	mu.Unlock()
	get()
	<-closed // the idle one of the first transport
	close(let)
	if body, err := io.ReadAll(slow.Body); err != nil || string(body) != "read" {
		t.Errorf("the slow request ended with %q, %v", body, err)
	}
	_ = slow.Body.Close()
	<-closed // that of the slow request
	mu.Lock()
	defer mu.Unlock()
	if open != 1 || opened != 3 {
		t.Errorf("%d of %d connections are open, want 1 of 3", open, opened)
	}
}
