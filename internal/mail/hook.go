package mail

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"strconv"
	"strings"
	"time"

	"keyturn/internal/fault"
	"keyturn/internal/message"
	"keyturn/internal/secret"
)

// hookSkew is how far a hook's time may be from ours (Standard Webhooks: five minutes).
const hookSkew = 5 * time.Minute

// maxSignatures bounds how many signatures are compared: a secret that is being changed
// gives two.
const maxSignatures = 10

// Event is what a hook tells of a letter.
type Event string

// The events.
const (
	// Bounced says that a server gave the letter up, or will.
	Bounced Event = "bounced"
	// Complained says that the recipient called it spam.
	Complained Event = "complained"
	// Delivered says that the recipient's server took it.
	Delivered Event = "delivered"
	// Arrived says that it was seen in its mailbox: a canary's.
	Arrived Event = "arrived"
)

// Told is one thing that a hook tells. Of a letter that has not bounced, Bounce holds the
// Key, and the address if the hook names one.
type Told struct {
	Event  Event
	Bounce message.Bounce
}

// Header gives the header fields of a hook: an http.Header.
type Header interface {
	Get(name string) string
}

// ReadHook reads what a mail provider, or a program that reads a mailbox, tells us. It is
// signed as Standard Webhooks has it (standardwebhooks.com): webhook-signature holds
// "v1," and the base64 of the HMAC-SHA256 of "id.timestamp.body", or several of them with
// spaces between. A key that begins with "whsec_" and goes on in base64 is what that
// decodes to, as in the libraries of that standard; any other is taken as it is.
//
// What is not signed with key, or not within five minutes of now, is fault.NotFound, and
// so is everything while key is empty. What is signed and cannot be read is
// fault.Invalid. A hook may come twice: whoever uses it has to bear that.
//
// The body is a notification (ParseReport) if the Content-Type says message/rfc822, and
// else one JSON object:
//
//	{"event": "bounced", "key": "…", "to": "sam@bayside.example", "status": "5.1.1", "said": "…"}
//
// with "message_id" in place of "key" where the whole Message-ID is known. A bounce with
// a status of 4.x.x is one that is tried on.
func ReadHook(header Header, body []byte, key secret.Text, now time.Time) ([]Told, error) {
	if !signed(header, body, key, now) {
		return nil, fmt.Errorf("a hook that is not signed: %w", fault.NotFound)
	}
	if len(body) > MaxReport {
		return nil, unreadable(errTooLarge)
	}
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type")) // none is JSON
	if kind != "message/rfc822" {
		one, err := readEvent(body)
		if err != nil {
			return nil, fmt.Errorf("read a hook: %w: %w", fault.Invalid, err)
		}
		return []Told{one}, nil
	}
	bounces, err := ParseReport(bytes.NewReader(body))
	var all []Told
	for _, b := range bounces {
		all = append(all, Told{Bounced, b})
	}
	return all, err
}

func signed(header Header, body []byte, key secret.Text, now time.Time) bool {
	id, stamp := header.Get("Webhook-Id"), header.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || id == "" || key.Reveal() == "" {
		return false
	}
	if off := now.Sub(time.Unix(seconds, 0)); off > hookSkew || off < -hookSkew {
		return false
	}
	mac := hmac.New(sha256.New, hookKey(key.Reveal()))
	_, _ = io.WriteString(mac, id+"."+stamp+".") // a hash takes everything
	_, _ = mac.Write(body)
	want := mac.Sum(nil)
	right := 0
	for i, one := range strings.Fields(header.Get("Webhook-Signature")) {
		if i == maxSignatures {
			break
		}
		version, text, _ := strings.Cut(one, ",")
		got, err := base64.StdEncoding.DecodeString(text)
		if version == "v1" && err == nil {
			right |= subtle.ConstantTimeCompare(got, want)
		}
	}
	return right == 1
}

func hookKey(text string) []byte {
	if rest, ok := strings.CutPrefix(text, "whsec_"); ok {
		if raw, err := base64.StdEncoding.DecodeString(rest); err == nil && len(raw) > 0 {
			return raw
		}
	}
	return []byte(text)
}

// readEvent reads our own form. The errors name the field and never repeat it.
func readEvent(body []byte) (Told, error) {
	var in struct {
		Event     Event  `json:"event"`
		Key       string `json:"key"`
		MessageID string `json:"message_id"`
		To        string `json:"to"`
		Status    string `json:"status"`
		Said      string `json:"said"`
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&in); err != nil {
		return Told{}, errors.New("it is no JSON object of the form that is documented")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Told{}, errors.New("something stands behind the JSON object")
	}
	switch in.Event {
	case Bounced, Complained, Delivered, Arrived:
	default:
		return Told{}, errors.New("the event is none of bounced, complained, delivered, arrived")
	}
	if in.Key == "" {
		in.Key = keyOf(in.MessageID)
	}
	if !isKey(in.Key) {
		return Told{}, errors.New("key or message_id must name a letter of ours")
	}
	if _, err := parseAddress(in.To); in.To != "" && err != nil {
		return Told{}, fmt.Errorf("to %w", err)
	}
	told := Told{Event: in.Event, Bounce: message.Bounce{Key: in.Key, To: in.To}}
	if in.Event == Bounced {
		told.Bounce.Status, told.Bounce.Said = diagnosis(in.Status, in.Said)
		told.Bounce.Permanent = !strings.HasPrefix(told.Bounce.Status, "4.")
	}
	return told, nil
}
