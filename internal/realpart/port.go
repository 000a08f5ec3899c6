package realpart

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
)

// A server is told its port before it starts, and may be killed and started again
// with the same one. Meanwhile nobody else may get it, so ports are taken from
// below those that the kernel hands to any listener or connection that asks for
// none, and each process hands out of a block of its own.
const (
	lowest    = 12_000
	blocks    = 50
	blockSize = 200
	companion = blocks * blockSize // how far above its port a Cluster's node has another
)

// ports are those of this process: the block is held by a lock on a file until
// the process is gone.
var ports struct {
	mu    sync.Mutex
	lock  *os.File
	first int
	given int
}

// Port is a port of 127.0.0.1 for a server that a test starts. Its companion, 10,000
// above it, is free as well.
func Port(t testing.TB) int {
	t.Helper()
	ports.mu.Lock()
	defer ports.mu.Unlock()
	if ports.lock == nil {
		lockBlock(t)
	}
	for range blockSize {
		port := ports.first + ports.given%blockSize
		ports.given++
		if free(t, port) && free(t, port+companion) {
			return port
		}
	}
	t.Fatalf("all ports from %d to %d are taken", ports.first, ports.first+blockSize-1)
	return 0
}

func lockBlock(t testing.TB) {
	t.Helper()
	for i := range blocks {
		lock, err := os.OpenFile(filepath.Join(os.TempDir(), fmt.Sprintf("newswatch-ports-%d.lock", i)), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			continue // another user's
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			ports.lock, ports.first = lock, lowest+i*blockSize
			return
		}
		_ = lock.Close()
	}
	t.Fatal("other tests hold every block of ports")
}

func free(t testing.TB, port int) bool {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	return err == nil && l.Close() == nil
}
