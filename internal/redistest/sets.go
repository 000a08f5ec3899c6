package redistest

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/internal/realpart"
)

// volatile are the arguments of a server that keeps nothing on the disk, and that
// sends a new replica its data at once.
var volatile = []string{"--save", "", "--appendonly", "no", "--bind", "127.0.0.1", "--repl-diskless-sync-delay", "0"}

// Cluster is three primaries, each with a replica.
type Cluster struct {
	// URL is redis+cluster://… with all nodes, or rediss+cluster://….
	URL string
	// Primaries and Replicas are in step: one replicates the other.
	Primaries, Replicas []*Server
}

const (
	shards = 3
	slots  = 16384
)

// StartCluster runs a Cluster until the test ends; with a certificate its nodes
// speak TLS. The nodes know each other from the start, by the file in which a
// node keeps what it knows: to introduce them takes seconds.
func StartCluster(t testing.TB, cert *Certificate) *Cluster {
	t.Helper()
	ends := newEnds(t, 2*shards, cert)
	id := func(i int) string { return fmt.Sprintf("%040x", i+1) }
	knows := func(me int) string {
		var b strings.Builder
		for i, e := range ends {
			_, port, _ := net.SplitHostPort(e.peers)
			bus, _ := strconv.Atoi(port)
			flags, of, has := "master", "-", fmt.Sprintf("%d-%d", i*slots/shards, (i+1)*slots/shards-1)
			if i >= shards {
				flags, of, has = "slave", id(i-shards), ""
			}
			if i == me {
				flags = "myself," + flags
			}
			fmt.Fprintf(&b, "%s %s@%d %s %s 0 0 %d connected %s\n", id(i), e.peers, bus+10_000, flags, of, i%shards+1, has)
		}
		fmt.Fprintf(&b, "vars currentEpoch %d lastVoteEpoch 0\n", shards)
		return b.String()
	}
	c := &Cluster{}
	for i, e := range ends {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "nodes.conf"), knows(i))
		s := e.launch(t, append(volatile, "--dir", dir, "--cluster-enabled", "yes", "--cluster-node-timeout", "1000",
			"--cluster-replica-validity-factor", "0")...)
		if i < shards {
			c.Primaries = append(c.Primaries, s)
		} else {
			c.Replicas = append(c.Replicas, s)
		}
	}
	c.URL = scheme("redis", cert) + "+cluster://" + clients(ends)
	for _, s := range c.Primaries {
		s.await("the cluster", func() bool { return strings.Contains(s.Do("CLUSTER INFO"), "cluster_state:ok") })
		s.awaitReplicas(1)
	}
	return c
}

// Holder is the number of the primary that has a key.
func (c *Cluster) Holder(key string) int {
	t := c.Primaries[0].t
	t.Helper()
	slot, err := strconv.Atoi(strings.Trim(c.Primaries[0].Do("CLUSTER KEYSLOT "+key), ":\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	return slot * shards / slots
}

// Watched is a primary with two replicas, and three sentinels that watch it.
type Watched struct {
	// URL is redis+sentinel://…/watch/0 with all sentinels, or rediss+sentinel://….
	URL                 string
	Primary             *Server
	Replicas, Sentinels []*Server
}

// StartWatched runs the servers until the test ends; with a certificate they
// speak TLS. The sentinels know all others from the start.
func StartWatched(t testing.TB, cert *Certificate) *Watched {
	t.Helper()
	servers, watchers := newEnds(t, 3, cert), newEnds(t, 3, cert)
	w := &Watched{URL: scheme("redis", cert) + "+sentinel://" + clients(watchers) + "/watch/0"}
	apart := func(addr string) string { return strings.Replace(addr, ":", " ", 1) }
	w.Primary = servers[0].launch(t, append(volatile, "--dir", t.TempDir())...)
	for _, e := range servers[1:] {
		w.Replicas = append(w.Replicas, e.launch(t, append(volatile, "--dir", t.TempDir(), "--replicaof", apart(servers[0].peers))...))
	}
	for i, e := range watchers {
		var b strings.Builder
		fmt.Fprintf(&b, "sentinel myid %040x\nsentinel monitor watch %s 2\n", i+1, apart(servers[0].peers))
		b.WriteString("sentinel down-after-milliseconds watch 2000\nsentinel failover-timeout watch 3000\n")
		for _, r := range servers[1:] {
			fmt.Fprintf(&b, "sentinel known-replica watch %s\n", apart(r.peers))
		}
		for j, other := range watchers {
			if j != i {
				fmt.Fprintf(&b, "sentinel known-sentinel watch %s %040x\n", apart(other.peers), j+1)
			}
		}
		// A sentinel writes what it learns into its file.
		conf := filepath.Join(t.TempDir(), "sentinel.conf")
		write(t, conf, b.String())
		w.Sentinels = append(w.Sentinels, e.launch(t, conf, "--sentinel", "--bind", "127.0.0.1"))
	}
	w.Primary.awaitReplicas(len(w.Replicas))
	for _, s := range w.Sentinels {
		s.await("the sentinels", func() bool { return strings.Contains(s.Do("INFO sentinel"), "status=ok") })
	}
	return w
}

// Replicated reports whether so many replicas have all that the server has.
func (s *Server) Replicated(n int) bool {
	s.t.Helper()
	info := s.Do("INFO replication")
	_, offset, _ := strings.Cut(info, "master_repl_offset:")
	offset, _, _ = strings.Cut(offset, "\r\n")
	return strings.Count(info, "state=online,offset="+offset+",") >= n
}

func (s *Server) awaitReplicas(n int) {
	s.t.Helper()
	s.await("replication", func() bool { return s.Replicated(n) })
}

// await asks again and again: servers agree among themselves in their own time.
func (s *Server) await(what string, ok func() bool) {
	s.t.Helper()
	deadline := time.Now().Add(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			s.t.Fatalf("%s did not come about", what)
		}
		<-tick.C
	}
}

// end is where a server is to be reached.
type end struct {
	port  string   // for the test itself, without TLS
	args  []string // for TLS, where it is wanted
	peers string   // address for its like and for clients, with TLS where it is wanted
}

func newEnds(t testing.TB, n int, cert *Certificate) []end {
	t.Helper()
	ends := make([]end, n)
	for i := range ends {
		e := end{port: strconv.Itoa(realpart.Port(t))}
		e.peers = net.JoinHostPort("127.0.0.1", e.port)
		if cert != nil {
			port := strconv.Itoa(realpart.Port(t))
			e.args = cert.Args(port)
			e.peers = net.JoinHostPort("127.0.0.1", port)
		}
		ends[i] = e
	}
	return ends
}

func (e end) launch(t testing.TB, args ...string) *Server {
	t.Helper()
	args = append(append([]string{}, args...), "--port", e.port)
	return Launch(t, e.port, append(args, e.args...)...)
}

// clients is the list of addresses in a URL.
func clients(ends []end) string {
	addrs := make([]string, len(ends))
	for i, e := range ends {
		addrs[i] = e.peers
	}
	return strings.Join(addrs, ",")
}

func scheme(plain string, cert *Certificate) string {
	if cert != nil {
		return plain + "s"
	}
	return plain
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
