package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
)

// EncodeState writes the state of a feed, but for what the queue keeps of it itself:
// the next check, since when it is paused, and how often its reader died. A state is
// read and written at every poll, and as JSON that took a fifth of what a poll without
// news takes beside its request. It returns ErrTooLarge as Encode does.
func EncodeState(st *fetcher.State) ([]byte, error) {
	w := fieldWriter{b: append(make([]byte, 0, 256), fieldState)}
	w.write(stateFields(st))
	if len(w.b) > MaxValue {
		return nil, fmt.Errorf("%w: %d bytes of %T, the most is %d", ErrTooLarge, len(w.b), *st, MaxValue)
	}
	return w.b, nil
}

// decodeState is the inverse of EncodeState, without the first byte.
func decodeState(b []byte, st *fetcher.State) error {
	*st = fetcher.State{}
	r := fieldReader{b: b}
	r.read(stateFields(st))
	if r.bad || len(r.b) > 0 {
		return errValue
	}
	return nil
}

// stateFields are the fields of a state in the order in which they are written, at
// most 64. The order is part of the format: a new field goes to the end. What is often
// equal stands side by side.
func stateFields(st *fetcher.State) []any {
	p, r, h := &st.Pace, &st.Rhythm, &st.Health
	return []any{
		&st.FeedID, &st.URL, &st.MovedTo, &st.ConfiguredURL, &st.ValidFor, &st.ETag, &st.LastModified, &st.BodyHash, &st.Title,
		&st.LastPoll, &st.LastSuccess, &st.LastFull, &st.LastChange, &r.At, &h.Since, &st.FirstSuccess, &st.LastItem, &r.From,
		&st.Items, &p.Gap, &p.Reach, &p.Wish, &p.SkipHours, &p.SkipDays,
		&r.Items, &r.Hours, &r.Burst, &r.GapMean, &r.GapVar, &r.Gaps, &r.Longest, &r.Week,
		&h.Grade, &h.Score, &h.Good, &h.FailingSince, &h.Lost, &h.Silent,
		&st.Failures, &st.LastError, &st.Reason, &st.Retired, &st.Suspect.Hash, &st.Suspect.Since, &st.Suspect.Deaths,
		&st.Push.Hub, &st.Push.Topic, &st.Push.Asked, &st.Push.Refused, &st.Sitemaps, &st.Reports, &st.PutOff, &st.Truncated,
	}
}

func sitemapFields(m *fetcher.Sitemap) []any {
	return []any{&m.URL, &m.Modified, &m.Due, &m.Read, &m.Full, &m.ETag, &m.LastModified, &m.Hash}
}

func reportFields(r *fetcher.Report) []any {
	return []any{&r.Item, &r.Published, &r.Found, &r.Missing, &r.Checked, &r.Absent, &r.Down}
}

// fieldWriter writes structs: eight bytes that say which fields are not zero, from the
// lowest bit on, and then these. A number is a varint. A text is its length and its
// bytes, or the length 0 when it is the one before it; a time is how far it is from
// the one before it, in seconds and in nanoseconds.
type fieldWriter struct {
	b         []byte
	last      string
	sec, nsec int64
}

func (w *fieldWriter) write(fields []any) {
	at, set := len(w.b), uint64(0)
	w.b = append(w.b, make([]byte, 8)...)
	for i, f := range fields {
		if w.field(f) {
			set |= 1 << i
		}
	}
	binary.LittleEndian.PutUint64(w.b[at:], set)
}

// field writes a field that is not zero, and reports whether it was one.
func (w *fieldWriter) field(f any) bool {
	switch f := f.(type) {
	case *string:
		return w.text(*f)
	case *fetcher.Reason:
		return w.text(string(*f))
	case *bool:
		return *f
	case *int:
		return w.number(int64(*f))
	case *uint8:
		return w.number(int64(*f))
	case *uint32:
		return w.number(int64(*f))
	case *fetcher.Grade:
		return w.number(int64(*f))
	case *time.Duration:
		return w.number(int64(*f))
	case *float32:
		return w.number(int64(math.Float32bits(*f)))
	case *time.Time:
		return w.time(*f)
	case *feed.ItemID:
		w.b = append(w.b, f[:]...)
		return true
	case *[]byte:
		some := w.number(int64(len(*f)))
		w.b = append(w.b, *f...)
		return some
	case *[]fetcher.Sitemap:
		some := w.number(int64(len(*f)))
		for i := range *f {
			w.write(sitemapFields(&(*f)[i]))
		}
		return some
	case *[]fetcher.Report:
		some := w.number(int64(len(*f)))
		for i := range *f {
			w.write(reportFields(&(*f)[i]))
		}
		return some
	default:
		panic(fmt.Sprintf("store: a state holds a %T", f))
	}
}

func (w *fieldWriter) number(n int64) bool {
	if n != 0 {
		w.b = binary.AppendVarint(w.b, n)
	}
	return n != 0
}

func (w *fieldWriter) text(s string) bool {
	switch s {
	case "":
		return false
	case w.last:
		w.b = append(w.b, 0)
	default:
		w.number(int64(len(s)))
		w.b = append(w.b, s...)
		w.last = s
	}
	return true
}

func (w *fieldWriter) time(t time.Time) bool {
	if t.IsZero() {
		return false
	}
	sec, nsec := t.Unix(), int64(t.Nanosecond())
	w.b = binary.AppendVarint(binary.AppendVarint(w.b, sec-w.sec), nsec-w.nsec)
	w.sec, w.nsec = sec, nsec
	return true
}

// fieldReader reads what a fieldWriter wrote, into structs that are zero.
type fieldReader struct {
	b         []byte
	last      string
	sec, nsec int64
	bad       bool
}

func (r *fieldReader) read(fields []any) {
	head := r.take(8)
	if r.bad {
		return
	}
	set := binary.LittleEndian.Uint64(head)
	r.bad = set>>len(fields) != 0
	for i, f := range fields {
		if set>>i&1 == 1 && !r.bad {
			r.field(f)
		}
	}
}

func (r *fieldReader) field(f any) {
	switch f := f.(type) {
	case *string:
		*f = r.text()
	case *fetcher.Reason:
		*f = fetcher.Reason(r.text())
	case *bool:
		*f = true
	case *int:
		readNumber(r, f)
	case *uint8:
		readNumber(r, f)
	case *uint32:
		readNumber(r, f)
	case *fetcher.Grade:
		readNumber(r, f)
	case *time.Duration:
		readNumber(r, f)
	case *float32:
		var bits uint32
		readNumber(r, &bits)
		*f = math.Float32frombits(bits)
	case *time.Time:
		r.sec += r.number()
		r.nsec += r.number()
		*f = time.Unix(r.sec, r.nsec).UTC()
	case *feed.ItemID:
		copy(f[:], r.take(len(f)))
	case *[]byte:
		*f = bytes.Clone(r.take(r.length(1)))
	case *[]fetcher.Sitemap:
		*f = make([]fetcher.Sitemap, r.length(8))
		for i := range *f {
			r.read(sitemapFields(&(*f)[i]))
		}
	case *[]fetcher.Report:
		*f = make([]fetcher.Report, r.length(8))
		for i := range *f {
			r.read(reportFields(&(*f)[i]))
		}
	}
}

// take returns the next n bytes; nil, and what is read is bad, where there are not so
// many.
func (r *fieldReader) take(n int) []byte {
	if n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	head := r.b[:n]
	r.b = r.b[n:]
	return head
}

func (r *fieldReader) number() int64 {
	n, width := binary.Varint(r.b)
	if width <= 0 {
		r.bad, width = true, 0
	}
	r.b = r.b[width:]
	return n
}

func readNumber[T int | uint8 | uint32 | fetcher.Grade | time.Duration](r *fieldReader, f *T) {
	n := r.number()
	*f = T(n)
	r.bad = r.bad || int64(*f) != n
}

// length reads how many there are of what takes at least so many bytes each.
func (r *fieldReader) length(each int) int {
	n := r.number()
	if n < 0 || n > int64(len(r.b)/each) {
		r.bad = true
		return 0
	}
	return int(n)
}

func (r *fieldReader) text() string {
	if n := r.length(1); n > 0 {
		r.last = string(r.take(n))
	}
	return r.last
}
