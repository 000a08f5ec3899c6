package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"

	"github.com/newswatch/newswatch/netguard"
)

// ConnectionFailure says what became of a connection that failed, for the
// notifiers that speak HTTP, and returns the cause without what it is wrapped in
// where that could show an address.
func ConnectionFailure(err error) (Failure, error) {
	var timeout net.Error
	refused, isRefused := errors.AsType[*netguard.RefusedError](err)
	switch {
	case isRefused:
		return FailureRefused, refused
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return FailureTimeout, errors.New("timed out")
	case IsTLS(err):
		return FailureTLS, err
	}
	return FailureConnect, err
}

// IsTLS reports whether a connection failed in its TLS handshake: the certificate, or
// a peer that speaks something else.
func IsTLS(err error) bool {
	_, cert := errors.AsType[*tls.CertificateVerificationError](err)
	_, record := errors.AsType[tls.RecordHeaderError](err)
	_, alert := errors.AsType[tls.AlertError](err)
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	return cert || record || alert || unknown
}
