package fetcher

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// TestNoMoreIsAskedForThanIsSoonParsed: while documents queue to be parsed, no others
// are asked for, to lie in memory; then all are read, those too that had to wait beside
// feeds that bring no document.
func TestNoMoreIsAskedForThanIsSoonParsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		c, _ := newClient(t, Options{Transport: roundTripper(func(r *http.Request) *http.Response {
			n := asked.Add(1)
			if n > int64(parsers()) && n%2 == 0 {
				return &http.Response{StatusCode: http.StatusNotFound, Header: http.Header{}, Body: http.NoBody, Request: r}
			}
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(rss("a"))), Request: r}
		})})
		done, err := c.parseTurn(t.Context(), 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		gone, leave := context.WithCancel(t.Context())
		ended := make(chan error, 50)
		for i := range cap(ended) {
			ctx := t.Context()
			if i%5 == 4 && i >= parsers() { // held back
				ctx = gone
			}
			go func() {
				_, err := c.Fetch(ctx, feedAt(fmt.Sprintf("http://paper%d.example/", i)), State{}, nil)
				ended <- err
			}()
			synctest.Wait()
		}
		if n := asked.Load(); n != int64(parsers()) {
			t.Errorf("%d documents were asked for, want the %d that may wait", n, parsers())
		}
		leave()
		synctest.Wait()
		done()
		gaveUp := 0
		for range cap(ended) {
			if errors.Is(<-ended, context.Canceled) {
				gaveUp++
			}
		}
		if n := asked.Load(); n != int64(cap(ended)-gaveUp) || gaveUp == 0 {
			t.Errorf("%d of %d were asked for in the end, and %d gave up", n, cap(ended), gaveUp)
		}
	})
}
