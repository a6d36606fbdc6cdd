package smstest

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
	"net/http"
)

// Receipt makes the request by which the provider says what became of a text. status is
// the provider's own word (delivered; 201 with ClickSend), code its code of an error.
func (f *Fake) Receipt(m Message, status, code string) *http.Request {
	f.tb.Helper()
	return f.speaks.receipt(f, f.withRule(m), status, code, f.Password)
}

// Forged makes a receipt by somebody who knows the text, but not the secret.
func (f *Fake) Forged(m Message, status string) *http.Request {
	f.tb.Helper()
	m = f.withRule(m)
	if f.kind == MessageMedia || f.kind == ClickSend {
		m.Callback = m.Callback[:len(m.Callback)-4] + "AAAA" // the end of the secret part
	}
	return f.speaks.receipt(f, m, status, "", "bm90IHRoZSByaWdodCBzZWNyZXQgZm9yIHRoaXM=")
}

// Report says what became of a text: all its receipts twice, in any order, with a forged
// one among them. It complains when a right one is not taken, or a forged one is. Call it
// late for late receipts.
func (f *Fake) Report(ctx context.Context, m Message, statuses ...string) {
	f.tb.Helper()
	type receipt struct {
		r      *http.Request
		forged bool
	}
	var all []receipt
	for _, s := range append(statuses, statuses...) {
		all = append(all, receipt{r: f.Receipt(m, s, "")})
	}
	all = append(all, receipt{r: f.Forged(m, statuses[len(statuses)-1]), forged: true})
	Shuffle(all)
	for _, one := range all {
		status, err := send(ctx, one.r)
		switch {
		case err != nil:
			f.fault("a receipt for %s: %v", m.Key, err)
		case one.forged && status != http.StatusNotFound:
			f.fault("a forged receipt for %s got %d", m.Key, status)
		case !one.forged && status/100 != 2:
			f.fault("a receipt for %s got %d", m.Key, status)
		}
	}
}

func (f *Fake) withRule(m Message) Message {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.kind == ClickSend {
		m.Callback = f.rule
	}
	if m.Callback == "" {
		f.tb.Errorf("%s was told no address for receipts", f.kind)
	}
	return m
}

func send(ctx context.Context, r *http.Request) (int, error) {
	resp, err := http.DefaultClient.Do(r.WithContext(ctx))
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// post makes a receipt's request.
func post(to, contentType string, body []byte) *http.Request {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		panic(fmt.Sprintf("a receipt's address: %v", err))
	}
	r.Header.Set("Content-Type", contentType)
	return r
}

// Shuffle puts a list into an order that is as likely as any other.
func Shuffle[T any](list []T) {
	for i := len(list) - 1; i > 0; i-- {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(i+1)))
		if err != nil {
			panic(err)
		}
		j := int(n.Int64())
		list[i], list[j] = list[j], list[i]
	}
}
