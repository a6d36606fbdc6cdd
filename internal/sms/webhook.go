package sms

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"keyturn/internal/message"
	"keyturn/internal/secret"
)

// webhook is our own form, for providers that we do not know: a program of the operator's
// stands between. It is signed in both directions as in Standard Webhooks 1.0.0
// (github.com/standard-webhooks/standard-webhooks, spec).
//
// We send POST with JSON:
//
//	{"to": "+61…", "body": "…", "reference": "…", "expires_at": "2026-11-24T01:02:03Z",
//	 "callback_url": "https://…/hooks/sms/webhook"}
//
// expires_at and callback_url may be missing. The webhook-id is the reference. 2xx means
// taken, {"id": "…", "parts": 1} may say more. 4xx means not taken, {"reason":
// "number_invalid"} (or number_blocked, opted_out) that the number is refused for good.
//
// Receipts come back to callback_url as POST with JSON, signed with the same secret:
//
//	{"reference": "…", "status": "delivered", "id": "…", "parts": 1, "reason": "…"}
//
// status is accepted, delivered, undelivered or rejected (not taken and not charged).
type webhook struct {
	given
	key secret.Text // raw bytes
}

// A secret has 24 to 64 bytes (Standard Webhooks, "Signature scheme").
const (
	shortestKey = 24
	longestKey  = 64
)

func newWebhook(g *given) (provider, error) {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(g.secret.Reveal(), "whsec_"))
	if err != nil || len(raw) < shortestKey || len(raw) > longestKey {
		return nil, errors.New("secret must be 24 to 64 random bytes as base64, such as openssl rand -base64 32 makes, with whsec_ before it or without")
	}
	g.secret = secret.Text{}
	return &webhook{given: *g, key: secret.NewText(string(raw))}, nil
}

type webhookText struct {
	To       string `json:"to"`
	Body     string `json:"body"`
	Token    string `json:"reference"`
	Expires  string `json:"expires_at,omitempty"`
	Callback string `json:"callback_url,omitempty"`
}

func (p *webhook) request(ctx context.Context, t message.Text, now time.Time, h hook) (*http.Request, error) {
	m := webhookText{To: t.To, Body: t.Body, Token: t.Key, Callback: h.url()}
	if !t.Deadline.IsZero() {
		m.Expires = t.Deadline.UTC().Format(time.RFC3339)
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	r, err := p.post(ctx, p.base.String(), raw)
	if err != nil {
		return nil, err
	}
	at := strconv.FormatInt(now.Unix(), 10)
	r.Header.Set("Webhook-Id", t.Key)
	r.Header.Set("Webhook-Timestamp", at)
	r.Header.Set("Webhook-Signature", p.sign(t.Key, at, raw))
	return r, nil
}

// probe is none: whatever is sent there may be a text.
func (p *webhook) probe(context.Context) (*http.Request, error) { return nil, nil }

// sign is "v1," and HMAC-SHA-256 over id, time and body.
func (p *webhook) sign(id, at string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(p.key.Reveal()))
	_, _ = mac.Write([]byte(id + "." + at + ".")) // a hash takes everything
	_, _ = mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (p *webhook) judge(a answer) verdict {
	var said struct {
		ID     loose          `json:"id"`
		Parts  loose          `json:"parts"`
		Reason message.Reason `json:"reason"`
		Text   string         `json:"message"`
	}
	_ = json.Unmarshal(a.body, &said) // the status says what matters
	if a.status/100 == 2 {
		return taken(string(said.ID), said.Parts.number())
	}
	if said.Reason.NamesNumber() {
		return notTaken(cause{why: said.Reason, final: true}, said.Text)
	}
	return notTaken(cause{why: message.Other}, said.Text)
}

// mostDrift is how far a receipt's time may be from ours, either way: what the libraries
// of Standard Webhooks allow.
const mostDrift = 5 * time.Minute

// signed says whether a receipt was signed with our secret, lately.
func (p *webhook) signed(c callback) bool {
	id, at := c.header.Get("Webhook-Id"), c.header.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || id == "" {
		return false
	}
	drift := c.now.Sub(time.Unix(seconds, 0))
	right, want := false, []byte(p.sign(id, at, c.body))
	for one := range strings.FieldsSeq(c.header.Get("Webhook-Signature")) {
		right = hmac.Equal([]byte(one), want) || right
	}
	return right && drift.Abs() <= mostDrift
}

func (p *webhook) news(c callback) ([]message.News, error) {
	if !p.signed(c) || c.rest != "" {
		return nil, errForeign
	}
	var said struct {
		Token  string            `json:"reference"`
		Status message.NewsState `json:"status"`
		ID     loose             `json:"id"`
		Parts  loose             `json:"parts"`
		Reason message.Reason    `json:"reason"`
		Text   string            `json:"message"`
	}
	if err := c.object(&said); err != nil {
		return nil, err
	}
	switch said.Status {
	case message.NewsAccepted, message.NewsDelivered, message.NewsUndelivered, message.NewsRejected:
	default:
		return nil, errUnread
	}
	if !said.Reason.NamesNumber() && said.Reason != message.Unreachable && said.Reason != message.Blocked {
		said.Reason = message.Other
	}
	return c.hook.news(report{
		token: said.Token, ref: string(said.ID), state: said.Status, parts: said.Parts.number(),
		why: said.Reason, said: said.Text,
	}), nil
}
