package sms

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio's signature is defined with it, and HMAC-SHA-1 holds
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"keyturn/internal/message"
)

// twilio is Twilio's Messages resource, as of its API 2010-04-01
// (twilio.com/docs/messaging/api/message-resource).
// The password is the account's auth token, which also signs receipts.
type twilio struct{ given }

var twilioSID = regexp.MustCompile(`^AC[0-9a-fA-F]{32}$`)

func newTwilio(g *given) (provider, error) {
	if !twilioSID.MatchString(g.user) {
		return nil, errors.New("before the colon must stand the account's SID: AC and 32 hexadecimal digits")
	}
	if !isSender(g.from) && !senderService.MatchString(g.from) {
		return nil, errors.New("from is needed: a number such as +61…, a name of at most 11 letters and digits with a letter in it, or a messaging service (MG and 32 hexadecimal digits)")
	}
	return &twilio{*g}, nil
}

// A text waits in Twilio's queue for 1 to 36,000 seconds (message resource,
// ValidityPeriod).
const (
	twilioShortest = 1
	twilioLongest  = 36_000
)

func (p *twilio) request(ctx context.Context, t message.Text, now time.Time, h hook) (*http.Request, error) {
	form := url.Values{"To": {t.To}, "Body": {t.Body}}
	if senderService.MatchString(p.from) {
		form.Set("MessagingServiceSid", p.from)
	} else {
		form.Set("From", p.from)
	}
	if !t.Deadline.IsZero() {
		left := int(t.Deadline.Sub(now) / time.Second)
		form.Set("ValidityPeriod", strconv.Itoa(min(max(left, twilioShortest), twilioLongest)))
	}
	if back := h.url(t.Key); back != "" {
		form.Set("StatusCallback", back)
	}
	to := p.base.JoinPath("2010-04-01", "Accounts", p.user, "Messages.json").String()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	p.basic(r)
	return r, nil
}

func (p *twilio) probe(ctx context.Context) (*http.Request, error) {
	to := p.base.JoinPath("2010-04-01", "Accounts", p.user+".json").String()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, to, nil)
	if err != nil {
		return nil, err
	}
	p.basic(r)
	return r, nil
}

// twilioCauses are Twilio's codes that mean something to us (twilio.com/docs/api/errors).
// Twilio adds codes and makes old ones narrower (changelog of 2024-07-10), so an unknown
// one is a refusal that another provider may see differently.
var twilioCauses = map[string]cause{
	"20003": {why: message.Auth, blame: true},        // authenticate
	"20005": {why: message.Auth, blame: true},        // account not active
	"20429": {why: message.CarrierDown, blame: true}, // too many requests
	"21211": {why: message.NumberInvalid, final: true},
	"21408": {why: message.Blocked}, // no permission for that region: an account's setting
	"21606": {why: message.Blocked}, // from is not one of the account's numbers
	"21608": {why: message.Blocked}, // a trial account, and a number it does not know
	"21610": {why: message.OptedOut, final: true},
	"21611": {why: message.CarrierDown, blame: true}, // from has too many in its queue
	"21612": {why: message.Blocked},                  // not from this from to that to
	"21614": {why: message.NumberInvalid, final: true},
	"21635": {why: message.NumberInvalid, final: true}, // a landline
	"30001": {why: message.CarrierDown, blame: true},   // queue overflow
	"30002": {why: message.Auth, blame: true},          // account suspended
	"30003": {why: message.Unreachable},
	"30004": {why: message.NumberBlocked, final: true},
	"30005": {why: message.NumberInvalid, final: true}, // unknown handset
	"30006": {why: message.NumberInvalid, final: true}, // landline, or carrier out of reach
	"30007": {why: message.Blocked},                    // filtered by the carrier
	"30036": {why: message.Timeout},                    // the validity period ran out
}

// twilioCause reads a code; empty is a failure without one.
func twilioCause(code string) cause {
	if known, ok := twilioCauses[code]; ok {
		return known
	}
	return cause{why: message.Other}
}

func (p *twilio) judge(a answer) verdict {
	var said struct {
		SID       string `json:"sid"`
		Status    string `json:"status"`
		Segments  loose  `json:"num_segments"` // "0" by a messaging service: not known yet
		ErrorCode loose  `json:"error_code"`
		ErrorText string `json:"error_message"`
	}
	if a.status/100 != 2 {
		return p.refusal(a)
	}
	if json.Unmarshal(a.body, &said) != nil || said.SID == "" {
		return garbled()
	}
	switch said.Status {
	case "failed", "undelivered", "canceled":
		return notTaken(twilioCause(string(said.ErrorCode)), withCode(string(said.ErrorCode), said.ErrorText))
	}
	return taken(said.SID, said.Segments.number())
}

// refusal reads the answer of a request that was refused; its "status" is a number.
func (p *twilio) refusal(a answer) verdict {
	var said struct {
		Code    loose  `json:"code"`
		Message string `json:"message"`
	}
	_ = json.Unmarshal(a.body, &said) // without it the status has to do
	return notTaken(twilioCause(string(said.Code)), withCode(string(said.Code), said.Message))
}

// twilioStates are the states of a text (message resource, Status). A failed one was never
// sent on, an undelivered one was.
var twilioStates = map[string]message.NewsState{
	"accepted":    message.NewsAccepted,
	"scheduled":   message.NewsAccepted,
	"queued":      message.NewsAccepted,
	"sending":     message.NewsAccepted,
	"sent":        message.NewsAccepted,
	"delivered":   message.NewsDelivered,
	"read":        message.NewsDelivered,
	"undelivered": message.NewsUndelivered,
	"failed":      message.NewsRejected,
	"canceled":    message.NewsRejected,
}

// news reads a status callback. It comes to an address that holds our token, and the
// signature covers the address.
func (p *twilio) news(c callback) ([]message.News, error) {
	form, err := c.form()
	if err != nil {
		return nil, errForeign // without a form there is nothing that is signed
	}
	right, claimed := false, []byte(c.header.Get("X-Twilio-Signature"))
	for _, s := range p.signatures(c.hook.url(c.rest), form) {
		right = hmac.Equal([]byte(s), claimed) || right
	}
	if !right || !keyForm.MatchString(c.rest) {
		return nil, errForeign
	}
	if err := once(form, "MessageSid", "SmsSid", "MessageStatus", "SmsStatus", "ErrorCode", "ErrorMessage", "NumSegments"); err != nil {
		return nil, err
	}
	status := first(form, "MessageStatus", "SmsStatus")
	if status == "" {
		return nil, errUnread
	}
	code := form.Get("ErrorCode")
	return c.hook.news(report{
		token: c.rest, ref: first(form, "MessageSid", "SmsSid"), state: twilioStates[status],
		parts: loose(form.Get("NumSegments")).number(), why: twilioCause(code).why,
		said: withCode(code, form.Get("ErrorMessage")),
	}), nil
}

// signatures are the values that X-Twilio-Signature may have, for an address of ours:
// with its port and without, since Twilio does it either way
// (twilio.com/docs/usage/security; twilio-go, client.RequestValidator).
func (p *twilio) signatures(address string, form url.Values) []string {
	u, err := url.Parse(address)
	if err != nil || address == "" {
		return nil
	}
	bare, ported := *u, *u
	bare.Host = strings.TrimSuffix(u.Host, ":"+u.Port())
	if u.Port() == "" {
		port := ":80"
		if u.Scheme == "https" {
			port = ":443"
		}
		ported.Host = u.Host + port
	}
	return []string{p.sign(bare.String(), form), p.sign(ported.String(), form)}
}

// sign is HMAC-SHA-1 over the address and each name with its value, sorted by name. Of a
// name that is there more than once each different value counts, sorted, as in Twilio's
// own libraries for Node and Python.
func (p *twilio) sign(address string, form url.Values) string {
	mac := hmac.New(sha1.New, []byte(p.password.Reveal()))
	_, _ = mac.Write([]byte(address)) // a hash takes everything
	for _, name := range slices.Sorted(maps.Keys(form)) {
		values := slices.Clone(form[name])
		slices.Sort(values)
		for _, value := range slices.Compact(values) {
			_, _ = mac.Write([]byte(name + value))
		}
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// first is the first of these fields that has a value: Twilio sends each under a new and
// an old name.
func first(form url.Values, names ...string) string {
	for _, name := range names {
		if v := form.Get(name); v != "" {
			return v
		}
	}
	return ""
}
