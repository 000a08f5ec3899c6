package email

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"
)

// Reports reads the reports in a message, or in a mailbox of the form mbox: what
// each message is, a Report or ErrNoReport. Any other error ends it.
func Reports(r io.Reader) iter.Seq2[Report, error] {
	return func(yield func(Report, error) bool) {
		lines := bufio.NewReader(r)
		var msg bytes.Buffer // as much of the message as is looked at
		begun, mbox := false, false
		fresh, blank := true, true // at the start of a line, and below an empty one
		for {
			line, err := lines.ReadSlice('\n')
			if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
				yield(Report{}, err)
				return
			}
			if fresh && blank && bytes.HasPrefix(line, []byte("From ")) && (mbox || !begun) {
				if begun && !yield(ReadReport(&msg)) {
					return
				}
				msg.Reset()
				begun, mbox = true, true
			} else if len(line) > 0 {
				begun = true
				msg.Write(line[:min(len(line), maxReport-msg.Len())])
			}
			if errors.Is(err, io.EOF) {
				if begun {
					yield(ReadReport(&msg))
				}
				return
			}
			blank = fresh && len(bytes.TrimRight(line, "\r\n")) == 0
			fresh = err == nil
		}
	}
}
