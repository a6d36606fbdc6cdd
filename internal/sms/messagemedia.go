package sms

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"keyturn/internal/message"
)

// messageMedia is MessageMedia's Messages API, v1 (the SDKs' documentation at
// github.com/messagemedia, doc/models/message.md and doc/controllers/messages.md).
type messageMedia struct{ given }

func newMessageMedia(g *given) (provider, error) {
	if g.from != "" && !isSender(g.from) {
		return nil, errFrom
	}
	return &messageMedia{*g}, nil
}

// mmTime is the time's form: ISO 8601 with milliseconds, in UTC.
const mmTime = "2006-01-02T15:04:05.000Z"

// mmMessage is one message, as it is sent. With metadata up to 10 pairs come back in each
// report, a value of up to 256 characters.
type mmMessage struct {
	Content     string            `json:"content"`
	Destination string            `json:"destination_number"`
	Source      string            `json:"source_number,omitempty"`
	Format      string            `json:"format"`
	Expiry      string            `json:"message_expiry_timestamp,omitempty"`
	Report      bool              `json:"delivery_report"`
	Callback    string            `json:"callback_url,omitempty"`
	Metadata    map[string]string `json:"metadata"`
}

func (p *messageMedia) request(ctx context.Context, t message.Text, _ time.Time, h hook) (*http.Request, error) {
	m := mmMessage{
		Content: t.Body, Destination: t.To, Source: p.from, Format: "SMS",
		Metadata: map[string]string{"key": t.Key},
	}
	if !t.Deadline.IsZero() {
		m.Expiry = t.Deadline.UTC().Format(mmTime)
	}
	if m.Callback = h.url(h.secret()); m.Callback != "" {
		m.Report = true
	}
	raw, err := json.Marshal(map[string][]mmMessage{"messages": {m}})
	if err != nil {
		return nil, err
	}
	return p.post(ctx, p.base.JoinPath("v1", "messages").String(), raw)
}

// post makes a request with a JSON body.
func (g *given) post(ctx context.Context, to string, raw []byte) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	if g.user != "" {
		g.basic(r)
	}
	return r, nil
}

// probe lists delivery reports; that confirms none.
func (p *messageMedia) probe(ctx context.Context) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base.JoinPath("v1", "delivery_reports").String(), nil)
	if err != nil {
		return nil, err
	}
	p.basic(r)
	return r, nil
}

func (p *messageMedia) judge(a answer) verdict {
	if a.status/100 != 2 {
		var said struct {
			Message string   `json:"message"`
			Details []string `json:"details"`
		}
		_ = json.Unmarshal(a.body, &said) // without it the status has to do
		// A 400 is about the number or about the account's settings. Its words are not
		// documented, so that the next provider is asked, too.
		return notTaken(cause{why: message.Other}, strings.Join(append([]string{said.Message}, said.Details...), " "))
	}
	var said struct {
		Messages []struct {
			ID     string `json:"message_id"`
			Status string `json:"status"`
		} `json:"messages"`
	}
	if json.Unmarshal(a.body, &said) != nil || len(said.Messages) != 1 || said.Messages[0].ID == "" {
		return garbled()
	}
	one := said.Messages[0]
	if mmStates[one.Status] == message.NewsRejected {
		return notTaken(cause{why: message.Other}, one.Status)
	}
	return taken(one.ID, 0)
}

// mmStates are the states of a message (the SDKs' StatusEnum). What was rejected, failed
// or cancelled never went out.
var mmStates = map[string]message.NewsState{
	"queued":        message.NewsAccepted,
	"processed":     message.NewsAccepted,
	"scheduled":     message.NewsAccepted,
	"enroute":       message.NewsAccepted,
	"submitted":     message.NewsAccepted,
	"delivered":     message.NewsDelivered,
	"expired":       message.NewsUndelivered,
	"undeliverable": message.NewsUndelivered,
	"rejected":      message.NewsRejected,
	"failed":        message.NewsRejected,
	"cancelled":     message.NewsRejected,
}

// news reads a delivery report. The key of its metadata is our token.
func (p *messageMedia) news(c callback) ([]message.News, error) {
	if !c.hook.knows(c.rest) {
		return nil, errForeign
	}
	var said struct {
		ID       string           `json:"message_id"`
		Status   string           `json:"status"`
		Code     loose            `json:"status_code"`
		Metadata map[string]loose `json:"metadata"`
	}
	if err := c.object(&said); err != nil {
		return nil, err
	}
	if said.Status == "" {
		return nil, errUnread // a reply comes to the same address, and has none
	}
	why := message.Other
	if said.Status == "expired" {
		why = message.Unreachable
	}
	return c.hook.news(report{
		token: string(said.Metadata["key"]), ref: said.ID, state: mmStates[said.Status],
		why: why, said: withCode(string(said.Code), said.Status),
	}), nil
}
