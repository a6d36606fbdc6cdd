package api

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"keyturn/internal/fault"
	"keyturn/internal/web"
)

// Problem is an error as programs read it (RFC 9457).
type Problem struct {
	Type   string `json:"type" example:"about:blank" doc:"Always about:blank: status and code say what it is."`
	Title  string `json:"title" example:"Conflict" doc:"The status in words."`
	Status int    `json:"status" example:"409" minimum:"400" maximum:"599" doc:"The HTTP status."`
	Detail string `json:"detail" example:"The site has no link of its own to Xero." doc:"What is so and what to do, for the engineer."`
	Code   string `json:"code,omitempty" example:"not_linked" doc:"A stable word, where the status alone does not say enough."`
	// Reference is in the log line too.
	Reference string  `json:"reference,omitempty" example:"QX4M-7TBA" doc:"What to give the vendor's support."`
	Errors    []Wrong `json:"errors,omitempty" nullable:"false" doc:"What is wrong with what was sent, which is not repeated."`

	//nolint:lll // one field
	Doubts []string `json:"doubts,omitempty" nullable:"false" example:"[\"slip\"]" doc:"What speaks against it, of the code doubtful: slip, role, dummy, shared_mobile, namesake, proved_gone, no_way_in."`

	wait time.Duration
}

// Wrong is one thing that is wrong with what was sent.
type Wrong struct {
	Location string `json:"location" example:"body.connected_at" doc:"Where it is."`
	Message  string `json:"message" example:"expected string to be RFC 3339 date-time" doc:"What is expected there."`
}

func problem(status int, words string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: words}
}

// coded is a problem with a word of its own.
func coded(status int, code, words string) *Problem {
	p := problem(status, words)
	p.Code = code
	return p
}

// Error implements error.
func (p *Problem) Error() string { return p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (*Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.wait > 0 {
		h.Set("Retry-After", web.Seconds(p.wait))
	}
	return h
}

// send is write with the headers of a problem that has some.
func (p *Problem) send(w http.ResponseWriter, r *http.Request) {
	maps.Copy(w.Header(), p.GetHeaders())
	p.write(w, r)
}

func (p *Problem) write(w http.ResponseWriter, r *http.Request) {
	p.Reference = web.Reference(r.Context())
	body, err := json.Marshal(p)
	if err != nil { // Strings and a number always marshal.
		body = []byte(`{"type":"about:blank"}`)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // the client has gone away
}

// fail is an error of ours as a problem, and leaves it for the log line.
func fail(ctx context.Context, err error) error { return failed(ctx, err) }

func failed(ctx context.Context, err error) *Problem {
	web.Note(ctx, err)
	p := problemOf(err)
	p.Reference = web.Reference(ctx)
	return p
}

// soon is how long to wait where a fault does not say.
const soon = 5 * time.Second

func problemOf(err error) *Problem {
	if own, ok := errors.AsType[*Problem](err); ok {
		return own
	}
	if s, ok := errors.AsType[spent](err); ok {
		p := problem(http.StatusTooManyRequests, "There were too many calls of this kind; see Retry-After.")
		p.wait = s.wait
		return p
	}
	switch {
	case errors.Is(err, fault.NotFound), errors.Is(err, fault.Forbidden):
		return problem(http.StatusNotFound, "There is no such thing, or not for this key.")
	case errors.Is(err, fault.Conflict):
		return problem(http.StatusConflict, "It was changed meanwhile; read it again.")
	case errors.Is(err, fault.Invalid):
		words := strings.TrimSuffix(err.Error(), ": "+fault.Invalid.Error())
		return problem(http.StatusUnprocessableEntity, words+".")
	case errors.Is(err, fault.Busy):
		p := problem(http.StatusServiceUnavailable, "It cannot be done at this moment; see Retry-After.")
		p.wait = soon
		if w, ok := errors.AsType[*fault.Wait](err); ok {
			p.wait = w.For
		}
		return p
	}
	return problem(http.StatusInternalServerError, "Something is broken here. The reference is in the log.")
}

// places are where something can be wrong. What else a caller names is its own words, and
// those are not repeated.
var places = regexp.MustCompile(`^(body|path|query|header|` +
	`body\.(state|connected_at|organisation|by|name|region|time_zone|account_manager|user_ref|email|first_name|last_name|mobile|group|kind|status|` +
	`sales_dashboard|business_intelligence|twofa|same_person|sure|asked_by|last_day|app|acr)|` +
	`path\.(ref|user_ref|request)|query\.(limit|cursor|group|kind|status|email|from|until|user_ref)|header\.(Idempotency-Key|If-Match))$`)

// fromHuma is an error that huma found in a request. Its words of a body that could not be
// read, and its values, repeat what was sent, and are left out.
func fromHuma(status int, words string, errs []error) *Problem {
	p := problem(status, words+".")
	switch status {
	case http.StatusBadRequest:
		p.Detail = "The body is no JSON."
	case http.StatusRequestEntityTooLarge:
		p.Detail = "The body is too large."
	case http.StatusUnsupportedMediaType:
		p.Detail = "The body must be application/json."
	case http.StatusUnprocessableEntity:
		p.Detail = "The call does not have the form that the description gives."
		for _, err := range errs {
			if d, ok := errors.AsType[*huma.ErrorDetail](err); ok {
				p.Errors = append(p.Errors, wrong(d))
			}
		}
	case http.StatusInternalServerError:
		p.Detail = "Something is broken here. The reference is in the log."
	}
	return p
}

func wrong(d *huma.ErrorDetail) Wrong {
	w := Wrong{Location: d.Location, Message: d.Message}
	if !places.MatchString(w.Location) {
		w.Location, _, _ = strings.Cut(w.Location, ".")
		if !places.MatchString(w.Location) {
			w.Location = "body"
		}
	}
	return w
}
