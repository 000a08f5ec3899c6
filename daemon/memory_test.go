package daemon

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
)

// TestMemoryIsGivenBack: what a burst of work took is not held by a daemon that
// has nothing to do.
func TestMemoryIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		burst := make([][]byte, 64)
		for i := range burst {
			burst[i] = make([]byte, 1<<20)
			burst[i][0] = 1
		}
		runtime.KeepAlive(burst)
		runtime.GC() // or some of it would be held to be in use
		if idle := idleMemory(); idle < 32<<20 {
			t.Fatalf("%d bytes lie idle after a burst of 64 MiB", idle)
		}
		ctx, cancel := context.WithTimeout(t.Context(), memoryEvery+1)
		defer cancel()
		tendMemory(ctx)
		if idle := idleMemory(); idle > spareMemory {
			t.Errorf("%d bytes still lie idle", idle)
		}
	})
}
