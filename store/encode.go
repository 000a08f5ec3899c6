package store

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// The first byte of an encoded value says how the rest is written.
const (
	plainJSON = 0
	zstdJSON  = 1
)

// compressFrom is the length from which compressing a value pays.
const compressFrom = 256

var errValue = errors.New("store: damaged value")

var (
	// Neither keeps state between calls of EncodeAll and DecodeAll, which may run
	// at the same time; one goroutine of each is enough for values this small.
	compressor = must(zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2),
		zstd.WithWindowSize(256<<10), zstd.WithEncoderCRC(false)))
	// The bound on what one value may unpack to keeps a damaged one from taking
	// the memory of the machine.
	decompressor = must(zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(MaxValue)))
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Encode writes a value as both engines keep it: JSON, and compressed where that
// pays. It returns ErrTooLarge for what is beyond MaxValue.
func Encode(v any) ([]byte, error) {
	j, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if len(j) > MaxValue {
		return nil, fmt.Errorf("%w: %d bytes of %T, the most is %d", ErrTooLarge, len(j), v, MaxValue)
	}
	if len(j) >= compressFrom {
		if z := compressor.EncodeAll(j, []byte{zstdJSON}); len(z) < len(j) {
			return z, nil
		}
	}
	return append([]byte{plainJSON}, j...), nil
}

// Decode is the inverse of Encode.
func Decode(b []byte, v any) error {
	if len(b) == 0 {
		return errValue
	}
	j := b[1:]
	switch b[0] {
	case plainJSON:
	case zstdJSON:
		var err error
		if j, err = decompressor.DecodeAll(j, nil); err != nil {
			return fmt.Errorf("%w: %w", errValue, err)
		}
	default:
		return fmt.Errorf("%w: of kind %d", errValue, b[0])
	}
	if err := json.Unmarshal(j, v); err != nil {
		return fmt.Errorf("%w: %w", errValue, err)
	}
	return nil
}
