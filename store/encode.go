package store

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"github.com/newswatch/newswatch/fetcher"
)

// The first byte of an encoded value says how the rest is written.
const (
	plainJSON  = 0
	zstdJSON   = 1
	packedJSON = 3 // what Pack writes: S2, with commonWords
	fieldState = 5 // what EncodeState writes
	// States as they once were written: JSON, compressed by zstd and by S2 with
	// stateWords.
	zstdState   = 2
	packedState = 4
)

// compressFrom is the length from which compressing a value pays.
const compressFrom = 256

var errValue = errors.New("store: damaged value")

var (
	// Neither keeps state between calls of EncodeAll and DecodeAll, which may run
	// at the same time; two of each are enough for values this small. So are small
	// windows: the memory of larger ones was a third of the heap.
	compressor = must(zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2),
		zstd.WithWindowSize(64<<10), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false)))
	// The bound on what one value may unpack to keeps a damaged one from taking
	// the memory of the machine.
	decompressor = must(zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(MaxValue)))
)

// stateWords is what a state was compressed with when it was JSON. It is part of the
// format: states that were written with it can be read with it only.
const stateWords = `"timeout","retired":true,"poisoned":1,"suspect":{"hash":"","since":"","deaths":2}` +
	`"failures":1,"last_error":"fetcher: ","reason":"{"feed":"","url":"https://feeds.","moved_to":"http://",` +
	`"configured_url":"https://www..com/feeds/rss.xml","etag":"W/\"","last_modified":"Tue, 24 Nov 2026 00:00:00 GMT",` +
	`"valid_for":"https://www..com/feed/","body_hash":"0123456789abcdef","last_full":"2026-11-24T04:30:00.","title":"News",` +
	`"items":50,"rhythm":{"from":"","at":"","items":,"hours":,"burst":,"gap_mean":,"gap_var":,"gaps":,"longest":,"week":""},"pace":{"gap":3600000000000,"reach":72000000000000,"wish":900000000000},"first_success":"2026-10-17T21:30:00.",` +
	`"last_poll":"2026-11-24T09:30:00Z","last_success":"2026-11-24T09:30:00Z","last_change":"2026-11-24T08:30:00Z",` +
	`"last_item":"2026-11-24T07:30:00Z","health":{"grade":1,"since":"2026-11-01T09:30:00Z","score":100}}`

const stateWordsID = 1

var stateDecompressor = must(zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(MaxValue),
	zstd.WithDecoderDictRaw(stateWordsID, []byte(stateWords))))

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Encode writes a value as an engine keeps it: JSON, and compressed where that
// pays. It returns ErrTooLarge for what is beyond MaxValue.
func Encode(v any) ([]byte, error) {
	j, err := Marshal(v)
	if err != nil {
		return nil, err
	}
	if len(j) >= compressFrom {
		if z := compressor.EncodeAll(j, []byte{zstdJSON}); len(z) < len(j) {
			return z, nil
		}
	}
	return append([]byte{plainJSON}, j...), nil
}

// Marshal writes a value as Pack takes it. It returns ErrTooLarge for what is
// beyond MaxValue.
func Marshal(v any) ([]byte, error) {
	j, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if len(j) > MaxValue {
		return nil, fmt.Errorf("%w: %d bytes of %T, the most is %d", ErrTooLarge, len(j), v, MaxValue)
	}
	return j, nil
}

// Decode is the inverse of Encode, EncodeState and Pack.
func Decode(b []byte, v any) error {
	if len(b) == 0 {
		return errValue
	}
	var err error
	j := b[1:]
	switch b[0] {
	case plainJSON:
	case zstdJSON:
		j, err = decompressor.DecodeAll(j, nil)
	case zstdState:
		j, err = stateDecompressor.DecodeAll(j, nil)
	case packedJSON:
		j, err = unpack(j, valueWords)
	case fieldState:
		if st, ok := v.(*fetcher.State); ok {
			return decodeState(j, st)
		}
		return errValue
	case packedState:
		j, err = unpack(j, stateWordsPacked)
	default:
		return fmt.Errorf("%w: of kind %d", errValue, b[0])
	}
	if err == nil {
		err = json.Unmarshal(j, v)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errValue, err)
	}
	return nil
}
