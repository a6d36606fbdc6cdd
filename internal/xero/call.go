package xero

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"keyturn/internal/fault"
	"keyturn/internal/secret"
)

// reply is what came back, read to its end.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// get makes a call without a body. What Xero answers beside a success and what the caller
// acts on is a *fault.Wait.
func (c *Client) get(ctx context.Context, method, url string, access secret.Text) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, url, http.NoBody)
	if err != nil {
		return reply{}, fmt.Errorf("prepare a call: %w", err)
	}
	r.Header.Set("Accept", "application/json")
	if access.Reveal() != "" {
		r.Header.Set("Authorization", "Bearer "+access.Reveal())
	}
	answer, err := c.http.Do(r)
	if err != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			return reply{}, ctx.Err()
		}
		return reply{}, wait(http.Header{}, c.app.Now(), errReach)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
	if err != nil || len(body) > most {
		return reply{}, wait(http.Header{}, c.app.Now(), errUnread)
	}
	return reply{answer.StatusCode, answer.Header, body}, nil
}

// trouble is what an answer that nobody expects comes to.
func (c *Client) trouble(r reply) error {
	if r.status == http.StatusTooManyRequests {
		return wait(r.header, c.app.Now(), errTooMany)
	}
	return wait(r.header, c.app.Now(), fmt.Errorf("%w (%d)", errStatus, r.status))
}

const (
	// usualWait is what is waited where Xero does not say.
	usualWait = 30 * time.Second
	// longestWait bounds what it says: the daily limit frees within a day.
	longestWait = 24 * time.Hour
)

// wait is trouble that passes, with the time that Retry-After names: seconds, or a date
// (RFC 9110, section 10.2.3).
func wait(h http.Header, now time.Time, err error) error {
	span := usualWait
	said := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, bad := strconv.Atoi(said); bad == nil {
		span = time.Duration(min(max(seconds, 1), int(longestWait/time.Second))) * time.Second
	} else if at, bad := http.ParseTime(said); bad == nil {
		span = min(max(at.Sub(now), time.Second), longestWait)
	}
	return &fault.Wait{For: span, Err: err}
}
