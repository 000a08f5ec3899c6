package realpart

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestPorts: no port is handed out twice, in one process or in two, and the kernel
// gives none to somebody else while its server is down.
func TestPorts(t *testing.T) {
	const n, child = 20, "NEWSWATCH_TEST_PORTS"
	if os.Getenv(child) != "" {
		for range n {
			fmt.Println("port", Port(t))
		}
		return
	}
	lowest := 1 << 16
	if kernel, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		if _, err := fmt.Sscan(string(kernel), &lowest); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[int]bool{}
	see := func(port int) {
		if seen[port] || port+companion >= lowest {
			t.Errorf("%d was handed out twice (%t), or its companion may be the kernel's", port, seen[port])
		}
		seen[port] = true
	}
	for range n {
		see(Port(t))
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestPorts$")
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		var port int
		if _, err := fmt.Sscanf(line, "port %d", &port); err == nil {
			see(port)
		}
	}
	if len(seen) != 2*n {
		t.Errorf("%d ports, want %d", len(seen), 2*n)
	}
}
