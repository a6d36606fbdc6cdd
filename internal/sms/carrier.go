package sms

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"time"
	"unicode/utf8"

	"keyturn/internal/fault"
	"keyturn/internal/message"
	"keyturn/internal/secret"
)

// mostProviders bounds the list: more than a handful is a slip of the pen, and a place
// in the course (see course) has a bit for each.
const mostProviders = 8

// mostBody is the longest text that a provider takes, in bytes: Twilio's 1,600
// characters are the fewest. What fits into one part is message's to know.
const mostBody = 1600

var (
	e164    = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	keyForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,200}$`)

	errNumber = errors.New("the number is not in E.164")
	errBody   = errors.New("the text is empty, too long or not UTF-8")
	errKey    = errors.New("the key is not 1 to 200 letters, digits, dots, dashes and underscores")
)

// Setup is what a Carrier needs beside its providers.
type Setup struct {
	// Public is the product's own address; receipts are asked for below it. Without one
	// none are asked for. Where it is a loopback address, only providers that are on
	// loopback, too, are asked: a real one refuses such an address, or cannot reach it.
	Public *url.URL
	// HookSecret makes and knows the unguessable part of addresses whose receipts are
	// not signed. Addresses made before a rotation of keys stay good. Required.
	HookSecret *secret.Keys
	// Client is what requests go through; nil means an own one, which takes at most 3 s
	// to connect. Redirects are not followed, whatever it says. A hand-over takes at
	// most 8 s as a whole.
	Client *http.Client
	// Now is the product's clock. Required.
	Now func() time.Time
	// Log gets a line when a provider fails. Nil means none.
	Log *slog.Logger
	// Slow says whether texts by this provider arrive late these days; it goes last
	// then. Nil means that none does.
	Slow func(name string) bool
}

// Carrier hands texts to providers. Make it with Open; it may be used from several
// goroutines.
type Carrier struct {
	setup  Setup
	client *http.Client
	lanes  []*lane // in order of preference
}

// lane is one provider with its name and its standing.
type lane struct {
	name   string // as staff see it: twilio, clicksend, clicksend-2
	place  string // its host, without credentials
	hook   hook
	speaks provider
	health health
}

// provider is the language of one of them.
type provider interface {
	// request makes the request that hands a text over.
	request(ctx context.Context, t message.Text, now time.Time, h hook) (*http.Request, error)
	// judge reads the answer to it.
	judge(a answer) verdict
	// news reads a receipt.
	news(c callback) ([]message.News, error)
	// probe makes a request that shows whether the credentials are good and sends
	// nothing; nil if there is none.
	probe(ctx context.Context) (*http.Request, error)
}

// Names are the providers' names in order of preference, as they are shown to staff and
// stand in Receipt.Relay and News.Carrier.
func (c *Carrier) Names() []string {
	names := make([]string, 0, len(c.lanes))
	for _, l := range c.lanes {
		names = append(names, l.name)
	}
	return names
}

// Text hands one text to one provider: the first that is neither resting nor slow among
// those that t.After leaves, else a slow one, else a resting one.
//
// What a provider said, or did not say, is a Receipt; see the package for what is what.
// Receipt.Next is to be given back as Text.After just as it is. It is above t.After, and
// -1 when nobody is left. It is a plain index into the list as long as the providers
// were tried in that order; beyond the list it stands for the set of those tried, so
// that one which was passed over is not forgotten.
//
// An error is a fault.Invalid (the text cannot be sent as it is), message.Late, or a
// fault.Busy: ctx ended before anything was handed over.
func (c *Carrier) Text(ctx context.Context, t message.Text) (message.Receipt, error) {
	if err := check(t); err != nil {
		return message.Receipt{Next: none}, fmt.Errorf("sms: %w: %w", err, fault.Invalid)
	}
	now := c.setup.Now()
	if late(t, now) {
		return message.Receipt{Next: none}, fmt.Errorf("sms: %w", message.Late)
	}
	way := read(t.After, len(c.lanes))
	i := c.choose(way, now)
	if i == none {
		return message.Receipt{Reason: message.CarrierDown, Next: none}, nil
	}
	return c.hand(ctx, c.lanes[i], t, way.then(i))
}

// hand gives a text to a provider; next is who may be tried after it.
func (c *Carrier) hand(ctx context.Context, l *lane, t message.Text, next int) (message.Receipt, error) {
	now := c.setup.Now()
	round := l.health.begin(now)
	within := whole
	if !t.Deadline.IsZero() {
		within = min(within, t.Deadline.Sub(now))
	}
	got := c.exchange(ctx, within, func(ctx context.Context) (*http.Request, error) {
		return l.speaks.request(ctx, t, now, l.hook)
	})
	if got.err != nil && !got.written {
		switch {
		case ctx.Err() != nil:
			return message.Receipt{Relay: l.name, Next: t.After}, fmt.Errorf("sms by %s: %w: %w", l.name, ctx.Err(), fault.Busy)
		case late(t, c.setup.Now()):
			return message.Receipt{Relay: l.name, Next: none}, fmt.Errorf("sms by %s: %w", l.name, message.Late)
		}
	}
	v := l.judge(got)
	v.Relay, v.Next = l.name, none
	if v.next {
		v.Next = next
	}
	switch {
	case v.blame:
		if ctx.Err() == nil {
			l.health.fail(c.setup.Now(), round)
		}
		c.complain(ctx, v.Receipt)
	case v.Accepted, v.Permanent:
		l.health.well()
	}
	return v.Receipt, nil
}

// complain logs that a provider is to blame, without a number and without its words:
// those stand in the message's timeline.
func (c *Carrier) complain(ctx context.Context, r message.Receipt) {
	c.setup.Log.LogAttrs(ctx, slog.LevelWarn, "an SMS provider did not do its part",
		slog.String("provider", r.Relay), slog.Int("status", r.Code),
		slog.String("reason", string(r.Reason)), slog.Bool("unknown", r.Unknown))
}

// choose is the index of the provider to try, or none.
func (c *Carrier) choose(way course, now time.Time) int {
	best, rank := none, 0
	for i, l := range c.lanes {
		if way.tried(i) {
			continue
		}
		standing := 3
		switch {
		case l.health.resting(now):
			standing = 1
		case c.setup.Slow(l.name):
			standing = 2
		}
		if standing > rank {
			best, rank = i, standing
		}
	}
	return best
}

// check says whether a text can be sent as it is.
func check(t message.Text) error {
	switch {
	case !keyForm.MatchString(t.Key):
		return errKey
	case !e164.MatchString(t.To):
		return errNumber
	case t.Body == "" || len(t.Body) > mostBody || !utf8.ValidString(t.Body):
		return errBody
	}
	return nil
}

func late(t message.Text, now time.Time) bool {
	return !t.Deadline.IsZero() && !now.Before(t.Deadline)
}
