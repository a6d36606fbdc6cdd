package smstest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio's signature is defined with it
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var e164 = regexp.MustCompile(`^\+[1-9]\d{6,14}$`)

type complain = func(string, ...any)

// text checks what is the same everywhere: a number, and one part of GSM 7-bit.
func text(m *Message, wrong complain) {
	if !e164.MatchString(m.To) {
		wrong("the number is not in E.164")
	}
	parts, gsm7 := Parts(m.Body)
	if m.Parts = parts; parts != 1 || !gsm7 || m.Body == "" {
		wrong("the text is not one part of GSM 7-bit, but %d parts", parts)
	}
	if m.Key == "" && m.Callback != "" {
		wrong("receipts are wanted, and no reference is given")
	}
}

func address(m *Message, wrong complain) {
	if u, err := url.Parse(m.Callback); m.Callback != "" && (err != nil || u.Host == "") {
		wrong("the address for receipts cannot be read")
	}
}

// strict reads a JSON object with known fields only.
func strict(body []byte, to any, wrong complain) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		wrong("the JSON cannot be read: %v", err)
	}
}

func say(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

type object = map[string]any

// twilio is the Messages resource of 2010-04-01.
type twilio struct{}

func (twilio) read(f *Fake, r *http.Request, body []byte, wrong complain) Message {
	if r.URL.Path != "/2010-04-01/Accounts/"+f.User+"/Messages.json" || r.Method != http.MethodPost {
		wrong("%s %s is no place to send to", r.Method, r.URL.Path)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		wrong("it is not a form")
	}
	for name, values := range form {
		if !slices.Contains([]string{"To", "From", "MessagingServiceSid", "Body", "ValidityPeriod", "StatusCallback"}, name) || len(values) != 1 {
			wrong("the field %s is unknown, or there twice", name)
		}
	}
	m := Message{
		ID: "SM" + random(16), To: form.Get("To"), From: form.Get("From") + form.Get("MessagingServiceSid"),
		Body: form.Get("Body"), Callback: form.Get("StatusCallback"),
	}
	if strings.HasPrefix(m.From, "MG") != form.Has("MessagingServiceSid") || m.From != f.From {
		wrong("the sender is not the one that was configured")
	}
	if form.Has("ValidityPeriod") {
		n, err := strconv.Atoi(form.Get("ValidityPeriod"))
		if err != nil || n < 1 || n > 36_000 {
			wrong("the validity period is not 1 to 36000")
		}
		m.Until = time.Now().Add(time.Duration(n) * time.Second)
	}
	if m.Callback != "" {
		m.Key = path.Base(m.Callback)
	}
	address(&m, wrong)
	text(&m, wrong)
	return m
}

func (twilio) answer(w http.ResponseWriter, m Message) {
	refuse := func(code int, words string) {
		say(w, http.StatusBadRequest, object{"code": code, "message": words, "more_info": "https://www.twilio.com/docs/errors/" + strconv.Itoa(code), "status": http.StatusBadRequest})
	}
	if m.Way == RefuseNumber {
		refuse(21211, "Invalid 'To' Phone Number: "+m.To)
		return
	}
	if m.Way == RefuseOther {
		refuse(21408, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: "+m.To)
		return
	}
	answer := object{
		"sid": m.ID, "status": "queued", "num_segments": strconv.Itoa(m.Parts), "error_code": nil, "error_message": nil,
		"body": m.Body, "to": m.To, "from": m.From, "direction": "outbound-api", "price": nil,
	}
	if strings.HasPrefix(m.From, "MG") {
		answer["status"], answer["num_segments"] = "accepted", "0"
	}
	if m.Way == RefuseInside {
		answer["status"], answer["error_code"], answer["error_message"] = "failed", 30001, "Queue overflow"
	}
	say(w, http.StatusCreated, answer)
}

func (twilio) receipt(f *Fake, m Message, status, code, password string) *http.Request {
	form := url.Values{
		"MessageSid": {m.ID}, "SmsSid": {m.ID}, "MessageStatus": {status}, "SmsStatus": {status},
		"AccountSid": {f.User}, "ApiVersion": {"2010-04-01"}, "To": {m.To}, "From": {m.From},
	}
	if code != "" {
		form.Set("ErrorCode", code)
	}
	r := post(m.Callback, "application/x-www-form-urlencoded", []byte(form.Encode()))
	r.Header.Set("X-Twilio-Signature", TwilioSignature(password, m.Callback, form))
	return r
}

// TwilioSignature signs a form with one value for each name.
func TwilioSignature(token, address string, form url.Values) string {
	mac := hmac.New(sha1.New, []byte(token))
	_, _ = mac.Write([]byte(address))
	for _, name := range slices.Sorted(maps.Keys(form)) {
		_, _ = mac.Write([]byte(name + form.Get(name)))
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// messageMedia is the Messages API, v1.
type messageMedia struct{}

func (messageMedia) read(f *Fake, r *http.Request, body []byte, wrong complain) Message {
	if r.URL.Path != "/v1/messages" || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
		wrong("%s %s is no place to send to", r.Method, r.URL.Path)
	}
	var said struct {
		Messages []struct {
			Content     string            `json:"content"`
			Destination string            `json:"destination_number"`
			Source      string            `json:"source_number"`
			Format      string            `json:"format"`
			Expiry      string            `json:"message_expiry_timestamp"`
			Report      bool              `json:"delivery_report"`
			Callback    string            `json:"callback_url"`
			Metadata    map[string]string `json:"metadata"`
		} `json:"messages"`
	}
	strict(body, &said, wrong)
	if len(said.Messages) != 1 {
		wrong("there are %d messages", len(said.Messages))
		return Message{}
	}
	one := said.Messages[0]
	m := Message{
		ID: random(16), Key: one.Metadata["key"], To: one.Destination, From: one.Source,
		Body: one.Content, Callback: one.Callback,
	}
	if one.Format != "SMS" || one.Source != f.From || one.Report != (one.Callback != "") {
		wrong("format, source_number or delivery_report is wrong")
	}
	if one.Expiry != "" {
		var err error
		if m.Until, err = time.Parse("2006-01-02T15:04:05.000Z", one.Expiry); err != nil {
			wrong("the expiry cannot be read")
		}
	}
	address(&m, wrong)
	text(&m, wrong)
	return m
}

func (messageMedia) answer(w http.ResponseWriter, m Message) {
	status := "queued"
	if m.Way == RefuseNumber || m.Way == RefuseOther {
		say(w, http.StatusBadRequest, object{"message": "Invalid request", "details": []string{"destination_number " + m.To + " is not valid"}})
		return
	}
	if m.Way == RefuseInside {
		status = "rejected"
	}
	say(w, http.StatusAccepted, object{"messages": []object{{
		"message_id": m.ID, "status": status, "content": m.Body, "destination_number": m.To, "format": "SMS",
		"metadata": object{"key": m.Key},
	}}})
}

func (messageMedia) receipt(_ *Fake, m Message, status, code, _ string) *http.Request {
	body, _ := json.Marshal(object{
		"message_id": m.ID, "status": status, "status_code": code, "source_number": m.To,
		"delivery_report_id": random(16), "date_received": "2026-11-24T06:30:37.642Z", "delay": 0,
		"original_text": m.Body, "metadata": object{"key": m.Key},
	})
	return post(m.Callback, "application/json", body)
}

// clickSend is the REST API, v3.
type clickSend struct{}

func (clickSend) read(f *Fake, r *http.Request, body []byte, wrong complain) Message {
	if r.URL.Path != "/v3/sms/send" || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
		wrong("%s %s is no place to send to", r.Method, r.URL.Path)
	}
	var said struct {
		Messages []struct {
			Source string `json:"source"`
			From   string `json:"from"`
			To     string `json:"to"`
			Body   string `json:"body"`
			Custom string `json:"custom_string"`
		} `json:"messages"`
	}
	strict(body, &said, wrong)
	if len(said.Messages) != 1 {
		wrong("there are %d messages", len(said.Messages))
		return Message{}
	}
	one := said.Messages[0]
	m := Message{ID: strings.ToUpper(random(16)), Key: one.Custom, To: one.To, From: one.From, Body: one.Body}
	if m.From != f.From {
		wrong("the sender is not the one that was configured")
	}
	text(&m, wrong)
	return m
}

func (clickSend) answer(w http.ResponseWriter, m Message) {
	status, parts := "SUCCESS", m.Parts
	if no, refused := map[Way]string{
		RefuseNumber: "INVALID_RECIPIENT", RefuseOther: "COUNTRY_NOT_ENABLED", RefuseInside: "INSUFFICIENT_CREDIT",
	}[m.Way]; refused {
		status, parts = no, 0
	}
	say(w, http.StatusOK, object{
		"http_code": 200, "response_code": "SUCCESS", "response_msg": "Messages queued for delivery.",
		"data": object{"total_price": 0.07, "total_count": 1, "queued_count": 1, "messages": []object{{
			"message_id": m.ID, "message_parts": parts, "message_price": "0.0700", "status": status,
			"to": m.To, "from": m.From, "body": m.Body, "custom_string": m.Key, "schedule": "",
		}}},
	})
}

func (clickSend) receipt(_ *Fake, m Message, status, code, _ string) *http.Request {
	form := url.Values{
		"timestamp": {"1795500000"}, "message_id": {m.ID}, "status_code": {status}, "error_code": {code},
		"status_text": {"status " + status}, "custom_string": {m.Key}, "message_type": {"sms"},
	}
	return post(m.Callback, "application/x-www-form-urlencoded", []byte(form.Encode()))
}

// webhook is a program of the operator's, signed as in Standard Webhooks 1.0.0.
type webhook struct{}

func (webhook) read(f *Fake, r *http.Request, body []byte, wrong complain) Message {
	id, at := r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp")
	if id == "" || r.Header.Get("webhook-signature") != StandardSignature(f.Password, id, at, body) {
		wrong("the signature is wrong")
	}
	var said struct {
		To       string `json:"to"`
		Body     string `json:"body"`
		Token    string `json:"reference"`
		Expires  string `json:"expires_at"`
		Callback string `json:"callback_url"`
	}
	strict(body, &said, wrong)
	m := Message{ID: random(16), Key: said.Token, To: said.To, Body: said.Body, Callback: said.Callback}
	if said.Expires != "" {
		var err error
		if m.Until, err = time.Parse(time.RFC3339, said.Expires); err != nil {
			wrong("the expiry cannot be read")
		}
	}
	if id != said.Token {
		wrong("the webhook-id is not the reference")
	}
	address(&m, wrong)
	text(&m, wrong)
	return m
}

func (webhook) answer(w http.ResponseWriter, m Message) {
	if m.Way == RefuseNumber {
		say(w, http.StatusUnprocessableEntity, object{"reason": "number_invalid"})
		return
	}
	if m.Way == RefuseOther || m.Way == RefuseInside {
		say(w, http.StatusConflict, object{"message": "not today"})
		return
	}
	say(w, http.StatusAccepted, object{"id": m.ID, "parts": m.Parts})
}

func (webhook) receipt(_ *Fake, m Message, status, code, password string) *http.Request {
	body, _ := json.Marshal(object{"reference": m.Key, "status": status, "id": m.ID, "parts": 1, "reason": code})
	r := post(m.Callback, "application/json", body)
	id, at := "msg_"+random(8), strconv.FormatInt(time.Now().Unix(), 10)
	r.Header.Set("webhook-id", id)
	r.Header.Set("webhook-timestamp", at)
	r.Header.Set("webhook-signature", StandardSignature(password, id, at, body))
	return r
}

// StandardSignature signs as Standard Webhooks do; secret is base64.
func StandardSignature(secret, id, at string, body []byte) string {
	key, _ := base64.StdEncoding.DecodeString(secret)
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(id + "." + at + "." + string(body)))
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
