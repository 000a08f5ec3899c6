package fetcher

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/newswatch/newswatch/netguard"
)

// explainTransport turns what went wrong on the way to host, or while its
// answer was read, into an *Error in plain words.
func explainTransport(host string, timeout time.Duration, err error) *Error {
	var (
		refused *netguard.RefusedError
		dns     *net.DNSError
		op      *net.OpError
		netErr  net.Error
		cert    *tls.CertificateVerificationError
		unknown x509.UnknownAuthorityError
		record  tls.RecordHeaderError
	)
	text := err.Error()
	switch {
	case errors.As(err, &refused):
		return failf(ReasonRefused, err, "%s: %s", host, refused)
	case errors.As(err, &dns):
		switch {
		case dns.IsNotFound:
			return failf(ReasonNoHost, err, "%s: there is no such host", host)
		case dns.IsTimeout:
			return failf(ReasonDNS, err, "%s: the name server did not answer in time", host)
		}
		return failf(ReasonDNS, err, "%s: the name cannot be resolved: %s", host, dns.Err)
	case errors.As(err, &cert), errors.As(err, &unknown):
		return failf(ReasonTLS, err, "%s: the certificate is not to be trusted: %s", host, rootText(err))
	case errors.As(err, &record), strings.Contains(text, "server gave HTTP response to HTTPS client"):
		return failf(ReasonTLS, err, "%s does not speak TLS on that port; is the url an http:// one?", host)
	case strings.Contains(text, "tls: "), strings.Contains(text, "TLS handshake timeout"):
		return failf(ReasonTLS, err, "%s: no TLS connection: %s", host, rootText(err))
	case errors.Is(err, context.DeadlineExceeded):
		return failf(ReasonTimeout, err, "%s: no whole answer within %s", host, timeout)
	case errors.As(err, &netErr) && netErr.Timeout():
		return failf(ReasonTimeout, err, "%s did not answer in time", host)
	case strings.Contains(text, "server response headers exceeded"),
		strings.Contains(text, "response header list larger"):
		return failf(ReasonTooLarge, err, "%s sends headers without end", host)
	case errors.As(err, &op) && op.Op == "dial":
		return failf(ReasonConnect, err, "%s: no connection: %s", host, rootText(err))
	}
	return failf(ReasonConnect, err, "%s: the connection was cut or the answer is not HTTP: %s", host, rootText(err))
}

// rootText is the innermost error's text: the layers above it add addresses and
// operations that tell an operator nothing.
func rootText(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

// explainStatus makes an *Error of an answer that is no document.
func explainStatus(host string, status int) *Error {
	reason, hint := ReasonServer, ""
	switch {
	case status == http.StatusUnauthorized:
		reason, hint = ReasonForbidden, "; it wants a user name and password, which the url may carry"
	case status == http.StatusForbidden:
		reason, hint = ReasonForbidden, "; it may refuse this User-Agent"
	case status == http.StatusUnavailableForLegalReasons:
		reason, hint = ReasonForbidden, "; it is blocked where this runs"
	case status == http.StatusPaymentRequired, status == http.StatusProxyAuthRequired:
		reason = ReasonForbidden
	case status == http.StatusNotFound:
		reason, hint = ReasonNotFound, "; the feed may have moved"
	case status == http.StatusGone:
		reason = ReasonGone
	case status == http.StatusTooManyRequests:
		reason, hint = ReasonRateLimited, "; it asks for fewer requests"
	case status >= 500:
	case status >= 400:
		reason = ReasonClient
	case status == http.StatusNotModified:
		hint = " to a request that set no condition"
	default:
		hint = ", which is no whole document"
	}
	name := http.StatusText(status)
	if name != "" {
		name = " " + name
	}
	e := failf(reason, nil, "%s answered %d%s%s", host, status, name, hint)
	e.Status = status
	return e
}
