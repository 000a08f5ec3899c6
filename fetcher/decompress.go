package fetcher

import (
	"bufio"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

const acceptEncoding = "gzip, deflate, br, zstd"

// maxWindow bounds the memory of a zstd decoder. It is the most that RFC 9659
// lets a server ask of one over HTTP.
const maxWindow = 8 << 20

// Decoders are kept for the next answer: making one costs more than undoing the
// compression of a usual feed.
var (
	gzipReaders   = sync.Pool{New: func() any { return new(gzip.Reader) }}
	brotliReaders = sync.Pool{New: func() any { return brotli.NewReader(nil) }}
	zstdReaders   = sync.Pool{New: func() any {
		d, err := zstd.NewReader(nil,
			zstd.WithDecoderConcurrency(1), // more would start goroutines
			zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return err
		}
		return d
	}}
)

// decompress undoes one content coding. done gives the decoder back; it is nil
// when there is an error.
func decompress(r io.Reader, coding string) (plain io.Reader, done func(), err error) {
	switch coding {
	case "gzip":
		z := gzipReaders.Get().(*gzip.Reader)
		if err := z.Reset(r); err != nil {
			gzipReaders.Put(z)
			return nil, nil, err
		}
		return z, func() { gzipReaders.Put(z) }, nil
	case "deflate":
		plain, err = inflate(r)
		return plain, func() {}, err
	case "br":
		b := brotliReaders.Get().(*brotli.Reader)
		if err := b.Reset(r); err != nil {
			return nil, nil, err
		}
		return b, func() { brotliReaders.Put(b) }, nil
	case "zstd":
		switch d := zstdReaders.Get().(type) {
		case *zstd.Decoder:
			if err := d.Reset(r); err != nil {
				return nil, nil, err
			}
			return d, func() { zstdReaders.Put(d) }, nil
		case error:
			return nil, nil, d
		}
	}
	return r, func() {}, nil
}

// inflate undoes "deflate", which is the zlib format (RFC 9110 §8.4.1.2); some
// servers send the bare stream instead. The two bytes of a zlib header tell
// them apart (RFC 1950 §2.2).
func inflate(r io.Reader) (io.Reader, error) {
	br := bufio.NewReader(r)
	head, err := br.Peek(2)
	if err != nil {
		return nil, err
	}
	if head[0]&0x0f == 8 && (uint(head[0])<<8|uint(head[1]))%31 == 0 {
		return zlib.NewReader(br)
	}
	return flate.NewReader(br), nil
}
