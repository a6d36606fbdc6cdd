package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"keyturn/internal/fault"
	"keyturn/internal/locale"
)

// refusal is a fault of the request itself that the kit found.
type refusal struct {
	status int
	why    string
}

// Error implements error. The words are for the log and never hold what was sent.
func (r *refusal) Error() string { return r.why }

// Handle makes a handler of a function that returns its error. An error is answered
// with a sentence, a next step and a reference, as a page or as problem JSON
// (RFC 9457); nothing of the request or of the error is shown. Unlike an answer, an
// error that was half written cannot be mended: handlers use Show, which is whole.
//
//   - fault.NotFound and fault.Forbidden: 404 with the same words, because what
//     somebody may not see looks like what is not there
//   - fault.Invalid: 400; fault.Conflict: 409
//   - fault.Busy and *fault.Wait: 503 with Retry-After
//   - every other error: 500
func (k *Kit) Handle(f func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := f(w, r); err != nil {
			k.answer(w, r, err)
		}
	})
}

// Lost answers whatever no route knows.
func (k *Kit) Lost() http.Handler {
	return k.Handle(func(http.ResponseWriter, *http.Request) error { return fault.NotFound })
}

// statusGone is written to the log alone: the client hung up before the answer.
const statusGone = 499

// answer turns an error into an answer and leaves it for the log line.
func (k *Kit) answer(w http.ResponseWriter, r *http.Request, err error) {
	rec := recordOf(r.Context())
	rec.err = err
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		rec.status = statusGone
		return
	}
	status, wait := statusOf(err)
	if status == http.StatusServiceUnavailable {
		RetryAfter(w, wait)
	}
	page := errorPage(status, wait, rec.reference)
	if wantsJSON(r) {
		problem(w, page)
		return
	}
	if err := k.Show(w, r, status, page); err != nil {
		rec.err = errors.Join(rec.err, err)
		w.WriteHeader(http.StatusInternalServerError)
	}
}

// soon is how long to wait when a Busy fault does not say.
const soon = 5 * time.Second

func statusOf(err error) (status int, wait time.Duration) {
	if own, ok := errors.AsType[*refusal](err); ok {
		return own.status, 0
	}
	if busy, ok := errors.AsType[*fault.Wait](err); ok {
		return http.StatusServiceUnavailable, max(busy.For, time.Second)
	}
	switch {
	case errors.Is(err, fault.Busy):
		return http.StatusServiceUnavailable, soon
	case errors.Is(err, fault.NotFound), errors.Is(err, fault.Forbidden):
		return http.StatusNotFound, 0
	case errors.Is(err, fault.Invalid):
		return http.StatusBadRequest, 0
	case errors.Is(err, fault.Conflict):
		return http.StatusConflict, 0
	}
	return http.StatusInternalServerError, 0
}

// RetryAfter tells a client when to come back, in whole seconds, rounded up.
func RetryAfter(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", Seconds(wait))
}

// Seconds is a wait as Retry-After says it: whole seconds, rounded up, one at least.
func Seconds(wait time.Duration) string {
	return strconv.FormatInt(int64(max((wait+time.Second-1)/time.Second, 1)), 10)
}

// ErrorPage is what a person gets for an error.
type ErrorPage struct {
	// Status is the answer's status.
	Status int
	// Heading says what is so, Words what it means, Next what to do.
	Heading, Words, Next string
	// Reference is in the log line too. Empty if there is none.
	Reference string
}

// Head implements Page.
func (p ErrorPage) Head() Head {
	return Head{Template: "web/error", Title: p.Heading}
}

func errorPage(status int, wait time.Duration, reference string) ErrorPage {
	p := ErrorPage{Status: status, Reference: reference}
	switch status {
	case http.StatusNotFound:
		p.Heading, p.Words, p.Next = locale.Say(locale.ErrorLostTitle), locale.Say(locale.ErrorLostWords), locale.Say(locale.ErrorLostNext)
	case http.StatusBadRequest:
		p.Heading, p.Words, p.Next = locale.Say(locale.ErrorUnreadTitle), locale.Say(locale.ErrorUnreadWords), locale.Say(locale.ErrorUnreadNext)
	case http.StatusRequestEntityTooLarge:
		p.Heading, p.Words, p.Next = locale.Say(locale.ErrorLargeTitle), locale.Say(locale.ErrorLargeWords), locale.Say(locale.ErrorLargeNext)
	case http.StatusForbidden:
		p.Heading, p.Words, p.Next = locale.Say(locale.ErrorForeignTitle), locale.Say(locale.ErrorForeignWords), locale.Say(locale.ErrorForeignNext)
	case http.StatusConflict:
		p.Heading, p.Words, p.Next = locale.Say(locale.ErrorConflictTitle), locale.Say(locale.ErrorConflictWords), locale.Say(locale.ErrorConflictNext)
	case http.StatusServiceUnavailable:
		p.Heading, p.Words = locale.Say(locale.ErrorBusyTitle), locale.Say(locale.ErrorBusyWords)
		p.Next = locale.Say(locale.ErrorBusyNext, locale.Data{"Span": locale.Span(wait)})
	default:
		p.Heading, p.Words, p.Next = locale.Say(locale.ErrorBrokenTitle), locale.Say(locale.ErrorBrokenWords), locale.Say(locale.ErrorBrokenNext)
	}
	return p
}

// wantsJSON says whether a program is asking: by its path, or because it accepts JSON
// and no page.
func wantsJSON(r *http.Request) bool {
	p := r.URL.Path
	if strings.HasPrefix(p, "/api/") || p == "/gate" || strings.HasPrefix(p, "/gate/") {
		return true
	}
	accept := strings.ToLower(strings.Join(r.Header.Values("Accept"), ","))
	return strings.Contains(accept, "json") && !strings.Contains(accept, "text/html")
}

// problem answers as RFC 9457 wants it; "reference" is our extension member.
func problem(w http.ResponseWriter, p ErrorPage) {
	body, err := json.Marshal(struct {
		Type      string `json:"type"`
		Title     string `json:"title"`
		Status    int    `json:"status"`
		Detail    string `json:"detail"`
		Reference string `json:"reference,omitempty"`
	}{"about:blank", p.Heading, p.Status, fmt.Sprintf("%s %s", p.Words, p.Next), p.Reference})
	if err != nil { // Four strings and a number always marshal.
		body = []byte(`{"type":"about:blank"}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_, _ = w.Write(body)
}
