package store

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
)

// usual is a state as most feeds have one.
func usual() fetcher.State {
	return fetcher.State{
		FeedID: "paper", ConfiguredURL: "https://www.paper.example/kerala/feeder/default.rss", ValidFor: "https://www.paper.example/kerala/feeder/default.rss",
		ETag: `W/"5f3c1a2b"`, LastModified: "Mon, 23 Nov 2026 09:12:41 GMT", BodyHash: "9f86d081884c7d659a2feaa0c55ad015", Title: "The Paper, Kerala",
		Items: 50, Pace: fetcher.Pace{Gap: 17 * time.Minute, Reach: 14 * time.Hour}, FirstSuccess: t0.Add(-900 * time.Hour), LastFull: t0.Add(-time.Hour),
		LastPoll: t0, LastSuccess: t0, LastChange: t0.Add(-time.Hour), LastItem: t0.Add(-2 * time.Hour),
		Health: fetcher.Health{Grade: fetcher.Fine, Since: t0.Add(-90 * time.Hour)},
	}
}

func TestAStateIsSmallAndComesBack(t *testing.T) {
	want := usual()
	st := want
	st.NextCheck, st.Paused, st.Poisoned = t0.Add(time.Hour), t0, 1 // the queue's own
	b, err := EncodeState(&st)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) > 210 {
		t.Errorf("%d bytes", len(b))
	}
	got := fetcher.State{Title: "what was here before"}
	if err := Decode(b, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if _, err := EncodeState(&fetcher.State{Title: strings.Repeat("x", MaxValue)}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
}

// full is a state without a field that is zero.
func full() (st fetcher.State) {
	n := 0
	var fill func(v reflect.Value)
	fill = func(v reflect.Value) {
		n++
		switch f := v.Addr().Interface().(type) {
		case *time.Time:
			*f = time.Unix(int64(n)*1e9, int64(n)).UTC()
			return
		case *feed.ItemID:
			*f = feed.ItemID{byte(n)} //nolint:gosec // some byte
			return
		case *fetcher.Grade:
			*f = fetcher.Soft
			return
		}
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				fill(v.Field(i))
			}
		case reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
			fill(v.Index(0))
			fill(v.Index(1))
		case reflect.String:
			v.SetString(fmt.Sprint("text ", n))
		case reflect.Bool:
			v.SetBool(true)
		case reflect.Float32:
			v.SetFloat(float64(n) / 3)
		case reflect.Int, reflect.Int64:
			v.SetInt(-int64(n))
		default:
			v.SetUint(uint64(n))
		}
	}
	fill(reflect.ValueOf(&st).Elem())
	st.NextCheck, st.Paused, st.Poisoned = time.Time{}, time.Time{}, 0
	return st
}

// TestEveryFieldOfAStateComesBack fails when a field was added to a state, or to what
// it holds, and not to what is written of it.
func TestEveryFieldOfAStateComesBack(t *testing.T) {
	want := full()
	var got fetcher.State
	b, err := EncodeState(&want)
	if err != nil {
		t.Fatal(err)
	}
	if err := Decode(b, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for n := range b {
		if err := Decode(b[:n], &got); !errors.Is(err, errValue) {
			t.Fatalf("cut off after %d bytes: %v", n, err)
		}
	}
	for name, bad := range map[string][]byte{
		"more than all": append(b, 0), "an unknown field": append([]byte{fieldState}, 0, 0, 0, 0, 0, 0, 0, 0x80),
	} {
		if err := Decode(bad, &got); !errors.Is(err, errValue) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Decode(b, new(feed.Item)); !errors.Is(err, errValue) {
		t.Errorf("into an item: %v", err)
	}
}

var update = flag.Bool("update", false, "write testdata/state and testdata/state.json anew, when all that was written before may be lost")

// TestAStateThatWasWrittenIsRead fails when the fields of a state stand in another
// order than they did.
func TestAStateThatWasWrittenIsRead(t *testing.T) {
	if *update {
		b, err1 := EncodeState(new(full()))
		j, err2 := json.MarshalIndent(full(), "", "\t")
		if err := errors.Join(err1, err2, os.WriteFile("testdata/state", b, 0o600), os.WriteFile("testdata/state.json", append(j, '\n'), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	b, err1 := os.ReadFile("testdata/state")
	j, err2 := os.ReadFile("testdata/state.json")
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	var want, got fetcher.State
	if err := errors.Join(json.Unmarshal(j, &want), Decode(b, &got)); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestAStateWrittenAsJSONIsRead: files hold states that nobody has polled since.
func TestAStateWrittenAsJSONIsRead(t *testing.T) {
	want := usual()
	plain, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderDictRaw(stateWordsID, []byte(stateWords)))
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"S2": append([]byte{packedState}, stateWordsPacked.Encode(nil, plain)...), "zstd": z.EncodeAll(plain, []byte{zstdState}),
	} {
		var got fetcher.State
		if err := Decode(b, &got); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func FuzzDecodeState(f *testing.F) {
	b, err := EncodeState(new(usual()))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var st fetcher.State
		if len(b) == 0 || b[0] != fieldState || Decode(b, &st) != nil {
			return
		}
		b, err := EncodeState(&st)
		if err != nil {
			t.Fatal(err)
		}
		var again fetcher.State
		if err := Decode(b, &again); err != nil || !cmp.Equal(st, again, cmp.Comparer(func(x, y float32) bool { return x == y || x != x && y != y })) {
			t.Errorf("%v\n%s", err, cmp.Diff(st, again))
		}
	})
}
