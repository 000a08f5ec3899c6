package daemon

import (
	"context"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"time"
)

const (
	// memoryEvery is how often memory is looked after. A collection then costs some
	// ten milliseconds.
	memoryEvery = 30 * time.Second
	// spareMemory is how many bytes may lie idle.
	spareMemory = 8 << 20
)

// tendMemory gives back to the system what a burst of work has left, until ctx
// ends. The runtime collects after so much more has been allocated, and a watcher
// that waits for the next polls allocates little: it would hold for minutes what a
// thousand documents took.
func tendMemory(ctx context.Context) {
	for wait(ctx, nil, memoryEvery) {
		if idleMemory() > spareMemory {
			debug.FreeOSMemory()
		}
	}
}

// idleMemory is how many bytes of the heap nobody uses, or did not at the last
// collection, and the system has not got back.
func idleMemory() int64 {
	samples := []runtimemetrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/free:bytes"}, {Name: "/gc/heap/live:bytes"},
	}
	runtimemetrics.Read(samples)
	return int64(samples[0].Value.Uint64()) + int64(samples[1].Value.Uint64()) - int64(samples[2].Value.Uint64())
}
