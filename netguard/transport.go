package netguard

import (
	"crypto/tls"
	"net/http"
	"time"
)

// MaxHeaderBytes bounds the headers of one answer, those of interim (1xx)
// answers and trailers included.
const MaxHeaderBytes = 64 << 10

// Transport returns a new transport whose every connection goes through the
// policy's dialer. It knows no proxy, since a proxy would resolve and dial on
// its behalf, out of sight of the policy; it speaks HTTP/2 and at least TLS 1.2;
// it does not decompress, which is left to those who bound what comes out.
//
// The caller owns it: share one transport among everything that dials under the
// same policy, and call CloseIdleConnections when done with it.
func (p Policy) Transport() *http.Transport {
	return &http.Transport{
		DialContext:            p.Dialer().DialContext,
		ForceAttemptHTTP2:      true, // a DialContext of our own turns it off otherwise
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  30 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: MaxHeaderBytes,
		DisableCompression:     true,
		// A request is small, and a body is read around the buffer.
		ReadBufferSize:  2 << 10,
		WriteBufferSize: 1 << 10,
		// Feeds are many and visited rarely: a connection is kept for the next
		// request of the same visit, not for the next visit.
		MaxIdleConns:        128,
		MaxIdleConnsPerHost: 8,
		IdleConnTimeout:     30 * time.Second,
		HTTP2: &http.HTTP2Config{
			// The defaults let one server send 1 GiB that nobody has read.
			MaxReceiveBufferPerConnection: 4 << 20,
			MaxReceiveBufferPerStream:     1 << 20,
			// Without pings a connection that died silently stays in the pool
			// and fails every request until the system gives it up.
			SendPingTimeout: 15 * time.Second,
			PingTimeout:     10 * time.Second,
		},
	}
}
