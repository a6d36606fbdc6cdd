package web

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// formLimit bounds the body of a form, in bytes.
const formLimit = 64 << 10

// drainLimit is how much more of a form that is too large is read and thrown away.
const drainLimit = 4 << 20

// Fields are the fields of a form: each at most once, valid UTF-8 without NUL.
type Fields map[string]string

// Get returns a field as it was sent, or "" if it was not.
func (f Fields) Get(name string) string { return f[name] }

// Ticked says whether a tick box was ticked.
func (f Fields) Ticked(name string) bool {
	_, ok := f[name]
	return ok
}

// ReadForm reads the form of a POST: the body alone, never the query. A body above
// 64 KiB is answered with 413; another content type, a field that comes twice, and
// text that is not text with 400. The error is for Handle.
func ReadForm(w http.ResponseWriter, r *http.Request) (Fields, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, &refusal{http.StatusBadRequest, "the content type is not that of a form"}
	}
	sent := r.Body
	r.Body = http.MaxBytesReader(w, sent, formLimit)
	if err := r.ParseForm(); err != nil {
		// Whoever is still sending does not read: without this they would see a broken
		// connection and not the sentence.
		_, _ = io.CopyN(io.Discard, sent, drainLimit)
		return nil, formFault(err)
	}
	return single(r.PostForm)
}

func formFault(err error) error {
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return &refusal{http.StatusRequestEntityTooLarge, "the form is too large"}
	}
	return &refusal{http.StatusBadRequest, "the form cannot be read"}
}

func single(values url.Values) (Fields, error) {
	fields := make(Fields, len(values))
	for name, sent := range values {
		if len(sent) != 1 {
			return nil, &refusal{http.StatusBadRequest, "a field of the form came more than once"}
		}
		if !utf8.ValidString(name) || !utf8.ValidString(sent[0]) || strings.ContainsRune(sent[0], 0) {
			return nil, &refusal{http.StatusBadRequest, "a field of the form is not text"}
		}
		fields[name] = sent[0]
	}
	return fields, nil
}
