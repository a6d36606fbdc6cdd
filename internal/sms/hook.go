package sms

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"keyturn/internal/fault"
	"keyturn/internal/message"
	"keyturn/internal/secret"
)

const (
	// mostReceipt is the longest body of a receipt, in bytes.
	mostReceipt = 64 << 10
	hookMACOf   = "sms hook"
	hookPath    = "hooks/sms"
)

// hook is the address that one provider's receipts come to.
type hook struct {
	public *url.URL // nil: none are asked for
	name   string
	keys   *secret.Keys
}

// url is the address, with a last part; empty if no receipts are asked for.
func (h hook) url(last ...string) string {
	if h.public == nil {
		return ""
	}
	return h.public.JoinPath(append([]string{hookPath, h.name}, last...)...).String()
}

// secret is the unguessable part of an address.
func (h hook) secret() string {
	return base64.RawURLEncoding.EncodeToString(h.keys.MAC(hookMACOf, h.name))
}

// knows says whether rest is the unguessable part, in a time that does not tell how much
// of it is right.
func (h hook) knows(rest string) bool {
	const most = 200
	if len(rest) > most {
		return false
	}
	mac, err := base64.RawURLEncoding.Strict().DecodeString(rest)
	return err == nil && h.keys.Matches(mac, hookMACOf, h.name)
}

// callback is a receipt as it came in.
type callback struct {
	hook   hook
	header http.Header
	rest   string // of the path, behind the provider's name
	body   []byte
	now    time.Time
}

var (
	errForeign = fmt.Errorf("a receipt is from none of our providers: %w", fault.NotFound)
	errUnread  = fmt.Errorf("a receipt cannot be read: %w", fault.Invalid)
)

// Receipt reads a provider's delivery receipt, which came to /hooks/sms/{provider} or
// /hooks/sms/{provider}/{rest}; body is the request's whole body. It changes nothing:
// the news are for message.Post.Moved. There may be none in it, when it is about a text
// that was not sent by us (the same account may be used elsewhere), or about a step that
// makes no difference.
//
// fault.NotFound means an unknown provider, a wrong secret or a wrong signature, which
// look the same from outside. fault.Invalid means that it is from the provider and
// cannot be read.
func (c *Carrier) Receipt(r *http.Request, provider, rest string, body []byte) ([]message.News, error) {
	if len(body) > mostReceipt {
		return nil, fmt.Errorf("a receipt is longer than %d bytes: %w", mostReceipt, fault.Invalid)
	}
	for _, l := range c.lanes {
		if l.name != provider {
			continue
		}
		news, err := l.speaks.news(callback{hook: l.hook, header: r.Header, rest: rest, body: body, now: c.setup.Now()})
		if err != nil {
			return nil, fmt.Errorf("sms by %s: %w", l.name, err)
		}
		return news, nil
	}
	return nil, fmt.Errorf("sms: %w", errForeign)
}

// report is what a provider says about one text, in our words.
type report struct {
	token string
	ref   string
	state message.NewsState // empty: a step that makes no difference
	parts int
	why   message.Reason
	said  string
}

// news makes one piece of news, or none if the report is not about a text of ours.
func (h hook) news(r report) []message.News {
	if r.state == "" || !keyForm.MatchString(r.token) {
		return nil
	}
	n := message.News{
		Carrier: h.name, Token: r.token, Ref: clip(r.ref), State: r.state, Parts: bounded(r.parts),
	}
	if r.state == message.NewsUndelivered || r.state == message.NewsRejected {
		n.Why, n.Said = r.why, words(r.said)
		if n.Why == "" {
			n.Why = message.Other
		}
	}
	return []message.News{n}
}

// mostFields bounds a receipt's form: Twilio's have about twenty.
const mostFields = 200

// form reads a form.
func (c callback) form() (url.Values, error) {
	if c.mediaType() != "application/x-www-form-urlencoded" || strings.Count(string(c.body), "&") > mostFields {
		return nil, errUnread
	}
	form, err := url.ParseQuery(string(c.body))
	if err != nil {
		return nil, errUnread
	}
	return form, nil
}

// once checks that no name that matters is there twice: that would leave open which of
// the two is meant.
func once(form url.Values, matter ...string) error {
	for _, name := range matter {
		if len(form[name]) > 1 {
			return errUnread
		}
	}
	return nil
}

func (c callback) mediaType() string {
	kind, _, _ := mime.ParseMediaType(c.header.Get("Content-Type"))
	return kind
}

// object reads a JSON object.
func (c callback) object(to any) error {
	if json.Unmarshal(c.body, to) != nil {
		return errUnread
	}
	return nil
}
