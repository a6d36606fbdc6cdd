package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The headers of Standard Webhooks.
const (
	headerID        = "webhook-id"
	headerTime      = "webhook-timestamp"
	headerSignature = "webhook-signature"
)

// signature is that of one attempt: an HMAC-SHA-256 of "id.seconds.body" for each secret,
// behind each other with a space between, the newest first (Standard Webhooks, "Signature
// scheme": several signatures are what a rotation without downtime needs).
func signature(which string, at time.Time, body []byte, secrets ...[]byte) string {
	var all []string
	for _, key := range secrets {
		mac := hmac.New(sha256.New, key)
		_, _ = mac.Write([]byte(which + "." + strconv.FormatInt(at.Unix(), 10) + ".")) // a hash takes everything
		_, _ = mac.Write(body)
		all = append(all, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(all, " ")
}

// keys are the secrets that sign at a moment, the newest first.
func (d *Desk) keys(e Endpoint, now time.Time) ([][]byte, error) {
	first, err := d.Keys.Open(place(e.ID, columnSecret), e.secret)
	if err != nil {
		return nil, fmt.Errorf("open a secret: %w", err)
	}
	if len(e.before) == 0 || !now.Before(e.BeforeUntil) {
		return [][]byte{first}, nil
	}
	second, err := d.Keys.Open(place(e.ID, columnBefore), e.before)
	if err != nil {
		return nil, fmt.Errorf("open a secret: %w", err)
	}
	return [][]byte{first, second}, nil
}
