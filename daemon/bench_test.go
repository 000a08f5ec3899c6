package daemon_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mmcdole/gofeed"

	"github.com/newswatch/newswatch/daemon"
	"github.com/newswatch/newswatch/feed"
)

// benchServer is the environment variable that makes the test's binary serve
// feeds, in a process of its own, so that what it costs to serve them is in no
// figure.
const benchServer = "NEWSWATCH_BENCH_SERVER"

// serveFeeds serves any number of feeds of 45 kB (11 kB gzipped) on loopback, and
// closes each connection after its answer, as is the case with feeds that are polled
// every quarter of an hour. A path is /kind/number: those of "same" answer 304 to a condition, those of
// "tenth" do too but for one feed in ten, which has a new item at every request.
// Those of "brief" are like "same", but of one item.
func serveFeeds() {
	l, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Addr().(*net.TCPAddr).Port)
	var mu sync.Mutex
	asked := map[string]int{}
	doc := benchDocument()
	gone := make(chan error, 1)
	go func() { _, err := io.Copy(io.Discard, os.Stdin); gone <- err }()
	go func() {
		srv := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, _ := strconv.Atoi(r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:])
			mu.Lock()
			asked[r.URL.Path]++
			version := 1
			if strings.HasPrefix(r.URL.Path, "/tenth/") && n%10 == 0 {
				version = asked[r.URL.Path]
			}
			mu.Unlock()
			tag := fmt.Sprintf(`"%d-%d"`, n, version)
			w.Header().Set("ETag", tag)
			if r.Header.Get("If-None-Match") == tag {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			w.Header().Set("Content-Type", "application/rss+xml; charset=utf-8")
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(doc(n, version, strings.HasPrefix(r.URL.Path, "/brief/")))
		})}
		srv.SetKeepAlivesEnabled(false)
		gone <- srv.Serve(l)
	}()
	<-gone
}

// benchDocument makes the documents: thirty items of words like a newspaper's,
// with HTML and pictures in them. The default rules match one of them: many more
// than of real feeds, where it was 7 of 6,243 items. The long part is packed once,
// because whoever serves a thousand feeds from one core would else be what is
// measured.
func benchDocument() func(n, version int, brief bool) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields(`the police in Kerala said on Monday that officers of the district road cell had seized phones and hard disks
		from forty places after a court order while the minister told reporters budget rains cricket election market shares film river bridge
		hospital teachers strike harvest temple festival airport train delay students university exam results weather warning fishermen coast`)
	text := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteString(words[r.IntN(len(words))] + " ")
		}
		return b.String()
	}
	item := func(id, title string) string {
		return fmt.Sprintf("<item><title>%s</title><link>https://paper.example/%s</link><guid>%s</guid><pubDate>%s</pubDate>"+
			"<description><![CDATA[<p>%s</p><img src=\"https://img.example/%s.jpg\" alt=\"\"><p>%s</p>]]></description></item>\n",
			title, id, id, time.Now().Add(-time.Duration(r.IntN(1000))*time.Minute).UTC().Format(time.RFC1123), text(120), id, text(90))
	}
	var rest strings.Builder
	rest.WriteString(item("0", "Kerala police arrest forty in Operation P-Hunt"))
	for i := range 29 {
		rest.WriteString(item(strconv.Itoa(i+1), text(9)))
	}
	pack := func(s string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = io.WriteString(z, s)
		_ = z.Close()
		return b.Bytes()
	}
	tail := pack(rest.String() + "</channel></rss>")
	end := pack(item("0", text(9)) + "</channel></rss>")
	return func(n, version int, brief bool) []byte {
		head := fmt.Sprintf("<?xml version=\"1.0\" encoding=\"utf-8\"?><rss version=\"2.0\"><channel><title>Paper %d</title><link>https://paper.example/</link>", n)
		if version > 1 {
			head += item(fmt.Sprintf("new-%d-%d", n, version), "Something else happened")
		}
		if brief {
			return append(pack(head), end...)
		}
		return append(pack(head), tail...) // two members of gzip are one (RFC 1952 §2.2)
	}
}

// startServer runs serveFeeds in another process until the benchmark ends.
func startServer(b *testing.B) string {
	b.Helper()
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.CommandContext(b.Context(), exe)
	cmd.Env = append(os.Environ(), benchServer+"=1")
	stdin, err1 := cmd.StdinPipe()
	stdout, err2 := cmd.StdoutPipe()
	if err1 != nil || err2 != nil {
		b.Fatal(err1, err2)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = stdin.Close(); _ = cmd.Wait() })
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(addr)
}

// at is the URL of a feed. Each has an address of its own, because feeds have: what is
// kept for each host counts, and hardly any is polled on the connection of another.
// Linux takes all of 127.0.0.0/8 for loopback.
func at(port, path string, i int) string {
	return fmt.Sprintf("http://127.%d.%d.%d:%s/%s/%d", 1+i>>16, i>>8&255, i&255, port, path, i)
}

// BenchmarkPasses measures what one pass over all feeds costs this process, the
// server's side left out: the first pass, one in which every feed answers 304, and
// one in which a tenth of them has a new item. Beside newswatch with its rules and
// its SQLite store stand a bare client that GETs with the same conditions and reads
// what comes, and gofeed's ParseURL in a loop, which sets no conditions.
func BenchmarkPasses(b *testing.B) {
	for _, feeds := range []int{1_000, 10_000} {
		for _, who := range []string{"bare", "gofeed", "newswatch"} {
			b.Run(fmt.Sprintf("feeds=%d/%s", feeds, who), func(b *testing.B) {
				for b.Loop() {
					passes(b, who, feeds)
				}
			})
		}
	}
}

func passes(b *testing.B, who string, feeds int) {
	server := startServer(b)
	for _, kind := range []string{"same", "tenth"} {
		urls := make([]string, feeds)
		for i := range urls {
			urls[i] = at(server, kind, i)
		}
		pass := map[string]func(*testing.B, []string) func(){"bare": barePass, "gofeed": gofeedPass, "newswatch": watchPass}[who](b, urls)
		first := measure(pass)
		second := measure(pass)
		if kind == "same" {
			first.report(b, "first", feeds)
			second.report(b, "304", feeds)
		} else {
			second.report(b, "tenth", feeds)
		}
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkResident measures what so many feeds take of memory, where
// NEWSWATCH_BENCH_FEEDS says how many: 100,000 take some minutes. Their documents
// are of one item, because they are read to be known, and not to be measured.
func BenchmarkResident(b *testing.B) {
	feeds, err := strconv.Atoi(os.Getenv("NEWSWATCH_BENCH_FEEDS"))
	if err != nil {
		b.Skip("NEWSWATCH_BENCH_FEEDS is not set")
	}
	server := startServer(b)
	urls := make([]string, feeds)
	for i := range urls {
		urls[i] = at(server, "brief", i)
	}
	pass := watchPass(b, urls)
	for b.Loop() {
		measure(pass).report(b, "first", feeds)
		measure(pass).report(b, "304", feeds)
	}
	b.ReportMetric(0, "ns/op")
}

// usage is what a pass took of this process.
type usage struct {
	cpu           time.Duration
	allocs, bytes uint64
	resident      int64
}

func measure(pass func()) usage {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begun := cpuTime()
	pass()
	u := usage{cpu: cpuTime() - begun}
	runtime.ReadMemStats(&after)
	u.allocs, u.bytes = after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc
	u.resident = residentBytes()
	return u
}

func (u usage) report(b *testing.B, pass string, feeds int) {
	n := float64(feeds)
	b.ReportMetric(u.cpu.Seconds()*1000/n, pass+"-ms/feed")
	b.ReportMetric(float64(u.allocs)/n, pass+"-allocs/feed")
	b.ReportMetric(float64(u.bytes)/1024/n, pass+"-kB/feed")
	if pass != "tenth" { // in that one the daemon of the passes before it is there too
		b.ReportMetric(float64(u.resident)/(1<<20), pass+"-MB-resident")
	}
}

func cpuTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// residentBytes is the process's resident memory now; zero where there is no /proc.
func residentBytes() int64 {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(statm), &size, &resident); err != nil {
		return 0
	}
	return resident * int64(os.Getpagesize())
}

const benchHands = 64

// eachURL calls do for every url, so many at a time.
func eachURL(urls []string, do func(i int, url string)) {
	var wg sync.WaitGroup
	next := make(chan int)
	for range benchHands {
		wg.Go(func() {
			for i := range next {
				do(i, urls[i])
			}
		})
	}
	for i := range urls {
		next <- i
	}
	close(next)
	wg.Wait()
}

func barePass(b *testing.B, urls []string) func() {
	tr := &http.Transport{MaxIdleConnsPerHost: benchHands, DisableCompression: true}
	b.Cleanup(tr.CloseIdleConnections)
	client := &http.Client{Transport: tr}
	tags := make([]string, len(urls))
	return func() {
		eachURL(urls, func(i int, url string) {
			req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, nil)
			if err != nil {
				b.Error(err)
				return
			}
			req.Header.Set("Accept-Encoding", "gzip")
			if tags[i] != "" {
				req.Header.Set("If-None-Match", tags[i])
			}
			resp, err := client.Do(req)
			if err != nil {
				b.Error(err)
				return
			}
			_, err = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if err != nil {
				b.Error(err)
			}
			tags[i] = resp.Header.Get("ETag")
		})
	}
}

func gofeedPass(b *testing.B, urls []string) func() {
	tr := &http.Transport{MaxIdleConnsPerHost: benchHands}
	b.Cleanup(tr.CloseIdleConnections)
	client := &http.Client{Transport: tr}
	return func() {
		eachURL(urls, func(_ int, url string) {
			p := gofeed.NewParser()
			p.Client = client
			if f, err := p.ParseURLWithContext(url, b.Context()); err != nil || len(f.Items) < 30 {
				b.Error(err)
			}
		})
	}
}

func watchPass(b *testing.B, urls []string) func() {
	loaded := loopbackConfig(b)
	loaded.Fetch.FullText = feed.FullTextNever
	loaded.Fetch.PerHost, loaded.Fetch.Concurrency = benchHands, benchHands
	for i, url := range urls {
		loaded.Feeds = append(loaded.Feeds, feed.Feed{ID: fmt.Sprintf("feed-%05d", i), URL: url, Kind: feed.KindFeed})
	}
	st := openStore(b, loaded)
	d := newDaemon(b, loaded, st)
	return func() {
		sum, err := d.Once(b.Context(), daemon.OnceOptions{})
		if err != nil || sum.Failed > 0 {
			b.Errorf("%+v %v", sum, err)
		}
	}
}
