package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/newswatch/newswatch/internal/realpart"
	"github.com/newswatch/newswatch/internal/redistest"
)

// TestRedisOverTLS writes and reads with one server, with a primary behind
// sentinels and with a Cluster, all of which speak TLS by a certificate of one's
// own. SSL_CERT_FILE makes it trusted; without that, nothing is written and the
// error says why.
func TestRedisOverTLS(t *testing.T) {
	cert := redistest.NewCertificate(t)
	p := &press{printed: map[string]int{}, planted: map[string]bool{}}
	feeds := httptest.NewServer(http.HandlerFunc(p.feed))
	defer feeds.Close()
	for _, c := range []struct {
		kind string
		url  func(*testing.T) string
	}{
		{"rediss", func(t *testing.T) string {
			port := strconv.Itoa(realpart.Port(t))
			redistest.Start(t, cert.Args(port)...)
			return "rediss://127.0.0.1:" + port + "/0"
		}},
		{"rediss+sentinel", func(t *testing.T) string { return redistest.StartWatched(t, cert).URL }},
		{"rediss+cluster", func(t *testing.T) string { return redistest.StartCluster(t, cert).URL }},
	} {
		t.Run(c.kind, func(t *testing.T) {
			conf := pressConfig(t, feeds.URL, 1)
			extend(t, conf, "subscribers: []\n", "store: {url: \""+c.url(t)+"\"}\n")
			as := func(env string, args ...string) (string, error) {
				cmd := newswatch(t.Context(), conf, args...)
				cmd.Env = append(os.Environ(), env)
				out, err := cmd.CombinedOutput()
				return string(out), err
			}
			out, err := as("SSL_CERT_FILE=", "once")
			if err == nil || !strings.Contains(out, "certificate signed by unknown authority") {
				t.Errorf("without the authority: %v %s", err, out)
			}
			trusting := "SSL_CERT_FILE=" + cert.File
			if out, err := as(trusting, "once"); err != nil {
				t.Errorf("with the authority: %v %s", err, out)
			}
			if out, err := as(trusting, "hits"); err != nil || !strings.Contains(out, "Operation P-Hunt") {
				t.Errorf("what was written cannot be read: %v %s", err, out)
			}
		})
	}
}

// extend puts subscribers in the place of those of a configuration, and adds to its
// main file.
func extend(t *testing.T, conf, subscribers, more string) {
	t.Helper()
	text, err := os.ReadFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{
		conf: string(text) + more, filepath.Join(filepath.Dir(conf), "subscribers.yaml"): subscribers,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
