package main

import (
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
