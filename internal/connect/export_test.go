package connect

// The moments at which a node may die.
const (
	Answered   = answered
	Stored     = stored
	HandedOver = handedOver
)

// Moment is one of them.
type Moment = moment

// Crash has a desk die where the function says so.
func (d *Desk) Crash(where func(Moment) error) { d.crash = where }
