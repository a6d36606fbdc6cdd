package webhook

import (
	"time"

	"keyturn/internal/id"
)

// State is where a delivery stands.
type State string

// The states.
const (
	Waiting State = "waiting"
	Sending State = "sending"
	Done    State = "done"
	Failed  State = "failed"
	Held    State = "held"
)

// States are all of them, in an order in which they are read.
func States() []State { return []State{Waiting, Sending, Done, Failed, Held} }

// Delivery is what one endpoint is told of one event.
type Delivery struct {
	ID      id.Delivery
	Webhook id.Webhook
	// Event is the webhook-id, the same at each attempt.
	Event  id.Event
	Type   Type
	MadeAt time.Time
	State  State
	// Attempts are those that ended.
	Attempts int
	// DueAt is when it is tried next, where it waits.
	DueAt time.Time
	// TriedAt is when the last attempt began to count, zero: there was none. Status is what
	// the receiver answered, 0 for nothing; Why what failed; Took how long it was.
	TriedAt time.Time
	Status  int
	Why     string
	Took    time.Duration

	body string
}

// waits are how long after each failed attempt the next one follows: ten attempts in about
// three days, as the operations guide of Standard Webhooks has it. Each is longer or shorter
// by up to a tenth, so that what failed together does not come back together.
var waits = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
	10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

const (
	// givenUp is for how long nothing may succeed before an endpoint is switched off.
	givenUp = 72 * time.Hour
	// inFlight is how many deliveries of one endpoint are under way at once, and one where
	// the last attempt failed.
	inFlight = 4
	// lease is how long a claimed delivery is believed to be under way. It is above what a
	// job may take; a job that was killed is taken up by the queue itself, well before that.
	lease = time.Minute
	// shortestRest is how long an endpoint that does not answer is left alone, twice as long
	// with each attempt that fails, up to usualRest; longestRest is the longest that it may
	// ask for itself.
	shortestRest, usualRest, longestRest = 5 * time.Second, 5 * time.Minute, time.Hour
	// keep is how long deliveries stay in the log.
	keep = 30 * 24 * time.Hour
)

// next is when a delivery is tried again after so many attempts; false after the last.
// chance is from 0 to 1.
func next(attempts int, after time.Duration, chance float64) (time.Duration, bool) {
	if attempts < 1 || attempts > len(waits) {
		return 0, false
	}
	wait := waits[attempts-1]
	wait += time.Duration((chance*2 - 1) * float64(wait) / 10)
	return max(wait, after), true
}

// rest is how long an endpoint is left alone that failed so many times in a row.
func rest(missed int, after time.Duration) time.Duration {
	wait := shortestRest << min(max(missed-1, 0), 10)
	return max(min(wait, usualRest), after)
}
