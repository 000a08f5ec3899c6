package redis

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/store"
)

// row is what Go reads of a feed's row; the prelude tells how it is laid out.
type row struct {
	next, paused time.Time // zero when the feed is not due by itself, or not paused
	poisoned     int
	marked       bool
	state        []byte
	seen         string // the packed ids
}

// Where the parts of a row's head begin, which is shape in the prelude.
const (
	rowNext     = 0
	rowPause    = 18
	rowPoisoned = 46
	rowMark     = 48
	rowState    = 55
	rowHead     = 59
)

var errRow = errors.New("redis: the row of a feed is damaged")

// parseRow reads a row; one that is not there is the row of a new feed.
func parseRow(s string) (row, error) {
	if s == "" {
		return row{}, nil
	}
	b := []byte(s)
	if len(b) < rowHead || uint64(binary.BigEndian.Uint32(b[rowState:])) > uint64(len(b)-rowHead) {
		return row{}, errRow
	}
	end := rowHead + int(binary.BigEndian.Uint32(b[rowState:]))
	return row{
		next:     rowTime(b[rowNext:]),
		paused:   rowTime(b[rowPause:]),
		poisoned: int(binary.BigEndian.Uint16(b[rowPoisoned:])),
		marked:   b[rowMark] != 0,
		state:    b[rowHead:end],
		seen:     s[end:],
	}, nil
}

// rowTime reads the six bytes of a time.
func rowTime(b []byte) time.Time {
	var eight [8]byte
	copy(eight[2:], b[:6])
	ms := binary.BigEndian.Uint64(eight[:])
	if ms == 0 {
		return time.Time{}
	}
	return store.FromMilli(int64(ms))
}

// feedState puts a feed's state together.
func (r row) feedState(id string) (fetcher.State, error) {
	return state(id, r.state, r.next, r.paused, r.poisoned)
}

// state is a feed's, of which the row has the last word on what it keeps itself.
func state(id string, body []byte, next, paused time.Time, poisoned int) (fetcher.State, error) {
	var st fetcher.State
	if len(body) > 0 {
		if err := store.Decode(body, &st); err != nil {
			return st, err
		}
	}
	st.FeedID, st.NextCheck, st.Paused, st.Poisoned = id, next, paused, poisoned
	return st, nil
}

// encodeState leaves out the id, which is in the key.
func encodeState(st fetcher.State) ([]byte, error) {
	st.FeedID = ""
	return store.EncodeState(&st)
}
