package web

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
)

// record is what one request leaves for its log line.
type record struct {
	reference string
	status    int
	err       error
}

type recordKey struct{}

// recordOf returns the request's record, or a blank one outside Wrap.
func recordOf(ctx context.Context) *record {
	if rec, ok := ctx.Value(recordKey{}).(*record); ok {
		return rec
	}
	return &record{}
}

// Reference returns the short reference of a request, "QX4M-7TBA": the same on the
// error page and in the log line. It says nothing else. Empty outside Wrap.
func Reference(ctx context.Context) string {
	return recordOf(ctx).reference
}

// Note leaves an error for the request's log line, for a handler that answers it itself.
func Note(ctx context.Context, err error) {
	recordOf(ctx).err = err
}

// newReference makes 40 random bits readable: base32 knows no 0 and no 1.
func newReference() string {
	text := rand.Text()
	return text[:4] + "-" + text[4:8]
}

// Wrap puts the whole product behind the kit: security headers on every answer, a
// refusal of changes that another site asks for, a page for a panic, and exactly one
// log line per request, which holds the route's pattern and neither path, query,
// body, cookie nor header.
func (k *Kit) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := k.now()
		rec := &record{reference: newReference()}
		r = r.WithContext(context.WithValue(r.Context(), recordKey{}, rec))
		out := &recorder{ResponseWriter: w}
		defer func() { k.write(r, rec, out, k.now().Sub(start)) }()
		defer k.rescue(out, r, rec)

		k.guard(out.Header())
		if err := k.origins.Check(r); err != nil {
			k.answer(out, r, &refusal{http.StatusForbidden, "another site asked for this change"})
			return
		}
		next.ServeHTTP(out, r)
	})
}

// guard sets the headers that every answer has. A handler that needs another value
// sets it after.
func (k *Kit) guard(h http.Header) {
	h.Set("Content-Security-Policy", csp)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY") // for browsers older than frame-ancestors
	// Not no-referrer: it would make browsers send "Origin: null" with our own forms.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
	h.Set("Cache-Control", "no-store")
	if k.secure() {
		// One year and with subdomains, as ASVS 5.0 3.4.1 asks.
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
}

// csp allows our own files and nothing inline. connect-src is for the script that
// looks again how the code is doing.
const csp = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// rescue turns a panic into an ordinary 500.
func (k *Kit) rescue(out *recorder, r *http.Request, rec *record) {
	p := recover()
	if p == nil {
		return
	}
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p) // net/http's own way to cut a connection
	}
	err := fmt.Errorf("panic: %v\n%s", p, debug.Stack())
	if out.status != 0 { // Half an answer is out: cutting the connection is all that is left.
		rec.err = err
		panic(http.ErrAbortHandler)
	}
	k.answer(out, r, err)
}

// write is the one log line.
func (k *Kit) write(r *http.Request, rec *record, out *recorder, took time.Duration) {
	status := out.status
	if status == 0 {
		status = rec.status
	}
	if status == 0 {
		status = http.StatusOK
	}
	level := slog.LevelInfo
	if status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	route := r.Pattern
	if route == "" {
		route = "none"
	}
	attrs := []slog.Attr{
		slog.String("method", methodOf(r)),
		slog.String("route", route),
		slog.Int("status", status),
		slog.Duration("took", took),
		slog.String("reference", rec.reference),
	}
	if rec.err != nil {
		attrs = append(attrs, slog.String("error", rec.err.Error()))
	}
	k.log.LogAttrs(r.Context(), level, "request", attrs...)
}

// methodOf names the method, so that a client cannot write its own words to the log.
func methodOf(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "other"
}

// recorder remembers the status that was sent.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	if err != nil {
		return n, errors.Join(errGone, err)
	}
	return n, nil
}

var errGone = errors.New("writing the answer")

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
