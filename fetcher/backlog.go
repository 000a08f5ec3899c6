package fetcher

import (
	"context"
	"sync"
)

// backlog holds requests back while documents queue to be parsed. What they bring would
// only lie in memory, and be parsed no sooner: of a first pass over fast hosts the
// documents that waited were the largest part.
type backlog struct {
	most int // documents that may wait before requests do

	mu      sync.Mutex
	waiting int
	held    []chan struct{} // one for each request that is held back; closed to let it go
}

// join counts a document that waits to be parsed, until leave.
func (b *backlog) join() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting++
}

// leave lets one request go for the document that waits no more. The last lets all go:
// what was let go need not bring a document, and nobody would come to free the others.
func (b *backlog) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting--
	n := min(1, len(b.held))
	if b.waiting == 0 {
		n = len(b.held)
	}
	for _, held := range b.held[:n] {
		close(held)
	}
	b.held = b.held[n:]
}

// pass returns when a request may be made. The error is ctx's.
func (b *backlog) pass(ctx context.Context) error {
	b.mu.Lock()
	if b.waiting < b.most {
		b.mu.Unlock()
		return nil
	}
	held := make(chan struct{})
	b.held = append(b.held, held)
	b.mu.Unlock()
	select {
	case <-held:
		return nil
	case <-ctx.Done():
		// It stays in the queue, and takes the place of another once. The last document
		// to leave makes up for that.
		return ctx.Err()
	}
}
