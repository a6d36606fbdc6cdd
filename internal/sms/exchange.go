package sms

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

const (
	// connect bounds dialling and TLS, each.
	connect = 3 * time.Second
	// whole bounds a hand-over from dialling to the end of the answer. A person waits.
	whole = 8 * time.Second
	// mostAnswer is the most of an answer that is read, in bytes.
	mostAnswer = 64 << 10
)

// answer is what came back, or why nothing did.
type answer struct {
	status  int // 0 if there was none
	body    []byte
	written bool  // the provider may have got the whole request
	err     error // what broke
}

// newClient is a client of our own, or the given one without its redirects: a redirect
// would carry the text, and perhaps the credentials, to a place that nobody configured.
func newClient(given *http.Client) *http.Client {
	client := &http.Client{}
	if given != nil {
		*client = *given
	} else {
		client.Transport = &http.Transport{
			DialContext:         (&net.Dialer{Timeout: connect, KeepAlive: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout: connect,
			TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:   true,
			MaxIdleConnsPerHost: 8,
			IdleConnTimeout:     90 * time.Second,
		}
	}
	client.Jar = nil
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}

// exchange sends one request and reads the answer, all within a span of time.
func (c *Carrier) exchange(ctx context.Context, within time.Duration, build func(context.Context) (*http.Request, error)) answer {
	ctx, stop := context.WithTimeout(ctx, within)
	defer stop()
	var written atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// net/http says "wrote" when it has put a request into its buffer, just before it
		// sends that off, and this news may lose a race with the end of ctx. So from the
		// headers on the request counts as written, unless it is known to be cut short.
		// A second connection for one POST is taken only if nothing went out by the first.
		GetConn:      func(string) { written.Store(false) },
		WroteHeaders: func() { written.Store(true) },
		WroteRequest: func(info httptrace.WroteRequestInfo) { written.Store(info.Err == nil) },
	})
	req, err := build(ctx)
	if err != nil {
		return answer{err: fmt.Errorf("build the request: %w", err)}
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return answer{written: written.Load(), err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	got := answer{status: resp.StatusCode, written: true}
	got.body, got.err = io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	return got
}

// isTLS says whether a connection could not be made private.
func isTLS(err error) bool {
	var (
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       tls.AlertError
	)
	return errors.As(err, &certificate) || errors.As(err, &record) || errors.As(err, &alert) ||
		errors.Is(err, http.ErrSchemeMismatch) // the port speaks plain HTTP
}

func isTimeout(err error) bool {
	var slow net.Error
	return errors.As(err, &slow) && slow.Timeout()
}
