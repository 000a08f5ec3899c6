package fetcher

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// counter reads at most a number of bytes, and remembers how many it read and
// how the reading failed.
type counter struct {
	r    io.Reader
	most int64
	n    int64
	err  error // of r; never io.EOF
}

// errTooMuch is returned by a counter that was asked for more than its most.
var errTooMuch = errors.New("fetcher: more bytes than are read")

func (c *counter) Read(p []byte) (int, error) {
	if c.n >= c.most {
		// One byte more tells the end of the body from an excess of it.
		var one [1]byte
		n, err := c.r.Read(one[:])
		if n > 0 {
			return 0, errTooMuch
		}
		return 0, c.keep(err)
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.most-c.n)])
	c.n += int64(n)
	return n, c.keep(err)
}

// keep keeps the first error. Who reads on gets another: the transport says only
// once that the time has run out, and then that the connection is closed.
func (c *counter) keep(err error) error {
	if err != nil && !errors.Is(err, io.EOF) && c.err == nil {
		c.err = err
	}
	return err
}

// readBody reads an answer's body into buf and undoes its compression. At most
// most bytes are read off the wire, and at most as many come out of them; a body
// with more is an error, unless it is to be cut there. It returns how many were
// read off the wire. The error is an *Error, except when the time ran out.
func readBody(buf *bytes.Buffer, resp *http.Response, host string, most int64, cut bool) (int64, error) {
	tooLarge := failf(ReasonTooLarge, nil, "%s sends more than the %d bytes that are read", host, most)
	if resp.ContentLength > most && !cut {
		return 0, tooLarge
	}
	coding, err := contentCoding(resp.Header)
	if err != nil {
		return 0, failf(ReasonBody, nil, "%s: %s", host, err)
	}
	wire := &counter{r: resp.Body, most: most}
	var body io.Reader = wire
	if coding == "" {
		// A file that is compressed, such as sitemap.xml.gz, is sent as it lies there.
		peeked := bufio.NewReaderSize(wire, 512)
		if magic, _ := peeked.Peek(2); string(magic) == "\x1f\x8b" {
			coding = "gzip"
		}
		body = peeked
	}
	plain, done, err := decompress(body, coding)
	if err == nil {
		_, err = buf.ReadFrom(&counter{r: plain, most: most})
		done()
	}
	var netErr net.Error
	switch {
	case err == nil, cut && errors.Is(err, errTooMuch):
		return wire.n, nil
	case errors.Is(err, errTooMuch):
		return wire.n, tooLarge
	case errors.Is(wire.err, context.DeadlineExceeded), errors.Is(wire.err, context.Canceled),
		errors.As(wire.err, &netErr) && netErr.Timeout():
		return wire.n, wire.err
	case wire.err != nil:
		return wire.n, failf(ReasonBody, err, "%s: the answer was cut off after %d bytes", host, wire.n)
	}
	return wire.n, failf(ReasonBody, err, "%s: the answer's %s compression is broken or cut off after %d bytes", host, coding, wire.n)
}

// contentCoding returns the one coding of an answer (RFC 9110 §8.4), empty for
// none. Two in a row are refused: no server has a reason to, and each layer
// multiplies what a small answer can become.
func contentCoding(h http.Header) (string, error) {
	var coding string
	for field := range strings.SplitSeq(strings.Join(h.Values("Content-Encoding"), ","), ",") {
		field = strings.ToLower(strings.TrimSpace(field))
		if field == "" || field == "identity" {
			continue
		}
		if coding != "" {
			return "", errors.New("the answer is compressed more than once")
		}
		coding = field
	}
	switch coding {
	case "", "gzip", "deflate", "br", "zstd":
		return coding, nil
	case "x-gzip": // RFC 9110 §8.4.1.3
		return "gzip", nil
	}
	return "", fmt.Errorf("the answer is encoded as %.40q, which was not asked for", coding)
}
