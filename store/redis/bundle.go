package redis

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/redis/go-redis/v9"
)

// maxBundle is how many requests make one round trip at most, so that the answers
// of one do not wait for those of too many others.
const maxBundle = 128

// errSlow is a round trip that took longer than ioTimeout.
var errSlow = errors.New("no answer in time")

// bundle sends in one round trip what many goroutines ask for at the same time:
// while one is under way, requests gather for the next. So polls that end
// together share one, and a slow server gets fewer and larger ones. A request
// that is alone does not wait.
type bundle struct {
	c    redis.UniversalClient
	life context.Context // ends with the store
	end  context.CancelFunc
	wg   sync.WaitGroup // of fly

	mu      sync.Mutex
	flying  bool
	waiting []*request
}

// request is what one goroutine asks for: add puts its commands into a pipeline.
type request struct {
	ctx  context.Context
	add  func(redis.Pipeliner)
	err  error // of the round trip; those of the commands are their own
	done chan struct{}
}

func newBundle(c redis.UniversalClient) *bundle {
	b := &bundle{c: c}
	b.life, b.end = context.WithCancel(context.Background())
	return b
}

// do returns when the commands were answered, or ctx has ended: then they may yet
// be sent if they are under way, and must not be looked at.
func (b *bundle) do(ctx context.Context, add func(redis.Pipeliner)) error {
	r := &request{ctx: ctx, add: add, done: make(chan struct{})}
	b.mu.Lock()
	b.waiting = append(b.waiting, r)
	if !b.flying {
		b.flying = true
		b.wg.Go(b.fly)
	}
	b.mu.Unlock()
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// fly makes round trips until nobody waits.
func (b *bundle) fly() {
	for {
		runtime.Gosched() // those that are about to ask come along
		aboard := b.board()
		if len(aboard) == 0 {
			return
		}
		ctx, cancel := context.WithTimeout(b.life, ioTimeout)
		pipe := b.c.Pipeline()
		for _, r := range aboard {
			r.add(pipe)
		}
		_, err := pipe.Exec(ctx)
		if _, answered := errors.AsType[redis.Error](err); answered {
			err = nil // each command has its own answer
		}
		if errors.Is(err, context.DeadlineExceeded) {
			err = errSlow
		}
		cancel()
		for _, r := range aboard {
			r.err = err
			close(r.done)
		}
	}
}

// board takes the requests of the next round trip, and leaves out those that
// nobody waits for any more.
func (b *bundle) board() []*request {
	b.mu.Lock()
	defer b.mu.Unlock()
	var aboard []*request
	for len(b.waiting) > 0 && len(aboard) < maxBundle {
		r := b.waiting[0]
		b.waiting = b.waiting[1:]
		if r.ctx.Err() == nil {
			aboard = append(aboard, r)
		}
	}
	if len(aboard) == 0 {
		b.flying, b.waiting = false, nil
	}
	return aboard
}

// close waits for the round trip that is under way. The client must be closed
// before.
func (b *bundle) close() {
	b.end()
	b.wg.Wait()
}

// run runs a script as one of a bundle.
func (b *bundle) run(ctx context.Context, sc *redis.Script, args []any) (any, error) {
	var cmd *redis.Cmd
	err := b.do(ctx, func(p redis.Pipeliner) { cmd = sc.EvalSha(b.life, p, []string{prefix}, args...) })
	if err == nil && redis.HasErrorPrefix(cmd.Err(), "NOSCRIPT") {
		err = b.do(ctx, func(p redis.Pipeliner) { cmd = sc.Eval(b.life, p, []string{prefix}, args...) })
	}
	if err != nil {
		return nil, err
	}
	return cmd.Result()
}
