package mail

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"keyturn/internal/fault"
)

// Options are what a Carrier needs beside its relays. Zero durations and counts take
// the default that the field names.
type Options struct {
	// From is the one address that mail may come from. Required; the local part must
	// be ASCII. Its domain is also the right part of every Message-ID and the name
	// given in EHLO, so that no machine's name leaks.
	From string
	// Now is the product's clock: it dates letters and judges their deadline. It also
	// times how long a failed relay rests. Required.
	Now func() time.Time
	// MaxPerRelay bounds the connections open to one relay: 4.
	MaxPerRelay int
	// MaxPerConnection bounds the letters sent over one connection: 100, the limit of
	// the common relays.
	MaxPerConnection int
	// IdleFor is how long an unused connection is kept: 30 s. RFC 5321 wants servers
	// to wait 5 minutes, many wait less than one.
	IdleFor time.Duration
	// Overtake is how long a relay may take to be ready before the next one is started
	// beside it, and how long a reused connection may take to answer MAIL before it
	// counts as dead: 400 ms. Twice this is still within the same second.
	Overtake time.Duration
	// Connect bounds making one connection ready, from dialling to AUTH: 8 s.
	Connect time.Duration
	// Command bounds the answer to MAIL, RCPT, DATA and RSET each: 8 s.
	Command time.Duration
	// Body bounds handing over the letter: 10 s.
	Body time.Duration
	// Answer bounds the wait for the answer to the final dot: 20 s. RFC 5321 allows
	// servers 10 minutes, but a code is of no use by then.
	Answer time.Duration
	// Observe, if set, is told how long each stage took at which relay (host:port) and
	// whether it went well. The stages are dial, greet, hello, starttls, auth, mail,
	// rcpt, data, body, answer and reset. It is called from several goroutines.
	Observe func(relay, stage string, took time.Duration, ok bool)
	// Behind, if set, says whether a relay (host:port) is measured as slow or down: it is
	// tried after those that are not, and before those that rest. It is asked for each
	// letter and must not wait. It is for codes, which are measured.
	Behind func(relay string) bool
	// Dial opens the connection; nil means TCP.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

func (o Options) filled() Options {
	set(&o.MaxPerRelay, 4)
	set(&o.MaxPerConnection, 100)
	set(&o.IdleFor, 30*time.Second)
	set(&o.Overtake, 400*time.Millisecond)
	set(&o.Connect, 8*time.Second)
	set(&o.Command, 8*time.Second)
	set(&o.Body, 10*time.Second)
	set(&o.Answer, 20*time.Second)
	if o.Observe == nil {
		o.Observe = func(string, string, time.Duration, bool) {}
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	return o
}

func set[T int | time.Duration](field *T, usual T) {
	if *field <= 0 {
		*field = usual
	}
}

// Carrier sends letters through relays. Make it with New; it may be used from several
// goroutines. Each queue (codes, notices, bulk) has its own, so that its connections
// are its own.
type Carrier struct {
	opt   Options
	from  address
	lanes []*lane // in order of preference

	life  context.Context // ends with Close; connections being made belong to it
	end   context.CancelFunc
	going sync.WaitGroup // connections still being made after their letter left
	gate  sync.Mutex     // closed and going.Go
	shut  bool
}

// New makes a Carrier over relays in order of preference. It opens no connection.
func New(relays []Relay, opt Options) (*Carrier, error) {
	if len(relays) == 0 {
		return nil, fmt.Errorf("mail: give at least one relay: %w", fault.Invalid)
	}
	if opt.Now == nil {
		return nil, fmt.Errorf("mail: the clock is missing: %w", fault.Invalid)
	}
	from, err := parseAddress(opt.From)
	if err != nil {
		return nil, fmt.Errorf("mail: the sender %w: %w", err, fault.Invalid)
	}
	if from.utf8 {
		return nil, fmt.Errorf("mail: the sender must be ASCII before the @: %w", fault.Invalid)
	}
	c := &Carrier{opt: opt.filled(), from: from}
	c.life, c.end = context.WithCancel(context.Background())
	for _, r := range relays {
		c.lanes = append(c.lanes, newLane(r, c.opt, from.domain))
	}
	return c, nil
}

// Close ends the pooled connections and waits for those being made. Letters under way
// are finished first by whoever sends them; later ones get a fault.Busy.
func (c *Carrier) Close() {
	c.gate.Lock()
	c.shut = true
	c.gate.Unlock()
	c.end()
	for _, l := range c.lanes {
		l.close()
	}
	c.going.Wait()
}

// spawn runs f beside the letters, unless the carrier is closed.
func (c *Carrier) spawn(f func()) bool {
	c.gate.Lock()
	defer c.gate.Unlock()
	if c.shut {
		return false
	}
	c.going.Go(f)
	return true
}

// Send hands one letter to the first relay that takes it.
//
// A relay's answer, yes or no, is a Receipt. An error is a fault.Invalid (the letter
// cannot be sent as it is), Late, or a fault.Busy: no relay answered about the letter,
// it was not sent, and the same letter may be sent again; the Receipt beside it then
// names the last relay tried and the Reason. The outcome of a letter whose answer was
// lost is a Receipt with Unknown set.
//
// Send returns when ctx ends, and well before on its own: each stage has its budget.
func (c *Carrier) Send(ctx context.Context, l Letter) (Receipt, error) {
	now := c.opt.Now()
	env, err := pack(l, c.from, now)
	if err != nil {
		return Receipt{}, err
	}
	road := ctx // until the final dot
	if !l.Deadline.IsZero() {
		if !now.Before(l.Deadline) {
			return Receipt{}, fmt.Errorf("mail: %w", Late)
		}
		var stop context.CancelFunc
		road, stop = context.WithTimeout(ctx, l.Deadline.Sub(now))
		defer stop()
	}
	t := &trip{carrier: c, road: road, wait: ctx, env: env, left: c.course(now)}
	return t.run()
}

// course is the order in which a letter tries the relays: those in good standing by
// preference, then those that are measured as slow, then the resting ones. A slow relay
// takes the letter at least, and a relay that rests may not.
func (c *Carrier) course(now time.Time) []*lane {
	good := make([]*lane, 0, len(c.lanes))
	var behind, resting []*lane
	for _, l := range c.lanes {
		switch {
		case l.health.resting(now):
			resting = append(resting, l)
		case c.opt.Behind != nil && c.opt.Behind(l.relay.Addr()):
			behind = append(behind, l)
		default:
			good = append(good, l)
		}
	}
	return append(append(good, behind...), resting...)
}
