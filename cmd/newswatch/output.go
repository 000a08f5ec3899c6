package main

import (
	"context"
	"io"
	"sync"
)

// output is standard output. All that commands print goes through it, cobra's help
// too, and few of them look at whether it could be written: it remembers what went
// wrong, so that run can end with it, and stops the command, since nobody reads
// what it would find out.
type output struct {
	io.Writer
	stop func()

	mu  sync.Mutex
	err error
}

func (o *output) Write(b []byte) (int, error) {
	if err := o.failed(); err != nil {
		return 0, err
	}
	n, err := o.Writer.Write(b)
	if err != nil {
		o.mu.Lock()
		o.err = err
		o.mu.Unlock()
		o.stop()
	}
	return n, err
}

// failed returns why something could not be written, or nil.
func (o *output) failed() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// input is standard input. A read of it ends with the context: who is asked a
// question, or has begun to type what a command reads, presses Ctrl-C once.
type input struct {
	ctx  context.Context
	from io.Reader
	buf  []byte
}

func (in *input) Read(b []byte) (int, error) {
	if err := in.ctx.Err(); err != nil {
		return 0, err
	}
	// A read that hangs keeps the buffer, and is the last.
	if len(in.buf) < len(b) {
		in.buf = make([]byte, len(b))
	}
	type read struct {
		n   int
		err error
	}
	done := make(chan read, 1)
	go func(buf []byte) {
		n, err := in.from.Read(buf)
		done <- read{n, err}
	}(in.buf[:len(b)])
	select {
	case r := <-done:
		return copy(b, in.buf[:r.n]), r.err
	case <-in.ctx.Done():
		return 0, in.ctx.Err()
	}
}
