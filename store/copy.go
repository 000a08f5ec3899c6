package store

import (
	"context"
	"errors"
	"fmt"
)

var (
	// ErrOccupied is returned by Copy when the target holds what the source does
	// not.
	ErrOccupied = errors.New("store: the target is another store's")
	// ErrMoving is returned by Copy when the source was written to meanwhile.
	ErrMoving = errors.New("store: the source was changed while it was copied")
)

// Copied says what Copy did.
type Copied struct {
	Sums
	Written int // rows; the others were there already
}

// copyBatch is how many rows are restored at a time.
const copyBatch = 100

// Copy makes to hold exactly what from does, and verifies it by counts and
// hashes of both. What is there already, from a copy that was broken off, is not
// written again. progress, if not nil, is told of rows done and of their number.
func Copy(ctx context.Context, from, to Portable, progress func(done, of int)) (Copied, error) {
	if progress == nil {
		progress = func(int, int) {}
	}
	want, err := Sum(ctx, from, nil)
	if err != nil {
		return Copied{}, fmt.Errorf("reading the source: %w", err)
	}
	out := Copied{Sums: want}
	have, err := Sum(ctx, to, nil)
	if err != nil {
		return out, fmt.Errorf("reading the target: %w", err)
	}
	for key := range have.Rows {
		if _, ok := want.Rows[key]; !ok {
			return out, fmt.Errorf("%w: it holds what the source does not; copy into an empty one", ErrOccupied)
		}
	}
	var batch []Row
	flush := func() error {
		err := to.Restore(ctx, batch)
		out.Written += len(batch)
		batch = batch[:0]
		return err
	}
	done := 0
	for r, err := range from.Dump(ctx) {
		if err != nil {
			return out, fmt.Errorf("reading the source: %w", err)
		}
		_, key, sum, err := SumRow(r)
		if err != nil {
			return out, err
		}
		if want.Rows[key] != sum {
			return out, fmt.Errorf("%w; stop newswatch, and copy again", ErrMoving)
		}
		if have.Rows[key] != sum {
			if batch = append(batch, r); len(batch) == copyBatch {
				if err := flush(); err != nil {
					return out, fmt.Errorf("writing the target: %w", err)
				}
			}
		}
		done++
		progress(done, len(want.Rows))
	}
	if err := flush(); err != nil {
		return out, fmt.Errorf("writing the target: %w", err)
	}
	if done != len(want.Rows) {
		return out, fmt.Errorf("%w; stop newswatch, and copy again", ErrMoving)
	}
	got, err := Sum(ctx, to, nil)
	if err != nil {
		return out, fmt.Errorf("reading the target: %w", err)
	}
	if !got.Same(want) {
		return out, fmt.Errorf("store: the target holds %v after the copy, with the hash %x, and the source %v with %x",
			got.Counts, got.Total(), want.Counts, want.Total())
	}
	return out, nil
}
