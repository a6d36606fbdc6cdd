package sms

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"keyturn/internal/message"
)

// clickSend is ClickSend's REST API, v3 (developers.clicksend.com/docs/messaging/sms). It
// has no time after which a text is given up.
type clickSend struct{ given }

func newClickSend(g *given) (provider, error) {
	if g.from != "" && (!isSender(g.from) || strings.Contains(g.from, " ")) {
		return nil, errors.New(errFrom.Error() + ", and without spaces")
	}
	return &clickSend{*g}, nil
}

// csMessage is one message, as it is sent. The custom string comes back in each receipt.
type csMessage struct {
	Source string `json:"source"`
	From   string `json:"from,omitempty"`
	To     string `json:"to"`
	Body   string `json:"body"`
	Custom string `json:"custom_string"`
}

func (p *clickSend) request(ctx context.Context, t message.Text, _ time.Time, _ hook) (*http.Request, error) {
	raw, err := json.Marshal(map[string][]csMessage{"messages": {{
		Source: "keyturn", From: p.from, To: t.To, Body: t.Body, Custom: t.Key,
	}}})
	if err != nil {
		return nil, err
	}
	return p.post(ctx, p.base.JoinPath("v3", "sms", "send").String(), raw)
}

func (p *clickSend) probe(ctx context.Context) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base.JoinPath("v3", "account").String(), nil)
	if err != nil {
		return nil, err
	}
	p.basic(r)
	return r, nil
}

// csCauses are the application status codes that mean something to us
// (developers.clicksend.com/docs, "Application Status Codes"). An unknown one is a
// refusal that another provider may see differently.
var csCauses = map[string]cause{
	"INVALID_RECIPIENT":       {why: message.NumberInvalid, final: true},
	"COUNTRY_NOT_ENABLED":     {why: message.Blocked}, // an account's setting
	"INVALID_SENDER_ID":       {why: message.Blocked},
	"THROTTLED":               {why: message.Blocked}, // the same text to the same number a moment ago
	"INSUFFICIENT_CREDIT":     {why: message.CarrierDown, blame: true},
	"MISSING_CREDENTIALS":     {why: message.Auth, blame: true},
	"INVALID_CREDENTIALS":     {why: message.Auth, blame: true},
	"UNAUTHORIZED":            {why: message.Auth, blame: true},
	"ACCOUNT_NOT_ACTIVATED":   {why: message.Auth, blame: true},
	"MISSING_REQUIRED_FIELDS": {why: message.Other},
}

// csSuccess is the status of what was taken, of the answer and of each message in it.
const csSuccess = "SUCCESS"

// judge reads an answer. A refused text is a 200, too: each message has its own status.
func (p *clickSend) judge(a answer) verdict {
	var said struct {
		Code    string          `json:"response_code"`
		Message string          `json:"response_msg"`
		Data    json.RawMessage `json:"data"` // something else where it failed
	}
	wrong := json.Unmarshal(a.body, &said) != nil
	if a.status/100 != 2 {
		return p.refusal(said.Code, said.Message)
	}
	var data struct {
		Messages []struct {
			ID     string `json:"message_id"`
			Status string `json:"status"`
			Parts  loose  `json:"message_parts"`
		} `json:"messages"`
	}
	if len(said.Data) > 0 {
		_ = json.Unmarshal(said.Data, &data) // what is missing is missing below
	}
	_, known := csCauses[said.Code]
	switch {
	case wrong:
		return garbled()
	case len(data.Messages) == 1 && data.Messages[0].Status == csSuccess && data.Messages[0].ID != "":
		return taken(data.Messages[0].ID, data.Messages[0].Parts.number())
	case len(data.Messages) == 1 && data.Messages[0].Status != csSuccess && data.Messages[0].Status != "":
		return p.refusal(data.Messages[0].Status, "")
	case known:
		return p.refusal(said.Code, said.Message)
	}
	return garbled() // nothing is documented of a 200 without a message in it
}

func (p *clickSend) refusal(code, said string) verdict {
	why, ok := csCauses[code]
	if !ok {
		why = cause{why: message.Other}
	}
	return notTaken(why, withCode(code, said))
}

// csState reads the status code of a receipt (help.clicksend.com, "SMS error codes"): 200
// sent, 201 on the handset, 300 a failure that may pass, 301 and up one that does not.
func csState(code int) message.NewsState {
	switch {
	case code == 200 || code == 300:
		return message.NewsAccepted
	case code == 201:
		return message.NewsDelivered
	case code > 300 && code < 400:
		return message.NewsUndelivered
	}
	return ""
}

// news reads a delivery receipt, which comes by a rule that the operator has made: a form
// by default, JSON if the rule says so. Its custom string is our token.
func (p *clickSend) news(c callback) ([]message.News, error) {
	if !c.hook.knows(c.rest) {
		return nil, errForeign
	}
	var said struct {
		ID        string `json:"message_id"`
		Code      loose  `json:"status_code"`
		Text      string `json:"status_text"`
		ErrorCode loose  `json:"error_code"`
		ErrorText string `json:"error_text"`
		Custom    loose  `json:"custom_string"`
	}
	if c.mediaType() == "application/json" {
		if err := c.object(&said); err != nil {
			return nil, err
		}
	} else {
		form, err := c.form()
		if err != nil {
			return nil, err
		}
		if err := once(form, "message_id", "status_code", "status_text", "error_code", "error_text", "custom_string"); err != nil {
			return nil, err
		}
		said.ID, said.Code, said.Text = form.Get("message_id"), loose(form.Get("status_code")), form.Get("status_text")
		said.ErrorCode, said.ErrorText = loose(form.Get("error_code")), form.Get("error_text")
		said.Custom = loose(form.Get("custom_string"))
	}
	if said.Code.number() == 0 {
		return nil, errUnread
	}
	words := strings.Join(strings.Fields(said.Text+" "+withCode(string(said.ErrorCode), said.ErrorText)), " ")
	return c.hook.news(report{
		token: string(said.Custom), ref: said.ID, state: csState(said.Code.number()),
		why: message.Other, said: withCode(string(said.Code), words),
	}), nil
}
